//! Starting a guest: the device first, then the task, then the fact.

use super::{Next, RETRY_WINDOW, Turn, guard::Blocked, words::holder};
use crate::domain::{
    facts::Trouble,
    finding::FindingId,
    guest::Power,
    ids::Vmid,
    switch::{
        event::Call,
        state::{CallState, Fate},
    },
};

impl Turn<'_> {
    pub(super) fn release(&self) -> Next {
        match self.blocked() {
            None => self.done(),
            Some(Blocked::Held(vmid, addr)) if !self.is_ours(vmid) => self.taken(vmid, &addr.to_string()),
            Some(_) if !self.is_overdue() => self.wait(self.pause()),
            Some(Blocked::Held(vmid, addr)) => {
                let message = format!("{} still holds {addr}.", self.name(vmid));
                self.fail(FindingId::GpuNotFreed, message)
            }
            Some(Blocked::Unknown(vmid)) => self.holder_unknown(vmid),
        }
    }

    pub(super) fn start(&self) -> Next {
        if let Some(next) = self.own_stop_pending() {
            return next;
        }
        match (self.power(), self.step.last_call()) {
            (Power::Running, _) => self.done(),
            (Power::Unknown, _) if !self.is_overdue() => self.wait(self.pause()),
            (Power::Unknown, _) => {
                let message = format!("The state of {} can't be read.", self.step.step.party);
                self.fail(FindingId::GuestStateUnknown, message)
            }
            (Power::Stopped, None) => self.first_try(),
            (Power::Stopped, Some(call)) => self.after(call),
            (state @ (Power::Paused | Power::Suspended | Power::Prelaunch), _) if self.is_overdue() => {
                let message = format!("{} is {state}.", self.step.step.party);
                self.fail(FindingId::GuestPaused, message)
            }
            (Power::Paused | Power::Suspended | Power::Prelaunch, _) => self.wait(self.pause()),
        }
    }

    fn first_try(&self) -> Next {
        if let Some(next) = self.held_up() {
            return next;
        }
        match self.blocked() {
            None => self.send(Call::Start { vmid: self.vmid() }),
            Some(Blocked::Held(vmid, addr)) if !self.is_ours(vmid) => self.taken(vmid, &addr.to_string()),
            Some(_) if self.age() < RETRY_WINDOW => self.wait(self.pause()),
            Some(Blocked::Held(vmid, addr)) => self.taken(vmid, &addr.to_string()),
            Some(Blocked::Unknown(vmid)) => self.holder_unknown(vmid),
        }
    }

    fn after(&self, call: &CallState) -> Next {
        let late = self.is_overdue();
        match &call.fate {
            Fate::Unknown => self
                .unknown_fate(call, self.step.step.deadline.saturating_mul(1_000))
                .unwrap_or_else(|| self.not_started("Proxmox doesn't say what became of the start.")),
            Fate::Task(_) | Fate::Ok if !late => self.wait(self.pause()),
            Fate::Task(_) => self.not_started("The start task doesn't end."),
            Fate::Ok => self.not_started("The start task ended well, but the guest isn't running."),
            Fate::Failed { trouble, retry, at } => {
                if *retry && let Some(next) = self.retry_start(call, *at) {
                    return next;
                }
                self.refused(trouble)
            }
        }
    }

    /// Leftover reservations and locks pass; a device that somebody else's running guest has does not.
    fn retry_start(&self, call: &CallState, at: crate::domain::ids::Millis) -> Option<Next> {
        if self.look.at < at {
            return Some(self.wait(0));
        }
        match self.blocked() {
            Some(Blocked::Held(vmid, addr)) if !self.is_ours(vmid) => Some(self.taken(vmid, &addr.to_string())),
            _ => self.retry(call, at),
        }
    }

    fn refused(&self, trouble: &Trouble) -> Next {
        let words = &trouble.message;
        let message = match holder(words) {
            Some(vmid) => format!("{} holds the device. Proxmox said: {words}", self.name(vmid)),
            None => format!("{} didn't start. Proxmox said: {words}", self.step.step.party),
        };
        let finding = match trouble.finding {
            FindingId::PveRefused => FindingId::GuestStartFailed,
            other => other,
        };
        self.fail(finding, message)
    }

    fn not_started(&self, why: &str) -> Next {
        self.fail(FindingId::GuestStartFailed, format!("{} isn't running. {why}", self.step.step.party))
    }

    fn taken(&self, vmid: Vmid, addr: &str) -> Next {
        let message = format!("{} runs and holds {addr}.", self.name(vmid));
        self.fail(FindingId::GpuTaken, message)
    }

    fn holder_unknown(&self, vmid: Vmid) -> Next {
        let message = format!("Which devices {} holds can't be read.", self.name(vmid));
        self.fail(FindingId::GpuHolderUnknown, message)
    }

    /// Going back to a guest that is still on its way down: its end is waited for, so that it isn't taken for running.
    fn own_stop_pending(&self) -> Option<Next> {
        if !self.state.is_rolling_back() || self.is_overdue() {
            return None;
        }
        let of_guest = |call: &&CallState| match call.call {
            Call::Shutdown { vmid, .. } | Call::Stop { vmid, .. } => vmid == self.vmid(),
            Call::Start { .. } | Call::Drain { .. } => false,
        };
        let call = self.state.steps.iter().flat_map(|step| &step.calls).rfind(of_guest)?;
        match &call.fate {
            Fate::Task(Some(_)) => Some(self.wait(self.pause())),
            Fate::Unknown if self.look.now.since(call.sent) < super::UNKNOWN_GRACE || self.has_running_task() => {
                Some(self.wait(self.pause()))
            }
            Fate::Unknown | Fate::Task(None) | Fate::Ok | Fate::Failed { .. } => None,
        }
    }
}
