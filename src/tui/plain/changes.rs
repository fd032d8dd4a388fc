//! What changed between two moments, a line each.

use super::{agent_of, guest_name, name_of, standing, whole};
use crate::{
    domain::{
        finding::FindingId,
        guest::Guest,
        ids::Millis,
        switch::state::Phase,
        text::{counted, duration, safe},
    },
    tui::{
        model::{LogLine, Model},
        msg::OpBrief,
    },
};

/// Changes that are told one by one; what comes on top of them is counted.
const MOST: usize = 40;

/// A change.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Line {
    /// When it was noticed; none for what isn't a change but a description.
    pub at: Option<Millis>,
    /// In words.
    pub text: String,
}

/// What changed, in the order in which people ask: what the operation does, the guests, what follows for the modes.
/// Numbers that move all the time are no change.
#[must_use]
pub fn changes(before: &Model, after: &Model) -> Vec<Line> {
    let mut lines: Vec<Line> = new_in_log(before, after).map(said).collect();
    if after.knows_the_host() && !before.knows_the_host() {
        lines.extend(whole(after).into_iter().map(|text| Line { at: None, text }));
        return lines;
    }
    let mut words = operations(before, after);
    words.extend(guests(before, after));
    words.extend(agents(before, after));
    words.extend(modes(before, after));
    let rest = words.len().saturating_sub(MOST);
    words.truncate(MOST);
    if rest > 0 {
        words.push(format!("and {} more; `morpheus --plain --once` tells all", counted(rest, "change")));
    }
    lines.extend(words.into_iter().map(|text| Line { at: Some(after.now), text }));
    lines
}

/// Lines of the log that weren't there before, without the requests that steps are made of.
fn new_in_log<'a>(before: &Model, after: &'a Model) -> impl Iterator<Item = &'a LogLine> {
    let last = before.log.back().map(|line| line.seq);
    let new = move |line: &&LogLine| last.is_none_or(|last| line.seq > last);
    after.log.iter().filter(new).filter(|line| !line.text.starts_with("POST "))
}

fn said(line: &LogLine) -> Line {
    Line { at: Some(line.at), text: safe(&line.text) }
}

/// Steps that began, and questions. That steps ended is in the log.
fn operations(before: &Model, after: &Model) -> Vec<String> {
    let mut words = Vec::new();
    for op in &after.ops {
        let was = before.op(&op.id);
        if was.is_none() {
            words.extend(appeared(before, after, op));
        }
        for step in &op.state.steps {
            let seen = was.and_then(|was| was.state.steps.get(usize::from(step.step.id)));
            let began = step.phase == Phase::Running && seen.is_none_or(|seen| seen.phase == Phase::Waiting);
            if began && op.alive && step.is_worth_a_line(after.now) {
                words.push(format!("{} ...", safe(&step.step.title())));
            }
        }
        let asks = |op: &OpBrief| op.state.question().map(|(step, _)| step);
        if op.alive && asks(op).is_some() && was.and_then(asks) != asks(op) {
            words.push(format!("The operation waits for an answer: `morpheus op attach {}` takes it.", op.id));
        }
        if !op.alive && op.state.finished.is_none() && was.is_none_or(|was| was.alive) {
            let id = &op.id;
            let title = safe(&op.state.plan.title());
            words.push(format!(
                "{title}: interrupted. `morpheus op resume {id}` goes on, `morpheus op undo {id}` goes back."
            ));
        }
    }
    words
}

/// An operation that somebody else started: what the log doesn't tell of it.
fn appeared(before: &Model, after: &Model, op: &OpBrief) -> Option<String> {
    let title = safe(&op.state.plan.title());
    if new_in_log(before, after).any(|line| line.text.starts_with(&title)) {
        return None;
    }
    match &op.state.finished {
        Some(finish) if finish.at < before.now => None,
        Some(finish) => {
            let took = duration(finish.at.since(op.state.started) / 1000);
            Some(format!("{title}: {} after {took} ({})", finish.outcome.word(), op.id))
        }
        None => Some(format!("{title} ({})", op.id)),
    }
}

fn guests(before: &Model, after: &Model) -> Vec<String> {
    let mut words = Vec::new();
    let mut now: Vec<&Guest> = after.facts.guests().collect();
    now.sort_by_key(|guest| guest.vmid);
    for guest in now {
        let name = name_of(after, guest.vmid);
        let Some(was) = before.facts.guest(guest.vmid) else {
            words.push(format!("{}: new, {}", guest_name(guest), guest.state()));
            continue;
        };
        if was.state() != guest.state() {
            words.push(format!("{name}: {} -> {}", was.state(), guest.state()));
        }
        if was.name != guest.name {
            words.push(format!("{} is called {} now", guest_name(was), safe(&guest.name)));
        }
        match (&was.lock, &guest.lock) {
            (_, Some(_)) if guest.is_hibernated() => {}
            (Some(_), None) if was.is_hibernated() => {}
            (was, Some(lock)) if was.as_ref() != Some(lock) => words.push(format!("{name}: locked: {}", safe(lock))),
            (Some(_), None) => words.push(format!("{name}: not locked any more")),
            _ => {}
        }
    }
    let gone = before.facts.guests().filter(|guest| after.facts.guest(guest.vmid).is_none());
    words.extend(gone.map(|guest| format!("{}: not listed any more", guest_name(guest))));
    words
}

/// Addresses and services, as the guests' agents say them.
fn agents(before: &Model, after: &Model) -> Vec<String> {
    let mut words = Vec::new();
    for guest in after.facts.guests() {
        let Some(agent) = agent_of(after, guest.vmid) else { continue };
        let (was, name) = (agent_of(before, guest.vmid), name_of(after, guest.vmid));
        if let Some(address) = agent.address
            && was.and_then(|was| was.address) != Some(address)
        {
            words.push(format!("{name}: address {address}"));
        }
        for now in &agent.services {
            let same = |other: &&crate::domain::guest::ServiceState| other.name == now.name;
            let seen = was.and_then(|was| was.services.iter().find(same));
            if seen.is_none_or(|seen| seen.health != now.health) {
                words.push(format!("{name}: {}", now.text(false)));
            }
        }
    }
    words
}

/// The current mode, and whether modes could be switched to where that isn't the operation's doing.
fn modes(before: &Model, after: &Model) -> Vec<String> {
    let mut words = Vec::new();
    let current = |model: &Model| model.setup.modes.current(&model.facts).map(|mode| safe(mode.name.as_str()));
    let (was, is) = (current(before), current(after));
    if was != is {
        words.push(format!("current mode: {}", is.as_deref().unwrap_or("none")));
    }
    if after.open_op().is_some() || before.open_op().is_some() || after.is_cut_off() || before.is_cut_off() {
        return words;
    }
    for mode in &after.setup.modes.0 {
        let finding = |model: &Model| match model.standing_of(&mode.name) {
            Some(Err(no)) => Some(Some(no.finding)),
            Some(Ok(())) => Some(None),
            None => None,
        };
        let (was, is) = (finding(before), finding(after));
        let passing = [was, is].contains(&Some(Some(FindingId::ModeAlready)));
        if was.is_some() && was != is && !passing {
            words.extend(standing(after, mode).map(|words| format!("{}: {words}", safe(mode.name.as_str()))));
        }
    }
    words
}
