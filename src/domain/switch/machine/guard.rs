//! Nothing is started before the devices it needs are seen free, in a look of now: each request to start passes here.

use super::{Call, FRESH, Look, Millis, Next, RETRY_WINDOW, Turn, Wants};
use crate::domain::{
    facts::Facts,
    finding::FindingId,
    gpu::{self, Claim, Clash, PciAddr},
    guest::{Guest, GuestKind, Power},
    ids::Vmid,
    mode::ModeSet,
    switch::{
        planner::party,
        state::{Phase, State},
    },
};
use std::collections::BTreeMap;

/// What keeps a guest from being started.
pub(super) enum Blocked {
    /// This guest holds what is needed.
    Held(Vmid, Clash),
    /// What this guest holds can't be known.
    Unknown(Vmid),
}

/// Whether the devices of a guest are free as far as the newest look shows; whatever it can't show blocks.
fn blocked(state: &State, look: &Look<'_>, vmid: Vmid) -> Option<Blocked> {
    let facts = look.facts;
    let Some(wanted) = facts.claims(vmid) else { return Some(Blocked::Unknown(vmid)) };
    if wanted.is_empty() {
        return None;
    }
    let Some(guests) = facts.qemu.fresh() else { return Some(Blocked::Unknown(vmid)) };
    let mut holders = BTreeMap::new();
    let holds = |g: &Guest| g.power.holds_devices() || is_starting(facts, g.vmid);
    let containers = facts.lxc.value.iter().flatten();
    for guest in guests.iter().chain(containers).filter(|g| g.vmid != vmid && holds(g)) {
        match facts.claims(guest.vmid) {
            Some(claims) => holders.insert(guest.vmid, past_vms(state, look, guest, claims)),
            None => return Some(Blocked::Unknown(guest.vmid)),
        };
    }
    match gpu::clash(&wanted, &holders, &facts.ties())? {
        (holder, Clash::Unknown(_)) => Some(Blocked::Unknown(holder)),
        (holder, clash) => Some(Blocked::Held(holder, clash)),
    }
}

/// What a container may hold, without what a VM held when the plan was made: no driver of the host has had that since,
/// unless the container is younger.
fn past_vms(state: &State, look: &Look<'_>, guest: &Guest, claims: Vec<Claim>) -> Vec<Claim> {
    let age = look.now.since(state.started);
    let younger = guest.uptime.is_none_or(|up| up.saturating_mul(1_000) <= age);
    if guest.kind != GuestKind::Lxc || younger {
        return claims;
    }
    let basis = state.plan.basis.iter().filter(|guest| guest.power.holds_devices());
    let held: Vec<PciAddr> = basis.flat_map(|guest| &guest.devices).filter_map(|addr| addr.parse().ok()).collect();
    let rest = claims.into_iter().filter_map(|claim| match claim {
        Claim::Unreserved { mut functions, sure, by } => {
            functions.retain(|addr| !held.iter().any(|taken| taken.overlaps(*addr)));
            (!functions.is_empty()).then_some(Claim::Unreserved { functions, sure, by })
        }
        claim => Some(claim),
    });
    rest.collect()
}

/// Whether a start of the guest is under way: it is about to take its devices.
fn is_starting(facts: &Facts, vmid: Vmid) -> bool {
    let tasks = facts.tasks.fresh().into_iter().flatten();
    tasks.into_iter().any(|task| task.vmid == Some(vmid) && matches!(task.kind.as_str(), "qmstart" | "hastart"))
}

/// The guest of a mode that somebody else started meanwhile with what the target, or one of `stopped`, needs: another
/// switch won.
pub(super) fn taken_over(state: &State, facts: &Facts, modes: &ModeSet, stopped: &[Vmid]) -> Option<Vmid> {
    let (ours, ties) = (state.asked_to_start(), facts.ties());
    let ran = |vmid| state.plan.basis.iter().any(|guest| guest.party.vmid == vmid && guest.power.holds_devices());
    let wanted: Vec<_> = state
        .plan
        .starts()
        .map(|party| party.vmid)
        .chain(stopped.iter().copied())
        .filter_map(|v| facts.claims(v))
        .flatten()
        .collect();
    let mut others = modes.0.iter().map(|mode| mode.vmid).filter(|vmid| !ours.contains(vmid) && !ran(*vmid));
    others.find(|vmid| {
        let seen = facts.guest(*vmid).is_some_and(|guest| guest.power != Power::Unknown && guest.power.holds_devices());
        let held = facts.claims(*vmid).filter(|_| seen || is_starting(facts, *vmid)).unwrap_or_default();
        gpu::clash(&wanted, &BTreeMap::from([(*vmid, held)]), &ties).is_some()
    })
}

impl Turn<'_> {
    /// Waits until nobody has the devices.
    pub(super) fn release(&self) -> Next {
        match self.hindrance(self.is_overdue()) {
            Ok(()) => self.done(),
            Err(Hindrance::Passing) => self.wait(self.pause()),
            Err(Hindrance::Lasting(next)) => next,
        }
    }

    /// Sends the start if the newest look saw nobody with the devices, the first time and each further time. What keeps
    /// it is waited for until the retries' time after `since` is over.
    pub(super) fn send_start(&self, since: Millis) -> Next {
        let late = self.look.now.since(since) >= RETRY_WINDOW;
        match self.hindrance(late) {
            Ok(()) => self.send(Call::Start { vmid: self.vmid() }),
            Err(Hindrance::Passing) => self.wait(self.pause()),
            Err(Hindrance::Lasting(next)) => next,
        }
    }

    fn hindrance(&self, late: bool) -> Result<(), Hindrance> {
        if !self.look.holders {
            return Err(Hindrance::Lasting(self.wait(0)));
        }
        if self.look.now.since(self.look.at) > FRESH {
            return Err(if late { Hindrance::Lasting(self.too_slow()) } else { Hindrance::Passing });
        }
        match blocked(self.state, self.look, self.vmid()) {
            None => Ok(()),
            Some(Blocked::Held(vmid, what)) if late || !self.lets_go(vmid) => {
                Err(Hindrance::Lasting(self.taken(vmid, &what)))
            }
            Some(Blocked::Unknown(vmid)) if late => Err(Hindrance::Lasting(self.holder_unknown(vmid))),
            Some(_) => Err(Hindrance::Passing),
        }
    }

    /// The guest that has the devices and keeps them.
    pub(super) fn taker(&self) -> Option<Vmid> {
        match blocked(self.state, self.look, self.vmid()) {
            Some(Blocked::Held(vmid, _)) if !self.lets_go(vmid) => Some(vmid),
            _ => None,
        }
    }

    /// Whether a holder is one that this operation started or stops and that wasn't seen stopped yet. One that was, and
    /// runs again, was started by somebody else.
    fn lets_go(&self, holder: Vmid) -> bool {
        let ours = self.state.asked_to_stop().contains(&holder) || self.state.asked_to_start().contains(&holder);
        let mut steps = self.state.steps.iter().filter(|s| s.step.party.vmid == holder && s.phase == Phase::Done);
        ours && !steps.any(|step| step.step.action.stops())
    }

    /// Says who has the device, and who started it as far as the host's tasks tell.
    fn taken(&self, vmid: Vmid, what: &Clash) -> Next {
        let facts = self.look.facts;
        let Some(starter) = facts.starters.get(&vmid) else {
            return match self.wait(0) {
                Next::Wait { ms, wants } => Next::Wait { ms, wants: Wants { starter: Some(vmid), ..wants } },
                next => next,
            };
        };
        let name = self.name(vmid);
        let held = match what {
            Clash::Function(addr) => addr.to_string(),
            Clash::Group { group, held, .. } => format!("{held}, of the same IOMMU group {group}"),
            Clash::Sliced { physical, slice, held } if held == slice => {
                format!("{slice}, a virtual function of {physical}")
            }
            Clash::Sliced { physical, slice, .. } => format!("{physical}, which {slice} is a virtual function of"),
            Clash::Unknown(what) => what.clone(),
        };
        let (how, finding) = match facts.power(vmid) {
            _ if self.lets_go(vmid) => ("still holds".to_owned(), FindingId::GpuNotFreed),
            Power::Running => ("runs and holds".to_owned(), FindingId::GpuTaken),
            Power::Stopped => ("is being started and takes".to_owned(), FindingId::GpuTaken),
            state => (format!("is {state} and holds"), FindingId::GpuTaken),
        };
        let holds = format!("{how} {held}");
        let who = match starter.fresh() {
            Some(Some(user)) => {
                format!("It was started by {}, not by this operation.", crate::domain::text::safe(user))
            }
            _ if finding == FindingId::GpuNotFreed => return self.fail(finding, format!("{name} {holds}.")),
            _ => "This operation didn't start it; the tasks that the token may see don't say who did.".to_owned(),
        };
        self.fail(finding, format!("{name} {holds}. {who}"))
    }

    fn too_slow(&self) -> Next {
        let message = format!("The host takes too long to say who holds the devices of {}.", self.step.step.party);
        self.fail(FindingId::GpuHolderUnknown, message)
    }

    fn holder_unknown(&self, vmid: Vmid) -> Next {
        let message = format!("Which devices {} holds can't be read.", self.name(vmid));
        self.fail(FindingId::GpuHolderUnknown, message)
    }

    pub(super) fn name(&self, vmid: Vmid) -> String {
        party(vmid, self.look.modes, self.look.facts).to_string()
    }
}

/// Why a start isn't sent now.
enum Hindrance {
    /// It may pass.
    Passing,
    /// This is to be done instead.
    Lasting(Next),
}
