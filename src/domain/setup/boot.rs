//! What booted a host: told by what it left behind, never by which files lie around. A host that GRUB boots may well
//! have an `/etc/kernel/cmdline`.

use super::CommandLine;
use crate::domain::iommu::Known;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, fmt};

/// A boot loader.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Loader {
    /// GRUB.
    Grub,
    /// systemd-boot.
    SystemdBoot,
    /// Limine.
    Limine,
    /// A kernel, its command line and its RAM disk in one file, which the firmware boots itself.
    Unified,
    /// `rEFInd`, which has options of its own beside each kernel.
    Refind,
    /// The kernel's own EFI stub, which the firmware boots with the options of its boot entry.
    Stub,
    /// One that morpheus doesn't know.
    Other,
}

impl Loader {
    /// Where its options for the kernel are changed, for the loaders whose files are only changed by hand.
    #[must_use]
    pub const fn by_hand(self) -> Option<&'static str> {
        match self {
            Self::Grub | Self::SystemdBoot | Self::Limine | Self::Unified => None,
            Self::Refind => Some(
                "refind_linux.conf beside the kernel, often /boot/refind_linux.conf, in each line that boots this system",
            ),
            Self::Stub => Some("the firmware's boot entry, which `efibootmgr --unicode` shows and sets"),
            Self::Other => Some("your boot loader's own configuration"),
        }
    }
}

impl fmt::Display for Loader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Grub => "GRUB",
            Self::SystemdBoot => "systemd-boot",
            Self::Limine => "Limine",
            Self::Unified => "the firmware itself (unified kernel image)",
            Self::Refind => "rEFInd",
            Self::Stub => "the firmware itself (EFI stub)",
            Self::Other => "a boot loader that morpheus doesn't know",
        })
    }
}

/// What is known of what booted a host.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Boot {
    /// Whether the firmware is UEFI.
    pub efi: Known<bool>,
    /// What booted it. Unknown where nothing tells, or what tells doesn't agree.
    pub loader: Known<Loader>,
    /// Whether proxmox-boot-tool keeps copies of kernels and boot configuration on ESPs of its own
    /// (`/etc/kernel/proxmox-boot-uuids`), so that each change needs `proxmox-boot-tool refresh`.
    pub managed: bool,
    /// What tells so.
    pub clues: Vec<Clue>,
}

/// Something that tells what booted a host.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Clue {
    /// What it is, such as `Boot0001 is \EFI\proxmox\shimx64.efi`.
    pub says: String,
    /// Which loader it speaks for.
    pub loader: Loader,
}

/// What a running system shows of its boot.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Clues {
    /// Whether the firmware is UEFI.
    pub efi: Known<bool>,
    /// The entry that the firmware booted: its number and its file.
    pub entry: Option<(u16, String)>,
    /// `LoaderInfo`, which a loader leaves for the system: `systemd-boot 257.9-1`
    /// (<https://systemd.io/BOOT_LOADER_INTERFACE/>).
    pub loader_info: Option<String>,
    /// What the kernel was told.
    pub cmdline: Option<CommandLine>,
    /// Whether `/etc/kernel/proxmox-boot-uuids` names an ESP.
    pub managed: bool,
    /// Whether the system's kernels and tools are Debian's or Proxmox', which boot from a BIOS by GRUB only.
    pub debian: bool,
    /// The command lines in the files of loaders that leave no trace of their own, and where they stand.
    pub configured: Vec<(Loader, String, CommandLine)>,
}

impl Boot {
    /// Judges what is seen.
    #[must_use]
    pub fn judge(seen: &Clues) -> Self {
        let mut clues: Vec<Clue> = Vec::new();
        let mut tell = |loader: Option<Loader>, says: String| {
            clues.extend(loader.map(|loader| Clue { says, loader }));
        };
        if let Some((number, file)) = &seen.entry {
            tell(of_file(file), format!("the firmware booted Boot{number:04X}, {file}"));
        }
        if let Some(info) = &seen.loader_info {
            tell(of_info(info), format!("LoaderInfo is \"{info}\""));
        }
        if let Some(line) = &seen.cmdline {
            // Syslinux tells a name without a directory.
            if line.values("BOOT_IMAGE").any(|file| file.starts_with(['/', '('])) {
                tell(Some(Loader::Grub), "the kernel's command line has BOOT_IMAGE=".to_owned());
            }
            // Whoever uses the kernel's EFI stub hands it a RAM disk by a path with backslashes: rEFInd and the firmware
            // too. Only proxmox-boot-tool's directory is read by systemd-boot alone.
            let esp = line.values("initrd").any(|value| value.starts_with(r"\EFI\proxmox\"));
            if esp && seen.efi != Known::Is(false) {
                tell(Some(Loader::SystemdBoot), r"the kernel's command line has initrd=\EFI\proxmox\".to_owned());
            }
        }
        if seen.efi.is(&false) && seen.debian {
            tell(Some(Loader::Grub), "there is no UEFI firmware".to_owned());
        }
        if clues.is_empty() {
            clues = by_content(seen);
        }
        let loaders: BTreeSet<Loader> = clues.iter().map(|clue| clue.loader).collect();
        let only = loaders.first().copied().filter(|_| loaders.len() == 1);
        Self { efi: seen.efi, loader: only.into(), managed: seen.managed, clues }
    }

    /// Why nobody can tell what booted the host; none if it is known.
    #[must_use]
    pub fn doubt(&self) -> Option<String> {
        if self.loader.get().is_some() {
            return None;
        }
        if self.clues.is_empty() {
            return Some("Nothing tells which boot loader started this host.".to_owned());
        }
        let clues: Vec<String> = self.clues.iter().map(|clue| format!("{} ({})", clue.says, clue.loader)).collect();
        Some(format!("What tells the boot loader doesn't agree: {}.", clues.join("; ")))
    }
}

/// Where no loader left a trace: the one whose file holds just what the kernel was told.
fn by_content(seen: &Clues) -> Vec<Clue> {
    let Some(told) = &seen.cmdline else { return Vec::new() };
    let same = |line: &CommandLine| {
        let plain = |line: &CommandLine| {
            line.tokens().filter(|token| !token.starts_with("initrd=")).map(str::to_owned).collect::<BTreeSet<_>>()
        };
        !plain(line).is_empty() && plain(line) == plain(told)
    };
    // systemd-boot always leaves its name where the firmware's variables can be read.
    let possible = |loader: Loader| loader != Loader::SystemdBoot || seen.entry.is_none();
    let fits = seen.configured.iter().filter(|(loader, _, line)| possible(*loader) && same(line));
    fits.map(|(loader, file, _)| Clue { says: format!("the kernel was told what stands in {file}"), loader: *loader })
        .collect()
}

/// The loader that a file of a boot entry is. Debian's and Proxmox' shim starts GRUB. The fallback path
/// (`\EFI\BOOT\BOOTX64.EFI`) may be anything; a file that isn't known is a loader that isn't known.
fn of_file(file: &str) -> Option<Loader> {
    let file = file.to_ascii_lowercase().replace('/', "\\");
    let name = file.rsplit('\\').next().unwrap_or_default();
    let inside = |directory: &str| file.contains(&format!("\\{directory}\\"));
    match name {
        _ if inside("refind") || name.starts_with("refind") => Some(Loader::Refind),
        _ if inside("limine") || name.contains("limine") => Some(Loader::Limine),
        _ if inside("systemd") || name.starts_with("systemd-boot") => Some(Loader::SystemdBoot),
        _ if name.starts_with("grub") || name.starts_with("shim") => Some(Loader::Grub),
        _ if file.starts_with("\\efi\\linux\\") => Some(Loader::Unified),
        _ if inside("boot") && name.starts_with("boot") => None,
        _ if inside("zbm") || name.contains("zfsbootmenu") => Some(Loader::Other),
        _ if name.starts_with("vmlinuz") || name.starts_with("bzimage") || name.starts_with("linux") => {
            Some(Loader::Stub)
        }
        _ => Some(Loader::Other),
    }
}

/// GRUB (its module `bli`), Limine and rEFInd write `LoaderInfo` too.
fn of_info(info: &str) -> Option<Loader> {
    let info = info.trim().to_ascii_lowercase();
    let known = [
        ("systemd-boot", Loader::SystemdBoot),
        ("grub", Loader::Grub),
        ("limine", Loader::Limine),
        ("refind", Loader::Refind),
        // The stub of a unified kernel image writes `StubInfo`; without a loader before it, this too.
        ("systemd-stub", Loader::Unified),
    ];
    let found = known.iter().find(|(name, _)| info.starts_with(name)).map(|(_, loader)| *loader);
    found.or_else(|| (!info.is_empty()).then_some(Loader::Other))
}

#[cfg(test)]
#[path = "boot_tests.rs"]
mod tests;
