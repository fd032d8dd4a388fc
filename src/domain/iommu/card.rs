//! Graphics cards: which one a guest can have, and which one the host keeps.

use super::{Device, Inventory, Known, Slot};
use crate::domain::{gpu::PciAddr, ids::NodeName};
use serde::{Deserialize, Serialize};

/// PCI-SIG vendor numbers.
mod vendor {
    pub(super) const AMD_CPU: u16 = 0x1022;
    /// Graphics of management controllers: ASPEED; Matrox G200, also in HPE's iLO and Dell's iDRAC; Nuvoton.
    pub(super) const MANAGEMENT: [u16; 3] = [0x1a03, 0x102b, 0x1050];
    /// Graphics of hypervisors: QEMU's standard VGA, virtio, QXL, Cirrus, `VMware`, `VirtualBox`, Hyper-V.
    pub(super) const EMULATED: [u16; 7] = [0x1234, 0x1af4, 0x1b36, 0x1013, 0x15ad, 0x80ee, 0x1414];
}

/// What a display controller is part of.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A card of its own.
    Discrete,
    /// A part of the processor.
    Integrated,
    /// A part of a server's management controller.
    Management,
    /// A hypervisor's: this host is a guest itself.
    Emulated,
    /// A slice of another one.
    Virtual,
}

impl Kind {
    /// In a word or two.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Discrete => "card",
            Self::Integrated => "integrated",
            Self::Management => "management controller",
            Self::Emulated => "emulated",
            Self::Virtual => "virtual function",
        }
    }
}

/// Who is to have a card.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// It stays with the host.
    Host,
    /// It can be passed through.
    Passthrough,
}

/// A graphics card: a slot with a display controller.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Card {
    /// The display controller.
    pub main: PciAddr,
    /// The slot: the card's audio, USB and UCSI functions belong to it.
    pub slot: Slot,
    /// What it is part of.
    pub kind: Kind,
    /// Who is to have it.
    pub role: Role,
    /// Why.
    pub reason: String,
    /// Its place among the host's discrete cards, from 0: the name of its mapping is made from it.
    pub index: Option<usize>,
}

impl Card {
    /// The usual name of its mapping: `gpu0`.
    #[must_use]
    pub fn mapping(&self) -> Option<String> {
        self.index.map(|index| format!("gpu{index}"))
    }

    /// The `hostpciN` value that gives the whole card to a VM, by a mapping: no API token may name an address.
    #[must_use]
    pub fn hostpci(&self) -> Option<String> {
        self.mapping().map(|id| format!("mapping={id},pcie=1"))
    }
}

impl Inventory {
    /// The graphics cards, by address.
    #[must_use]
    pub fn cards(&self) -> Vec<Card> {
        let displays: Vec<(&Device, Kind)> = self.displays().map(|device| (device, self.kind(device))).collect();
        let discrete: Vec<&Device> = displays.iter().filter(|(_, kind)| *kind == Kind::Discrete).map(|d| d.0).collect();
        let away =
            |device: &Device| device.boot_vga.is(&true) && discrete.iter().any(|other| !other.boot_vga.is(&true));
        let card = |(device, kind): (&Device, Kind)| {
            let (role, reason) = match kind {
                Kind::Discrete if away(device) => (Role::Host, "the host booted on it, and there is another card"),
                Kind::Discrete if device.boot_vga.is(&true) => (Role::Passthrough, "a card; the host booted on it"),
                Kind::Discrete => (Role::Passthrough, "a card"),
                Kind::Integrated if device.boot_vga.is(&true) => (Role::Host, "integrated; the host booted on it"),
                Kind::Integrated => (Role::Host, "integrated"),
                Kind::Management => (Role::Host, "the management controller's console"),
                Kind::Emulated => (Role::Host, "emulated: this host is a virtual machine"),
                Kind::Virtual => (Role::Host, "a slice of another card"),
            };
            let index = discrete.iter().position(|other| other.addr == device.addr);
            let slot = self.slot(device.addr)?;
            Some(Card { main: device.addr, slot, kind, role, reason: reason.to_owned(), index })
        };
        displays.into_iter().filter_map(card).collect()
    }

    /// The entry of a cluster's mapping that names the whole card on a node. Proxmox compares id, subsystem and group
    /// with function 0 at every start, and refuses where one is missing that the device has (pve-guest-common
    /// `Mapping/PCI.pm:144-204`). None where nothing can be passed through.
    #[must_use]
    pub fn map_entry(&self, card: &Card, node: &NodeName) -> Option<String> {
        let first = self.device(*card.slot.functions.first()?)?;
        let group = first.group?;
        let subsystem = first.subsystem.map(|id| format!(",subsystem-id={id}")).unwrap_or_default();
        Some(format!("node={node},path={},id={}{subsystem},iommugroup={group}", card.slot.addr, first.id))
    }

    /// The first display controller of each slot; virtual functions have slots of their own.
    fn displays(&self) -> impl Iterator<Item = &Device> {
        let mut last = None;
        self.devices.iter().filter(move |device| {
            device.class.is_display() && last.replace(device.addr.slot()) != Some(device.addr.slot())
        })
    }

    /// The bus number alone doesn't tell: an APU's graphics are behind a bridge, and big boards have root buses of any
    /// number.
    fn kind(&self, device: &Device) -> Kind {
        let vendor = device.id.vendor;
        if device.physical.is_some() {
            return Kind::Virtual;
        }
        if vendor::MANAGEMENT.contains(&vendor) {
            return Kind::Management;
        }
        if vendor::EMULATED.contains(&vendor) {
            return Kind::Emulated;
        }
        // An APU's graphics share their slot with functions of the processor: its security processor, USB, audio.
        let processor = |other: &Device| other.id.vendor == vendor::AMD_CPU && !other.bridge;
        if self.functions(device.addr).any(processor) {
            return Kind::Integrated;
        }
        let on_root_bus = match device.parent {
            Known::Is(parent) => parent.is_none(),
            // Where the tree isn't shown: bus 0 is the first root bus, others may be anything.
            Known::Unknown => device.addr.bus == 0 && device.addr.domain == 0,
        };
        if on_root_bus { Kind::Integrated } else { Kind::Discrete }
    }
}
