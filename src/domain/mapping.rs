//! Resource mappings as they stand in the cluster's file: compared with the hardware, and repaired.
//!
//! A mapping's entry holds what the device was when it was made. At every start Proxmox compares it with what is there,
//! and refuses the start at the first difference: a new firmware that numbers IOMMU groups otherwise is enough
//! (pve-guest-common `Mapping/PCI.pm:144-204`).

use super::{
    gpu::PciAddr,
    ids::NodeName,
    iommu::{Card, Inventory, PciId},
};
use serde::{Deserialize, Serialize};

/// A mapping, every entry as it is written, and what the host says when it compares it.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct MappingFile {
    /// Its id, as in `hostpci0: mapping=<id>`.
    pub id: String,
    /// What somebody wrote about it.
    pub description: Option<String>,
    /// Its entries, of all nodes.
    pub entries: Vec<String>,
    /// The file's digest: a change that names it is refused if somebody else was faster.
    pub digest: Option<String>,
    /// What doesn't fit, in the host's words; empty where everything does.
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
    /// the one that a person named; else each entry's own card is looked for, by what it is and not by where it was.
    ///
    /// # Errors
    /// The card isn't there any more, or there are several like it.
    pub fn repaired(
        &self,
        inventory: &Inventory,
        node: &NodeName,
        card: Option<&Card>,
    ) -> Result<Vec<String>, CantRepair> {
        let cards = inventory.cards();
        let mut entries: Vec<String> = Vec::new();
        let mut found = false;
        for entry in &self.entries {
            if property(entry, "node") != Some(node.as_str()) {
                entries.push(entry.clone());
                continue;
            }
            found = true;
            let card = card.map_or_else(|| meant(inventory, &cards, entry), Ok)?;
            let fresh = inventory.map_entry(card, node).ok_or(CantRepair::NoGroup(card.slot.addr))?;
            if !entries.contains(&fresh) {
                entries.push(fresh);
            }
        }
        match (found, card) {
            (true, _) => Ok(entries),
            (false, None) => Err(CantRepair::NoEntry(self.id.clone())),
            (false, Some(card)) => {
                let fresh = inventory.map_entry(card, node).ok_or(CantRepair::NoGroup(card.slot.addr))?;
                entries.push(fresh);
                Ok(entries)
            }
        }
    }
}

/// The card that an entry was made for: the one of the same maker's number; of several, the one at the same place.
fn meant<'a>(inventory: &Inventory, cards: &'a [Card], entry: &str) -> Result<&'a Card, CantRepair> {
    let senseless = || CantRepair::Senseless(entry.to_owned());
    let id: PciId = property(entry, "id").and_then(|id| id.parse().ok()).ok_or_else(senseless)?;
    let place = property(entry, "path").and_then(|path| path.split(';').next()?.parse::<PciAddr>().ok());
    let place = place.ok_or_else(senseless)?.slot();
    let subsystem: Option<PciId> = property(entry, "subsystem-id").and_then(|id| id.parse().ok());
    let first = |card: &Card| inventory.device(*card.slot.functions.first()?);
    let of_id = |card: &&Card| card.slot.functions.iter().filter_map(|at| inventory.device(*at)).any(|d| d.id == id);
    let alike: Vec<&Card> = cards.iter().filter(of_id).collect();
    let same_maker = |card: &&Card| first(card).is_some_and(|device| device.subsystem == subsystem);
    let narrowed: Vec<&Card> = alike.iter().copied().filter(same_maker).collect();
    let candidates = if narrowed.is_empty() { alike } else { narrowed };
    match candidates.as_slice() {
        [] => Err(CantRepair::Gone(id)),
        [only] => Ok(only),
        several => several
            .iter()
            .copied()
            .find(|card| card.slot.addr == place)
            .ok_or_else(|| CantRepair::Several { id, cards: several.iter().map(|card| card.slot.addr).collect() }),
    }
}

#[cfg(test)]
#[path = "mapping_tests.rs"]
mod tests;
