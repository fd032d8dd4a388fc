//! Asking guests, through their agents.

use super::Host;
use crate::{
    domain::{
        facts::{Facts, Part},
        guest::AgentFacts,
        ids::Vmid,
    },
    guest::{Question, ask},
};

impl Host {
    /// All that a guest tells about itself: address, system, GPU and its load, people, and the services of its mode. Asks nothing
    /// where the configuration isn't known.
    pub async fn agent(&self, vmid: Vmid, known: &Facts) -> Facts {
        let question =
            Question { address: true, os: true, gpu: true, load: true, users: true, ..self.question(vmid, true) };
        let answer = self.ask(vmid, known, &question).await;
        Facts { agents: [(vmid, answer)].into(), ..Facts::default() }
    }

    /// Whether a guest hears us, and who is logged in.
    pub(super) async fn hears(&self, vmid: Vmid, known: &Facts) -> (Vmid, Part<AgentFacts>) {
        let question = Question { users: true, ..self.question(vmid, false) };
        (vmid, self.ask(vmid, known, &question).await)
    }

    /// A guest's address alone.
    pub(super) async fn address(&self, vmid: Vmid, known: &Facts) -> Part<AgentFacts> {
        let question = Question { address: true, ..self.question(vmid, false) };
        self.ask(vmid, known, &question).await
    }

    /// The services of a guest's mode, its address and its GPU's name.
    pub(super) async fn services(&self, vmid: Vmid, known: &Facts) -> Part<AgentFacts> {
        let question = Question { address: true, gpu: true, ..self.question(vmid, true) };
        self.ask(vmid, known, &question).await
    }

    fn question(&self, vmid: Vmid, services: bool) -> Question {
        let mode = self.modes().of(vmid);
        Question {
            services: mode.filter(|_| services).map(|mode| mode.services.clone()).unwrap_or_default(),
            system: mode.and_then(|mode| mode.os),
            ..Question::default()
        }
    }

    async fn ask(&self, vmid: Vmid, known: &Facts, question: &Question) -> Part<AgentFacts> {
        let Some(config) = known.config(vmid) else { return Part::default() };
        let at = self.clock().now();
        match self.node().await {
            Ok(node) => ask(self.client(), &node, vmid, config, question, at).await,
            Err(error) => Part::failed(error.trouble()),
        }
    }
}
