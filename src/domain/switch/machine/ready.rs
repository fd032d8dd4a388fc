//! Waiting for what makes a running guest useful: its address, then its services.

use super::{Next, Turn};
use crate::domain::{
    finding::FindingId,
    guest::{AgentFacts, AgentState, Health, Power},
    switch::event::What,
};

impl Turn<'_> {
    pub(super) fn network(&self) -> Next {
        if let Some(next) = self.died() {
            return next;
        }
        let Some(agent) = self.answer() else {
            return match self.power() {
                state @ (Power::Paused | Power::Suspended) => self.no_address_yet(&format!("it is {state}")),
                _ => self.no_address_yet("its agent wasn't reached"),
            };
        };
        match (agent.agent, agent.address) {
            (_, Some(address)) => {
                Next::Record(What::StepDone { step: self.step.step.id, address: Some(address), services: Vec::new() })
            }
            (AgentState::Forbidden, None) => self.unseen("the token may not ask its agent"),
            (AgentState::NotConfigured, None) => self.unseen("it has no agent"),
            (AgentState::Alive, None) => match agent.refuses("network-get-interfaces") {
                Some(words) => self.unseen(&format!("its agent says '{words}'")),
                None => self.no_address_yet("its agent answers, but net0 has no usable address"),
            },
            (AgentState::NotRunning | AgentState::GuestOff | AgentState::Unknown, None) => {
                self.no_address_yet("its agent doesn't answer")
            }
        }
    }

    pub(super) fn services(&self) -> Next {
        if let Some(next) = self.died() {
            return next;
        }
        let services = self.answer().map(|agent| agent.services.clone()).unwrap_or_default();
        let settled = !services.is_empty() && services.iter().all(|service| service.health == Health::Up);
        let hopeless = !services.is_empty() && services.iter().all(|service| service.health == Health::Unknown);
        let denied = self.answer().is_some_and(|agent| agent.agent == AgentState::Forbidden);
        // What a guest doesn't let be asked won't be known later either.
        let mute = |agent: &AgentFacts| ["exec", "exec-status"].iter().any(|command| agent.refuses(command).is_some());
        let asked = services.iter().all(|service| matches!(service.health, Health::Up | Health::Unknown));
        let mute = asked && self.answer().is_some_and(mute);
        if settled || denied || mute || (hopeless && self.age() > 10_000) || self.is_overdue() {
            return Next::Record(What::StepDone { step: self.step.step.id, address: None, services });
        }
        self.wait(self.pause())
    }

    pub(super) fn answer(&self) -> Option<&AgentFacts> {
        let begun = self.step.begun?;
        self.look.facts.agents.get(&self.vmid())?.fresh().filter(|agent| agent.at >= begun)
    }

    /// A guest that stopped again won't get an address.
    pub(super) fn died(&self) -> Option<Next> {
        let party = &self.step.step.party;
        let message = match self.power() {
            Power::Stopped => format!("{party} stopped again."),
            Power::Shutdown => format!("{party} powered off again; its QEMU process is still there."),
            Power::Running | Power::Paused | Power::Suspended | Power::Prelaunch | Power::Unknown => return None,
        };
        Some(self.fail(FindingId::GuestDied, message))
    }

    fn no_address_yet(&self, why: &str) -> Next {
        if !self.is_overdue() {
            return self.wait(self.pause());
        }
        let message = format!("{} got no address within {} s: {why}.", self.step.step.party, self.step.step.deadline);
        self.fail(FindingId::GuestNoAddress, message)
    }

    /// Nothing can be seen, and waiting doesn't help: said, and not taken for a failure of the guest.
    fn unseen(&self, why: &str) -> Next {
        if self.step.notes.is_empty() {
            let text = format!("The address of {} can't be seen: {why}.", self.step.step.party);
            return Next::Record(What::Note { step: self.step.step.id, text });
        }
        self.done()
    }
}
