//! A plan as people read it.

use crate::domain::{
    switch::plan::{Fallback, Party, Plan, Rung, Step, StepAction},
    text,
};
use std::io::{self, Write};

/// Writes a plan: its steps, what they cost, how they are undone, and the confirmation that they need.
pub(crate) fn plan(out: &mut dyn Write, plan: &Plan) -> io::Result<()> {
    writeln!(out, "{}", plan.title())?;
    for (number, step) in plan.steps.iter().enumerate() {
        writeln!(out, "  {}. {}{}", number + 1, step.title(), remark(step, plan))?;
    }
    if !plan.loses_gpu.is_empty() {
        writeln!(out, "Loses the GPU: {}", list(&plan.loses_gpu))?;
    }
    for warning in &plan.warnings {
        writeln!(out, "Warning: {} ({})", text::safe(&warning.message), warning.finding)?;
    }
    let undo: Vec<String> = plan.steps.iter().rev().filter_map(Step::undo).collect();
    if !undo.is_empty() {
        let word = if plan.intent.options.rollback { "If it fails" } else { "Undo (by `morpheus op undo`)" };
        writeln!(out, "{word}: {}", undo.join(", "))?;
    }
    Ok(())
}

/// Writes the confirmation that a plan needs, for those who only look at it.
pub(crate) fn needs(out: &mut dyn Write, rung: &Rung) -> io::Result<()> {
    match rung {
        Rung::None => writeln!(out, "Needs no confirmation."),
        Rung::Confirm => writeln!(out, "Needs a confirmation: --yes"),
        Rung::TypeName { names, because } => {
            reasons(out, because)?;
            writeln!(out, "Needs a name as confirmation: --confirm {}", names.first().map_or("NAME", String::as_str))
        }
    }
}

/// Writes why work may be lost.
pub(crate) fn reasons(out: &mut dyn Write, because: &[String]) -> io::Result<()> {
    because.iter().try_for_each(|reason| writeln!(out, "Work may be lost: {}", text::safe(reason)))
}

fn list(parties: &[Party]) -> String {
    parties.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn remark(step: &Step, plan: &Plan) -> String {
    let limit = format!(" (up to {}", text::duration(step.deadline));
    match &step.action {
        StepAction::Shutdown { fallback } => {
            let then = match fallback {
                Fallback::Ask => "then you are asked",
                Fallback::StopIdle if !matches!(plan.rung, Rung::TypeName { .. }) => {
                    "then it is stopped hard unless it is in use"
                }
                Fallback::Stop | Fallback::StopIdle => "then it is stopped hard",
                Fallback::Fail => "then the operation gives up",
            };
            format!("{limit}, {then})")
        }
        StepAction::Drain => format!("{limit}, then it is shut down all the same)"),
        StepAction::HardStop { off: false } => " (unsaved work in it is lost)".to_owned(),
        StepAction::HardStop { off: true } => " (it has powered off; its QEMU process is still there)".to_owned(),
        StepAction::Start { resumes: true, .. } => format!("{limit}; it is hibernated)"),
        StepAction::Rejoin
        | StepAction::Release { .. }
        | StepAction::Start { .. }
        | StepAction::Network
        | StepAction::Services => format!("{limit})"),
    }
}
