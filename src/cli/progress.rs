//! An operation's progress as lines of text.
//!
//! A step is one line: its title when it begins, its end behind it. On a terminal the line is rewritten with the elapsed
//! seconds while the step runs.

use super::{line::OpenLine, progress_end as end};
use crate::domain::{
    finding::FindingId,
    ids::Millis,
    mode::GpuMode,
    switch::{
        event::{Call, Event, What},
        plan::StepAction,
        state::{Phase, State, StepState},
    },
    text,
};
use std::io::{self, Write};

/// Writes an operation's progress.
#[derive(Debug)]
pub(crate) struct Progress {
    line: OpenLine,
    /// The target's claim on the GPU, if known.
    claim: Option<GpuMode>,
}

impl Progress {
    /// Progress on a terminal of this width, or on something that isn't one.
    pub(crate) const fn new(live: Option<u16>, claim: Option<GpuMode>) -> Self {
        Self { line: OpenLine::new(live), claim }
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
            What::Note { text, .. } => self.line.aside(out, &format!("    {}", text::safe(text))),
            What::Asked { question, .. } => self.line.aside(out, &format!("    {}", text::safe(question))),
            What::Answered { answer, .. } => self.line.aside(out, &format!("    Answer: {}", end::answer(*answer))),
            What::CancelRequested { .. } => self.line.aside(out, "Cancelling"),
            What::RollingBack { .. } => self.line.aside(out, "Rolling back"),
            What::Finished { .. } => {
                self.close(out)?;
                end::write(out, state, self.claim)
            }
            What::Calling { step, call: Call::Stop { off, .. } } => self.escalates(out, find(state, *step), *off),
            What::RunnerStarted { .. }
            | What::Calling { .. }
            | What::Called { .. }
            | What::CallFailed { .. }
            | What::TaskEnded { .. } => Ok(()),
        }
    }

    /// Rewrites the running step's line for a new second. Does nothing where lines can't be rewritten.
    pub(crate) fn tick(&mut self, out: &mut dyn Write, state: &State, now: Millis) -> io::Result<()> {
        let Some(step) = state.current().filter(|_| self.line.is_live()) else { return Ok(()) };
        let asked = step.question.is_some();
        if step.phase != Phase::Running || asked || !step.is_worth_a_line(now) {
            return Ok(());
        }
        let seconds = step.elapsed(now).unwrap_or(0) / 1000;
        let elapsed = if seconds == 0 { String::new() } else { format!(" {}", text::duration(seconds)) };
        let line = self.line.fit(&format!("{}{elapsed}", title(step)));
        self.line.write(out, step.step.id, &line)
    }

    /// Ends a line that is still open, so that something else can be written.
    pub(crate) fn close(&mut self, out: &mut dyn Write) -> io::Result<()> {
        self.line.close(out)
    }

    /// Says that a guest that was asked to shut down is stopped: once, with the line anew under its right name.
    fn escalates(&mut self, out: &mut dyn Write, step: Option<&StepState>, off: bool) -> io::Result<()> {
        let asked = |step: &&StepState| matches!(step.step.action, StepAction::Shutdown { .. });
        let Some(step) = step.filter(asked) else { return Ok(()) };
        let stops = step.calls.iter().filter(|call| matches!(call.call, Call::Stop { .. })).count();
        if stops != 1 {
            return Ok(());
        }
        let why = if off {
            "It has powered off; the QEMU process that is left is ended."
        } else {
            "It hasn't shut down and is stopped hard: unsaved work in it is lost."
        };
        self.line.aside(out, &format!("    {why}"))
    }

    fn begin(&mut self, out: &mut dyn Write, step: &StepState) -> io::Result<()> {
        self.line.begin(out, step.step.id, &title(step))
    }

    fn end(&mut self, out: &mut dyn Write, step: &StepState, now: Millis) -> io::Result<()> {
        let seconds = step.elapsed(now).unwrap_or(0) / 1000;
        let trouble = step.trouble.as_ref().filter(|_| step.phase == Phase::Failed);
        let cancelled = trouble.is_some_and(|trouble| trouble.finding == FindingId::OpCancelled);
        let word = match step.phase {
            Phase::Failed if cancelled => "cancelled",
            Phase::Failed => "failed",
            _ if step.is_unseen() => "unknown",
            _ => "ok",
        };
        let took = if seconds == 0 { String::new() } else { format!(" ({})", text::duration(seconds)) };
        self.line.end(out, step.step.id, &title(step), &format!("{word}{took}"))?;
        trouble.filter(|_| !cancelled).map_or(Ok(()), |trouble| {
            trouble.parts().0.lines().try_for_each(|line| writeln!(out, "    {}", text::safe(line)))
        })
    }
}

fn find(state: &State, step: u16) -> Option<&StepState> {
    state.steps.get(usize::from(step))
}

fn title(step: &StepState) -> String {
    format!("  {}...", step.title())
}

#[cfg(test)]
#[path = "progress_tests.rs"]
mod tests;
