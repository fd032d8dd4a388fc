//! `plant status`.

use crate::{
    cli::{failure::Failure, json, shell::Shell, time},
    domain::{
        ids::OpId,
        plant::{State, Who, state::Phase},
        text,
    },
};
use serde::Serialize;

#[derive(Serialize)]
struct Document<'a> {
    plant: &'a OpId,
    running: bool,
    #[serde(flatten)]
    state: &'a State,
}

/// Writes how far a planting is, and what can be done.
pub(super) fn write(shell: &mut Shell<'_>, id: &OpId, state: &State, running: bool) -> Result<(), Failure> {
    if shell.json() {
        return Ok(json::document(shell.out, json::PLANT, &Document { plant: id, running, state })?);
    }
    let word = match (state.finished, running, state.undoing) {
        (Some((end, _)), ..) => end.word(),
        (None, true, false) => "running",
        (None, true, true) => "undoing",
        (None, false, _) if state.halted.is_some() => "halted",
        (None, false, _) => "interrupted",
    };
    let begun = time::local(state.started);
    writeln!(shell.out, "{id}: {word}, {} of {} steps done", state.done(), state.steps.len())?;
    writeln!(shell.out, "On {}, begun {begun}", text::safe(&state.origin.host))?;
    let mut before: Option<Who> = None;
    for step in &state.steps {
        if before.replace(step.step.who) != Some(step.step.who) {
            writeln!(shell.out, "{}", step.step.who.title())?;
        }
        let word = match step.phase {
            Phase::Waiting => "",
            Phase::Running if running => "running",
            Phase::Running => "interrupted",
            Phase::Done => "ok",
            Phase::Failed => "failed",
        };
        writeln!(shell.out, "  {word:<11} {}", step.step.title())?;
        let doing = step.progress.as_deref().filter(|_| step.phase == Phase::Running);
        let why = step.trouble.as_ref().map(|trouble| trouble.parts().0);
        for line in doing.into_iter().chain(why).chain(step.notes.iter().map(String::as_str)) {
            writeln!(shell.out, "              {}", text::safe(line))?;
        }
    }
    if !state.made.is_empty() {
        let made: Vec<String> = state.made.iter().map(ToString::to_string).collect();
        writeln!(shell.out, "Made: {}", made.join(", "))?;
    }
    for (thing, trouble) in &state.kept {
        writeln!(shell.out, "Kept: {thing}: {}", text::safe(trouble.parts().0))?;
    }
    if state.finished.is_none() && !running {
        if let Some(trouble) = &state.halted {
            writeln!(shell.out, "Halted: {} ({})", text::safe(trouble.parts().0), trouble.finding)?;
        }
        writeln!(shell.out, "`morpheus plant resume` goes on, `morpheus plant undo` removes what it made.")?;
    }
    Ok(())
}
