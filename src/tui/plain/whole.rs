//! All that is known, from the top.

use super::{agent_of, guest_name, standing};
use crate::{
    domain::{
        facts::{Part, Trouble},
        guest::Guest,
        mode::Mode,
        text::{counted, duration, safe},
    },
    tui::{
        model::{Model, age_of, ago},
        msg::{Link, OpBrief},
    },
};

/// The dashboard as text: the host and the link, the current mode, the operation, each mode, each guest, what is wrong.
#[must_use]
pub fn whole(model: &Model) -> Vec<String> {
    let mut lines = vec![host(model)];
    if model.knows_the_host() {
        lines.push(current(model));
    }
    lines.extend(operation(model));
    lines.extend(modes(model));
    if model.knows_the_host() {
        lines.extend(guests(model));
    }
    lines.extend(faults(model));
    lines
}

fn host(model: &Model) -> String {
    let label = model.setup.label.as_ref().map(|label| format!(" ({})", safe(label))).unwrap_or_default();
    let host = safe(&model.setup.host);
    let place = match &model.facts.node {
        Some(node) if host.is_empty() => safe(node.as_str()),
        Some(node) => format!("{} at {host}", safe(node.as_str())),
        None if host.is_empty() => "no host".to_owned(),
        None => host,
    };
    let link = match &model.link {
        Link::Connecting => "not connected yet".to_owned(),
        Link::Up => "connected".to_owned(),
        Link::Down { since, .. } => match model.now.since(*since) {
            0..60_000 => "no answer".to_owned(),
            gone => format!("no answer for {}", age_of(gone)),
        },
        Link::Unconfigured(_) => "not configured".to_owned(),
    };
    let old = model.old().map(|age| format!(", what follows is {} old", age_of(age))).unwrap_or_default();
    format!("morpheus{label}: {place}: {link}{old}.")
}

fn current(model: &Model) -> String {
    if let Some(mode) = model.setup.modes.current(&model.facts) {
        return format!("Current mode: {}.", safe(mode.name.as_str()));
    }
    let running: Vec<String> = model.setup.modes.running(&model.facts).map(|mode| safe(mode.name.as_str())).collect();
    match running.len() {
        0 => "Current mode: none, no mode is running.".to_owned(),
        _ => format!("Current mode: none, these run or nobody knows: {}.", running.join(", ")),
    }
}

fn operation(model: &Model) -> Vec<String> {
    let Some(op) = model.newest_op() else { return vec!["Operation: none yet.".to_owned()] };
    let title = safe(&op.state.plan.title());
    let Some(finish) = &op.state.finished else { return open(model, op, &title) };
    let took = duration(finish.at.since(op.state.started) / 1000);
    let when = ago(model.now, finish.at);
    vec![format!(
        "Operation: none. The last: {title}: {}, took {took}, ended {when} ({}).",
        finish.outcome.word(),
        op.id
    )]
}

fn open(model: &Model, op: &OpBrief, title: &str) -> Vec<String> {
    let id = &op.id;
    if !op.alive {
        let mut lines = vec![format!("Operation: interrupted: {title} ({id}).")];
        lines.push(format!("  `morpheus op resume {id}` goes on, `morpheus op undo {id}` goes back."));
        return lines;
    }
    let mut lines = vec![format!("Operation: {title}, begun {} ({id}).", ago(model.now, op.state.started))];
    if let Some(step) = op.state.current() {
        lines.push(format!("  Now: {}.", safe(&step.step.title())));
    }
    if let Some((_, question)) = op.state.question() {
        lines.push(format!("  It asks: {}", safe(&question.text)));
        lines.push(format!("  Answer it with `morpheus op attach {id}`."));
    }
    lines
}

fn modes(model: &Model) -> Vec<String> {
    let all = &model.setup.modes.0;
    if all.is_empty() {
        return vec!["Modes: none is configured (proxmox.modes in config.yaml).".to_owned()];
    }
    std::iter::once("Modes:".to_owned()).chain(all.iter().flat_map(|mode| of_mode(model, mode))).collect()
}

fn of_mode(model: &Model, mode: &Mode) -> Vec<String> {
    let state = model.facts.guest(mode.vmid).map(Guest::state);
    let state = state.unwrap_or(if model.knows_the_host() { "no such VM" } else { "state not known" });
    let gpu = mode.gpu(&model.facts).map(|gpu| format!(", GPU {}", gpu.word())).unwrap_or_default();
    let standing = standing(model, mode).map(|words| format!(", {words}")).unwrap_or_default();
    let mut lines = vec![format!("  {}: {state}, VM {}{gpu}{standing}.", safe(mode.name.as_str()), mode.vmid)];
    if !mode.description.is_empty() {
        lines.push(format!("    {}", safe(&mode.description)));
    }
    let Some(agent) = agent_of(model, mode.vmid) else { return lines };
    if let Some(address) = agent.address {
        lines.push(format!("    Address {address}."));
    }
    if !agent.services.is_empty() {
        let services: Vec<String> = agent.services.iter().map(|service| service.text(false)).collect();
        lines.push(format!("    Services: {}.", services.join(", ")));
    }
    if let Some((refuses, words)) = agent.refusals() {
        lines.push(format!("    Its agent {refuses}: {}.", safe(&words.join("; "))));
    }
    if !agent.users.is_empty() {
        lines.push(format!("    Logged in: {}.", safe(&agent.users.join(", "))));
    }
    lines
}

fn guests(model: &Model) -> Vec<String> {
    let mut all: Vec<&Guest> = model.facts.guests().collect();
    all.sort_by_key(|guest| guest.vmid);
    let head = match all.len() {
        0 => model.facts.no_guest().to_owned(),
        count => format!("{}:", counted(count, "guest")),
    };
    std::iter::once(head).chain(all.into_iter().map(of_guest)).collect()
}

fn of_guest(guest: &Guest) -> String {
    let state = if guest.template { "template" } else { guest.state() };
    let up = guest.uptime.filter(|up| *up > 0).map(|up| format!(" for {}", age_of(up * 1000))).unwrap_or_default();
    let lock = guest
        .lock
        .as_ref()
        .filter(|_| !guest.is_hibernated())
        .map(|lock| format!(", locked: {}", safe(lock)))
        .unwrap_or_default();
    format!("  {}: {state}{up}{lock}.", guest_name(guest))
}

/// What is wrong: each with its id, which `morpheus explain` takes.
fn faults(model: &Model) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut add = |what: &str, trouble: &Trouble| {
        let line = format!("  {what}{} ({})", safe(trouble.parts().0), trouble.finding);
        if !found.contains(&line) {
            found.push(line);
        }
    };
    for notice in &model.setup.notices {
        add("", &Trouble { finding: notice.finding, message: notice.message.clone() });
    }
    match &model.link {
        Link::Down { trouble, .. } | Link::Unconfigured(trouble) => add("", trouble),
        Link::Connecting | Link::Up => {
            let lists = [("VMs: ", &model.facts.qemu), ("Containers: ", &model.facts.lxc)];
            lists.into_iter().filter_map(|(what, part)| Some((what, broken(part)?))).for_each(|(w, t)| add(w, t));
            for (vmid, part) in &model.facts.configs {
                if let Some(trouble) = broken(part) {
                    add(&format!("VM {vmid}: "), trouble);
                }
            }
        }
    }
    if let Some(op) = model.newest_op()
        && let Some(trouble) = &op.state.trouble
    {
        add("The last operation: ", trouble);
    }
    if found.is_empty() {
        return vec!["Nothing is wrong.".to_owned()];
    }
    let mut lines = vec!["What is wrong (`morpheus explain ID` says more):".to_owned()];
    lines.append(&mut found);
    lines
}

const fn broken<T>(part: &Part<T>) -> Option<&Trouble> {
    part.error.as_ref()
}
