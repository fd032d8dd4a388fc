//! A planting's progress as lines of text. A step is one line: its title when it begins, its end behind it. On a terminal
//! the line is rewritten while the step runs, with what it does and how far it is.

use crate::{
    cli::line::OpenLine,
    domain::{
        ids::Millis,
        plant::{
            Event, State, What,
            event::End,
            state::{Phase, StepState},
        },
        text,
    },
};
use std::io::{self, Write};

/// Writes a planting's progress.
pub(super) struct Progress {
    line: OpenLine,
}

impl Progress {
    /// Progress on a terminal of this width, or on something that isn't one.
    pub(super) const fn new(live: Option<u16>) -> Self {
        Self { line: OpenLine::new(live) }
    }

    /// Writes what an event says. `state` has the event already.
    pub(super) fn event(&mut self, out: &mut dyn Write, state: &State, event: &Event) -> io::Result<()> {
        let find = |step: &u16| state.steps.get(usize::from(*step));
        match &event.what {
            What::Planned { plan, .. } => writeln!(out, "Planting on {}: {}", plan.node, steps(plan.steps.len())),
            What::StepBegun { step } => find(step).map_or(Ok(()), |step| self.begin(out, state, step)),
            What::StepDone { step, notes } => {
                find(step).map_or(Ok(()), |step| self.end(out, state, step, event.at))?;
                notes.iter().filter(|note| !note.is_empty()).try_for_each(|note| self.aside(out, note))
            }
            What::StepFailed { step, trouble } => {
                find(step).map_or(Ok(()), |step| self.end(out, state, step, event.at))?;
                trouble.parts().0.lines().try_for_each(|line| self.aside(out, line))
            }
            What::Progress { text, percent: None, .. } if !self.line.is_live() => self.aside(out, text),
            What::UndoRequested => self.line.aside(out, "Undoing"),
            What::Removed { thing } if state.undoing => self.aside(out, &format!("removed {thing}")),
            What::Kept { thing, trouble } => self.aside(out, &format!("kept {thing}: {}", trouble.parts().0)),
            What::Finished { end } => {
                self.close(out)?;
                finish(out, state, *end)
            }
            What::Halted { .. } => self.close(out),
            What::RunnerStarted { .. }
            | What::Making { .. }
            | What::TaskStarted { .. }
            | What::Progress { .. }
            | What::Removing { .. }
            | What::Removed { .. } => Ok(()),
        }
    }

    /// Rewrites the running step's line. Does nothing where lines can't be rewritten.
    pub(super) fn tick(&mut self, out: &mut dyn Write, state: &State, now: Millis) -> io::Result<()> {
        let Some(step) = state.current().filter(|_| self.line.is_live()) else { return Ok(()) };
        if step.phase != Phase::Running || !self.line.is_of(step.step.id) {
            return Ok(());
        }
        let seconds = step.elapsed(now).unwrap_or(0) / 1_000;
        let mut line = title(state, step);
        if seconds > 0 {
            line = format!("{line} {}", text::duration(seconds));
        }
        if let Some(progress) = &step.progress {
            line = format!("{line} - {}", text::safe(progress));
        }
        if let Some(percent) = step.percent {
            line = format!("{line} ({percent} %)");
        }
        let line = self.line.fit(&line);
        self.line.write(out, step.step.id, &line)
    }

    /// Ends a line that is still open, so that something else can be written.
    pub(super) fn close(&mut self, out: &mut dyn Write) -> io::Result<()> {
        self.line.close(out)
    }

    fn begin(&mut self, out: &mut dyn Write, state: &State, step: &StepState) -> io::Result<()> {
        self.line.begin(out, step.step.id, &title(state, step))
    }

    fn end(&mut self, out: &mut dyn Write, state: &State, step: &StepState, now: Millis) -> io::Result<()> {
        let seconds = step.elapsed(now).unwrap_or(0) / 1_000;
        let word = if step.phase == Phase::Failed { "failed" } else { "ok" };
        let took = if seconds == 0 { String::new() } else { format!(" ({})", text::duration(seconds)) };
        self.line.end(out, step.step.id, &title(state, step), &format!("{word}{took}"))
    }

    fn aside(&mut self, out: &mut dyn Write, line: &str) -> io::Result<()> {
        self.line.aside(out, &format!("     {}", text::safe(line)))
    }
}

fn steps(count: usize) -> String {
    if count == 1 { "1 step".to_owned() } else { format!("{count} steps") }
}

fn title(state: &State, step: &StepState) -> String {
    format!("{:>4}/{} {}...", step.step.id + 1, state.steps.len(), step.step.title())
}

fn finish(out: &mut dyn Write, state: &State, end: End) -> io::Result<()> {
    match end {
        End::Done => {
            writeln!(out, "Ready. `morpheus mode list` shows the modes, `morpheus mode linux` switches to Linux.")
        }
        End::Undone if state.kept.is_empty() => writeln!(out, "Everything that was made is gone again."),
        End::Undone => writeln!(out, "Undone, but for {}.", steps(state.kept.len()).replace("step", "thing")),
        End::Refused => writeln!(out, "Nothing was changed."),
    }
}
