//! What there is to plant on: everything that was looked at, each part with the reason if it wasn't.

use crate::domain::{
    doctor::{Looked, Settings},
    facts::{HostMemory, MissingRight},
    gpu::PciAddr,
    ids::{NodeName, Vmid},
    iommu::{Card, Inventory, Part},
    mapping::{MappingFile, paths},
    mode::ModeSet,
    release::{Feature, Release},
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A host that is to be planted on.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Site {
    /// The node.
    pub node: NodeName,
    /// The host as people know it, `pve at 192.168.1.100:8006`.
    pub label: String,
    /// Proxmox VE's version.
    pub version: Looked<String>,
    /// Who asks: token or user.
    pub who: String,
    /// VMs and containers of the cluster that can be seen, by number.
    pub guests: Looked<BTreeMap<Vmid, SiteGuest>>,
    /// VMIDs that were asked for and that the cluster says are taken, also by guests that can't be seen.
    pub taken: Vec<Vmid>,
    /// The lowest free VMID, as the cluster says.
    pub next_vmid: Looked<Vmid>,
    /// Storages of the node.
    pub storages: Looked<Vec<Storage>>,
    /// Volumes with ISO images and images to import, of all storages.
    pub volumes: Looked<Vec<Volume>>,
    /// Bridges of the node, first the one that leads out.
    pub bridges: Looked<Vec<String>>,
    /// Resource mappings, compared with the hardware.
    pub mappings: Looked<Vec<MappingFile>>,
    /// PCI devices.
    pub inventory: Looked<Inventory>,
    /// The node's memory.
    pub memory: Looked<HostMemory>,
    /// The node's CPU threads.
    pub cpus: Looked<u32>,
    /// Privileges that planting needs and the credentials lack.
    pub lacking: Looked<Vec<MissingRight>>,
    /// The modes of the configuration.
    pub modes: ModeSet,
    /// Ids of the nodes in the registry that the answers name.
    pub registered: Looked<BTreeSet<String>>,
}

/// A guest that stands already.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct SiteGuest {
    /// Its name.
    pub name: String,
    /// The node it is on.
    pub node: NodeName,
    /// Whether it is a container.
    pub container: bool,
    /// Whether it runs; a paused one does.
    pub running: bool,
    /// Its configuration, for VMs of this node.
    pub settings: Looked<Settings>,
}

/// What a storage may hold (`pve-storage-content`).
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// Disks of VMs.
    Images,
    /// ISO images.
    Iso,
    /// Images that become disks.
    Import,
}

impl Content {
    /// Proxmox' word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Images => "images",
            Self::Iso => "iso",
            Self::Import => "import",
        }
    }
}

/// A storage of the node.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Storage {
    /// Its id.
    pub id: String,
    /// Proxmox' type, such as `lvmthin`.
    pub kind: String,
    /// What it may hold, in Proxmox' words.
    pub content: Vec<String>,
    /// Whether it can be used now.
    pub active: bool,
    /// Free bytes, where the host says.
    pub available: Option<u64>,
    /// All bytes, where the host says.
    pub total: Option<u64>,
}

impl Storage {
    /// Whether it takes this.
    #[must_use]
    pub fn takes(&self, content: Content) -> bool {
        self.content.iter().any(|word| word == content.word())
    }
}

/// A volume of a storage.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Volume {
    /// Its id, such as `local:iso/cachyos.iso`.
    pub volid: String,
    /// What it is, in Proxmox' words.
    pub content: String,
    /// Bytes.
    pub size: u64,
}

impl Site {
    /// The version's numbers, where it is known.
    #[must_use]
    pub fn release(&self) -> Option<Release> {
        self.version.seen()?.parse().ok()
    }

    /// Whether the host has something. Where its version isn't known it may not.
    #[must_use]
    pub fn has(&self, feature: Feature) -> bool {
        self.release().is_some_and(|release| release.has(feature))
    }

    /// A guest by its number.
    #[must_use]
    pub fn guest(&self, vmid: Vmid) -> Option<&SiteGuest> {
        self.guests.seen()?.get(&vmid)
    }

    /// A storage by its id.
    #[must_use]
    pub fn storage(&self, id: &str) -> Option<&Storage> {
        self.storages.seen()?.iter().find(|storage| storage.id == id)
    }

    /// A storage that takes this: the wanted one if it does, else the one with the most room.
    #[must_use]
    pub fn storage_for(&self, content: Content, wanted: &str) -> Option<&Storage> {
        let fits = |storage: &&Storage| storage.active && storage.takes(content);
        let all = || self.storages.seen().into_iter().flatten().filter(fits);
        all().find(|storage| storage.id == wanted).or_else(|| all().max_by_key(|storage| storage.available))
    }

    /// A mapping by its id.
    #[must_use]
    pub fn mapping(&self, id: &str) -> Option<&MappingFile> {
        self.mappings.seen()?.iter().find(|mapping| mapping.id == id)
    }

    /// The mapping whose entry for the node names a card, and nothing of the host's beside it.
    #[must_use]
    pub fn mapping_of(&self, card: PciAddr) -> Option<&MappingFile> {
        let fits = |mapping: &&MappingFile| self.maps(mapping, card) && self.besides(mapping).is_empty();
        self.mappings.seen()?.iter().find(fits)
    }

    /// Whether a mapping's entry for the node names a card.
    #[must_use]
    pub fn maps(&self, mapping: &MappingFile, card: PciAddr) -> bool {
        // A virtual function in the card's slot is another device.
        let display = self.card(card).map_or(card, |card| card.main);
        self.named(mapping).iter().any(|path| path.overlaps(display))
    }

    /// What a mapping's entries for the node name.
    #[must_use]
    pub fn named(&self, mapping: &MappingFile) -> Vec<PciAddr> {
        mapping.of(&self.node).filter_map(paths).flatten().collect()
    }

    /// Functions that a mapping names by a whole slot and that are no graphics card's: a processor's graphics share theirs
    /// with devices that the host needs.
    #[must_use]
    pub fn besides(&self, mapping: &MappingFile) -> Vec<PciAddr> {
        let Some(inventory) = self.inventory.seen() else { return Vec::new() };
        let cards = inventory.cards();
        let slots = self.named(mapping).into_iter().filter(|path| path.function.is_none());
        let functions = slots.flat_map(|slot| inventory.functions(slot).map(|device| device.addr));
        let of_slot = |addr: PciAddr| cards.iter().any(|card| card.slot.addr == addr.slot());
        functions.filter(|addr| of_slot(*addr) && !cards.iter().any(|card| card.has(*addr))).collect()
    }

    /// The card that an address means.
    #[must_use]
    pub fn card(&self, addr: PciAddr) -> Option<Card> {
        self.inventory.seen()?.card_of(addr)
    }

    /// The mappings that all of a card takes, the display's first and under this name: one for each part that no single
    /// mapping can name with others. A part has the mapping that names it already, if there is one.
    #[must_use]
    pub fn parts(&self, card: PciAddr, mapping: &str) -> Vec<Part> {
        let whole = || vec![Part { id: mapping.to_owned(), path: card }];
        let Some((inventory, found)) = self.inventory.seen().zip(self.card(card)) else { return whole() };
        let names = |known: &MappingFile, path: PciAddr| {
            let named = self.named(known);
            let own = inventory.functions(path).filter(|device| path.overlaps(device.addr));
            own.map(|device| device.addr).all(|addr| named.iter().any(|named| named.overlaps(addr)))
        };
        let mut parts = inventory.parts_as(&found, mapping).into_iter();
        let first = parts.next();
        let known = self.mapping(mapping);
        let further = parts.filter(|part| !known.is_some_and(|known| names(known, part.path))).map(|part| {
            let usual = self.mapping(&part.id).is_some_and(|known| names(known, part.path));
            let fits = |known: &&MappingFile| names(known, part.path) && self.besides(known).is_empty();
            let other = || self.mappings.seen()?.iter().find(fits).map(|known| known.id.clone());
            let id = if usual { None } else { other() }.unwrap_or_else(|| part.id.clone());
            Part { id, ..part }
        });
        first.into_iter().chain(further).collect()
    }

    /// A volume by its id.
    #[must_use]
    pub fn volume(&self, volid: &str) -> Option<&Volume> {
        self.volumes.seen()?.iter().find(|volume| volume.volid == volid)
    }
}

/// The tag of every guest that morpheus made.
pub const TAG: &str = "morpheus";
/// The tag that a guest has besides until it is ready.
pub const PLANTING: &str = "planting";

impl SiteGuest {
    /// Whether it has a tag.
    #[must_use]
    pub fn has_tag(&self, tag: &str) -> bool {
        let tags = self.settings.seen().and_then(|settings| settings.get("tags"));
        tags.is_some_and(|tags| tags.split([';', ',', ' ']).any(|one| one == tag))
    }

    /// Whether morpheus made it.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        self.has_tag(TAG)
    }
}
