//! `gpu verify`: whether the host came back as planned.

use super::look::Look;
use crate::{
    cli::{args::CardArgs, failure::Failure, json, shell::Shell},
    domain::{
        finding::FindingId,
        gpu::PciAddr,
        hostplan::{self, Check},
        text::safe,
    },
};
use serde::Serialize;

#[derive(Serialize)]
struct Document<'a> {
    card: PciAddr,
    good: bool,
    checks: &'a [Check],
}

/// Looks at every point, says each.
pub(super) fn run(shell: &mut Shell<'_>, args: &CardArgs) -> Result<(), Failure> {
    let look = Look::at(shell, &args.how)?;
    let card = look.slot(args)?;
    let pending = hostplan::plan(&look.basis(false), card).ok().map(|plan| plan.edits.len());
    let checks = hostplan::verify(&look.basis(false), card, pending);
    let good = checks.iter().all(|check| check.good != Some(false));
    if shell.json() {
        json::document(shell.out, json::GPU_VERIFY, &Document { card, good, checks: &checks })?;
    } else {
        for check in &checks {
            let word = match check.good {
                Some(true) => "good",
                Some(false) => "BAD",
                None => "?",
            };
            writeln!(shell.out, "{word:<5} {:<13} {}", check.name, safe(&check.seen))?;
        }
    }
    if good {
        return Ok(());
    }
    let bad: Vec<&str> = checks.iter().filter(|check| check.good == Some(false)).map(|check| check.name).collect();
    let message = format!("{card} isn't ready: {}.", bad.join(", "));
    let failure = Failure::new(FindingId::SetupNotReady, message).or(format!("morpheus gpu plan {card}"));
    Err(failure.or("morpheus gpu rollback"))
}
