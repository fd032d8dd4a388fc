//! Resource mappings as they stand in the cluster's file: compared with the hardware, and repaired.
//!
//! A mapping's entry holds what the device was when it was made. At every start Proxmox compares it with what is there,
//! and refuses the start at the first difference: a new firmware that numbers IOMMU groups otherwise is enough
//! (pve-guest-common `Mapping/PCI.pm:144-204`).

use super::{
    gpu::{MappingCheck, PciAddr},
    ids::NodeName,
    iommu::{Card, Device, Inventory, PciId},
};
use serde::{Deserialize, Serialize};

/// A mapping, every entry as it is written, and what the host says when it compares it.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct MappingFile {
    /// Its id, as in `hostpci0: mapping=<id>`.
    pub id: String,
    /// What somebody wrote about it.
    pub description: Option<String>,
    /// Whether its devices can be cut into mediated ones.
    #[serde(default)]
    pub mdev: bool,
    /// Its entries, of all nodes.
    pub entries: Vec<String>,
    /// The file's digest: a change that names it is refused if somebody else was faster.
    pub digest: Option<String>,
    /// What doesn't fit, in the host's words; empty where everything does.
    pub checks: Vec<MappingCheck>,
}

/// Why a mapping can't be repaired without a person's word.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum CantRepair {
    /// The node has no entry.
    #[error("'{0}' has no entry for this node")]
    NoEntry(String),
    /// No card is like the one that was mapped.
    #[error("no card of this host is the {0} that was mapped")]
    Gone(PciId),
    /// Several cards are like it.
    #[error("several cards are a {id}: {}", list(cards))]
    Several {
        /// The id.
        id: PciId,
        /// Where they are.
        cards: Vec<PciAddr>,
    },
    /// The entry names no device that can be understood.
    #[error("the entry can't be understood: {0}")]
    Senseless(String),
    /// The card is in no IOMMU group.
    #[error("the card at {0} is in no IOMMU group, so that nothing can be passed through")]
    NoGroup(PciAddr),
}

fn list(addrs: &[PciAddr]) -> String {
    addrs.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// A property of an entry: `node`, `path`, `id`, `subsystem-id`, `iommugroup`.
#[must_use]
pub fn property<'a>(entry: &'a str, name: &str) -> Option<&'a str> {
    entry.split(',').find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='))
}

impl MappingFile {
    /// The entries of a node.
    pub fn of<'a>(&'a self, node: &'a NodeName) -> impl Iterator<Item = &'a str> {
        self.entries.iter().map(String::as_str).filter(move |entry| property(entry, "node") == Some(node.as_str()))
    }

    /// Whether a start with it would fail.
    #[must_use]
    pub fn is_stale(&self) -> bool {
        self.checks.iter().any(|check| check.error)
    }

    /// All entries after a repair: those of the node as its hardware is now, those of other nodes untouched. `card` is
    /// the one that a person named; else an entry that fits stays as it is, and for one that doesn't its own device is
    /// looked for, by what it is and not by where it was.
    ///
    /// # Errors
    /// The device isn't there any more, or there are several like it.
    pub fn repaired(
        &self,
        inventory: &Inventory,
        node: &NodeName,
        card: Option<&Card>,
    ) -> Result<Vec<String>, CantRepair> {
        let mut entries: Vec<String> = Vec::new();
        let mut found = false;
        for entry in &self.entries {
            if property(entry, "node") != Some(node.as_str()) {
                entries.push(entry.clone());
                continue;
            }
            found = true;
            let fresh = match card {
                Some(card) => of_card(inventory, node, card)?,
                None if fits(inventory, entry) => entry.clone(),
                None => fresh(inventory, node, entry)?,
            };
            if !entries.contains(&fresh) {
                entries.push(fresh);
            }
        }
        match (found, card) {
            (true, _) => Ok(entries),
            (false, None) => Err(CantRepair::NoEntry(self.id.clone())),
            (false, Some(card)) => {
                entries.push(of_card(inventory, node, card)?);
                Ok(entries)
            }
        }
    }
}

fn of_card(inventory: &Inventory, node: &NodeName, card: &Card) -> Result<String, CantRepair> {
    inventory.map_entry(card, node).ok_or(CantRepair::NoGroup(card.slot.addr))
}

/// The addresses of an entry's path; none where one can't be read.
#[must_use]
pub fn paths(entry: &str) -> Option<Vec<PciAddr>> {
    property(entry, "path")?.split(';').map(|addr| addr.parse().ok()).collect()
}

/// The device that Proxmox compares a path with: function 0 of a slot.
fn compared(inventory: &Inventory, path: PciAddr) -> Option<&Device> {
    inventory.device(PciAddr { function: path.function.or(Some(0)), ..path })
}

/// Whether Proxmox would take an entry: id and subsystem of each device, the group of the first one (pve-guest-common
/// `Mapping/PCI.pm:144-204`).
fn fits(inventory: &Inventory, entry: &str) -> bool {
    let id = |name: &str| property(entry, name).and_then(|id| id.parse::<PciId>().ok());
    let group = property(entry, "iommugroup").and_then(|group| group.parse::<u32>().ok());
    let Some(paths) = paths(entry) else { return false };
    paths.iter().enumerate().all(|(at, path)| {
        compared(inventory, *path).is_some_and(|device| {
            Some(device.id) == id("id")
                && device.subsystem == id("subsystem-id").filter(|id| id.vendor != 0)
                && (at > 0 || (device.group == group && group.is_some()))
        })
    })
}

/// An entry as the hardware is now. Where the same device is at its place, only what is compared changes; a device that
/// moved is looked for by its id.
fn fresh(inventory: &Inventory, node: &NodeName, entry: &str) -> Result<String, CantRepair> {
    let senseless = || CantRepair::Senseless(entry.to_owned());
    let id: PciId = property(entry, "id").and_then(|id| id.parse().ok()).ok_or_else(senseless)?;
    let paths = paths(entry).ok_or_else(senseless)?;
    let place = *paths.first().ok_or_else(senseless)?;
    let subsystem: Option<PciId> = property(entry, "subsystem-id").and_then(|id| id.parse().ok());
    let same_maker = |device: &&Device| device.subsystem == subsystem;
    let stayed = |path: &PciAddr| {
        compared(inventory, *path).as_ref().is_some_and(|device| device.id == id && same_maker(device))
    };
    if paths.iter().all(stayed) {
        let written = inventory.map_path(place, node).ok_or(CantRepair::NoGroup(place))?;
        let whole = paths.iter().map(ToString::to_string).collect::<Vec<_>>().join(";");
        return Ok(written.replacen(&format!("path={place}"), &format!("path={whole}"), 1));
    }
    if paths.len() > 1 {
        // All functions of a slot, one by one: each is compared with the one id. The slot stands for the same ones.
        let all = inventory.functions(place).all(|device| paths.contains(&device.addr));
        let here = paths.iter().all(|path| path.slot() == place.slot());
        let slot = Some(place.slot()).filter(|slot| all && here && stayed(slot)).ok_or_else(senseless)?;
        return inventory.map_path(slot, node).ok_or(CantRepair::NoGroup(slot));
    }
    let alike: Vec<&Device> =
        inventory.devices.iter().filter(|device| device.id == id && may_be(place, device)).collect();
    let narrowed: Vec<&Device> = alike.iter().copied().filter(same_maker).collect();
    let candidates = if narrowed.is_empty() { alike } else { narrowed };
    let there = candidates.iter().find(|device| device.addr.overlaps(place));
    match (candidates.as_slice(), there) {
        ([], _) => Err(CantRepair::Gone(id)),
        ([only], _) | (_, Some(only)) => moved(inventory, node, place, only),
        (several, None) => {
            Err(CantRepair::Several { id, cards: several.iter().map(|device| name(place, device)).collect() })
        }
    }
}

/// Whether a device may be the one that was mapped at a place. Virtual functions have the ids of the device that they are
/// slices of, and a mapping of one never becomes one of that device, nor the other way round. They are further functions
/// of its slot, or further devices of its bus: behind a port of PCI Express there is no other device than 0.
fn may_be(place: PciAddr, device: &Device) -> bool {
    let further = |addr: PciAddr| addr.bus > 0 && addr.device > 0;
    match place.function {
        None => device.physical.is_none() && device.addr.function == Some(0),
        Some(0) if !further(place) => device.physical.is_none() && device.addr.function == Some(0),
        Some(0) => device.physical.is_some() || further(device.addr),
        Some(_) => device.physical.is_some() || device.addr.function == place.function,
    }
}

/// A device's address, with a function only where the entry had one.
const fn name(place: PciAddr, device: &Device) -> PciAddr {
    if place.function.is_some() { device.addr } else { device.addr.slot() }
}

/// The entry of a device that moved. A whole slot stays a whole slot only where all of it is the card's.
fn moved(inventory: &Inventory, node: &NodeName, place: PciAddr, device: &Device) -> Result<String, CantRepair> {
    let path = name(place, device);
    let whole = inventory.card_of(device.addr).is_none_or(|card| {
        inventory
            .functions(path)
            .all(|function| path.function.is_some() || card.slot.functions.contains(&function.addr))
    });
    let path = if whole { path } else { device.addr };
    inventory.map_path(path, node).ok_or(CantRepair::NoGroup(path))
}

#[cfg(test)]
#[path = "mapping_tests.rs"]
mod tests;
