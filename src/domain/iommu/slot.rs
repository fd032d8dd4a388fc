//! A slot with its groups: the verdict.

use super::{Device, HostUse, Inventory};
use crate::domain::gpu::PciAddr;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, fmt};

/// Whether the whole of a slot can be handed to a VM.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Its group holds nothing else.
    Clean,
    /// Its group holds bridges too, which stay with the host.
    CleanWithBridge,
    /// Its functions are in several groups, all of them clean.
    Split,
    /// Its group holds other devices, which a VM would take along.
    Dirty,
    /// A function is in no group: nothing can be passed through.
    NoIommu,
}

impl Verdict {
    /// Whether it can be passed through without taking anything else from the host.
    #[must_use]
    pub const fn is_clean(self) -> bool {
        matches!(self, Self::Clean | Self::CleanWithBridge | Self::Split)
    }

    /// As people read it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::CleanWithBridge => "clean, with bridge",
            Self::Split => "split",
            Self::Dirty => "dirty",
            Self::NoIommu => "no IOMMU",
        }
    }

    /// What it means, in one sentence.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Clean => "The group holds this card alone.",
            Self::CleanWithBridge => "The group holds this card and the bridge above it, which stays with the host.",
            Self::Split => "The card's functions are in groups of their own; pass the whole slot.",
            Self::Dirty => "Other devices are in the card's group: a VM would take them from the host.",
            Self::NoIommu => "The card is in no IOMMU group: nothing can be passed through.",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// What comes along when a slot is handed over.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Slot {
    /// The slot.
    pub addr: PciAddr,
    /// Its functions.
    pub functions: Vec<PciAddr>,
    /// The groups of its functions.
    pub groups: BTreeSet<u32>,
    /// Members of these groups that belong to other slots and aren't bridges.
    pub foreign: Vec<PciAddr>,
    /// Members of these groups that are bridges.
    pub bridges: Vec<PciAddr>,
    /// The verdict.
    pub verdict: Verdict,
}

impl Inventory {
    /// What comes along with a slot; none where nothing is in it.
    #[must_use]
    pub fn slot(&self, addr: PciAddr) -> Option<Slot> {
        let own: Vec<&Device> = self.functions(addr).collect();
        let groups: BTreeSet<u32> = own.iter().filter_map(|device| device.group).collect();
        let members = self.devices.iter().filter(|device| device.group.is_some_and(|group| groups.contains(&group)));
        let others = members.filter(|device| device.addr.slot() != addr.slot());
        let (bridges, foreign): (Vec<&Device>, Vec<&Device>) = others.partition(|device| device.bridge);
        let verdict = match (foreign.len(), groups.len(), bridges.len()) {
            _ if own.is_empty() => return None,
            _ if own.iter().any(|device| device.group.is_none()) => Verdict::NoIommu,
            (1.., ..) => Verdict::Dirty,
            (_, 2.., _) => Verdict::Split,
            (.., 1..) => Verdict::CleanWithBridge,
            _ => Verdict::Clean,
        };
        let addresses = |devices: Vec<&Device>| devices.into_iter().map(|device| device.addr).collect();
        Some(Slot {
            addr: addr.slot(),
            functions: addresses(own),
            groups,
            foreign: addresses(foreign),
            bridges: addresses(bridges),
            verdict,
        })
    }

    /// What the host would lose if a VM took the slot's groups: the uses of the offenders, and those of the slot itself.
    #[must_use]
    pub fn losses(&self, slot: &Slot) -> Vec<&HostUse> {
        let taken = slot.functions.iter().chain(&slot.foreign).filter_map(|addr| self.device(*addr));
        taken.flat_map(|device| &device.uses).collect()
    }
}
