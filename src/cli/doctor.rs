//! `morpheus doctor`: what is wrong, what to do, and what nobody could look at.

use super::{
    args::DoctorArgs,
    config_file,
    exit::Exit,
    explain::severity,
    failure::Failure,
    iommu, json,
    session::{self, Session},
    shell::Shell,
};
use crate::{
    domain::{
        doctor::{Api, Evidence, Finding, Looked, Machine, Report, Unseen, examine},
        finding::{FindingId, Severity},
        text::{self, counted, safe},
    },
    host::{self, Root},
    ops,
};
use serde::Serialize;
use std::io;

/// Text is broken at this column at most.
const WIDEST: usize = 100;

/// Runs `doctor`. Ends with [`Exit::Blocked`] if something doesn't work as it is.
pub(crate) fn run(shell: &mut Shell<'_>, args: &DoctorArgs) -> Result<u8, Failure> {
    let evidence = match &args.root.root {
        Some(dir) => {
            let machine = machine(shell, &iommu::root(Some(dir))?)?;
            Evidence { machine: Looked::At(machine), api: Looked::Not("only the directory was looked at".to_owned()) }
        }
        None => look(shell)?,
    };
    let report = examine(&evidence);
    if shell.json() {
        json::document(shell.out, json::DOCTOR, &Document::of(&report))?;
    } else {
        write(shell, &report)?;
    }
    Ok(if report.blocks() { Exit::Blocked } else { Exit::Done }.code())
}

/// Both halves of the configured host, as far as they can be looked at from here.
fn look(shell: &mut Shell<'_>) -> Result<Evidence, Failure> {
    let config = config_file::load(shell)?.config;
    let machine = if ops::is_this_machine(&config) {
        match machine(shell, &Root::this_machine()) {
            Ok(machine) => Looked::At(machine),
            Err(failure) => Looked::Not(failure.message),
        }
    } else {
        Looked::Not("this machine isn't the host; `morpheus doctor` on the host itself looks at them".to_owned())
    };
    let alone = config.proxmox.is_none();
    let api = if alone { Looked::Not("no Proxmox host is configured".to_owned()) } else { api(shell, &machine)? };
    match (&machine, alone) {
        (Looked::Not(why), true) => Err(Failure::new(FindingId::HostUnreadable, why)),
        _ => Ok(Evidence { machine, api }),
    }
}

/// A host that doesn't answer is a failure only where nothing else is known of it.
fn api(shell: &mut Shell<'_>, machine: &Looked<Machine>) -> Result<Looked<Api>, Failure> {
    let host = Session::open(shell)?.host;
    let here = machine.seen().is_some();
    session::block_on(async {
        match host.examine(!here).await {
            Ok(api) => Ok(Looked::At(api)),
            Err(trouble) if here => Ok(Looked::Not(trouble.parts().0.to_owned())),
            Err(trouble) => Err(trouble.into()),
        }
    })
}

fn machine(shell: &Shell<'_>, root: &Root) -> Result<Machine, Failure> {
    let unreadable = |bad: host::Bad| Failure::new(FindingId::HostUnreadable, bad.to_string());
    let inventory = iommu::inventory(shell, root)?;
    let setup = host::setup(root).map_err(unreadable)?;
    let condition = host::condition(root, setup.family).map_err(unreadable)?;
    Ok(Machine { inventory, setup, condition })
}

#[derive(Serialize)]
struct Document<'a> {
    blocks: bool,
    findings: Vec<Row<'a>>,
    not_looked_at: &'a [Unseen],
}

#[derive(Serialize)]
struct Row<'a> {
    id: FindingId,
    severity: Severity,
    subject: &'a str,
    title: &'static str,
    evidence: &'a str,
    cause: &'static str,
    /// What to do here; all of it.
    fix: Vec<&'a str>,
}

impl<'a> Document<'a> {
    fn of(report: &'a Report) -> Self {
        let findings = report.findings.iter().map(|finding| Row {
            id: finding.id,
            severity: finding.id.severity(),
            subject: &finding.subject,
            title: finding.id.title(),
            evidence: &finding.evidence,
            cause: finding.id.cause(),
            fix: fix(finding),
        });
        Self { blocks: report.blocks(), findings: findings.collect(), not_looked_at: &report.unseen }
    }
}

/// This case's own advice, else the kind's.
fn fix(finding: &Finding) -> Vec<&str> {
    match finding.fix.as_slice() {
        [] => vec![finding.id.fix()],
        lines => lines.iter().map(String::as_str).collect(),
    }
}

fn write(shell: &mut Shell<'_>, report: &Report) -> io::Result<()> {
    let width = shell.width().map(|width| width.min(WIDEST));
    writeln!(shell.out, "{}", summary(report))?;
    let (mut last, mut subject) = (None, "");
    for finding in &report.findings {
        let id = finding.id;
        if last != Some(id) {
            writeln!(shell.out, "\n{:<8} {id}: {}", severity(id), id.title())?;
            subject = "";
        }
        if subject != finding.subject {
            let about = safe(&finding.subject);
            folded(shell, width, "         at:   ", &about)?;
        }
        (last, subject) = (Some(id), finding.subject.as_str());
        folded(shell, width, "         seen: ", &finding.evidence)?;
        let lines = fix(finding);
        // Shell lines that grant a privilege are to be copied whole.
        let whole = id == FindingId::PveForbidden;
        for (at, line) in lines.into_iter().enumerate() {
            let label = if at == 0 { "         do:   " } else { "               " };
            folded(shell, width.filter(|_| !whole), label, line)?;
        }
    }
    if !report.unseen.is_empty() {
        writeln!(shell.out, "\nNot looked at")?;
        for Unseen { what, why } in &report.unseen {
            folded(shell, width, "  ", &format!("{what}: {why}"))?;
        }
    }
    if !report.findings.is_empty() {
        writeln!(shell.out, "\n`morpheus explain ID` says why something matters.")?;
    }
    Ok(())
}

/// `2 things block, 1 warning, 3 notes.`
fn summary(report: &Report) -> String {
    let errors = report.count(Severity::Error);
    let parts = [
        (errors, format!("{} {}", counted(errors, "thing"), if errors == 1 { "blocks" } else { "block" })),
        (report.count(Severity::Warning), counted(report.count(Severity::Warning), "warning")),
        (report.count(Severity::Note), counted(report.count(Severity::Note), "note")),
    ];
    let parts: Vec<String> = parts.into_iter().filter(|(count, _)| *count > 0).map(|(_, words)| words).collect();
    match (parts.is_empty(), report.unseen.is_empty()) {
        (false, _) => format!("{}.", parts.join(", ")),
        (true, true) => "Nothing is wrong.".to_owned(),
        (true, false) => "Nothing is wrong with what was looked at.".to_owned(),
    }
}

/// Writes a label and words, folded where the output has a width.
fn folded(shell: &mut Shell<'_>, width: Option<usize>, label: &str, words: &str) -> io::Result<()> {
    writeln!(shell.out, "{}", fold(width, label, &safe(words)))
}

/// A label and words; broken between words at a width, with what follows below the first word.
fn fold(width: Option<usize>, label: &str, words: &str) -> String {
    let Some(width) = width else { return format!("{label}{words}") };
    let (mut folded, mut used) = (label.to_owned(), text::width(label));
    for (at, word) in words.split(' ').enumerate() {
        if at > 0 && used + 1 + text::width(word) > width {
            folded.push('\n');
            folded.push_str(&" ".repeat(text::width(label)));
            used = text::width(label);
        } else if at > 0 {
            folded.push(' ');
            used += 1;
        }
        folded.push_str(word);
        used += text::width(word);
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_folded_below_the_first_and_never_cut() {
        let words = "the host would lose sda (/, /boot/efi) and enp4s0";
        assert_eq!(
            fold(Some(30), "  seen: ", words),
            "  seen: the host would lose\n        sda (/, /boot/efi) and\n        enp4s0"
        );
        assert_eq!(fold(None, "  seen: ", words), format!("  seen: {words}"));
        assert_eq!(fold(Some(8), "  ", "unbreakable words"), "  unbreakable\n  words");
    }
}
