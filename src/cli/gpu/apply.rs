//! `gpu apply`: makes the changes.

use super::{look::Look, plan, typed};
use crate::{
    cli::{args::PlanArgs, exit::Exit, failure::Failure, json, shell::Shell},
    domain::{finding::FindingId, hostplan::Run, text::safe},
    host::{
        Root,
        change::{self, Disk, Manifest, Trouble},
        command,
    },
};
use serde::Serialize;
use std::io;

#[derive(Serialize)]
struct Document<'a> {
    id: &'a str,
    card: crate::domain::gpu::PciAddr,
    files: Vec<&'a str>,
    commands: &'a [Run],
    /// Whether the commands were run; those of another root never are.
    ran: bool,
    reboot: bool,
    /// Files that had other names too (hard links): those keep the text before the change.
    parted: &'a [String],
}

/// Makes the changes, or finishes those that were begun.
pub(super) fn run(shell: &mut Shell<'_>, args: &PlanArgs) -> Result<(), Failure> {
    let how = &args.card.how;
    let look = Look::at(shell, how)?;
    if let Some(manifest) = change::newest(&look.root)?.filter(|found| change::interrupted(Some(found)).is_some()) {
        return finish(shell, &look, args, manifest);
    }
    let plan = look.plan(&args.card, args.iommu_pt)?;
    if shell.can_ask() && how.confirm.is_none() {
        plan::write(shell.err, &plan, &look.root)?;
        writeln!(shell.err)?;
    } else {
        plan::risky(shell, plan.card, &plan.risks, how.confirm.as_deref())?;
    }
    if plan.is_done() || how.dry_run {
        if shell.json() {
            return Ok(plan::write_json(shell, &plan)?);
        }
        if !shell.can_ask() || how.confirm.is_some() {
            plan::write(shell.out, &plan, &look.root)?;
        }
        return Ok(writeln!(shell.out, "\nNothing was changed.")?);
    }
    typed::ask(shell, &mut io::stdin().lock(), plan.card, how.confirm.as_deref(), "Changing the host's files")?;
    match change::apply(&Disk::new(), &look.root, &plan) {
        Ok(manifest) => ended(shell, &look.root, &manifest),
        Err(trouble) => Err(went_wrong(shell, &look.root, trouble)?),
    }
}

fn finish(shell: &mut Shell<'_>, look: &Look, args: &PlanArgs, mut manifest: Manifest) -> Result<(), Failure> {
    let how = &args.card.how;
    let paths: Vec<&str> = manifest.paths().collect();
    let what = format!("Finishing change {} for {} ({})", manifest.id, manifest.card, safe(&paths.join(", ")));
    if how.dry_run {
        return Ok(writeln!(shell.out, "{what}.\nNothing was changed.")?);
    }
    typed::ask(shell, &mut io::stdin().lock(), manifest.card, how.confirm.as_deref(), &what)?;
    change::finish(&Disk::new(), &look.root, &mut manifest)?;
    ended(shell, &look.root, &manifest)
}

/// Takes back what was written, if anything was.
fn went_wrong(shell: &mut Shell<'_>, root: &Root, trouble: Trouble) -> Result<Failure, Failure> {
    let failure = Failure::from(trouble);
    if change::interrupted(change::newest(root)?.as_ref()).is_none() {
        return Ok(failure);
    }
    Ok(match change::rollback(Some(&Disk::new()), root) {
        Ok(None) => failure,
        Ok(Some(back)) if back.left().next().is_none() => {
            writeln!(shell.err, "What had been written was taken back.")?;
            failure.or("Make room or get the right to write, then apply again.").ending(Exit::RolledBack)
        }
        _ => failure.or("morpheus gpu rollback").ending(Exit::NotRolledBack),
    })
}

fn ended(shell: &mut Shell<'_>, root: &Root, manifest: &Manifest) -> Result<(), Failure> {
    if !shell.json() {
        writeln!(shell.out, "Written (change {}):", manifest.id)?;
        manifest.paths().try_for_each(|path| writeln!(shell.out, "  {}", safe(path)))?;
        for path in &manifest.parted {
            let path = safe(path);
            writeln!(shell.out, "{path} had another name too (a hard link), which keeps the text before the change.")?;
        }
    }
    follow_up(shell, root, &manifest.commands)?;
    if shell.json() {
        let (id, files) = (manifest.id.as_str(), manifest.paths().collect());
        let ran = root.is_this_machine();
        let document = Document {
            id,
            card: manifest.card,
            files,
            commands: &manifest.commands,
            ran,
            reboot: true,
            parted: &manifest.parted,
        };
        return Ok(json::document(shell.out, json::GPU_CHANGE, &document)?);
    }
    writeln!(shell.out, "Start the host again, then `morpheus gpu verify`. The way back: `morpheus gpu rollback`.")?;
    writeln!(shell.out, "If it doesn't boot: `morpheus gpu rollback --root DIR` from a rescue system.")?;
    Ok(())
}

/// Runs the commands of this machine; those of another root are only named.
pub(super) fn follow_up(shell: &mut Shell<'_>, root: &Root, commands: &[Run]) -> Result<(), Failure> {
    if commands.is_empty() || (shell.json() && !root.is_this_machine()) {
        return Ok(());
    }
    if !root.is_this_machine() {
        writeln!(shell.out, "Nothing is run for another root. To be run there:")?;
        return Ok(plan::commands(shell.out, commands, root)?);
    }
    for (at, run) in commands.iter().enumerate() {
        let line = plan::line(run, root);
        writeln!(shell.err, "Running {line}: {}.", run.why)?;
        let words = match command::run(root, run, shell.err) {
            Ok(true) => continue,
            Ok(false) => format!("`{line}` failed."),
            Err(error) => format!("`{line}` can't be run: {error}."),
        };
        let left = commands.iter().skip(at).map(|run| plan::line(run, root));
        let failure = Failure::new(FindingId::SetupCommand, words).ending(Exit::NotRolledBack);
        return Err(left.fold(failure, Failure::or).or("morpheus gpu rollback"));
    }
    Ok(())
}
