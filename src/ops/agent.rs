//! Asking guests, through their agents.

use super::{Host, look::has_agent};
use crate::domain::{
    facts::{Facts, Part},
    guest::{AgentFacts, AgentState, GuestConfig},
    ids::{Millis, Vmid},
};

impl Host {
    /// What a guest says about itself, asked of its agent. Its configuration is taken from `known`.
    pub async fn agent(&self, vmid: Vmid, known: &Facts) -> Facts {
        let answer = self.ask(vmid, known.config(vmid), true).await;
        Facts { agents: [(vmid, answer)].into(), ..Facts::default() }
    }

    /// Whether a guest hears us, and who is logged in.
    pub(super) async fn hears(&self, vmid: Vmid, config: Option<GuestConfig>) -> (Vmid, Part<AgentFacts>) {
        (vmid, self.ask(vmid, config.as_ref(), false).await)
    }

    pub(super) async fn ask(&self, vmid: Vmid, config: Option<&GuestConfig>, _services: bool) -> Part<AgentFacts> {
        let at = self.clock().now();
        let mut facts = none(at, AgentState::NotConfigured);
        if !has_agent(config) {
            return Part::good(facts, at);
        }
        let Ok(node) = self.node().await else { return Part::default() };
        match self.client().agent_ping(&node, vmid).await {
            Ok(()) => facts.agent = AgentState::Alive,
            Err(error) => {
                facts.agent = crate::pve::agent_state(&error);
                return Part::good(facts, at);
            }
        }
        if let Ok(interfaces) = self.client().agent_interfaces(&node, vmid).await {
            let mac = config.and_then(|config| config.net0_mac.as_deref());
            facts.address = crate::domain::address::choose(&interfaces, mac);
        }
        Part::good(facts, at)
    }
}

const fn none(at: Millis, agent: AgentState) -> AgentFacts {
    AgentFacts { agent, address: None, os: None, gpu: None, services: Vec::new(), users: Vec::new(), at }
}
