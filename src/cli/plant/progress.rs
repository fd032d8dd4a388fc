//! A planting's progress as lines of text. A step is one line: its title when it begins, its end behind it. On a terminal
//! the line is rewritten while the step runs, with what it does and how far it is.

use crate::{
    cli::progress::cut,
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
use unicode_width::UnicodeWidthStr as _;

/// Writes a planting's progress.
pub(super) struct Progress {
    /// Columns of the terminal, if lines can be rewritten.
    live: Option<u16>,
    /// The step whose line isn't ended, and how many columns it takes.
    open: Option<(u16, usize)>,
}

impl Progress {
    /// Progress on a terminal of this width, or on something that isn't one.
    pub(super) const fn new(live: Option<u16>) -> Self {
        Self { live, open: None }
    }

    /// Writes what an event says. `state` has the event already.
    pub(super) fn event(&mut self, out: &mut dyn Write, state: &State, event: &Event) -> io::Result<()> {
        let find = |step: &u16| state.steps.get(usize::from(*step));
        match &event.what {
            What::Planned { plan, .. } => writeln!(out, "Planting on {}: {}", plan.node, steps(plan.steps.len())),
            What::StepBegun { step } => find(step).map_or(Ok(()), |step| self.begin(out, state, step)),
            What::StepDone { step, notes } => {
                find(step).map_or(Ok(()), |step| self.end(out, state, step, event.at))?;
                notes.iter().filter(|note| !note.is_empty()).try_for_each(|note| self.line(out, note))
            }
            What::StepFailed { step, trouble } => {
                find(step).map_or(Ok(()), |step| self.end(out, state, step, event.at))?;
                trouble.parts().0.lines().try_for_each(|line| self.line(out, line))
            }
            What::Progress { step, text, percent } if self.live.is_none() && percent.is_none() => {
                if self.open.is_some_and(|(open, _)| open == *step) {
                    writeln!(out)?;
                    self.open = None;
                }
                self.line(out, text)
            }
            What::UndoRequested => writeln!(out, "Undoing"),
            What::Removed { thing } if state.undoing => self.line(out, &format!("removed {thing}")),
            What::Kept { thing, trouble } => self.line(out, &format!("kept {thing}: {}", trouble.parts().0)),
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
        let (Some(width), Some(step)) = (self.live, state.current()) else { return Ok(()) };
        if step.phase != Phase::Running || self.open.is_none() {
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
        let line = cut(&line, usize::from(width).saturating_sub(1));
        self.rewrite(out, step.step.id, &line)
    }

    /// Ends a line that is still open, so that something else can be written.
    pub(super) fn close(&mut self, out: &mut dyn Write) -> io::Result<()> {
        if self.open.take().is_some() { writeln!(out) } else { Ok(()) }
    }

    fn begin(&mut self, out: &mut dyn Write, state: &State, step: &StepState) -> io::Result<()> {
        self.close(out)?;
        let columns = self.live.map_or(usize::MAX, |width| usize::from(width).saturating_sub(1));
        self.rewrite(out, step.step.id, &cut(&title(state, step), columns))
    }

    fn end(&mut self, out: &mut dyn Write, state: &State, step: &StepState, now: Millis) -> io::Result<()> {
        let seconds = step.elapsed(now).unwrap_or(0) / 1_000;
        let word = if step.phase == Phase::Failed { "failed" } else { "ok" };
        let took = if seconds == 0 { String::new() } else { format!(" ({})", text::duration(seconds)) };
        if self.open.is_some_and(|(id, _)| id == step.step.id) && self.live.is_none() {
            write!(out, " {word}{took}")?;
        } else {
            self.rewrite(out, step.step.id, &format!("{} {word}{took}", title(state, step)))?;
        }
        self.close(out)
    }

    fn rewrite(&mut self, out: &mut dyn Write, step: u16, line: &str) -> io::Result<()> {
        let before = match self.open {
            Some((id, columns)) if id == step && self.live.is_some() => {
                write!(out, "\r")?;
                columns
            }
            Some(_) => {
                self.close(out)?;
                0
            }
            None => 0,
        };
        let columns = line.width();
        write!(out, "{line}{}", " ".repeat(before.saturating_sub(columns)))?;
        self.open = Some((step, columns));
        out.flush()
    }

    fn line(&mut self, out: &mut dyn Write, line: &str) -> io::Result<()> {
        self.close(out)?;
        writeln!(out, "     {}", text::safe(line))
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
