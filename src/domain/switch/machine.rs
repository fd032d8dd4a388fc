//! What to do next, decided from the journal and the newest look. It waits for facts, not for calls: a task that
//! ended well is not yet a stopped VM, a stopped VM is not yet a free device, a started VM is not yet an address.
//!
//! [`next`] never does anything itself. It answers with one line for the journal, one request, or a wait; whoever
//! drives it writes the line, sends the request or looks again, and asks anew. Because everything it knows of the past
//! is the journal, a crash at any point loses nothing: a begun step is looked at again, never blindly repeated.

mod back;
mod drain;
mod guard;
mod ready;
mod start;
mod stop;

pub use back::restore;

use super::{
    event::{Call, Outcome, What},
    plan::StepAction,
    state::{CallState, Fate, Phase, State, StepState},
};
use crate::domain::{
    facts::{Facts, Trouble},
    finding::FindingId,
    guest::Power,
    ids::{Millis, Upid, Vmid},
    lock,
    mode::ModeSet,
    task, text,
};

/// Milliseconds within which a start or stop that meets a leftover lock or reservation is tried again.
const RETRY_WINDOW: u64 = 15_000;
/// Milliseconds between two such tries.
const RETRY_PAUSE: u64 = 1_500;
/// Milliseconds for which a look at holders is good enough to start a guest by.
const FRESH: u64 = 5_000;
/// Milliseconds after which a request of unknown fate, of which the host shows no task, is sent again.
const UNKNOWN_GRACE: u64 = 5_000;
/// How often such a request is sent at most.
const UNKNOWN_TRIES: usize = 4;
/// Milliseconds that a question waits for its answer.
const QUESTION: u64 = 600_000;

/// The newest look at the host.
#[derive(Clone, Copy)]
pub struct Look<'a> {
    /// What is known; parts that the last look didn't ask for are older.
    pub facts: &'a Facts,
    /// The configured modes.
    pub modes: &'a ModeSet,
    /// When the look was begun.
    pub at: Millis,
    /// Whether it saw who holds which device ([`Wants::holders`]).
    pub holders: bool,
    /// Now.
    pub now: Millis,
}

/// What a look is to find out.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Wants {
    /// Exact state of these guests.
    pub status: Vec<Vmid>,
    /// Who holds which device: the list of VMs, and the devices of those that run.
    pub holders: bool,
    /// Running tasks of the node.
    pub tasks: bool,
    /// Who started this guest the last time.
    pub starter: Option<Vmid>,
    /// The guest agent's address of this guest.
    pub address: Option<Vmid>,
    /// The services of this guest.
    pub services: Option<Vmid>,
}

/// What to do next.
#[derive(Clone, Debug, PartialEq)]
pub enum Next {
    /// Write this line and ask again.
    Record(What),
    /// Write that the request is about to be sent, send it, write what became of it, and ask again.
    Send {
        /// The step that it belongs to.
        step: u16,
        /// The request.
        call: Call,
    },
    /// Look after so many milliseconds, and ask again.
    Wait {
        /// Milliseconds.
        ms: u64,
        /// What to look at.
        wants: Wants,
    },
    /// The operation has ended.
    End,
}

/// Decides what to do next.
#[must_use]
pub fn next(state: &State, look: &Look<'_>) -> Next {
    if state.finished.is_some() {
        return Next::End;
    }
    if !state.is_rolling_back()
        && let Some(next) = back::turn(state, look)
    {
        return next;
    }
    let Some(step) = state.current() else { return back::finish(state, look) };
    if step.phase == Phase::Waiting {
        return Next::Record(What::StepBegun { step: step.step.id });
    }
    let turn = Turn { state, step, look };
    match &step.step.action {
        // A look of the same millisecond may have been at another guest.
        _ if step.begun.is_some_and(|begun| look.at <= begun) => turn.wait(1),
        StepAction::Drain => turn.drain(),
        StepAction::Rejoin => turn.rejoin(),
        StepAction::Shutdown { fallback } => turn.shutdown(*fallback),
        StepAction::HardStop { off } => turn.hard_stop(*off),
        StepAction::Release { .. } => turn.release(),
        StepAction::Start { .. } => turn.start(),
        StepAction::Network => turn.network(),
        StepAction::Services => turn.services(),
    }
}

/// Tasks whose end isn't known yet, with the step that they belong to.
#[must_use]
pub fn open_tasks(state: &State) -> Vec<(u16, Upid)> {
    let calls = state.steps.iter().flat_map(|s| s.calls.iter().map(move |call| (s.step.id, call)));
    calls
        .filter_map(|(step, call)| match &call.fate {
            Fate::Task(Some(upid)) => Some((step, upid.clone())),
            Fate::Task(None) | Fate::Unknown | Fate::Ok | Fate::Failed { .. } => None,
        })
        .collect()
}

/// When a request of unknown fate is sent again.
enum Again {
    /// The host shows nothing of it.
    Now,
    /// It may yet show up.
    Later,
}

/// One decision about the step that runs.
struct Turn<'a> {
    state: &'a State,
    step: &'a StepState,
    look: &'a Look<'a>,
}

impl Turn<'_> {
    fn vmid(&self) -> Vmid {
        self.step.step.party.vmid
    }

    fn power(&self) -> Power {
        self.look.facts.power(self.vmid())
    }

    fn send(&self, call: Call) -> Next {
        Next::Send { step: self.step.step.id, call }
    }

    fn done(&self) -> Next {
        Next::Record(What::StepDone { step: self.step.step.id, address: None, services: Vec::new() })
    }

    fn fail(&self, finding: FindingId, message: String) -> Next {
        self.fail_with(Trouble { finding, message })
    }

    /// That something failed, what it means where that is known, and Proxmox's own words.
    fn said(&self, what: &str, words: &str) -> String {
        let means = task::means(words).map(|means| format!(": {means}")).unwrap_or_default();
        format!("{} {what}{means}. Proxmox said: {words}", self.step.step.party)
    }

    fn fail_with(&self, trouble: Trouble) -> Next {
        Next::Record(What::StepFailed { step: self.step.step.id, trouble })
    }

    /// Milliseconds since the step began, or since this runner took it over.
    fn age(&self) -> u64 {
        self.look.now.since(self.step.begun.max(self.state.runner_since).unwrap_or(self.look.now))
    }

    fn is_overdue(&self) -> bool {
        self.age() >= self.step.step.deadline.saturating_mul(1_000)
    }

    /// A pause that grows with what the step has taken so far: it adds little to the guests' own time and little to
    /// the host's work.
    fn pause(&self) -> u64 {
        (self.age() / 100).clamp(50, 1_000)
    }

    fn wait(&self, ms: u64) -> Next {
        let vmid = self.vmid();
        let wants = match &self.step.step.action {
            StepAction::Shutdown { .. } | StepAction::HardStop { .. } => {
                Wants { status: vec![vmid], tasks: self.needs_tasks(), ..Wants::default() }
            }
            StepAction::Release { .. } => Wants { status: vec![vmid], holders: true, tasks: true, ..Wants::default() },
            StepAction::Start { .. }
                if self.step.last_call().is_none_or(|c| matches!(c.fate, Fate::Failed { .. } | Fate::Unknown)) =>
            {
                Wants { status: vec![vmid], holders: true, tasks: true, ..Wants::default() }
            }
            StepAction::Start { .. } => Wants { status: vec![vmid], tasks: self.needs_tasks(), ..Wants::default() },
            StepAction::Network => Wants { status: vec![vmid], address: Some(vmid), ..Wants::default() },
            StepAction::Services | StepAction::Drain | StepAction::Rejoin => {
                Wants { status: vec![vmid], services: Some(vmid), ..Wants::default() }
            }
        };
        Next::Wait { ms, wants }
    }

    fn needs_tasks(&self) -> bool {
        self.step.last_call().is_none_or(|call| call.fate == Fate::Unknown)
    }

    /// Whether somebody's task is working on the guest.
    fn has_running_task(&self) -> bool {
        let tasks = self.look.facts.tasks.fresh().into_iter().flatten();
        tasks.into_iter().any(|task| task.vmid == Some(self.vmid()))
    }

    /// A request of which nobody knows whether it arrived: wait while the host shows a task for the guest; send it
    /// again when it shows none for a while (all requests here are harmless when repeated), a few times. None when
    /// `limit` has passed since the first of them.
    fn unknown_fate(&self, call: &CallState, limit: u64) -> Option<Again> {
        let same = |c: &&CallState| c.fate == Fate::Unknown && kind(c.call) == kind(call.call);
        let tries: Vec<&CallState> = self.step.calls.iter().rev().take_while(same).collect();
        let first = tries.last().map_or(call.sent, |first| first.sent);
        if self.look.now.since(first.max(self.state.runner_since.unwrap_or(first))) >= limit {
            return None;
        }
        let looked_late = self.look.at.since(call.sent) >= UNKNOWN_GRACE;
        let unseen = self.look.facts.tasks.fresh().is_some() && !self.has_running_task();
        Some(if looked_late && unseen && tries.len() < UNKNOWN_TRIES { Again::Now } else { Again::Later })
    }

    /// When the first request of the step was refused in a way that may pass.
    fn first_refusal(&self) -> Option<Millis> {
        self.step.calls.iter().find_map(|c| match c.fate {
            Fate::Failed { retry: true, at, .. } => Some(at),
            _ => None,
        })
    }

    /// A refusal that may pass: try again for a while.
    fn retry(&self, call: &CallState, at: Millis) -> Option<Next> {
        if self.look.now.since(self.first_refusal()?) >= RETRY_WINDOW {
            return None;
        }
        let ready = self.look.now.since(at) >= RETRY_PAUSE && self.look.at >= at;
        Some(if ready { self.send(call.call) } else { self.wait(self.pause()) })
    }

    /// A lock or a task of somebody else's that was not there when the plan was made: waited for, never overridden.
    fn held_up(&self) -> Option<Next> {
        let guest = self.look.facts.guest(self.vmid());
        let lock = guest.filter(|guest| !guest.is_hibernated()).and_then(|guest| guest.lock.clone());
        let what = match &lock {
            Some(lock) => format!("is locked: {}", text::safe(lock)),
            None if self.has_running_task() => "is being worked on by another task".to_owned(),
            None => return None,
        };
        if self.age() < RETRY_WINDOW {
            return Some(self.wait(self.pause()));
        }
        let left = lock.map(|lock| lock::unlock(self.vmid(), &lock));
        let left = left.map(|line| format!(" If no task works on it any more: {line}")).unwrap_or_default();
        Some(self.fail(FindingId::GuestLocked, format!("{} {what}.{left}", self.step.step.party)))
    }
}

const fn kind(call: Call) -> u8 {
    match call {
        Call::Shutdown { .. } => 0,
        Call::Stop { .. } => 1,
        Call::Start { .. } => 2,
        Call::Drain { .. } => 3,
    }
}

/// The last line of an operation.
fn finished(outcome: Outcome, trouble: Option<Trouble>, gpu: Option<String>) -> Next {
    Next::Record(What::Finished { outcome, trouble, gpu })
}

#[cfg(test)]
#[path = "machine/others_tests.rs"]
mod others_tests;
#[cfg(test)]
#[path = "machine/tests.rs"]
mod tests;
#[cfg(test)]
#[path = "machine/toy.rs"]
mod toy;
