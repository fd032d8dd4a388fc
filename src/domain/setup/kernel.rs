//! The running kernel: its version, its command line, who draws into the firmware's framebuffer.

use super::same_module;
use crate::domain::{
    gpu::PciAddr,
    iommu::{Known, Range},
};
use serde::{Deserialize, Serialize};
use std::{cmp::Ordering, fmt};

/// A kernel's command line, word by word. A quoted blank belongs to its word (kernel
/// `Documentation/admin-guide/kernel-parameters.rst`).
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub struct CommandLine(Vec<String>);

impl CommandLine {
    /// Takes a line apart.
    #[must_use]
    pub fn read(text: &str) -> Self {
        let mut quoted = false;
        let words = text.split(|c: char| {
            quoted ^= c == '"';
            c.is_whitespace() && !quoted
        });
        Self(words.filter(|word| !word.is_empty()).map(str::to_owned).collect())
    }

    /// The words.
    pub fn tokens(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Whether a word stands there as it is.
    #[must_use]
    pub fn has(&self, token: &str) -> bool {
        self.tokens().any(|word| word == token)
    }

    /// The values of `key=value`, in order. Dashes and underscores are the same in a key (kernel `kernel/params.c`,
    /// `parameq`).
    pub fn values<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> {
        self.tokens()
            .filter_map(move |word| word.split_once('=').filter(|(found, _)| same_module(found, key)))
            .map(|(_, value)| value)
    }

    /// The last value of `key=value`: usually the one that counts.
    #[must_use]
    pub fn last<'a>(&'a self, key: &'a str) -> Option<&'a str> {
        self.values(key).last()
    }

    /// The kernel that was booted, by the names of its files: `BOOT_IMAGE=/boot/vmlinuz-6.8.12-11-pve`,
    /// `initrd=\EFI\proxmox\7.0.14-14-pve\initrd.img-7.0.14-14-pve`. None where they don't hold its version.
    #[must_use]
    pub fn kernel(&self) -> Option<Release> {
        let files = self.values("BOOT_IMAGE").chain(self.values("initrd"));
        let release = |path: &str| {
            let name = path.rsplit(['/', '\\']).next()?;
            Release::read(["vmlinuz-", "initrd.img-"].iter().find_map(|kind| name.strip_prefix(kind))?)
        };
        let mut releases = files.map(release);
        releases.find_map(|release| release)
    }

    /// Whether the kernel came from an ESP that proxmox-boot-tool looks after: from its directory there, or, with a root
    /// on ZFS, from the top of a file system that isn't the root's, where GRUB finds it on the ESP.
    #[must_use]
    pub fn is_from_proxmox_esp(&self) -> bool {
        let zfs = self.values("root").any(|root| root.starts_with("ZFS="));
        self.values("initrd").any(|path| path.starts_with(r"\EFI\proxmox\"))
            || zfs && self.values("BOOT_IMAGE").any(|path| path.starts_with("/vmlinuz-"))
    }
}

impl fmt::Display for CommandLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(" "))
    }
}

/// Lines of `/etc/kernel/cmdline` that nobody reads: Proxmox takes the first line of the file alone (its system
/// administration guide, "Editing the Kernel Commandline": "placed as one line"). A comment behind it does no harm.
#[must_use]
pub fn unread_lines(text: &str) -> Vec<&str> {
    let behind = text.lines().skip(1).map(str::trim);
    behind.filter(|line| !line.is_empty() && !line.starts_with('#')).collect()
}

/// A kernel's version: `7.0.14-14-pve`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Release {
    /// As the kernel says it.
    pub text: String,
    /// The first two numbers.
    pub version: (u32, u32),
}

impl Release {
    /// Reads `uname -r`; none if it doesn't begin with two numbers.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        let mut numbers = text.split(|c: char| !c.is_ascii_digit()).map(|part| part.parse().ok());
        Some(Self { text: text.to_owned(), version: (numbers.next()??, numbers.next()??) })
    }
}

/// Who draws into the firmware's framebuffer, by `/proc/iomem`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Framebuffer {
    /// The name of the reservation: `BOOTFB`, `simple-framebuffer`, `efifb`.
    pub owner: String,
    /// Its addresses; unknown to who isn't root, whom the kernel shows zeros.
    pub range: Known<Range>,
    /// The PCI function whose memory it is in.
    pub device: Option<PciAddr>,
}

/// Names under which the firmware's framebuffer is reserved. A card's own driver has taken it over once it is gone.
const OWNERS: [&str; 10] = [
    "BOOTFB",
    "simple-framebuffer",
    "simplefb",
    "simpledrm",
    "efifb",
    "efidrm",
    "vesafb",
    "vesadrm",
    "bootfb",
    "sysfb",
];

/// The firmware's framebuffers in `/proc/iomem`: lines of `first-last : owner`, two blanks deeper for each range around.
#[must_use]
pub fn framebuffers(iomem: &str) -> Vec<Framebuffer> {
    let mut above: Vec<(usize, Option<PciAddr>)> = Vec::new();
    let mut found = Vec::new();
    for line in iomem.lines() {
        let depth = line.len() - line.trim_start().len();
        let Some((range, owner)) = line.trim().split_once(" : ") else { continue };
        above.retain(|(other, _)| other.cmp(&depth) == Ordering::Less);
        if OWNERS.contains(&owner) {
            let device = above.iter().rev().find_map(|(_, device)| *device);
            found.push(Framebuffer { owner: owner.to_owned(), range: self::range(range).into(), device });
        }
        above.push((depth, owner.parse().ok().filter(|addr: &PciAddr| addr.function.is_some())));
    }
    found
}

fn range(text: &str) -> Option<Range> {
    let (first, last) = text.split_once('-')?;
    let number = |text| u64::from_str_radix(text, 16).ok();
    Some(Range { first: number(first)?, last: number(last)? }).filter(|range| range.last > range.first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_is_read_by_words() {
        let line = CommandLine::read("BOOT_IMAGE=/x ro  a=\"b c\" iommu=pt a=2\n");
        assert_eq!(line.tokens().count(), 5);
        assert_eq!((line.last("a"), line.last("iommu"), line.last("iomm")), (Some("2"), Some("pt"), None));
        assert_eq!(line.values("a").next(), Some("\"b c\""));
        assert!(line.has("ro") && !line.has("r"));
        assert_eq!(CommandLine::read("intel-iommu=on").last("intel_iommu"), Some("on"), "the kernel's own reading");
    }

    #[test]
    fn the_kernel_and_where_it_came_from_stand_on_its_command_line() {
        let table = [
            (
                r"initrd=\EFI\proxmox\7.0.14-14-pve\initrd.img-7.0.14-14-pve root=ZFS=rpool/ROOT/pve-1",
                "7.0.14-14-pve",
                true,
            ),
            ("BOOT_IMAGE=/vmlinuz-7.0.14-14-pve root=ZFS=/ROOT/pve-1 ro", "7.0.14-14-pve", true),
            ("BOOT_IMAGE=/ROOT/pve-1@/boot/vmlinuz-6.8.12-11-pve root=ZFS=/ROOT/pve-1", "6.8.12-11-pve", false),
            ("BOOT_IMAGE=/vmlinuz-6.12.0-1-amd64 root=/dev/sda2", "6.12.0-1-amd64", false),
            (r"initrd=\initramfs-linux.img root=UUID=1", "", false),
        ];
        for (text, release, esp) in table {
            let line = CommandLine::read(text);
            assert_eq!(line.kernel().map(|kernel| kernel.text).unwrap_or_default(), release, "{text}");
            assert_eq!(line.is_from_proxmox_esp(), esp, "{text}");
        }
    }

    #[test]
    fn a_release_begins_with_two_numbers() {
        let version = |text| Release::read(text).map(|release| release.version);
        assert_eq!(version("6.8.12-11-pve\n"), Some((6, 8)));
        assert_eq!(version("7.0-rc3"), Some((7, 0)));
        assert_eq!(version("next"), None);
    }

    #[test]
    fn a_framebuffer_is_on_the_function_around_it() {
        let text = "d0000000-dfffffff : PCI Bus 0000:01\n  d0000000-d1ffffff : 0000:01:00.0\n    d0000000-d08e9fff : BOOTFB\n\
                    e0000000-e0ffffff : 0000:02:00.0\nf0000000-f0001000 : efifb\n00000000-00000000 : simple-framebuffer\n";
        let seen = framebuffers(text);
        let device = |at: usize| seen[at].device.map(|addr| addr.to_string());
        assert_eq!(seen.len(), 3);
        assert_eq!((device(0).as_deref(), device(1)), (Some("0000:01:00.0"), None));
        assert_eq!(seen[0].range, Known::Is(Range { first: 0xd000_0000, last: 0xd08e_9fff }));
        assert_eq!(seen[2].range, Known::Unknown);
    }
}
