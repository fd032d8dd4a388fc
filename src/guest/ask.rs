//! One round of questions to one guest.

use super::services::{Place, check};
use crate::{
    domain::{
        address,
        facts::Part,
        guest::{AgentFacts, AgentState, GuestConfig, ServiceState},
        ids::{Millis, NodeName, Vmid},
        mode::Os,
        service::{Probe, ServiceCheck},
        text,
    },
    pve::{Client, Error, agent_state, refusal},
};
use std::collections::BTreeMap;

/// What to ask a guest. With nothing set, only whether its agent lives.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "a set of independent wishes")]
pub struct Question {
    /// The address of `net0`.
    pub address: bool,
    /// The operating system's own name.
    pub os: bool,
    /// The GPU as the guest's driver names it.
    pub gpu: bool,
    /// How busy that GPU is.
    pub load: bool,
    /// Who is logged in.
    pub users: bool,
    /// The services to check, in the order in which they are answered.
    pub services: Vec<ServiceCheck>,
    /// What the guest runs, where the configuration says it; else the VM's `ostype` decides.
    pub system: Option<Os>,
}

/// Asks a running guest. Trouble with the host is the part's error; trouble with the guest is in the facts: the agent's
/// state, and services that are `Health::Unknown` with the reason. A token that may ping but not run programs gets
/// everything except services and GPU.
pub async fn ask(
    client: &Client,
    node: &NodeName,
    vmid: Vmid,
    config: &GuestConfig,
    question: &Question,
    now: Millis,
) -> Part<AgentFacts> {
    if !config.agent {
        return Part::good(silent(AgentState::NotConfigured, question, now), now);
    }
    let mut facts = silent(AgentState::Alive, question, now);
    match fill(client, node, vmid, config, question, &mut facts).await {
        Ok(()) => Part::good(facts, now),
        Err(error) => match agent_state(&error) {
            AgentState::Unknown => Part::failed(error.trouble()),
            // What was already said stays; services that weren't asked are unknown.
            state => {
                explain(&mut facts, state);
                Part::good(facts, now)
            }
        },
    }
}

async fn fill(
    client: &Client,
    node: &NodeName,
    vmid: Vmid,
    config: &GuestConfig,
    question: &Question,
    facts: &mut AgentFacts,
) -> Result<(), Error> {
    // Who refuses even that has answered.
    known(client.agent_ping(node, vmid).await, "ping", facts)?;
    let outside = |probe: &Probe| matches!(probe, Probe::Tcp { outside: true, .. });
    if question.address || question.services.iter().flat_map(|service| &service.probes).any(outside) {
        let interfaces =
            known(client.agent_interfaces(node, vmid).await, "network-get-interfaces", facts)?.unwrap_or_default();
        facts.address = address::choose(&interfaces, config.net0_mac.as_deref());
    }
    if question.os {
        facts.os = known(client.agent_osinfo(node, vmid).await, "get-osinfo", facts)?.map(|name| text::safe(&name));
    }
    if question.users {
        let users = known(client.agent_users(node, vmid).await, "get-users", facts)?.unwrap_or_default();
        facts.users = users.iter().map(|user| text::safe(user)).collect();
    }
    if question.gpu || question.load || !question.services.is_empty() {
        let os = question.system.unwrap_or_else(|| system(config));
        let place = Place { client, node, vmid, os, address: facts.address };
        let round = check(place, &question.services, (question.gpu, question.load)).await?;
        facts.services = round.services;
        facts.refused.extend(round.refused);
        facts.gpu = round.gpu.map(|name| text::safe(&name));
        facts.load = round.load;
        facts.wivrn = round.wivrn;
    }
    Ok(())
}

/// A question that this guest refuses or doesn't know leaves its answer open; that the agent is gone ends the round.
fn known<T>(answer: Result<T, Error>, command: &str, facts: &mut AgentFacts) -> Result<Option<T>, Error> {
    if let Some(words) = answer.as_ref().err().and_then(refusal) {
        facts.refused.insert(command.to_owned(), text::safe(words));
    }
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error @ Error::Refused(_)) if agent_state(&error) != AgentState::Unknown => Err(error),
        Err(Error::Refused(_) | Error::Protocol(_) | Error::NotFound(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// By the VM's `ostype`: `win11`, `w2k8` ... are Windows; whatever else runs there is tried with a shell.
pub(super) fn system(config: &GuestConfig) -> Os {
    let windows = |ostype: &str| ["win", "w2k", "wxp", "wvista"].iter().any(|prefix| ostype.starts_with(prefix));
    if config.ostype.as_deref().is_some_and(windows) { Os::Windows } else { Os::Linux }
}

fn silent(agent: AgentState, question: &Question, now: Millis) -> AgentFacts {
    let services = question.services.iter().map(|service| ServiceState::unknown(service, None)).collect();
    let mut facts = AgentFacts {
        agent,
        address: None,
        os: None,
        gpu: None,
        load: None,
        wivrn: None,
        services,
        users: Vec::new(),
        refused: BTreeMap::new(),
        at: now,
    };
    explain(&mut facts, agent);
    facts
}

/// Puts the agent's state down, and as the reason why services are unknown.
fn explain(facts: &mut AgentFacts, agent: AgentState) {
    facts.agent = agent;
    let why = match agent {
        AgentState::Alive | AgentState::Unknown => return,
        AgentState::NotConfigured => "the VM has no guest agent configured",
        AgentState::NotRunning => "the guest agent doesn't answer",
        AgentState::GuestOff => "the guest is not running",
        AgentState::Forbidden => "the token may not ask the guest agent",
    };
    for service in &mut facts.services {
        service.detail = Some(why.to_owned());
    }
}

#[cfg(test)]
#[path = "ask_tests.rs"]
mod tests;
