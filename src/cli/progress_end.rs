//! The last lines of an operation's progress: what is true now.

use crate::domain::{
    finding::FindingId,
    mode::GpuMode,
    switch::{
        event::{Answer, Outcome},
        plan::{Party, StepAction, Verb},
        state::{Phase, State},
    },
};
use std::io::{self, Write};

/// Writes how an operation ended and, where a mode came up, what a person needs next.
pub(crate) fn write(out: &mut dyn Write, state: &State, claim: Option<GpuMode>) -> io::Result<()> {
    let Some(finish) = &state.finished else { return Ok(()) };
    match finish.outcome {
        Outcome::Done => done(out, state, claim),
        Outcome::Refused => writeln!(out, "Refused, nothing was changed"),
        Outcome::RolledBack => writeln!(out, "Failed, rolled back{}", back(state)),
        Outcome::NotRolledBack => writeln!(out, "Failed, not rolled back"),
        Outcome::Cancelled => writeln!(out, "Cancelled{}", back(state)),
    }
}

fn done(out: &mut dyn Write, state: &State, claim: Option<GpuMode>) -> io::Result<()> {
    let target = state.plan.target.as_ref();
    match (state.plan.intent.verb, target) {
        (Verb::Switch | Verb::Start, Some(target)) => {
            let verb = if state.plan.intent.verb == Verb::Switch { "Now in" } else { "Started" };
            writeln!(out, "{verb} {} mode", name(target))?;
            if let Some(address) = state.address() {
                writeln!(out, "   IP:  {address}")?;
            }
            let gpu = state.finished.as_ref().and_then(|finish| finish.gpu.as_deref());
            if let Some(gpu) = gpu {
                let claim = claim.map(|claim| format!(" ({claim})")).unwrap_or_default();
                writeln!(out, "   GPU: {}{claim}", crate::domain::text::safe(gpu))?;
            }
            let down: Vec<&str> = state.services_down().collect();
            if !down.is_empty() {
                writeln!(out, "   Not answering: {} ({})", down.join(", "), FindingId::ServiceDown)?;
            }
            state.services_unknown().map_or(Ok(()), |unknown| writeln!(out, "   Not checked: {unknown}"))
        }
        (Verb::Stop, _) => {
            let stopped: Vec<String> = state.plan.stops().map(name).collect();
            writeln!(out, "Stopped {}", stopped.join(", "))
        }
        (_, _) => writeln!(out, "Everything is as it was before"),
    }
}

/// Which guests a rollback brought back, and whether they had been gone at all.
fn back(state: &State) -> String {
    let from = state.rollback_from.unwrap_or(state.steps.len());
    let steps = state.steps.iter().skip(from);
    let brought = steps.filter(|s| s.phase == Phase::Done && matches!(s.step.action, StepAction::Start { .. }));
    let words = brought.map(|step| {
        let how = if step.calls.is_empty() { "still runs" } else { "runs again" };
        format!("{} {how}", name(&step.step.party))
    });
    let words: Vec<String> = words.collect();
    if words.is_empty() { String::new() } else { format!(": {}", words.join(", ")) }
}

/// An answer in words.
pub(crate) const fn answer(answer: Answer) -> &'static str {
    match answer {
        Answer::Wait => "wait on",
        Answer::Stop => "stop it hard",
        Answer::Abort => "give up",
        Answer::Settled => "none needed, the guest shut down",
    }
}

fn name(party: &Party) -> String {
    party.mode.as_ref().map_or_else(|| party.to_string(), ToString::to_string)
}
