//! What may be lost by a plan, and how much of a confirmation that needs.

use super::{Situation, Work, fallback_words};
use crate::domain::{
    finding::FindingId,
    guest::{AgentState, Guest, Power},
    ids::Vmid,
    mode::GpuMode,
    release::Release,
    switch::plan::{Fallback, Party, Rung, Warning},
    text,
    usage::Usage,
};

#[derive(Default)]
struct Risks {
    warnings: Vec<Warning>,
    because: Vec<String>,
    names: Vec<String>,
}

impl Risks {
    fn warn(&mut self, finding: FindingId, message: String) {
        self.warnings.push(Warning { finding, message });
    }

    /// Work of `party` may be lost: its name is to be typed.
    fn endanger(&mut self, party: &Party, finding: FindingId, message: String) {
        self.because.push(message.clone());
        let name = party.mode.as_ref().map_or_else(|| party.name.clone(), ToString::to_string);
        if !self.names.contains(&name) {
            self.names.push(name);
        }
        self.warn(finding, message);
    }
}

impl Situation<'_> {
    pub(super) fn risks(&self, work: &Work, target: Option<&Party>) -> (Vec<Warning>, Rung) {
        let mut risks = Risks::default();
        let release = self.facts.version.value.as_ref().and_then(|version| version.parse::<Release>().ok());
        if let Some(words) =
            release.and_then(Release::too_old).filter(|_| !work.stops.is_empty() || !work.starts.is_empty())
        {
            risks.warn(FindingId::PveVersion, words);
        }
        for vmid in &work.stops {
            self.risk_of_stop(*vmid, &mut risks);
        }
        for vmid in &work.starts {
            self.risk_of_start(*vmid, &mut risks);
        }
        if !work.stops.is_empty() && self.intent.options.fallback != Fallback::Ask {
            // Who types a name gives leave to lose what is in the guest.
            let fallback = match self.intent.options.fallback {
                Fallback::StopIdle if !risks.because.is_empty() => Fallback::Stop,
                fallback => fallback,
            };
            let words = fallback_words(fallback);
            let seconds = self.intent.options.shutdown_timeout;
            let finding = match fallback {
                Fallback::Stop | Fallback::StopIdle => FindingId::GuestHardStop,
                Fallback::Ask | Fallback::Fail => FindingId::GuestStuck,
            };
            risks.warn(finding, format!("If a guest hasn't shut down after {seconds} s, {words}."));
        }
        let rung = if work.stops.is_empty() {
            Rung::None
        } else if risks.because.is_empty() {
            Rung::Confirm
        } else {
            let target = target.and_then(|party| party.mode.as_ref()).map(ToString::to_string);
            risks.names.extend(target);
            Rung::TypeName { names: risks.names, because: risks.because }
        };
        (risks.warnings, rung)
    }

    fn risk_of_stop(&self, vmid: Vmid, risks: &mut Risks) {
        let party = self.party(vmid);
        if self.facts.power(vmid) == Power::Shutdown {
            // It has powered off: nothing is left to lose.
        } else if self.facts.power(vmid) != Power::Running {
            let message =
                format!("{party} is {} and is stopped hard: what is in its memory is lost.", self.facts.power(vmid));
            risks.endanger(&party, FindingId::GuestHardStop, message);
        } else if let Some(message) = self.deaf(vmid, &party) {
            risks.endanger(&party, FindingId::GuestNoAgent, message);
        }
        if party.mode.is_none() {
            let message = format!("{party} is in no mode; it is stopped because it holds the GPU.");
            risks.endanger(&party, FindingId::GpuHeldByForeign, message);
        }
        let usage = self.facts.usage(vmid);
        if self.facts.power(vmid) == Power::Running && usage != Usage::Idle {
            risks.endanger(&party, FindingId::GuestInUse, format!("{party} {usage}."));
        }
        if let Some(users) =
            self.facts.agent(vmid).map(|agent| agent.users.join(", ")).filter(|users| !users.is_empty())
        {
            risks.warn(FindingId::GuestInUse, format!("Logged in on {party}: {}.", text::safe(&users)));
        }
        if let Some(words) = self.facts.agent(vmid).and_then(|agent| agent.refuses("get-users")) {
            let message = format!("Who is logged in on {party} can't be seen: its agent says '{words}'.");
            risks.warn(FindingId::GuestInUse, message);
        }
        if let Some(flaw) = self.flaw(vmid) {
            let (finding, message) = flaw.warning(&party);
            risks.warn(finding, message);
        }
        if self.facts.guest(vmid).and_then(|guest| guest.ha) == Some(true) {
            risks.warn(
                FindingId::GuestHa,
                format!("{party} is managed by HA, which stops and starts it in its own time."),
            );
        }
    }

    /// Why a guest may not hear a request to shut down.
    fn deaf(&self, vmid: Vmid, party: &Party) -> Option<String> {
        if self.facts.config(vmid).is_some_and(|config| !config.agent) {
            return Some(format!("{party} has no guest agent: it may ignore the request to shut down."));
        }
        let agent = self.facts.agent(vmid)?.agent;
        let silent = matches!(agent, AgentState::NotRunning | AgentState::NotConfigured);
        silent.then(|| format!("The guest agent of {party} doesn't answer: it may ignore the request to shut down."))
    }

    fn risk_of_start(&self, vmid: Vmid, risks: &mut Risks) {
        let party = self.party(vmid);
        if self.facts.config(vmid).is_some_and(|config| !config.agent) && self.intent.options.wait_for_network {
            let message = format!("{party} has no guest agent: its address and services can't be seen.");
            risks.warn(FindingId::GuestNoAgent, message);
        }
        if self.facts.guest(vmid).is_some_and(Guest::is_hibernated) {
            let message = format!(
                "{party} is hibernated: its start resumes it from what was saved of its memory. Going back shuts it down; \
                 it isn't hibernated again."
            );
            risks.warn(FindingId::GuestHibernated, message);
        }
        let wants_gpu = self.modes.of(vmid).and_then(|mode| mode.gpu_mode).is_some_and(|gpu| gpu != GpuMode::None);
        if wants_gpu && self.facts.claims(vmid).is_some_and(|claims| claims.is_empty()) {
            risks.warn(FindingId::GpuNone, format!("{party} should have the GPU, but its VM has no hostpci entry."));
        }
        if self.facts.memory.fresh().is_none() {
            risks.warn(FindingId::MemoryUnknown, "Free host memory isn't known, so it wasn't checked.".to_owned());
        }
        if self.facts.guest(vmid).and_then(|guest| guest.ha) == Some(true) {
            risks.warn(
                FindingId::GuestHa,
                format!("{party} is managed by HA, which stops and starts it in its own time."),
            );
        }
    }
}
