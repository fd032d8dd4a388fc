//! `gpu plan`: what would be changed.

use super::{look::Look, typed};
use crate::{
    cli::{
        args::PlanArgs,
        failure::Failure,
        json,
        shell::{Shell, quoted},
    },
    domain::{
        gpu::PciAddr,
        hostplan::{HostPlan, Risk, Run, Strategy},
        setup::{Loader, VfioId},
        text::safe,
    },
    host::{Root, change},
};
use serde::Serialize;
use std::io::{self, Write};

#[derive(Serialize)]
struct Document<'a> {
    card: PciAddr,
    name: &'a str,
    ready: bool,
    /// Whether nothing has to be written.
    done: bool,
    strategy: Option<&'static str>,
    ids: &'a [VfioId],
    addresses: &'a [PciAddr],
    loader: Option<Loader>,
    changes: Vec<Change<'a>>,
    commands: &'a [Run],
    /// Whether the host has to be started again.
    reboot: bool,
    notes: &'a [String],
    risks: Vec<&'a str>,
}

#[derive(Serialize)]
struct Change<'a> {
    path: &'a str,
    new: bool,
    why: &'a str,
    diff: String,
}

/// Shows the plan.
pub(super) fn run(shell: &mut Shell<'_>, args: &PlanArgs) -> Result<(), Failure> {
    let look = Look::at(shell, &args.card.how)?;
    let plan = look.plan(&args.card, args.iommu_pt)?;
    risky(shell, plan.card, &plan.risks, args.card.how.confirm.as_deref())?;
    if shell.json() {
        return Ok(json::document(shell.out, json::GPU_PLAN, &document(&plan))?);
    }
    write(shell.out, &plan, &look.root)?;
    if let Some(card) = change::interrupted(change::newest(&look.root)?.as_ref()) {
        writeln!(
            shell.out,
            "\nAn earlier change for {card} wasn't finished: `morpheus gpu apply` finishes it, `morpheus gpu rollback` takes it back."
        )?;
    }
    Ok(())
}

/// What may put the host out of reach is shown only to who types the card's address.
pub(super) fn risky(shell: &Shell<'_>, card: PciAddr, risks: &[Risk], confirm: Option<&str>) -> Result<(), Failure> {
    let Some(Risk { finding, .. }) = risks.first() else { return Ok(()) };
    if confirm.is_some_and(|given| typed::names(given, card)) {
        return Ok(());
    }
    let words: Vec<&str> = risks.iter().map(|risk| risk.message.as_str()).collect();
    let message = format!("{card}: {}", words.join(" "));
    Err(Failure::new(*finding, message).or(typed::again(shell, card)))
}

/// The plan as a document.
pub(super) fn write_json(shell: &mut Shell<'_>, plan: &HostPlan) -> io::Result<()> {
    json::document(shell.out, json::GPU_PLAN, &document(plan))
}

fn document(plan: &HostPlan) -> Document<'_> {
    let (strategy, ids, addresses): (_, &[VfioId], &[PciAddr]) = match &plan.strategy {
        None => (None, &[], &[]),
        Some(Strategy::Ids(ids)) => (Some("ids"), ids, &[]),
        Some(Strategy::DriverOverride(addresses)) => (Some("driver_override"), &[], addresses),
    };
    let changes = plan.edits.iter().map(|edit| Change {
        path: &edit.path,
        new: edit.before.is_none(),
        why: &edit.why,
        diff: edit.diff(),
    });
    Document {
        card: plan.card,
        name: &plan.name,
        ready: plan.ready,
        done: plan.is_done(),
        strategy,
        ids,
        addresses,
        loader: plan.loader.get().copied(),
        changes: changes.collect(),
        commands: &plan.commands,
        reboot: !plan.is_done(),
        notes: &plan.notes,
        risks: plan.risks.iter().map(|risk| risk.message.as_str()).collect(),
    }
}

/// The plan as people read it.
pub(super) fn write(out: &mut dyn Write, plan: &HostPlan, root: &Root) -> io::Result<()> {
    writeln!(out, "Card:     {} at {}", safe(&plan.name), plan.card)?;
    let list = |items: Vec<String>| items.join(", ");
    match &plan.strategy {
        None => writeln!(out, "Binding:  not yet")?,
        Some(Strategy::Ids(ids)) => {
            writeln!(out, "Binding:  by id ({})", list(ids.iter().map(ToString::to_string).collect()))?;
        }
        Some(Strategy::DriverOverride(addresses)) => {
            writeln!(out, "Binding:  by address ({})", list(addresses.iter().map(ToString::to_string).collect()))?;
        }
    }
    let loader = plan.loader.get().map_or_else(|| "not known".to_owned(), ToString::to_string);
    writeln!(out, "Booted by {loader}")?;
    if plan.is_done() {
        let state = if plan.ready {
            "the card is ready for a guest"
        } else {
            "the files are as they have to be; start the host again"
        };
        writeln!(out, "\nNothing to change: {state}.")?;
    }
    for edit in &plan.edits {
        writeln!(out, "\n# {}", edit.why)?;
        for line in edit.diff().lines() {
            let parts: Vec<String> = line.split('\t').map(safe).collect();
            writeln!(out, "{}", parts.join("\t"))?;
        }
    }
    if !plan.is_done() {
        writeln!(out, "\nThen:")?;
        commands(out, &plan.commands, root)?;
        writeln!(out, "  start the host again, then `morpheus gpu verify`")?;
    }
    for note in plan.risks.iter().map(|risk| &risk.message).chain(&plan.notes) {
        writeln!(out, "\nNote: {}", safe(note))?;
    }
    Ok(())
}

/// Commands to be typed, for another root with the word that leads into it.
pub(super) fn commands(out: &mut dyn Write, commands: &[Run], root: &Root) -> io::Result<()> {
    commands.iter().try_for_each(|run| writeln!(out, "  {}   # {}", line(run, root), run.why))
}

/// A command as it is typed.
pub(super) fn line(run: &Run, root: &Root) -> String {
    let words: Vec<String> = run.argv.iter().map(|word| quoted(word)).collect();
    let into = if root.is_this_machine() {
        String::new()
    } else {
        format!("chroot {} ", quoted(&root.path().display().to_string()))
    };
    format!("{into}{}", words.join(" "))
}
