//! One PCI function, and what it is to the host.

use super::{Known, Names};
use crate::domain::gpu::PciAddr;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// AMD's `PCIe` dummy host bridges, by device number (the PCI ID database).
const DUMMIES: [u16; 6] = [0x1452, 0x1482, 0x14b7, 0x15d2, 0x15da, 0x1632];

/// A PCI function of the host.
///
/// The meaning of the attributes: kernel `Documentation/ABI/testing/sysfs-bus-pci`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Device {
    /// Its address, always with a function.
    pub addr: PciAddr,
    /// Vendor and device.
    pub id: PciId,
    /// Vendor and device of the card's maker; none for bridges and where the card has none.
    pub subsystem: Option<PciId>,
    /// What it is.
    pub class: Class,
    /// What people call it.
    pub names: Names,
    /// Its IOMMU group, none without an IOMMU. AMD's own IOMMU functions have none either.
    pub group: Option<u32>,
    /// Whether it is a bridge: it has a bus behind it, and Proxmox leaves it to the host.
    pub bridge: bool,
    /// The bridge above it; none on a root bus.
    pub parent: Known<Option<PciAddr>>,
    /// The driver that holds it; none if no driver does.
    pub driver: Known<Option<String>>,
    /// The only driver that may take it, where somebody said so.
    pub driver_override: Known<Option<String>>,
    /// How it can be reset, in the kernel's order: `flr`, `bus` ... Empty where it can't.
    pub reset: Known<Vec<String>>,
    /// Whether the firmware booted on this display; none if it isn't VGA.
    pub boot_vga: Known<bool>,
    /// Whether it sleeps.
    pub power: Known<Power>,
    /// Virtual functions, where it can have some.
    pub sriov: Option<Sriov>,
    /// The physical function that this one is a slice of.
    pub physical: Option<PciAddr>,
    /// Address ranges of its memory, for display controllers.
    pub memory: Vec<Range>,
    /// What the host uses it for; empty where nothing is known of a use.
    pub uses: Vec<HostUse>,
}

impl Device {
    /// A function of which nothing more is known.
    #[must_use]
    pub fn bare(addr: PciAddr, id: PciId, class: Class) -> Self {
        Self {
            addr,
            id,
            class,
            subsystem: None,
            names: Names::default(),
            group: None,
            bridge: class.is_pci_bridge(),
            parent: Known::Unknown,
            driver: Known::Unknown,
            driver_override: Known::Unknown,
            reset: Known::Unknown,
            boot_vga: Known::Unknown,
            power: Known::Unknown,
            sriov: None,
            physical: None,
            memory: Vec::new(),
            uses: Vec::new(),
        }
    }

    /// The driver, if it is known that one holds it.
    #[must_use]
    pub fn bound_to(&self) -> Option<&str> {
        self.driver.get()?.as_deref()
    }

    /// Whether nobody misses it: a host bridge or a dummy function that no driver holds. Proxmox binds it to `vfio-pci`
    /// with the rest of its group, since it has no bus behind it. The API doesn't show drivers; of AMD's dummy host
    /// bridges it is known that there is none for them.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        let harmless = matches!(self.class.kind(), 0x0600 | 0x1300) && !self.bridge && self.uses.is_empty();
        let named = self.names.device.as_ref().is_some_and(|name| name.contains("Dummy Host Bridge"));
        let dummy = self.id.vendor == 0x1022 && (named || DUMMIES.contains(&self.id.device));
        harmless && self.driver.get().map_or(dummy, Option::is_none)
    }

    /// The name that people know, with the kind of device where nobody knows the name: `audio device 10de:22ba`.
    #[must_use]
    pub fn title(&self) -> String {
        self.names.title().unwrap_or_else(|| format!("{} {}", self.class.word(), self.id))
    }
}

/// A vendor's number and its number of a device: `10de:2684`.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct PciId {
    /// The vendor, as the PCI-SIG numbered it.
    pub vendor: u16,
    /// The device, as the vendor numbered it.
    pub device: u16,
}

/// Why a text is not a [`PciId`].
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("'{0}' is not a vendor and a device such as 10de:2684")]
pub struct BadPciId(String);

impl fmt::Display for PciId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04x}:{:04x}", self.vendor, self.device)
    }
}

impl FromStr for PciId {
    type Err = BadPciId;
    fn from_str(text: &str) -> Result<Self, BadPciId> {
        let number = |part: &str| u16::from_str_radix(part.trim().trim_start_matches("0x"), 16).ok();
        let id = text.split_once(':').and_then(|(v, d)| Some(Self { vendor: number(v)?, device: number(d)? }));
        id.ok_or_else(|| BadPciId(text.to_owned()))
    }
}

impl TryFrom<String> for PciId {
    type Error = BadPciId;
    fn try_from(text: String) -> Result<Self, BadPciId> {
        text.parse()
    }
}

impl From<PciId> for String {
    fn from(id: PciId) -> Self {
        id.to_string()
    }
}

/// A class code: base class, subclass and programming interface, one byte each (`0x030000`).
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct Class(pub u32);

impl Class {
    /// Reads `0x030000`.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        u32::from_str_radix(text.trim().trim_start_matches("0x"), 16).ok().map(Self)
    }

    /// Base class and subclass.
    #[must_use]
    pub const fn kind(self) -> u32 {
        self.0 >> 8
    }

    /// VGA (0300), 3D (0302) and display (0380) controllers.
    #[must_use]
    pub const fn is_display(self) -> bool {
        matches!(self.kind(), 0x0300 | 0x0302 | 0x0380)
    }

    /// Audio devices.
    #[must_use]
    pub const fn is_audio(self) -> bool {
        matches!(self.kind(), 0x0401 | 0x0403)
    }

    /// Network controllers (02xx).
    #[must_use]
    pub const fn is_network(self) -> bool {
        self.kind() >> 8 == 0x02
    }

    /// A bridge with a bus behind it, as far as the class tells (PCI, `CardBus`).
    #[must_use]
    pub const fn is_pci_bridge(self) -> bool {
        matches!(self.kind(), 0x0604 | 0x0607 | 0x0609)
    }

    /// Kind of device in words.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self.kind() {
            0x0100 => "SCSI controller",
            0x0101 => "IDE controller",
            0x0104 => "RAID controller",
            0x0106 => "SATA controller",
            0x0107 => "SAS controller",
            0x0108 => "NVMe drive",
            0x0200 => "Ethernet controller",
            0x0280 => "network controller",
            0x0300 => "VGA controller",
            0x0302 => "3D controller",
            0x0380 => "display controller",
            0x0401 | 0x0403 => "audio device",
            0x0500 | 0x0580 => "memory controller",
            0x0600 => "host bridge",
            0x0601 => "ISA bridge",
            0x0604 => "PCI bridge",
            0x0607 => "CardBus bridge",
            0x0700 | 0x0780 => "communication controller",
            0x0806 => "IOMMU",
            0x0c00 => "FireWire controller",
            0x0c03 => "USB controller",
            0x0c05 => "SMBus",
            0x0c80 => "serial bus controller",
            0x0d11 => "Bluetooth controller",
            0x1080 => "encryption controller",
            0x1180 => "signal processor",
            0x1200 => "accelerator",
            0x1300 => "dummy function",
            _ => match self.0 >> 16 {
                0x01 => "storage controller",
                0x02 => "network controller",
                0x04 => "multimedia controller",
                0x06 => "bridge",
                0x07 => "communication controller",
                0x09 => "input device",
                0x0c => "serial bus controller",
                0x0d => "wireless controller",
                _ => "device",
            },
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{:06x}", self.0)
    }
}

/// Whether a device sleeps. Reading these doesn't wake it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Power {
    /// The device's state: `D0`, `D3hot`, `D3cold`, `unknown`.
    pub state: String,
    /// What the kernel's runtime power management says: `active`, `suspended`.
    pub runtime: String,
    /// Whether the kernel may cut its power when it sleeps.
    pub cold: Known<bool>,
}

/// Virtual functions of a physical one.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Sriov {
    /// How many exist now.
    pub present: u16,
    /// How many there could be.
    pub possible: u16,
}

/// A range of physical addresses, both ends belong to it.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Range {
    /// The first address.
    pub first: u64,
    /// The last address.
    pub last: u64,
}

impl Range {
    /// Whether both have an address in common.
    #[must_use]
    pub const fn overlaps(self, other: Self) -> bool {
        self.first <= other.last && other.first <= self.last
    }
}

/// What the host uses a device for.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HostUse {
    /// A network interface.
    Network {
        /// Its name, such as `enp4s0`.
        interface: String,
        /// The bridge or bond that it is a port of.
        port_of: Option<String>,
        /// Whether the host has an address of its own on it.
        #[serde(default)]
        own_address: bool,
    },
    /// A disk.
    Disk {
        /// Its name, such as `nvme0n1`.
        disk: String,
        /// Mount points of what is on it, and what it is a part of: pools, volumes, swap.
        holds: Vec<String>,
    },
}

impl HostUse {
    /// Whether the host uses it now, and not only could.
    #[must_use]
    pub fn is_needed(&self) -> bool {
        match self {
            Self::Network { port_of, own_address, .. } => port_of.is_some() || *own_address,
            Self::Disk { holds, .. } => !holds.is_empty(),
        }
    }

    /// Whether the host can't run without it: a disk with its own file systems.
    #[must_use]
    pub fn is_vital(&self) -> bool {
        matches!(self, Self::Disk { holds, .. } if holds.iter().any(|held| matches!(held.as_str(), "/" | "/boot" | "/boot/efi" | "/efi" | "/usr" | "/var")))
    }
}

impl fmt::Display for HostUse {
    /// `enp4s0 (vmbr0)`, `sda (/, /boot)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network { interface, port_of: Some(bridge), .. } => write!(f, "{interface} ({bridge})"),
            Self::Network { interface, own_address: true, .. } => write!(f, "{interface} (the host's address)"),
            Self::Network { interface, .. } => f.write_str(interface),
            Self::Disk { disk, holds } if holds.is_empty() => f.write_str(disk),
            Self::Disk { disk, holds } => write!(f, "{disk} ({})", holds.join(", ")),
        }
    }
}
