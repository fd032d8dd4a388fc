//! What speaks against a planting, all of it at once.

use crate::{
    cli::{exit::Exit, failure::Failure, json, shell::Shell},
    domain::{facts::Trouble, finding::FindingId, plant::check::Problem, text},
};
use serde::Serialize;

#[derive(Serialize)]
struct Document<'a> {
    exit_code: u8,
    problems: &'a [Problem],
}

/// Says what speaks against a planting, and ends the command: with 5 where privileges are missing, with 2 where only
/// answers are wrong, else with 3.
pub(super) fn refuse(shell: &mut Shell<'_>, problems: &[Problem]) -> Failure {
    let is = |finding: FindingId| move |problem: &Problem| problem.finding == finding;
    let exit = if problems.iter().any(is(FindingId::PlantRights)) {
        Exit::NotPermitted
    } else if problems.iter().all(is(FindingId::PlantAnswer)) {
        Exit::Usage
    } else {
        Exit::Refused
    };
    let written = if shell.json() {
        json::document(shell.err, json::PLANT_PROBLEMS, &Document { exit_code: exit.code(), problems })
    } else {
        list(shell, problems)
    };
    // What can't be written on stderr can't be told at all; the exit code still says it.
    drop(written);
    Failure { finding: None, ..Failure::detached().ending(exit) }
}

fn list(shell: &mut Shell<'_>, problems: &[Problem]) -> std::io::Result<()> {
    writeln!(shell.err, "Nothing was changed. In the way: {}.", text::counted(problems.len(), "thing"))?;
    for problem in problems {
        let key = problem.key.map(|key| format!("{key}: ")).unwrap_or_default();
        writeln!(shell.err, "\n  {key}{} ({})", text::safe(&problem.message), problem.finding)?;
        let ways = if problem.ways.is_empty() { vec![problem.finding.fix().to_owned()] } else { problem.ways.clone() };
        for way in ways {
            writeln!(shell.err, "    {}", text::safe(&way))?;
        }
    }
    if problems.iter().any(|problem| problem.key.is_some()) {
        let advice = "\nAnswers go into a file (--answers FILE) or a flag (--set KEY=VALUE).";
        writeln!(shell.err, "{advice} `morpheus plant nimsforest vr --print-answers` prints them.")?;
    }
    Ok(())
}

/// The same where a look at the host already fails.
pub(super) fn silent(trouble: Trouble) -> Failure {
    Failure::from(trouble)
}
