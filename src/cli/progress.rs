//! An operation's progress as lines of text.
//!
//! A step is one line: its title when it begins, its end behind it. On a terminal the line is rewritten with the elapsed
//! seconds while the step runs, by a carriage return and blanks only, so that any terminal can do it.

use super::progress_end as end;
use crate::domain::{
    finding::FindingId,
    ids::Millis,
    mode::GpuMode,
    switch::{
        event::{Event, What},
        state::{Phase, State, StepState},
    },
    text,
};
use std::io::{self, Write};
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// Writes an operation's progress.
#[derive(Debug)]
pub(crate) struct Progress {
    /// Columns of the terminal, if lines can be rewritten.
    live: Option<u16>,
    /// The step whose line isn't ended, and how many columns it takes.
    open: Option<(u16, usize)>,
    /// The target's claim on the GPU, if known.
    claim: Option<GpuMode>,
}

impl Progress {
    /// Progress on a terminal of this width, or on something that isn't one.
    pub(crate) const fn new(live: Option<u16>, claim: Option<GpuMode>) -> Self {
        Self { live, open: None, claim }
    }

    /// Writes what an event says. `state` has the event already.
    pub(crate) fn event(&mut self, out: &mut dyn Write, state: &State, event: &Event) -> io::Result<()> {
        match &event.what {
            What::Planned { plan, .. } => writeln!(out, "{}", plan.title()),
            What::StepBegun { step } => match find(state, *step) {
                Some(step) if step.is_worth_a_line(event.at) => self.begin(out, step),
                _ => Ok(()),
            },
            What::StepDone { step, .. } | What::StepFailed { step, .. } => match find(state, *step) {
                Some(step) if step.is_worth_a_line(event.at) => self.end(out, step, event.at),
                _ => Ok(()),
            },
            What::Note { text, .. } => self.line(out, &format!("    {}", text::safe(text))),
            What::Asked { question, .. } => self.line(out, &format!("    {}", text::safe(question))),
            What::Answered { answer, .. } => self.line(out, &format!("    Answer: {}", end::answer(*answer))),
            What::CancelRequested { .. } => self.line(out, "Cancelling"),
            What::RollingBack { .. } => self.line(out, "Rolling back"),
            What::Finished { .. } => {
                self.close(out)?;
                end::write(out, state, self.claim)
            }
            What::RunnerStarted { .. }
            | What::Calling { .. }
            | What::Called { .. }
            | What::CallFailed { .. }
            | What::TaskEnded { .. } => Ok(()),
        }
    }

    /// Rewrites the running step's line for a new second. Does nothing where lines can't be rewritten.
    pub(crate) fn tick(&mut self, out: &mut dyn Write, state: &State, now: Millis) -> io::Result<()> {
        let (Some(width), Some(step)) = (self.live, state.current()) else { return Ok(()) };
        let asked = step.question.is_some();
        if step.phase != Phase::Running || asked || !step.is_worth_a_line(now) {
            return Ok(());
        }
        let seconds = step.elapsed(now).unwrap_or(0) / 1000;
        let elapsed = if seconds == 0 { String::new() } else { format!(" {}", text::duration(seconds)) };
        let line = cut(&format!("{}{elapsed}", title(step)), usize::from(width).saturating_sub(1));
        self.rewrite(out, step.step.id, &line)
    }

    /// Ends a line that is still open, so that something else can be written.
    pub(crate) fn close(&mut self, out: &mut dyn Write) -> io::Result<()> {
        if self.open.take().is_some() { writeln!(out) } else { Ok(()) }
    }

    fn begin(&mut self, out: &mut dyn Write, step: &StepState) -> io::Result<()> {
        self.close(out)?;
        let line = match self.live {
            Some(width) => cut(&title(step), usize::from(width).saturating_sub(1)),
            None => title(step),
        };
        self.rewrite(out, step.step.id, &line)
    }

    fn end(&mut self, out: &mut dyn Write, step: &StepState, now: Millis) -> io::Result<()> {
        let seconds = step.elapsed(now).unwrap_or(0) / 1000;
        let trouble = step.trouble.as_ref().filter(|_| step.phase == Phase::Failed);
        let cancelled = trouble.is_some_and(|trouble| trouble.finding == FindingId::OpCancelled);
        let word = match step.phase {
            Phase::Failed if cancelled => "cancelled",
            Phase::Failed => "failed",
            _ => "ok",
        };
        let took = if seconds == 0 { String::new() } else { format!(" ({})", text::duration(seconds)) };
        if self.open.is_some_and(|(id, _)| id == step.step.id) && self.live.is_none() {
            write!(out, " {word}{took}")?;
        } else {
            self.rewrite(out, step.step.id, &format!("{} {word}{took}", title(step)))?;
        }
        self.close(out)?;
        trouble.filter(|_| !cancelled).map_or(Ok(()), |trouble| {
            trouble.parts().0.lines().try_for_each(|line| writeln!(out, "    {}", text::safe(line)))
        })
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
        writeln!(out, "{line}")
    }
}

fn find(state: &State, step: u16) -> Option<&StepState> {
    state.steps.get(usize::from(step))
}

fn title(step: &StepState) -> String {
    format!("  {}...", step.step.title())
}

/// The beginning of a line that fits into this many columns.
pub(crate) fn cut(line: &str, columns: usize) -> String {
    let mut left = columns;
    line.chars()
        .take_while(|c| {
            let width = c.width().unwrap_or(0);
            let fits = width <= left;
            left = left.saturating_sub(width);
            fits
        })
        .collect()
}

#[cfg(test)]
#[path = "progress_tests.rs"]
mod tests;
