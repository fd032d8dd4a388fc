//! `morpheus explain`: findings in words.

use super::{failure::Failure, json, shell::Shell, table::table};
use crate::domain::{
    finding::{FindingId, Severity},
    text,
};
use serde::Serialize;

#[derive(Serialize)]
struct Finding {
    id: FindingId,
    severity: Severity,
    title: &'static str,
    cause: &'static str,
    fix: &'static str,
}

#[derive(Serialize)]
struct Findings {
    findings: Vec<Finding>,
}

/// Explains one finding, or lists all.
pub(crate) fn explain(shell: &mut Shell<'_>, id: Option<&str>) -> Result<(), Failure> {
    let wanted = match id {
        Some(id) => vec![id.trim().parse().map_err(|()| unknown(id))?],
        None => FindingId::ALL.to_vec(),
    };
    if shell.json() {
        let findings = wanted.into_iter().map(finding).collect();
        return Ok(json::document(shell.out, json::FINDINGS, &Findings { findings })?);
    }
    if let (Some(_), [id]) = (id, wanted.as_slice()) {
        writeln!(shell.out, "{id} ({})\n", severity(*id))?;
        writeln!(shell.out, "What:  {}", id.title())?;
        writeln!(shell.out, "Why:   {}", id.cause())?;
        return Ok(writeln!(shell.out, "To do: {}", id.fix())?);
    }
    let rows = wanted.iter().map(|id| [id.to_string(), severity(*id).to_owned(), id.title().to_owned()]);
    Ok(table(shell.out, [("ID", 0), ("SEVERITY", 0), ("WHAT", 0)], rows)?)
}

fn unknown(id: &str) -> Failure {
    let failure = Failure::new(FindingId::UsageBad, format!("There is no finding '{}'.", text::safe(id)));
    let ids = FindingId::ALL.iter().map(|id| id.as_str());
    let failure = match text::nearest(id, ids) {
        Some(near) => failure.or(format!("Did you mean {near}?")),
        None => failure,
    };
    failure.or("`morpheus explain` lists them all.")
}

fn finding(id: FindingId) -> Finding {
    Finding { id, severity: id.severity(), title: id.title(), cause: id.cause(), fix: id.fix() }
}

pub(super) const fn severity(id: FindingId) -> &'static str {
    match id.severity() {
        Severity::Note => "note",
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}
