//! `mode history`: earlier switches, from their journals.

use crate::{
    cli::{json, shell::Shell, table::table, time},
    domain::{
        facts::Trouble,
        finding::FindingId,
        ids::{Millis, ModeName, OpId, Vmid},
        switch::{event::Outcome, plan::Verb, state::State},
        text,
    },
};
use serde::Serialize;
use std::io;

#[derive(Serialize)]
struct History<'a> {
    operations: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    op: &'a OpId,
    host: &'a str,
    verb: Verb,
    from: Vec<&'a ModeName>,
    to: Option<&'a ModeName>,
    started: Millis,
    outcome: Option<Outcome>,
    hard_stops: Vec<Vmid>,
    seconds: u64,
    /// Why it didn't end as planned.
    trouble: Option<&'a Trouble>,
    steps: Vec<Took>,
}

#[derive(Serialize)]
struct Took {
    title: String,
    hard: bool,
    seconds: Option<u64>,
}

/// Writes operations in the given order.
pub(crate) fn write(shell: &mut Shell<'_>, operations: &[(OpId, State)]) -> io::Result<()> {
    let entries: Vec<Entry<'_>> = operations.iter().map(|(op, state)| entry(op, state)).collect();
    if shell.json() {
        return json::document(shell.out, json::HISTORY, &History { operations: entries });
    }
    if entries.is_empty() {
        return writeln!(shell.out, "No mode was switched from here yet.");
    }
    let rows = entries.iter().map(|entry| {
        let from: Vec<&str> = entry.from.iter().map(|name| name.as_str()).collect();
        let from = if from.is_empty() { "-".to_owned() } else { from.join(", ") };
        let to = match (entry.verb, entry.to) {
            (Verb::Stop, _) => "(stop)",
            (Verb::Restore, None) => "(back)",
            (_, to) => to.map_or("-", ModeName::as_str),
        };
        let outcome = entry.outcome.map_or("not finished", Outcome::word);
        let hard: Vec<String> = entry.hard_stops.iter().map(|vmid| format!("VM {vmid}")).collect();
        let hard = if hard.is_empty() { String::new() } else { format!(" ({} stopped hard)", hard.join(", ")) };
        let took = text::duration(entry.seconds);
        [time::local(entry.started), from, to.to_owned(), format!("{outcome}{hard}"), took]
    });
    let mut written = Vec::new();
    table(&mut written, [("WHEN", 0), ("FROM", 0), ("TO", 0), ("OUTCOME", 0), ("TOOK", 0)], rows)?;
    let written = String::from_utf8_lossy(&written);
    let whys = std::iter::once(None).chain(entries.iter().map(why));
    for (row, why) in written.lines().zip(whys) {
        writeln!(shell.out, "{row}")?;
        why.map_or(Ok(()), |why| writeln!(shell.out, "  {why}"))?;
    }
    Ok(())
}

/// Why an operation didn't end as planned. That somebody cancelled it is said by its outcome.
fn why(entry: &Entry<'_>) -> Option<String> {
    let trouble = entry.trouble.filter(|trouble| trouble.finding != FindingId::OpCancelled)?;
    Some(format!("{} ({})", text::safe(trouble.parts().0), trouble.finding))
}

fn entry<'a>(op: &'a OpId, state: &'a State) -> Entry<'a> {
    let ended = state.finished.as_ref().map_or(state.last, |finish| finish.at);
    let steps = state.steps.iter().filter(|step| step.begun.is_some());
    Entry {
        op,
        host: &state.origin.host,
        verb: state.plan.intent.verb,
        from: state.plan.from.iter().filter_map(|party| party.mode.as_ref()).collect(),
        to: state.plan.target.as_ref().and_then(|party| party.mode.as_ref()),
        started: state.started,
        outcome: state.finished.as_ref().map(|finish| finish.outcome),
        hard_stops: state.hard_stops().map(|party| party.vmid).collect(),
        seconds: ended.since(state.started) / 1000,
        trouble: state.trouble.as_ref().filter(|_| state.finished.as_ref().is_some_and(|f| f.outcome != Outcome::Done)),
        steps: steps
            .map(|s| Took { title: s.title(), hard: s.is_hard(), seconds: s.elapsed(state.last).map(|ms| ms / 1000) })
            .collect(),
    }
}
