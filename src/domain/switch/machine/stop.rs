//! Stopping a guest: asking it first, and what follows when it doesn't hear.

use super::{Again, Next, QUESTION, Turn, back::may_yet_start};
use crate::domain::{
    facts::Trouble,
    finding::FindingId,
    guest::Power,
    switch::{
        event::{Answer, Call, What},
        plan::{Fallback, Rung},
        state::{CallState, Fate},
    },
    traffic::APART,
    usage::Usage,
};

impl Turn<'_> {
    pub(super) fn shutdown(&self, fallback: Fallback) -> Next {
        if let Some(next) = self.seen_stopped() {
            return next;
        }
        if self.power() == Power::Shutdown {
            return self.end_process();
        }
        let ask = Call::Shutdown { vmid: self.vmid(), timeout: self.step.step.deadline };
        let Some(call) = self.step.last_call() else { return self.held_up().unwrap_or_else(|| self.send(ask)) };
        if let Some(next) = self.pending(call) {
            return next;
        }
        match (&call.fate, call.call) {
            (Fate::Failed { trouble, .. }, _) if !may_escalate(trouble) => self.not_stopped(trouble),
            (_, Call::Shutdown { .. }) => self.escalate(fallback, call, ask),
            (_, Call::Stop { .. } | Call::Start { .. } | Call::Drain { .. }) => self.stuck(),
        }
    }

    /// The guest has powered off, and only its QEMU process is left: when the request that made it do so is over, the
    /// process is ended, whatever the fallback says of guests that run.
    fn end_process(&self) -> Next {
        let stop = |overrule| self.send(Call::Stop { vmid: self.vmid(), overrule, off: true });
        let Some(call) = self.step.last_call() else { return self.held_up().unwrap_or_else(|| stop(false)) };
        self.pending(call).unwrap_or_else(|| match call.call {
            Call::Stop { .. } => self.stuck(),
            Call::Shutdown { .. } | Call::Start { .. } | Call::Drain { .. } => stop(call.is_open()),
        })
    }

    pub(super) fn hard_stop(&self, off: bool) -> Next {
        if let Some(next) = self.seen_stopped() {
            return next;
        }
        let stop = Call::Stop { vmid: self.vmid(), overrule: false, off };
        let Some(call) = self.step.last_call() else { return self.held_up().unwrap_or_else(|| self.send(stop)) };
        self.pending(call).unwrap_or_else(|| match &call.fate {
            Fate::Failed { trouble, .. } => self.not_stopped(trouble),
            Fate::Unknown | Fate::Task(_) | Fate::Ok => self.stuck(),
        })
    }

    /// The fact that the step waits for. A stop task that still cleans up is waited for too, within its time.
    fn seen_stopped(&self) -> Option<Next> {
        match self.power() {
            Power::Stopped => {}
            Power::Unknown if self.age() < self.patience() => return Some(self.wait(self.pause())),
            Power::Unknown => {
                let message = format!("The state of {} can't be read.", self.step.step.party);
                return Some(self.fail(FindingId::GuestStateUnknown, message));
            }
            Power::Running | Power::Paused | Power::Suspended | Power::Prelaunch | Power::Shutdown => return None,
        }
        if self.step.question.is_some() {
            return Some(Next::Record(What::Answered { step: self.step.step.id, answer: Answer::Settled }));
        }
        if self.state.is_rolling_back() && self.step.calls.is_empty() && may_yet_start(self.state, self.vmid()) {
            return self.before_it_starts();
        }
        let cleaning = self.step.last_call().filter(|call| matches!(call.fate, Fate::Task(Some(_))));
        match cleaning {
            Some(call) if self.look.now.since(call.sent) < allowance(call.call) => Some(self.wait(self.pause())),
            _ => Some(self.done()),
        }
    }

    /// Going back from a guest whose start may yet take effect: its task is waited for; without one (the HA manager
    /// takes its time) the guest is asked to stop although it isn't running, which is harmless and takes the start back.
    fn before_it_starts(&self) -> Option<Next> {
        let waits = self.has_running_task() && self.age() < self.patience();
        waits.then(|| self.wait(self.pause()))
    }

    fn patience(&self) -> u64 {
        self.step.step.deadline.saturating_mul(1_000).saturating_add(60_000)
    }

    /// A request that is still being worked on, or may pass when tried again.
    fn pending(&self, call: &CallState) -> Option<Next> {
        let limit = allowance(call.call);
        match &call.fate {
            Fate::Unknown => self.unknown_fate(call, limit).map(|again| match again {
                Again::Now => self.send(call.call),
                Again::Later => self.wait(self.pause()),
            }),
            Fate::Task(_) | Fate::Ok => (self.look.now.since(call.sent) < limit).then(|| self.wait(self.pause())),
            Fate::Failed { retry: true, at, .. } => self.retry(call, *at),
            Fate::Failed { retry: false, .. } => None,
        }
    }

    /// The guest didn't hear in time.
    fn escalate(&self, fallback: Fallback, call: &CallState, ask: Call) -> Next {
        let stop = Call::Stop { vmid: self.vmid(), overrule: call.is_open(), off: false };
        match (fallback, &self.step.question, self.step.answer) {
            (Fallback::Fail, ..) | (Fallback::Ask, None, Some(Answer::Abort)) => self.stuck(),
            (Fallback::StopIdle, ..) => self.stop_if_idle(stop),
            (Fallback::Stop, ..) | (Fallback::Ask, None, Some(Answer::Stop)) => self.send(stop),
            (Fallback::Ask, None, Some(Answer::Wait | Answer::Settled)) => self.send(ask),
            (Fallback::Ask, Some(question), _) if self.look.now >= question.until => {
                let message = format!("{} didn't shut down, and nobody said what to do.", self.step.step.party);
                self.fail(FindingId::OpUnanswered, message)
            }
            (Fallback::Ask, Some(_), _) => self.wait(250),
            (Fallback::Ask, None, None) => Next::Record(What::Asked {
                step: self.step.step.id,
                question: format!("{} has not shut down after {} s.", self.step.step.party, self.step.step.deadline),
                until: self.look.now.plus(QUESTION),
            }),
        }
    }

    /// Nobody is there to ask: a guest is stopped hard if its name was typed when the plan was confirmed, or if it is
    /// known to be idle now.
    fn stop_if_idle(&self, stop: Call) -> Next {
        let (plan, vmid) = (&self.state.plan, self.vmid());
        let named = matches!(plan.rung, Rung::TypeName { .. }) && plan.stops().any(|party| party.vmid == vmid);
        match self.look.facts.usage(vmid) {
            _ if named => self.send(stop),
            Usage::Idle => self.send(stop),
            // Two samples take their time.
            Usage::Unknown(_) if self.age() < 3 * APART => self.wait(self.pause()),
            usage => {
                let party = &self.step.step.party;
                let message = format!(
                    "{party} didn't shut down within {} s and {usage}; it isn't stopped hard without your word: \
                     --confirm {}, or --force.",
                    self.age() / 1_000,
                    party.mode.as_ref().map_or(party.name.as_str(), |mode| mode.as_str()),
                );
                self.fail(FindingId::GuestInUse, message)
            }
        }
    }

    /// Proxmox refused, for a reason that asking another way doesn't change.
    fn not_stopped(&self, trouble: &Trouble) -> Next {
        // What to grant on the host is said in full already.
        if trouble.finding == FindingId::PveForbidden {
            return self.fail_with(trouble.clone());
        }
        self.fail(trouble.finding, self.said("wasn't stopped", &trouble.message))
    }

    fn stuck(&self) -> Next {
        let hard = self.step.calls.iter().any(|call| matches!(call.call, Call::Stop { .. }));
        let how = if hard { "didn't stop, not even hard" } else { "didn't shut down" };
        let mut message = format!("{} {how} within {} s.", self.step.step.party, self.age() / 1_000);
        let words = self.step.calls.iter().rev().find_map(|call| match &call.fate {
            Fate::Failed { trouble, .. } if !trouble.message.ends_with(IN_TIME) => Some(&trouble.message),
            _ => None,
        });
        if let Some(words) = words {
            message = format!("{message} Proxmox said: {words}");
        }
        self.fail(FindingId::GuestStuck, message)
    }
}

/// What Proxmox says of a guest that took too long, which is said already.
const IN_TIME: &str = "quit/powerdown failed - got timeout";

/// Whether the trouble means "the guest didn't hear", so that asking another way makes sense. A missing privilege, a
/// lock or a paused guest do not become better by a hard stop.
const fn may_escalate(trouble: &Trouble) -> bool {
    matches!(trouble.finding, FindingId::GuestStuck)
}

/// Milliseconds after which a request counts as unheard, with time for Proxmox's own work around it.
const fn allowance(call: Call) -> u64 {
    match call {
        Call::Shutdown { timeout, .. } => timeout.saturating_mul(1_000).saturating_add(20_000),
        Call::Stop { .. } | Call::Start { .. } | Call::Drain { .. } => 45_000,
    }
}
