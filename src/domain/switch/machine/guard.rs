//! Nothing is started before the devices it needs are seen free.

use super::Turn;
use crate::domain::{
    gpu::{self, Clash, PciAddr},
    guest::Guest,
    ids::Vmid,
    switch::planner::party,
};
use std::collections::BTreeMap;

/// What keeps a guest from being started.
pub(super) enum Blocked {
    /// This guest holds the function.
    Held(Vmid, PciAddr),
    /// What this guest holds can't be known.
    Unknown(Vmid),
}

impl Turn<'_> {
    /// Whether the guest's devices are free as far as the newest look shows; whatever it can't show blocks.
    pub(super) fn blocked(&self) -> Option<Blocked> {
        let (facts, vmid) = (self.look.facts, self.vmid());
        let Some(wanted) = facts.claims(vmid) else { return Some(Blocked::Unknown(vmid)) };
        if wanted.is_empty() {
            return None;
        }
        let Some(guests) = facts.qemu.fresh() else { return Some(Blocked::Unknown(vmid)) };
        let mut holders = BTreeMap::new();
        let holds = |g: &Guest| g.power.holds_devices() || self.is_starting(g.vmid);
        for guest in guests.iter().filter(|g| g.vmid != vmid && holds(g)) {
            match facts.claims(guest.vmid) {
                Some(claims) => holders.insert(guest.vmid, claims),
                None => return Some(Blocked::Unknown(guest.vmid)),
            };
        }
        match gpu::clash(&wanted, &holders)? {
            (holder, Clash::Function(addr)) => Some(Blocked::Held(holder, addr)),
            (holder, Clash::Unknown(_)) => Some(Blocked::Unknown(holder)),
        }
    }

    /// Whether a start of the guest is under way: it is about to take its devices.
    fn is_starting(&self, vmid: Vmid) -> bool {
        let tasks = self.look.facts.tasks.fresh().into_iter().flatten();
        tasks.into_iter().any(|task| task.vmid == Some(vmid) && matches!(task.kind.as_str(), "qmstart" | "hastart"))
    }

    /// Whether a holder is one that this operation started or stops, and so will let go.
    pub(super) fn is_ours(&self, holder: Vmid) -> bool {
        self.state.asked_to_stop().contains(&holder) || self.state.asked_to_start().contains(&holder)
    }

    pub(super) fn name(&self, vmid: Vmid) -> String {
        party(vmid, self.look.modes, self.look.facts).to_string()
    }
}
