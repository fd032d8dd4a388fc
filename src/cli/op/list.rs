//! `op list` and `op status`.

use crate::{
    cli::{follow, json, line, plan_text, progress::Progress, shell::Shell, table::table, time},
    domain::{
        ids::{Millis, OpId},
        journal::Told,
        mode::ModeSet,
        switch::{
            event::{Event, Outcome},
            state::State,
        },
        text,
    },
};
use serde::Serialize;
use std::io;

#[derive(Serialize)]
struct Ops<'a> {
    operations: Vec<Line<'a>>,
}

#[derive(Serialize)]
struct Line<'a> {
    op: &'a OpId,
    title: String,
    host: &'a str,
    started: Millis,
    running: bool,
    outcome: Option<Outcome>,
}

/// Writes operations in the given order; `running` are those that runners work on.
pub(crate) fn list(shell: &mut Shell<'_>, operations: &[(OpId, State)], running: &[OpId]) -> io::Result<()> {
    let lines: Vec<Line<'_>> = operations
        .iter()
        .map(|(op, state)| Line {
            op,
            title: state.plan.title(),
            host: &state.origin.host,
            started: state.started,
            running: running.contains(op),
            outcome: state.finished.as_ref().map(|finish| finish.outcome),
        })
        .collect();
    if shell.json() {
        return json::document(shell.out, json::OPS, &Ops { operations: lines });
    }
    if lines.is_empty() {
        return writeln!(shell.out, "There are no operations.");
    }
    let rows = lines.iter().map(|line| {
        let state = word(line.outcome, line.running);
        let what = line.title.strip_prefix("Switching ").unwrap_or(&line.title).to_owned();
        [line.op.to_string(), time::minute(line.started), state.to_owned(), what]
    });
    let rows = fitting(rows.collect(), shell.width());
    table(shell.out, [("ID", 0), ("STARTED", 0), ("STATE", 0), ("WHAT", 0)], rows)
}

/// Rows whose last cell is cut so that none is broken over two lines of a terminal.
fn fitting<const N: usize>(mut rows: Vec<[String; N]>, width: Option<usize>) -> Vec<[String; N]> {
    let Some(width) = width else { return rows };
    let widest = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| text::width(cell)).max();
    let before: usize = (0..N.saturating_sub(1)).filter_map(widest).map(|columns| columns + 2).sum();
    let room = width.saturating_sub(before);
    for cell in rows.iter_mut().filter_map(|row| row.last_mut()).filter(|cell| text::width(cell) > room) {
        *cell = format!("{}...", line::cut(cell, room.saturating_sub(3)));
    }
    rows
}

#[derive(Serialize)]
struct Whole<'a> {
    op: &'a OpId,
    running: bool,
    state: &'a State,
}

/// Writes one operation: its progress so far.
pub(crate) fn status(
    shell: &mut Shell<'_>,
    op: &OpId,
    events: &[Event],
    running: bool,
    modes: Option<&ModeSet>,
) -> io::Result<()> {
    let Some(state) = State::fold(events) else { return Ok(()) };
    if shell.json() {
        return json::document(shell.out, json::OP, &Whole { op, running, state: &state });
    }
    let outcome = state.finished.as_ref().map(|finish| finish.outcome);
    writeln!(shell.out, "Operation {op} on {}: {}", text::safe(&state.origin.host), word(outcome, running))?;
    writeln!(shell.out, "Started {}\n", time::local(state.started))?;
    let mut progress = Progress::new(None, follow::claim(&state, modes));
    let mut so_far = events.get(..1).and_then(State::fold);
    for (place, event) in events.iter().enumerate() {
        let Some(state) = &mut so_far else { break };
        if place > 0 {
            state.apply(event);
        }
        progress.event(shell.out, state, event)?;
    }
    progress.close(shell.out)?;
    if outcome.is_none() && !running {
        writeln!(
            shell.out,
            "\nIts runner ended before it did: `morpheus op resume {op}` goes on, `morpheus op undo {op}` goes back."
        )?;
    }
    if state.is_untouched() && outcome.is_none() {
        writeln!(shell.out)?;
        plan_text::plan(shell.out, &state.plan)?;
    }
    Ok(())
}

const fn word(outcome: Option<Outcome>, running: bool) -> &'static str {
    match (outcome, running) {
        (Some(outcome), _) => outcome.word(),
        (None, true) => "running",
        (None, false) => "interrupted",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_cell_is_cut_and_only_on_a_terminal() {
        let rows = || vec![["id".to_owned(), "done".to_owned(), "linux -> windows".to_owned()]];
        assert_eq!(fitting(rows(), None), rows());
        assert_eq!(fitting(rows(), Some(26)), rows());
        assert_eq!(fitting(rows(), Some(25)), [["id", "done", "linux -> win..."].map(str::to_owned)]);
    }
}
