//! What there is to plant on: everything that was looked at, each part with the reason if it wasn't.

use crate::domain::{
    doctor::{Looked, Settings},
    facts::{HostMemory, MissingRight},
    gpu::PciAddr,
    ids::{NodeName, Vmid},
    iommu::Inventory,
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

    /// The mapping whose entry for the node names a card.
    #[must_use]
    pub fn mapping_of(&self, card: PciAddr) -> Option<&MappingFile> {
        self.mappings.seen()?.iter().find(|mapping| self.maps(mapping, card))
    }

    /// Whether a mapping's entry for the node names a card.
    #[must_use]
    pub fn maps(&self, mapping: &MappingFile, card: PciAddr) -> bool {
        // A virtual function in the card's slot is another device.
        let display =
            self.inventory.seen().and_then(|inventory| inventory.card_of(card)).map_or(card, |card| card.main);
        let names = |entry: &str| paths(entry).is_some_and(|paths| paths.iter().any(|path| path.overlaps(display)));
        mapping.of(&self.node).any(names)
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
