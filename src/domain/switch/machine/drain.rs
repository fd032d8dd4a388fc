//! Leaving the forest before a shutdown, and joining it again if there is none. Neither ever fails: trouble is noted.

use super::{Next, Turn, UNKNOWN_GRACE, UNKNOWN_TRIES};
use crate::domain::{
    facts::Trouble,
    guest::{AgentState, Health, Power},
    switch::{
        event::{Call, What},
        state::{CallState, Fate},
    },
};

impl Turn<'_> {
    /// Waits for the fact: none of the forest's services answers any more.
    pub(super) fn drain(&self) -> Next {
        if self.is_over() || self.has_left() {
            return self.done();
        }
        if self.is_overdue() {
            let text = format!("{} didn't leave within {} s", self.step.step.party, self.step.step.deadline);
            return self.note(format!("{text}; it is shut down all the same."));
        }
        match self.step.last_call().map(|call| (call, &call.fate)) {
            None => self.begin(true),
            Some((_, Fate::Failed { trouble, .. })) => self.untold("leave", &trouble.message),
            Some((call, Fate::Unknown)) => self.again(call),
            Some((_, Fate::Task(_) | Fate::Ok)) => self.wait(self.pause()),
        }
    }

    /// The services come back by themselves once the guest was told.
    pub(super) fn rejoin(&self) -> Next {
        // One that was started again meanwhile has joined by itself.
        if self.is_over() || self.state.asked_to_start().contains(&self.vmid()) {
            return self.done();
        }
        match self.step.last_call().map(|call| (call, &call.fate)) {
            _ if self.is_overdue() => self.untold("join again", "it doesn't answer"),
            None => self.begin(false),
            Some((_, Fate::Failed { trouble: Trouble { message, .. }, .. })) => self.untold("join again", message),
            Some((call, Fate::Unknown)) => self.again(call),
            Some((_, Fate::Task(_) | Fate::Ok)) => self.done(),
        }
    }

    /// What was noted ends the step; a guest that isn't there has left.
    fn is_over(&self) -> bool {
        !self.step.notes.is_empty() || self.power() == Power::Stopped
    }

    fn has_left(&self) -> bool {
        let Some(mode) = self.look.modes.of(self.vmid()) else { return true };
        let Some(agent) = self.answer() else { return false };
        let of_forest = |name: &str| mode.services.iter().any(|service| service.name == name && service.is_of_forest());
        let mut states = agent.services.iter().filter(|service| of_forest(&service.name)).peekable();
        states.peek().is_some() && states.all(|service| service.health == Health::Down)
    }

    fn begin(&self, leave: bool) -> Next {
        let what = if leave { "leave" } else { "join again" };
        match self.answer().map(|agent| agent.agent) {
            None | Some(AgentState::Unknown) => self.wait(self.pause()),
            Some(AgentState::Alive) if self.refusal().is_some() => {
                self.untold(what, &format!("its agent says '{}'", self.refusal().unwrap_or_default()))
            }
            Some(AgentState::Alive) => {
                self.send(Call::Drain { vmid: self.vmid(), leave, seconds: self.step.step.deadline })
            }
            Some(AgentState::NotConfigured) => self.untold(what, "it has no agent"),
            Some(AgentState::Forbidden) => self.untold(what, "the token may not run programs in it"),
            Some(AgentState::NotRunning | AgentState::GuestOff) => self.untold(what, "its agent doesn't answer"),
        }
    }

    /// The words of an agent that runs no programs.
    fn refusal(&self) -> Option<&str> {
        self.answer()?.refuses("exec")
    }

    /// Nobody knows whether the guest was told: it is told again after a while, which is harmless.
    fn again(&self, call: &CallState) -> Next {
        let late = self.look.at.since(call.sent) >= UNKNOWN_GRACE;
        if late && self.step.calls.len() < UNKNOWN_TRIES { self.send(call.call) } else { self.wait(self.pause()) }
    }

    fn untold(&self, what: &str, why: &str) -> Next {
        self.note(format!("{} couldn't be told to {what}: {why}.", self.step.step.party))
    }

    fn note(&self, text: String) -> Next {
        Next::Record(What::Note { step: self.step.step.id, text })
    }
}
