//! Starting a guest: the device first, then the task, then the fact.

use super::{Again, Next, RETRY_PAUSE, RETRY_WINDOW, Turn};
use crate::domain::{
    facts::Trouble,
    finding::FindingId,
    guest::Power,
    ids::{Millis, Vmid},
    switch::{
        event::{Call, What},
        state::{CallState, Fate},
    },
    task::holder,
};

impl Turn<'_> {
    pub(super) fn start(&self) -> Next {
        if let Some(next) = self.own_stop_pending() {
            return self.still_goes_down().unwrap_or(next);
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
            (Power::Shutdown, Some(call)) if call.is_open() || call.fate == Fate::Ok => {
                self.died().unwrap_or_else(|| self.wait(self.pause()))
            }
            (state @ (Power::Paused | Power::Suspended | Power::Prelaunch | Power::Shutdown), _)
                if self.is_overdue() =>
            {
                let message = format!("{} is {state}.", self.step.step.party);
                self.fail(FindingId::GuestPaused, message)
            }
            (Power::Paused | Power::Suspended | Power::Prelaunch | Power::Shutdown, _) => self.wait(self.pause()),
        }
    }

    fn first_try(&self) -> Next {
        self.held_up()
            .unwrap_or_else(|| self.send_start(self.step.begun.max(self.state.runner_since).unwrap_or(self.look.now)))
    }

    fn after(&self, call: &CallState) -> Next {
        let late = self.is_overdue();
        match &call.fate {
            Fate::Unknown => match self.unknown_fate(call, self.step.step.deadline.saturating_mul(1_000)) {
                Some(Again::Now) => self.send_start(self.look.now),
                Some(Again::Later) => self.wait(self.pause()),
                None => self.not_started("Proxmox doesn't say what became of the start."),
            },
            Fate::Ok if self.has_come_up() => {
                let message = format!("{} stopped again right after its start.", self.step.step.party);
                self.fail(FindingId::GuestDied, message)
            }
            Fate::Task(_) | Fate::Ok if !late => self.wait(self.pause()),
            Fate::Task(_) => self.not_started("The start task doesn't end."),
            Fate::Ok => self.not_started("The start task ended well, but the guest isn't running."),
            Fate::Failed { trouble, retry, at } => {
                if *retry && let Some(next) = self.retry_start(trouble, *at) {
                    return next;
                }
                self.refused(trouble)
            }
        }
    }

    /// Whether the guest ran since its start task ended well: QEMU runs before the task ends. Only the HA manager's
    /// task ends before the guest was started at all.
    fn has_come_up(&self) -> bool {
        let by_manager = self.look.facts.guest(self.vmid()).is_none_or(|guest| guest.ha != Some(false));
        !by_manager && self.look.at > self.state.last
    }

    /// Leftover reservations and locks pass; a device that a running guest has does not. None when the retries' time is
    /// over, or Proxmox names a holder that isn't in its list for us: whether that one runs can't be seen.
    fn retry_start(&self, trouble: &Trouble, at: Millis) -> Option<Next> {
        let first = self.first_refusal()?;
        let unseen = |vmid: &Vmid| self.look.facts.guest(*vmid).is_none();
        if holder(&trouble.message).as_ref().is_some_and(unseen) || self.look.now.since(first) >= RETRY_WINDOW {
            return None;
        }
        if self.look.at <= at || !self.look.holders {
            return Some(self.wait(1));
        }
        let ready = self.look.now.since(at) >= RETRY_PAUSE;
        Some(if ready || self.is_taken() { self.send_start(first) } else { self.wait(self.pause()) })
    }

    /// Whether a running guest has the devices that won't let go of them.
    fn is_taken(&self) -> bool {
        self.look.holders && self.taker().is_some()
    }

    fn refused(&self, trouble: &Trouble) -> Next {
        let words = &trouble.message;
        let message = match holder(words) {
            Some(vmid) if self.look.facts.guest(vmid).is_none() => {
                format!("VM {vmid} holds the device, a guest that the token can't see. Proxmox said: {words}")
            }
            Some(vmid) => format!("{} holds the device. Proxmox said: {words}", self.name(vmid)),
            None => self.said("didn't start", words),
        };
        let finding = match trouble.finding {
            FindingId::PveRefused | FindingId::GuestStuck => FindingId::GuestStartFailed,
            other => other,
        };
        self.fail(finding, message)
    }

    fn not_started(&self, why: &str) -> Next {
        self.fail(FindingId::GuestStartFailed, format!("{} isn't running. {why}", self.step.step.party))
    }

    /// Says once why a guest that runs isn't brought back yet.
    fn still_goes_down(&self) -> Option<Next> {
        let text = "Its shutdown can't be taken back: when it is off, it is started again.".to_owned();
        let says = self.power() == Power::Running && !self.step.notes.contains(&text);
        says.then_some(Next::Record(What::Note { step: self.step.step.id, text }))
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
