//! What is handed over together, with its groups: the verdict.

use super::{Card, Device, HostUse, Inventory, Kind};
use crate::domain::gpu::PciAddr;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, fmt};

/// Whether a slot or a card can be handed to a VM.
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
            Self::CleanWithBridge => "The group holds this card and bridges; the host loses nothing that it uses.",
            Self::Split => "The card's functions are in groups of their own; pass all of them.",
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

/// What comes along when a card, a slot or a virtual function is handed over.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Slot {
    /// Its name: the slot, for a card the display's; a function where that is handed over by itself.
    pub addr: PciAddr,
    /// What is handed over. A card's functions may be in several slots, and needn't be all of a slot.
    pub functions: Vec<PciAddr>,
    /// The groups of its functions.
    pub groups: BTreeSet<u32>,
    /// Members of these groups that don't belong to it, and that the host would lose.
    pub foreign: Vec<PciAddr>,
    /// Members of these groups that are bridges: Proxmox leaves them to the host.
    pub bridges: Vec<PciAddr>,
    /// Members of these groups that go along and that nobody misses: host bridges without a driver.
    #[serde(default)]
    pub idle: Vec<PciAddr>,
    /// The verdict.
    pub verdict: Verdict,
}

impl Inventory {
    /// What an address means when something is to be handed over: the whole card that it is of; a virtual function by
    /// itself; a function beside a processor's graphics by itself; else the slot, without its virtual functions. None
    /// where nothing is there.
    #[must_use]
    pub fn handed(&self, addr: PciAddr) -> Option<Slot> {
        let named = addr.function.and_then(|_| self.device(addr));
        if let Some(slice) = named.filter(|device| device.physical.is_some()) {
            return Some(self.together(slice.addr, &[slice.addr]));
        }
        let cards = self.cards();
        let of = |card: &&Card| card.slot.functions.iter().any(|own| own.overlaps(addr)) && card.kind != Kind::Virtual;
        if let Some(card) = cards.iter().find(of) {
            return Some(card.slot.clone());
        }
        let beside = cards.iter().any(|card| card.kind != Kind::Virtual && card.slot.addr == addr.slot());
        if let Some(alone) = named.filter(|_| beside) {
            return Some(self.together(alone.addr, &[alone.addr]));
        }
        let physical = self.functions(addr).filter(|device| device.physical.is_none());
        let own: Vec<PciAddr> = physical.map(|device| device.addr).collect();
        match (own.is_empty(), self.functions(addr).next()) {
            (false, _) => Some(self.together(addr.slot(), &own)),
            // A slot that holds nothing but virtual functions.
            (true, Some(slice)) => Some(self.together(slice.addr, &[slice.addr])),
            (true, None) => None,
        }
    }

    /// The functions that are handed over with an address.
    #[must_use]
    pub fn own(&self, addr: PciAddr) -> Vec<&Device> {
        let own = self.handed(addr).map(|slot| slot.functions).unwrap_or_default();
        own.into_iter().filter_map(|addr| self.device(addr)).collect()
    }

    /// What comes along with these functions.
    #[must_use]
    pub fn together(&self, addr: PciAddr, own: &[PciAddr]) -> Slot {
        let functions: Vec<&Device> = own.iter().filter_map(|addr| self.device(*addr)).collect();
        let groups: BTreeSet<u32> = functions.iter().filter_map(|device| device.group).collect();
        let members = self.devices.iter().filter(|device| device.group.is_some_and(|group| groups.contains(&group)));
        let others = members.filter(|device| !own.contains(&device.addr));
        let (bridges, others): (Vec<&Device>, Vec<&Device>) = others.partition(|device| device.bridge);
        let (idle, foreign): (Vec<&Device>, Vec<&Device>) = others.into_iter().partition(|device| device.is_idle());
        let verdict = match (foreign.len(), groups.len(), bridges.len() + idle.len()) {
            _ if functions.iter().any(|device| device.group.is_none()) => Verdict::NoIommu,
            (1.., ..) => Verdict::Dirty,
            (_, 2.., _) => Verdict::Split,
            (.., 1..) => Verdict::CleanWithBridge,
            _ => Verdict::Clean,
        };
        let addresses = |devices: Vec<&Device>| devices.into_iter().map(|device| device.addr).collect();
        Slot {
            addr,
            functions: own.to_vec(),
            groups,
            foreign: addresses(foreign),
            bridges: addresses(bridges),
            idle: addresses(idle),
            verdict,
        }
    }

    /// What the host would lose if a VM took the slot's groups: the uses of the offenders, and those of the slot itself.
    #[must_use]
    pub fn losses(&self, slot: &Slot) -> Vec<&HostUse> {
        let taken = slot.functions.iter().chain(&slot.foreign).filter_map(|addr| self.device(*addr));
        taken.flat_map(|device| &device.uses).collect()
    }
}
