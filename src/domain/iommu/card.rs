//! Graphics cards: which one a guest can have, and which one the host keeps.

use super::{Device, Inventory, Slot, board};
use crate::domain::{gpu::PciAddr, ids::NodeName, text};
use serde::{Deserialize, Serialize};

/// PCI-SIG vendor numbers: AMD's processors.
pub(super) const AMD_CPU: u16 = 0x1022;
const NVIDIA: u16 = 0x10de;
/// Graphics of management controllers: ASPEED; Matrox G200, also in HPE's iLO and Dell's iDRAC; Nuvoton; Huawei's iBMC;
/// XGI; Silicon Motion.
const MANAGEMENT: [u16; 6] = [0x1a03, 0x102b, 0x1050, 0x19e5, 0x18ca, 0x126f];
/// The same of makers of graphics cards: ATI's ES1000 and Rage XL, by device number.
const MANAGEMENT_ATI: [u16; 3] = [0x515e, 0x5969, 0x4752];
/// Devices of hypervisors: QEMU's standard VGA, virtio, QXL, Cirrus, `VMware`, `VirtualBox`, Hyper-V, Xen, Parallels.
pub(super) const EMULATED: [u16; 9] = [0x1234, 0x1af4, 0x1b36, 0x1013, 0x15ad, 0x80ee, 0x1414, 0x5853, 0x1ab8];

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
    /// It is made for guests: as it is, one may have it.
    Slice,
}

/// A graphics card: a display controller, and what belongs to it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Card {
    /// The display controller.
    pub main: PciAddr,
    /// What is handed over with it: the card's audio, USB and UCSI functions, a second chip.
    pub slot: Slot,
    /// What it is part of.
    pub kind: Kind,
    /// Who is to have it.
    pub role: Role,
    /// Why.
    pub reason: String,
    /// Its place among the host's cards of its kind, from 0: the name of its mapping is made from it.
    pub index: Option<usize>,
}

/// What one mapping of a card names: a slot that is all the card's, else a function. Proxmox compares id and subsystem with
/// each device that a mapping names, so that different ones need a mapping each (pve-guest-common `Mapping/PCI.pm:144-204`).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Part {
    /// The mapping's usual name: `gpu0`, `gpu0-audio`.
    pub id: String,
    /// What it names.
    pub path: PciAddr,
}

impl Part {
    /// The value of the `hostpciN` line that gives it to a VM: no API token may name an address.
    #[must_use]
    pub fn hostpci(&self) -> String {
        format!("mapping={},pcie=1", self.id)
    }
}

impl Card {
    /// The usual name of its mapping: `gpu0`; `igpu` for a processor's graphics.
    #[must_use]
    pub fn mapping(&self) -> Option<String> {
        let index = self.index?;
        match (self.kind, index) {
            (Kind::Discrete, _) => Some(format!("gpu{index}")),
            (Kind::Integrated, 0) => Some("igpu".to_owned()),
            (Kind::Integrated, _) => Some(format!("igpu{index}")),
            (Kind::Virtual, _) => Some(format!("vf{index}")),
            (Kind::Management | Kind::Emulated, _) => None,
        }
    }

    /// The `hostpciN` value that gives the card, or the display's part of it, to a VM.
    #[must_use]
    pub fn hostpci(&self) -> Option<String> {
        self.mapping().map(|id| format!("mapping={id},pcie=1"))
    }

    /// Whether a function belongs to it.
    #[must_use]
    pub fn has(&self, addr: PciAddr) -> bool {
        self.slot.functions.iter().any(|own| own.overlaps(addr))
    }
}

impl Inventory {
    /// The graphics cards, by address; virtual functions of displays are cards too.
    #[must_use]
    pub fn cards(&self) -> Vec<Card> {
        let mut cards: Vec<Card> = Vec::new();
        for device in self.devices.iter().filter(|device| device.class.is_display()) {
            if cards.iter().any(|card| card.slot.functions.contains(&device.addr)) {
                continue;
            }
            let kind = self.kind(device);
            let own = self.parts_of(device, kind);
            let name = if kind == Kind::Virtual { device.addr } else { device.addr.slot() };
            let index = (!matches!(kind, Kind::Management | Kind::Emulated))
                .then(|| cards.iter().filter(|card| card.kind == kind).count());
            let (slot, reason) = (self.together(name, &own), String::new());
            cards.push(Card { main: device.addr, slot, kind, role: Role::Host, reason, index });
        }
        let judged: Vec<(Role, String)> = cards.iter().map(|card| self.judge(card, &cards)).collect();
        for (card, (role, reason)) in cards.iter_mut().zip(judged) {
            (card.role, card.reason) = (role, reason);
        }
        cards
    }

    /// Who is to have a card, and why.
    fn judge(&self, card: &Card, all: &[Card]) -> (Role, String) {
        let booted = |card: &Card| self.own_of(card).any(|device| device.boot_vga.is(&true));
        let slices = self.slices(&card.slot.functions).len();
        let other = all.iter().any(|other| other.kind == Kind::Discrete && !booted(other));
        let (role, reason) = match card.kind {
            Kind::Virtual => {
                let of = self.device(card.main).and_then(|device| device.physical);
                return (Role::Slice, of.map_or_else(|| "a slice".to_owned(), |of| format!("a slice of {of}")));
            }
            Kind::Discrete | Kind::Integrated if slices > 0 => {
                return (Role::Host, format!("split into {}", text::counted(slices, "virtual function")));
            }
            Kind::Discrete if booted(card) && other => (Role::Host, "the host booted on it, and there is another card"),
            Kind::Discrete if booted(card) => (Role::Passthrough, "a card; the host booted on it"),
            Kind::Discrete => (Role::Passthrough, "a card"),
            Kind::Integrated if booted(card) => (Role::Host, "integrated; the host booted on it"),
            Kind::Integrated => (Role::Host, "integrated"),
            Kind::Management => (Role::Host, "the management controller's console"),
            Kind::Emulated => (Role::Host, "emulated: this host is a virtual machine"),
        };
        (role, reason.to_owned())
    }

    /// The functions of a card.
    pub fn own_of<'a>(&'a self, card: &'a Card) -> impl Iterator<Item = &'a Device> {
        card.slot.functions.iter().filter_map(|addr| self.device(*addr))
    }

    /// The card that a function belongs to; that of its display for a slot.
    #[must_use]
    pub fn card_of(&self, addr: PciAddr) -> Option<Card> {
        let cards = self.cards();
        let slice = cards.iter().find(|card| card.kind == Kind::Virtual && card.main == addr);
        let card = slice.or_else(|| cards.iter().find(|card| card.kind != Kind::Virtual && card.has(addr)));
        card.cloned()
    }

    /// The mappings that name all of a card, the display's first, by their usual names.
    #[must_use]
    pub fn parts(&self, card: &Card) -> Vec<Part> {
        self.parts_as(card, &card.mapping().unwrap_or_else(|| "gpu0".to_owned()))
    }

    /// The same with another name for the first one.
    #[must_use]
    pub fn parts_as(&self, card: &Card, id: &str) -> Vec<Part> {
        let mut paths: Vec<PciAddr> = Vec::new();
        for addr in &card.slot.functions {
            let whole = self.functions(*addr).all(|device| card.slot.functions.contains(&device.addr))
                && self.functions(*addr).next().is_some_and(|device| device.addr.function == Some(0));
            let path = if whole { addr.slot() } else { *addr };
            if !paths.contains(&path) {
                paths.push(path);
            }
        }
        paths.sort_by_key(|path| !path.overlaps(card.main));
        let mut parts: Vec<Part> = Vec::new();
        for (at, path) in paths.into_iter().enumerate() {
            let audio = self.first_of(path).is_some_and(|device| device.class.is_audio());
            let own = match at {
                0 => id.to_owned(),
                _ if audio => format!("{id}-audio"),
                _ => format!("{id}-{}", at + 1),
            };
            let id = if parts.iter().any(|part| part.id == own) { format!("{own}{}", at + 1) } else { own };
            parts.push(Part { id, path });
        }
        parts
    }

    /// The device that a mapping's path stands for when it is compared.
    fn first_of(&self, path: PciAddr) -> Option<&Device> {
        if path.function.is_some() { self.device(path) } else { self.functions(path).next() }
    }

    /// The entry of a cluster's mapping that names a device or a whole slot on a node. Proxmox compares id, subsystem and
    /// group at every start, and refuses where one is missing that the device has (pve-guest-common
    /// `Mapping/PCI.pm:144-204`). None where nothing can be passed through.
    #[must_use]
    pub fn map_path(&self, path: PciAddr, node: &NodeName) -> Option<String> {
        let first = self.first_of(path)?;
        let group = first.group?;
        let subsystem = first.subsystem.map(|id| format!(",subsystem-id={id}")).unwrap_or_default();
        Some(format!("node={node},path={path},id={}{subsystem},iommugroup={group}", first.id))
    }

    /// The same for a card: for the part with its display, if it has several.
    #[must_use]
    pub fn map_entry(&self, card: &Card, node: &NodeName) -> Option<String> {
        self.map_path(self.parts(card).first()?.path, node)
    }

    /// The bus number alone doesn't tell: an APU's graphics are behind a bridge, and big boards have root buses of any
    /// number.
    fn kind(&self, device: &Device) -> Kind {
        let vendor = device.id.vendor;
        if device.physical.is_some() {
            return Kind::Virtual;
        }
        let ati = vendor == 0x1002 && MANAGEMENT_ATI.contains(&device.id.device);
        if MANAGEMENT.contains(&vendor) || ati {
            return Kind::Management;
        }
        if EMULATED.contains(&vendor) {
            return Kind::Emulated;
        }
        // An APU's graphics share their slot with functions of the processor: its security processor, USB, audio.
        let processor = |other: &Device| other.id.vendor == AMD_CPU && !other.bridge;
        if self.functions(device.addr).any(processor) || self.is_inside_the_processor(device) {
            return Kind::Integrated;
        }
        // A virtual machine's cards are on its root bus; and NVIDIA is in no processor that has an IOMMU.
        if board::is_on_root_bus(device) && vendor != NVIDIA && !board::is_guest(self) {
            Kind::Integrated
        } else {
            Kind::Discrete
        }
    }
}
