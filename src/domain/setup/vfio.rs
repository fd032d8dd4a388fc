//! Which devices `ids=` gives to vfio-pci: `vendor:device[:subvendor[:subdevice[:class[:mask]]]]`, joined by commas
//! (kernel `drivers/vfio/pci/vfio_pci.c`).

use crate::domain::iommu::{Device, PciId};
use serde::{Serialize, Serializer};
use std::{fmt, str::FromStr};

/// Stands for every number (`PCI_ANY_ID`).
const ANY: u32 = u32::MAX;

/// What one item of the list takes.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct VfioId {
    /// Vendor, device, and both of the card's maker.
    numbers: [u32; 4],
    /// Class and the bits of it that count.
    class: (u32, u32),
}

/// A text that isn't an item: fewer than two numbers. The kernel leaves it out.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct NoVfioId;

/// The numbers of an item, and what stands behind them, as the kernel's `sscanf` reads `%x:%x:%x:%x:%x:%x`: what can't
/// be read ends it.
fn numbers(text: &str) -> (Vec<u32>, &str) {
    let mut read = Vec::new();
    let mut rest = text.trim();
    while read.len() < 6 {
        let start = rest.trim_start();
        let digits = start.strip_prefix("0x").or_else(|| start.strip_prefix("0X")).unwrap_or(start);
        let end = digits.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(digits.len());
        let Some((number, behind)) = digits.split_at_checked(end) else { break };
        let Ok(number) = u32::from_str_radix(number, 16) else { break };
        read.push(number);
        rest = behind;
        let Some(next) = behind.strip_prefix(':') else { break };
        rest = next;
    }
    (read, rest)
}

/// Whether an item is written as it has to be, without anything that the kernel doesn't read.
#[must_use]
pub fn is_plain(item: &str) -> bool {
    let (read, rest) = numbers(item);
    read.len() >= 2 && rest.is_empty()
}

impl VfioId {
    /// Whether it takes a device. One without a maker has zeros there (kernel `pci_match_one_device`).
    #[must_use]
    pub fn takes(&self, device: &Device) -> bool {
        let PciId { vendor, device: number } = device.subsystem.unwrap_or_default();
        let own = [device.id.vendor, device.id.device, vendor, number];
        let same = self.numbers.iter().zip(own).all(|(wanted, own)| *wanted == ANY || *wanted == u32::from(own));
        let (class, mask) = self.class;
        same && (class ^ device.class.0) & mask == 0
    }

    /// Whether only cards of one maker are taken.
    #[must_use]
    pub const fn names_maker(&self) -> bool {
        let [_, _, vendor, device] = self.numbers;
        vendor != ANY && device != ANY
    }
}

impl From<PciId> for VfioId {
    fn from(id: PciId) -> Self {
        Self { numbers: [id.vendor.into(), id.device.into(), ANY, ANY], class: (0, 0) }
    }
}

impl FromStr for VfioId {
    type Err = NoVfioId;
    fn from_str(text: &str) -> Result<Self, NoVfioId> {
        let (read, _) = numbers(text);
        let at = |index: usize, missing: u32| read.get(index).copied().unwrap_or(missing);
        if read.len() < 2 {
            return Err(NoVfioId);
        }
        Ok(Self { numbers: [at(0, ANY), at(1, ANY), at(2, ANY), at(3, ANY)], class: (at(4, 0), at(5, 0)) })
    }
}

impl fmt::Display for VfioId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [vendor, device, maker, card] = self.numbers;
        let (class, mask) = self.class;
        write!(f, "{vendor:04x}:{device:04x}")?;
        if mask != 0 {
            return write!(f, ":{maker:04x}:{card:04x}:{class:06x}:{mask:06x}");
        }
        match (maker, card) {
            (ANY, ANY) => Ok(()),
            (_, ANY) => write!(f, ":{maker:04x}"),
            _ => write!(f, ":{maker:04x}:{card:04x}"),
        }
    }
}

impl Serialize for VfioId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A list of ids that vfio-pci is given, and where.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct GivenIds<'a> {
    /// The file.
    pub file: &'a str,
    /// Its line, from 1.
    pub line: usize,
    /// The items as they stand there.
    pub items: Vec<&'a str>,
    /// Items behind a blank, which ends the list: the kernel takes them for other options and ignores them.
    pub cut: Vec<&'a str>,
}

impl<'a> GivenIds<'a> {
    /// Reads the words of an options line or of the kernel's command line; none where no list is in them. Of several
    /// lists in one line the last one counts.
    pub(super) fn read(file: &'a str, line: usize, words: &[&'a str], keys: &[&str]) -> Option<Self> {
        let value = |word: &'a str| {
            let word = word.strip_prefix('"').map_or(word, |inside| inside.trim_end_matches('"'));
            keys.iter().find_map(|key| word.strip_prefix(key)?.strip_prefix('=')).map(|value| value.trim_matches('"'))
        };
        let at = words.iter().rposition(|word| value(word).is_some())?;
        let listed = words.get(at).copied().and_then(value)?;
        let items = |list: &'a str| list.split(',').map(str::trim).filter(|item| !item.is_empty());
        let behind = words.get(at + 1..).unwrap_or_default().iter();
        let cut = behind.take_while(|word| is_item(word)).flat_map(|word| items(word));
        Some(Self { file, line, items: items(listed).collect(), cut: cut.collect() })
    }

    /// What the list gives.
    pub fn ids(&self) -> impl Iterator<Item = VfioId> {
        self.items.iter().filter_map(|item| item.parse().ok())
    }

    /// Whether a device is given.
    #[must_use]
    pub fn takes(&self, device: &Device) -> bool {
        self.ids().any(|id| id.takes(device))
    }

    /// Whether all of these are given, and no other device that has an id of theirs.
    #[must_use]
    pub fn takes_only(&self, own: &[&Device], all: &[Device]) -> bool {
        let other = |device: &&Device| own.iter().all(|own| own.addr != device.addr);
        let twin = |device: &Device| own.iter().any(|own| own.id == device.id) && self.takes(device);
        own.iter().all(|device| self.takes(device)) && !all.iter().filter(other).any(twin)
    }
}

/// Whether a word is a piece of a list that a blank cut off.
fn is_item(word: &str) -> bool {
    let plain = |c: char| c.is_ascii_hexdigit() || matches!(c, ':' | ',' | 'x');
    word.chars().all(plain) && (word == "," || word.split(',').any(|item| item.parse::<VfioId>().is_ok()))
}

/// Where a list and its pieces behind a blank stand in a line of text; none where it isn't there just once.
#[must_use]
pub fn list_in(line: &str) -> Option<std::ops::Range<usize>> {
    let mut starts = line
        .match_indices("ids=")
        .filter(|(at, _)| line.get(..*at).is_some_and(|before| before.ends_with([' ', '\t', '"'])));
    let (key, _) = starts.next().filter(|_| starts.next().is_none())?;
    let quoted_word = line.get(..key)?.ends_with('"');
    let start = key - usize::from(quoted_word);
    let from = key + "ids=".len();
    let rest = line.get(from..)?;
    let mut end = if quoted_word || rest.starts_with('"') {
        from + usize::from(!quoted_word) + rest.get(usize::from(!quoted_word)..)?.find('"')? + 1
    } else {
        from + rest.find(char::is_whitespace).unwrap_or(rest.len())
    };
    loop {
        let behind = line.get(end..)?;
        let blanks = behind.len() - behind.trim_start_matches([' ', '\t']).len();
        let word = behind.get(blanks..)?.split(char::is_whitespace).next().unwrap_or_default();
        if word.is_empty() || blanks == 0 || !is_item(word) {
            return Some(start..end);
        }
        end += blanks + word.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::iommu::Class;

    fn device(id: &str, subsystem: Option<&str>) -> Device {
        Device {
            subsystem: subsystem.map(|id| id.parse().unwrap()),
            ..Device::bare("0000:01:00.0".parse().unwrap(), id.parse().unwrap(), Class(0x03_0000))
        }
    }

    #[test]
    fn an_item_takes_what_the_kernel_would_give_for_it() {
        let card = device("10de:1b81", Some("1043:8598"));
        for (item, taken) in [
            ("10de:1b81", true),
            ("10DE:1B81", true),
            ("0x10de:0x1b81", true),
            ("10de:1b81:1043:8598", true),
            ("10de:1b81:1043", true),
            ("10de:1b81:1458:3701", false),
            ("10de:1b81:1043:8599", false),
            ("10de:ffffffff", true),
            ("10de:ffffffff:ffffffff:ffffffff:030000:ffff00", true),
            ("10de:ffffffff:ffffffff:ffffffff:040300:ffff00", false),
            ("10de:1b82", false),
        ] {
            assert_eq!(item.parse::<VfioId>().unwrap().takes(&card), taken, "{item}");
        }
        assert!(!"10de:1b81:1043:8598".parse::<VfioId>().unwrap().takes(&device("10de:1b81", None)));
        for item in ["10de", "", "nonsense", ":1b81"] {
            assert!(item.parse::<VfioId>().is_err(), "{item}");
        }
        for item in ["10de:1b81", "10de:1b81:1043:8598", "10de:1b81:1043"] {
            assert_eq!(item.parse::<VfioId>().unwrap().to_string(), item);
            assert!(is_plain(item), "{item}");
        }
        // The kernel reads as far as it can.
        for item in ["10de:1b81;10de:10f0", "10de:1b81'", "10de:1b81:x", "10de:1b81."] {
            assert!(item.parse::<VfioId>().unwrap().takes(&card) && !is_plain(item), "{item}");
        }
        for item in ["0000:01:00.0", "01:00.0", "'10de:1b81", "10de-1b81", "[10de:1b81]"] {
            assert!(!item.parse::<VfioId>().is_ok_and(|id| id.takes(&card)) && !is_plain(item), "{item}");
        }
    }

    #[test]
    fn a_blank_ends_the_list_and_quotes_hold_it_together() {
        let read = |words: &'static [&'static str]| GivenIds::read("f", 1, words, &["ids"]).unwrap();
        let cut = read(&["disable_vga=1", "ids=10de:1b81,", "10de:10f0,10de:1ad6", "x=1"]);
        assert_eq!((cut.items, cut.cut), (vec!["10de:1b81"], vec!["10de:10f0", "10de:1ad6"]));
        let comma = read(&["ids=10de:1b81", ",", "10de:10f0"]);
        assert_eq!((comma.items, comma.cut), (vec!["10de:1b81"], vec!["10de:10f0"]));
        for words in [&["ids=\"10de:1b81, 10de:10f0\""], &["\"ids=10de:1b81, 10de:10f0\""]] {
            let quoted = read(words);
            assert_eq!((quoted.items, quoted.cut.len()), (vec!["10de:1b81", "10de:10f0"], 0), "{words:?}");
        }
        assert_eq!(read(&["ids=1:2", "ids=3:4"]).items, ["3:4"]);
    }

    #[test]
    fn a_list_is_found_where_it_stands() {
        let found = |line: &str| list_in(line).map(|at| line[at].to_owned());
        for (line, list) in [
            ("options vfio-pci ids=10de:1b81,10de:10f0 disable_vga=1\n", "ids=10de:1b81,10de:10f0"),
            ("options vfio-pci ids=10de:1b81, 10de:10f0\n", "ids=10de:1b81, 10de:10f0"),
            ("options\tvfio-pci\tids=10de:1b81,\t10de:10f0\tx=1", "ids=10de:1b81,\t10de:10f0"),
            ("options vfio-pci ids=\"10de:1b81, 10de:10f0\" x=1", "ids=\"10de:1b81, 10de:10f0\""),
            ("options vfio-pci \"ids=10de:1b81, 10de:10f0\"", "\"ids=10de:1b81, 10de:10f0\""),
        ] {
            assert_eq!(found(line).as_deref(), Some(list), "{line}");
        }
        assert_eq!(found("options vfio-pci ids=1:2 ids=3:4"), None);
        assert_eq!(found("options vfio-pci ids=\"1:2"), None);
    }
}
