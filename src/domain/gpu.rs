//! PCI addresses, `hostpciN` entries, resource mappings, and who would hold which function.
//!
//! Ownership is computed from devices over all guests of the node, never from labels: two guests that name the same
//! whole function conflict, whatever their modes are called.

use super::ids::{NodeName, Vmid};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt, str::FromStr};

/// A PCI slot (`0000:01:00`, meaning every function of it) or a single function (`0000:01:00.0`).
///
/// Proxmox treats an address without a function as a prefix match over sysfs ids, and `01:00` as `0000:01:00`
/// (pve-common `SysFSTools.pm:91`). Its own pattern takes lower case only; a person may type upper case, and what is
/// printed is always lower case.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct PciAddr {
    /// PCI domain, nearly always 0.
    pub domain: u32,
    /// Bus number.
    pub bus: u8,
    /// Device number, 0 to 31.
    pub device: u8,
    /// Function 0 to 7, or none for the whole slot.
    pub function: Option<u8>,
}

/// Why a text is not a PCI address.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("'{0}' is not a PCI address; expected a slot such as 0000:01:00 or a function such as 0000:01:00.0")]
pub struct BadPciAddr(String);

impl PciAddr {
    /// The slot without a function.
    #[must_use]
    pub const fn slot(self) -> Self {
        Self { function: None, ..self }
    }

    /// Whether both name at least one common function.
    #[must_use]
    pub fn overlaps(self, other: Self) -> bool {
        self.slot() == other.slot()
            && match (self.function, other.function) {
                (Some(a), Some(b)) => a == b,
                _ => true,
            }
    }
}

impl FromStr for PciAddr {
    type Err = BadPciAddr;

    fn from_str(text: &str) -> Result<Self, BadPciAddr> {
        let bad = || BadPciAddr(text.to_owned());
        let hex = |part: &str, digits: std::ops::RangeInclusive<usize>| {
            let clean = digits.contains(&part.len()) && part.bytes().all(|b| b.is_ascii_hexdigit());
            clean.then(|| u32::from_str_radix(part, 16).ok()).flatten()
        };
        let (slot, function) = match text.split_once('.') {
            Some((slot, function)) => (slot, Some(hex(function, 1..=1).filter(|f| *f < 8).ok_or_else(bad)?)),
            None => (text, None),
        };
        let parts: Vec<&str> = slot.split(':').collect();
        let (domain, bus, device) = match parts.as_slice() {
            [bus, device] => ("0000", *bus, *device),
            [domain, bus, device] => (*domain, *bus, *device),
            _ => return Err(bad()),
        };
        let narrow = |n: u32| u8::try_from(n).map_err(|_| bad());
        Ok(Self {
            domain: hex(domain, 4..=8).ok_or_else(bad)?,
            bus: narrow(hex(bus, 2..=2).ok_or_else(bad)?)?,
            device: narrow(hex(device, 2..=2).filter(|d| *d < 32).ok_or_else(bad)?)?,
            function: function.map(narrow).transpose()?,
        })
    }
}

impl TryFrom<String> for PciAddr {
    type Error = BadPciAddr;
    fn try_from(text: String) -> Result<Self, BadPciAddr> {
        text.parse()
    }
}

impl From<PciAddr> for String {
    fn from(addr: PciAddr) -> Self {
        addr.to_string()
    }
}

impl fmt::Display for PciAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04x}:{:02x}:{:02x}", self.domain, self.bus, self.device)?;
        self.function.map_or(Ok(()), |function| write!(f, ".{function:x}"))
    }
}

/// One `hostpciN` line of a guest's configuration (qemu-server `PCI.pm:26-136`).
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct HostPci {
    /// The N of `hostpciN`.
    pub index: u8,
    /// Which device.
    pub source: PciSource,
    /// Mediated device type: a slice of the device, not the whole of it.
    pub mdev: Option<String>,
}

/// How a `hostpciN` names its device.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PciSource {
    /// Raw addresses, joined by `;` in the configuration.
    Raw(Vec<PciAddr>),
    /// The id of a cluster-wide resource mapping.
    Mapping(String),
}

impl HostPci {
    /// Reads the value of `hostpci<index>`, such as `0000:01:00,pcie=1` or `mapping=gpu0,pcie=1`.
    ///
    /// # Errors
    /// Neither `host` nor `mapping` is given, or an address is malformed.
    pub fn parse(index: u8, value: &str) -> Result<Self, String> {
        let mut source = None;
        let mut mdev = None;
        for part in value.split(',') {
            let (key, value) = part.split_once('=').unwrap_or(("host", part));
            match key {
                "host" => {
                    let addrs = value.split(';').map(str::parse).collect::<Result<Vec<PciAddr>, _>>();
                    source = Some(PciSource::Raw(addrs.map_err(|bad| bad.to_string())?));
                }
                "mapping" => source = Some(PciSource::Mapping(value.to_owned())),
                "mdev" => mdev = Some(value.to_owned()),
                _ => {}
            }
        }
        let source = source.ok_or_else(|| format!("hostpci{index}: neither host nor mapping in '{value}'"))?;
        Ok(Self { index, source, mdev })
    }
}

/// A cluster-wide PCI resource mapping (`/cluster/mapping/pci`).
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Mapping {
    /// The mapping's id, as in `hostpci0: mapping=<id>`.
    pub id: String,
    /// Alternatives; for one node, Proxmox takes the first free one.
    pub entries: Vec<MappingEntry>,
    /// What doesn't fit the hardware of the node, in the host's words; empty where all does, or where nobody compared.
    #[serde(default)]
    pub checks: Vec<MappingCheck>,
}

/// Something that doesn't fit.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct MappingCheck {
    /// Whether a start would fail.
    pub error: bool,
    /// The host's words.
    pub message: String,
}

impl MappingCheck {
    /// What helps against it. A repair writes a mapping's entries anew; whether it is one of mediated devices is said
    /// beside them (pve-guest-common `Mapping/PCI.pm`, `'mdev' does not match`), and depends on the host's driver.
    #[must_use]
    pub fn advice(&self, id: &str) -> String {
        if self.message.contains("'mdev' does not match") {
            format!(
                "Load the driver of the card that offers mediated devices, or change \"Use with mediated devices\" of {id} \
                 in Datacenter > Resource Mappings"
            )
        } else {
            format!("`morpheus gpu map repair {id}` writes it anew")
        }
    }
}

/// One alternative of a [`Mapping`].
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct MappingEntry {
    /// The node that has the device.
    pub node: NodeName,
    /// Functions of the device.
    pub path: Vec<PciAddr>,
    /// Vendor and device as `10de:2684`.
    pub id: String,
}

/// What one `hostpciN` would take from the host.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Claim {
    /// These functions, whole.
    Whole(Vec<PciAddr>),
    /// One of these alternatives, whole: a mapping with several entries for the node.
    OneOf(Vec<Vec<PciAddr>>),
    /// A slice of a device: several guests may have one each.
    Slice(Vec<PciAddr>),
    /// These functions, whole, in a way of which Proxmox keeps no reservation: it doesn't look at them when it chooses
    /// among alternatives.
    Unreserved {
        /// The functions.
        functions: Vec<PciAddr>,
        /// Whether they are held; else one of them may be.
        sure: bool,
        /// How: `args`, or a container's device node.
        by: String,
    },
    /// Something that can't be resolved: a mapping that may not be seen or is gone, or words that can't be read.
    Unknown(String),
}

impl Claim {
    /// Whether it is a device that nobody can tell from others of which this is one.
    #[must_use]
    pub fn may_be(&self, addr: PciAddr) -> bool {
        matches!(self, Self::Unreserved { functions, sure: false, .. } if functions.iter().any(|one| one.overlaps(addr)))
    }

    /// Whether the device is taken from its driver on the host: not for a slice, and not for a container's node, which
    /// is the driver's own.
    fn unbinds(&self) -> bool {
        match self {
            Self::Whole(_) | Self::OneOf(_) => true,
            Self::Unreserved { by, .. } => !by.starts_with("/dev/") || by.starts_with("/dev/vfio"),
            Self::Slice(_) | Self::Unknown(_) => false,
        }
    }
}

/// Resolves a guest's `hostpciN` lines on `node`. `mappings` is none where they couldn't be read.
#[must_use]
pub fn claims(hostpci: &[HostPci], mappings: Option<&[Mapping]>, node: &NodeName) -> Vec<Claim> {
    hostpci.iter().map(|entry| claim(entry, mappings, node)).collect()
}

fn claim(entry: &HostPci, mappings: Option<&[Mapping]>, node: &NodeName) -> Claim {
    let mut alternatives: Vec<Vec<PciAddr>> = match &entry.source {
        PciSource::Raw(addrs) => vec![addrs.clone()],
        PciSource::Mapping(id) => {
            let found = mappings.into_iter().flatten().find(|mapping| mapping.id == *id);
            let Some(mapping) = found else { return Claim::Unknown(id.clone()) };
            mapping.entries.iter().filter(|e| e.node == *node).map(|e| e.path.clone()).collect()
        }
    };
    match (&entry.source, alternatives.len()) {
        (PciSource::Mapping(id), 0) => Claim::Unknown(id.clone()),
        _ if entry.mdev.is_some() => Claim::Slice(alternatives.concat()),
        (_, 1) => Claim::Whole(alternatives.pop().unwrap_or_default()),
        _ => Claim::OneOf(alternatives),
    }
}

/// Whether two guests' claims can't both be met at once.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Clash {
    /// They want the same function.
    Function(PciAddr),
    /// They want two functions of one IOMMU group, which belongs to one QEMU process as a whole: opening it a second
    /// time ends with "Device or resource busy".
    Group {
        /// The group.
        group: u32,
        /// The function that is wanted.
        wanted: PciAddr,
        /// The function that is held.
        held: PciAddr,
    },
    /// One wants a device, the other a virtual function of it. The device's driver makes these, and takes all of them
    /// away when it hands the device to `vfio-pci`.
    Sliced {
        /// The device.
        physical: PciAddr,
        /// The virtual function.
        slice: PciAddr,
        /// Which of both is held.
        held: PciAddr,
    },
    /// Nobody can tell, because this mapping can't be resolved.
    Unknown(String),
}

/// How functions of the host hang together, as far as that is known.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Ties {
    /// The IOMMU group of each function.
    pub groups: BTreeMap<PciAddr, u32>,
    /// The device that each virtual function is a slice of (`physfn`).
    pub physical: BTreeMap<PciAddr, PciAddr>,
}

impl Ties {
    /// The first group that both have functions of, where they have no function in common.
    fn common(&self, one: PciAddr, other: PciAddr) -> Option<u32> {
        let of =
            |addr: PciAddr| self.groups.iter().filter(move |(known, _)| known.overlaps(addr)).map(|(_, group)| *group);
        of(one).find(|group| of(other).any(|held| held == *group))
    }

    /// A device that one claim takes whole, and a virtual function of it that the other one uses. Proxmox knows nothing of
    /// this when it chooses among alternatives, so that each of them counts.
    fn sliced(&self, wanted: &Claim, held: &Claim) -> Option<Clash> {
        let any = |all: &[PciAddr], addr: PciAddr| all.iter().any(|one| one.overlaps(addr));
        let of = |whole: &Claim, user: &Claim| {
            let (whole, used) = (if whole.unbinds() { touched(whole) } else { Vec::new() }, touched(user));
            let mut pairs = self.physical.iter().map(|(slice, physical)| (*slice, *physical));
            pairs.find(|(slice, physical)| any(&whole, *physical) && any(&used, *slice))
        };
        let lost = of(wanted, held).map(|(slice, physical)| Clash::Sliced { physical, slice, held: slice });
        let clash = lost
            .or_else(|| of(held, wanted).map(|(slice, physical)| Clash::Sliced { physical, slice, held: physical }))?;
        Some(match (wanted, held) {
            (Claim::Unreserved { sure: false, by, .. }, _) | (_, Claim::Unreserved { sure: false, by, .. }) => {
                Clash::Unknown(by.clone())
            }
            _ => clash,
        })
    }

    /// Two functions of one group that two guests want whole. A slice of a device has a group of its own.
    fn of_group(&self, wanted: &Claim, held: &Claim) -> Option<Clash> {
        let whole = |claim: &Claim| match claim {
            Claim::Whole(_) | Claim::OneOf(_) | Claim::Unreserved { .. } => functions(claim),
            Claim::Slice(_) | Claim::Unknown(_) => Vec::new(),
        };
        let held = whole(held);
        whole(wanted).into_iter().find_map(|one| {
            let group =
                |other: &PciAddr| Some(Clash::Group { group: self.common(one, *other)?, wanted: one, held: *other });
            held.iter().find_map(group)
        })
    }
}

/// Looks for a clash between what `wanted` would take and what `holders` (running guests) have.
///
/// With several alternatives per claim, an assignment that satisfies everybody is searched for. Returns the clash and
/// the guest that causes it.
#[must_use]
pub fn clash(wanted: &[Claim], holders: &BTreeMap<Vmid, Vec<Claim>>, ties: &Ties) -> Option<(Vmid, Clash)> {
    for (vmid, held) in holders {
        if let Some(found) = wanted.iter().find_map(|w| held.iter().find_map(|h| fixed_clash(w, h, ties))) {
            return Some((*vmid, found));
        }
    }
    let held = holders.iter().flat_map(|(vmid, held)| held.iter().map(|claim| (Some(*vmid), claim)));
    let everybody: Vec<(Option<Vmid>, &Claim)> = held.chain(wanted.iter().map(|claim| (None, claim))).collect();
    if assignable(&everybody, &mut Vec::new(), ties) {
        return None;
    }
    let between = |w: &Claim, h: &Claim| common(w, h).map(Clash::Function).or_else(|| ties.of_group(w, h));
    wanted
        .iter()
        .find_map(|w| holders.iter().find_map(|(vmid, held)| held.iter().find_map(|h| Some((*vmid, between(w, h)?)))))
}

/// A clash that no choice among alternatives can avoid.
fn fixed_clash(wanted: &Claim, held: &Claim, ties: &Ties) -> Option<Clash> {
    let same = match (wanted, held) {
        (Claim::Unknown(id), _) | (_, Claim::Unknown(id)) => Some(Clash::Unknown(id.clone())),
        (Claim::Whole(_), Claim::Whole(_)) => {
            common(wanted, held).map(Clash::Function).or_else(|| ties.of_group(wanted, held))
        }
        (Claim::Whole(_), Claim::Slice(_)) | (Claim::Slice(_), Claim::Whole(_)) => {
            common(wanted, held).map(Clash::Function)
        }
        (Claim::Unreserved { functions, sure, by }, other) | (other, Claim::Unreserved { functions, sure, by }) => {
            match overlap(&touched(other), functions) {
                Some(addr) if *sure => Some(Clash::Function(addr)),
                Some(_) => Some(Clash::Unknown(by.clone())),
                None => ties.of_group(wanted, held),
            }
        }
        (Claim::Slice(_), Claim::Slice(_)) | (Claim::OneOf(_), _) | (_, Claim::OneOf(_)) => None,
    };
    same.or_else(|| ties.sliced(wanted, held))
}

/// A function that both claims may use.
fn common(a: &Claim, b: &Claim) -> Option<PciAddr> {
    overlap(&touched(a), &touched(b))
}

fn overlap(a: &[PciAddr], b: &[PciAddr]) -> Option<PciAddr> {
    a.iter().copied().find(|x| b.iter().any(|y| x.overlaps(*y)))
}

/// Every function that a claim may touch.
fn touched(claim: &Claim) -> Vec<PciAddr> {
    match claim {
        Claim::Whole(functions) | Claim::Slice(functions) | Claim::Unreserved { functions, .. } => functions.clone(),
        Claim::OneOf(alternatives) => alternatives.concat(),
        Claim::Unknown(_) => Vec::new(),
    }
}

/// The functions that a claim is about; none where nobody can tell.
#[must_use]
pub fn functions(claim: &Claim) -> Vec<PciAddr> {
    match claim {
        Claim::Unreserved { sure: false, .. } => Vec::new(),
        claim => touched(claim),
    }
}

/// Whether everybody can have what they claim; `taken` is what is given away already, and to whom.
fn assignable(rest: &[(Option<Vmid>, &Claim)], taken: &mut Vec<(Option<Vmid>, PciAddr)>, ties: &Ties) -> bool {
    let Some(((who, first), rest)) = rest.split_first() else { return true };
    let alternatives: &[Vec<PciAddr>] = match first {
        Claim::Whole(addrs) => std::slice::from_ref(addrs),
        Claim::OneOf(alternatives) => alternatives,
        Claim::Slice(_) | Claim::Unreserved { .. } | Claim::Unknown(_) => return assignable(rest, taken, ties),
    };
    alternatives.iter().any(|addrs| {
        let busy = |addr: PciAddr, holder: Option<Vmid>, held: PciAddr| {
            held.overlaps(addr) || holder != *who && ties.common(addr, held).is_some()
        };
        if addrs.iter().any(|addr| taken.iter().any(|(holder, held)| busy(*addr, *holder, *held))) {
            return false;
        }
        let before = taken.len();
        taken.extend(addrs.iter().map(|addr| (*who, *addr)));
        let fits = assignable(rest, taken, ties);
        taken.truncate(before);
        fits
    })
}

#[cfg(test)]
#[path = "gpu_tests.rs"]
mod tests;
