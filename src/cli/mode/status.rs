//! `mode status`: a mode's guest, agent, address, services and GPU.

use super::list::status;
use crate::{
    cli::{json, shell::Shell},
    domain::{
        facts::{Facts, Trouble},
        guest::{AgentFacts, AgentState, ServiceState},
        ids::{ModeName, Vmid},
        lock,
        mode::{GpuMode, Mode},
        text,
        wivrn::Wivrn,
    },
};
use serde::Serialize;
use std::{
    collections::BTreeMap,
    io::{self, Write},
    net::IpAddr,
};

#[derive(Serialize)]
struct Document<'a> {
    host: &'a str,
    modes: Vec<Seen<'a>>,
}

#[derive(Serialize)]
struct Seen<'a> {
    name: &'a ModeName,
    vmid: Vmid,
    status: &'static str,
    gpu_mode: Option<GpuMode>,
    lock: Option<&'a str>,
    uptime: Option<u64>,
    agent: AgentState,
    agent_refuses: Option<&'a BTreeMap<String, String>>,
    address: Option<IpAddr>,
    os: Option<&'a str>,
    gpu: Option<&'a str>,
    services: &'a [ServiceState],
    wivrn: Option<&'a Wivrn>,
    trouble: Option<&'a Trouble>,
}

/// Writes what is known of these modes.
pub(crate) fn write(shell: &mut Shell<'_>, host: &str, modes: &[&Mode], facts: &Facts) -> io::Result<()> {
    let found: Vec<Seen<'_>> = modes.iter().map(|mode| look(mode, facts)).collect();
    if shell.json() {
        return json::document(shell.out, json::STATUS, &Document { host, modes: found });
    }
    if found.is_empty() {
        return writeln!(shell.out, "No mode is running.");
    }
    for (place, (status, mode)) in found.iter().zip(modes).enumerate() {
        if place > 0 {
            writeln!(shell.out)?;
        }
        let lock = facts.guest(mode.vmid).and_then(|guest| lock::words(facts, guest));
        let agent = facts.agents.get(&mode.vmid).and_then(|part| part.value.as_ref());
        text_of(shell.out, status, mode, (lock, agent))?;
    }
    Ok(())
}

fn look<'a>(mode: &'a Mode, facts: &'a Facts) -> Seen<'a> {
    let guest = facts.guest(mode.vmid);
    let part = facts.agents.get(&mode.vmid);
    let agent: Option<&AgentFacts> = part.and_then(|part| part.value.as_ref());
    Seen {
        name: &mode.name,
        vmid: mode.vmid,
        status: status(mode, facts),
        gpu_mode: mode.gpu(facts),
        lock: guest.and_then(|guest| guest.lock.as_deref()),
        uptime: guest.and_then(|guest| guest.uptime).filter(|seconds| *seconds > 0),
        agent: agent.map_or(AgentState::Unknown, |agent| agent.agent),
        agent_refuses: agent.map(|agent| &agent.refused).filter(|refused| !refused.is_empty()),
        address: agent.and_then(|agent| agent.address),
        os: agent.and_then(|agent| agent.os.as_deref()),
        gpu: agent.and_then(|agent| agent.gpu.as_deref()),
        services: agent.map(|agent| agent.services.as_slice()).unwrap_or_default(),
        wivrn: agent.and_then(|agent| agent.wivrn.as_ref()),
        trouble: part.and_then(|part| part.error.as_ref()),
    }
}

fn text_of(
    out: &mut dyn Write,
    status: &Seen<'_>,
    mode: &Mode,
    (lock, agent): (Option<String>, Option<&AgentFacts>),
) -> io::Result<()> {
    let up = status.uptime.map(|seconds| format!(" for {}", text::duration(seconds))).unwrap_or_default();
    writeln!(out, "{} (VM {}): {}{up}", status.name, status.vmid, status.status)?;
    let claim = status.gpu_mode.map_or("unknown", GpuMode::word);
    let gpu = status.gpu.map_or_else(|| claim.to_owned(), |gpu| format!("{} ({claim})", text::safe(gpu)));
    let unknown = || "unknown".to_owned();
    let running = status.status == "running";
    line(out, "Lock", lock)?;
    line(out, "IP", running.then(|| status.address.map_or_else(unknown, |address| address.to_string())))?;
    line(out, "GPU", Some(gpu))?;
    line(out, "OS", status.os.map(text::safe))?;
    let (refuses, words) = agent.and_then(AgentFacts::refusals).unwrap_or_default();
    let refuses = if refuses.is_empty() { refuses } else { format!(", {refuses}") };
    line(out, "Agent", running.then(|| format!("{}{refuses}", state_of(status.agent))))?;
    for words in words {
        line(out, "", Some(text::safe(words)))?;
    }
    line(
        out,
        "Note",
        status.trouble.map(|trouble| format!("{} ({})", text::safe(trouble.parts().0), trouble.finding)),
    )?;
    if running && !mode.services.is_empty() {
        let services = mode.services.iter().map(|check| {
            let state = status.services.iter().find(|state| state.name == check.name).cloned();
            state.unwrap_or_else(|| ServiceState::unknown(check, None)).text(true)
        });
        line(out, "Services", Some(services.collect::<Vec<_>>().join(", ")))?;
    }
    for (name, text) in status.wivrn.map(Wivrn::notes).unwrap_or_default() {
        line(out, name, Some(text::safe(&text)))?;
    }
    Ok(())
}

fn line(out: &mut dyn Write, name: &str, value: Option<String>) -> io::Result<()> {
    value.map_or(Ok(()), |value| {
        writeln!(out, "   {:<9} {value}", if name.is_empty() { String::new() } else { format!("{name}:") })
    })
}

const fn state_of(state: AgentState) -> &'static str {
    match state {
        AgentState::Alive => "alive",
        AgentState::NotConfigured => "not configured on the VM",
        AgentState::NotRunning => "doesn't answer",
        AgentState::GuestOff => "guest is off",
        AgentState::Forbidden => "not permitted",
        AgentState::Unknown => "unknown",
    }
}
