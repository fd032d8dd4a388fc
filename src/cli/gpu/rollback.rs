//! `gpu rollback`: takes the last change back.

use super::{apply, typed};
use crate::{
    cli::{args::HostFlags, exit::Exit, failure::Failure, iommu, json, shell::Shell},
    domain::{finding::FindingId, text::safe},
    host::change::{self, Back, Disk, Fate},
};
use std::io;

/// Takes the newest change back.
pub(super) fn run(shell: &mut Shell<'_>, flags: &HostFlags) -> Result<(), Failure> {
    let root = iommu::root(flags.root.root.as_deref())?;
    let Some(manifest) = change::newest(&root)? else {
        // What a change left that ended before it wrote anything.
        if !flags.dry_run {
            change::rollback(Some(&Disk::new()), &root)?;
        }
        let message = format!("There is no change under {}.", change::PLACE);
        return Err(Failure::new(FindingId::SetupNothing, message));
    };
    if flags.dry_run {
        if let Some(back) = change::rollback(None, &root)? {
            write(shell, &back, true)?;
        }
        return Ok(());
    }
    let what = format!("Taking change {} for {} back", manifest.id, manifest.card);
    typed::ask(shell, &mut io::stdin().lock(), manifest.card, flags.confirm.as_deref(), &what)?;
    let Some(back) = change::rollback(Some(&Disk::new()), &root)? else { return Ok(()) };
    write(shell, &back, false)?;
    if back.did_something() {
        apply::follow_up(shell, &root, &back.commands)?;
    }
    left(&back)
}

fn left(back: &Back) -> Result<(), Failure> {
    let left: Vec<&str> = back.left().collect();
    if left.is_empty() {
        return Ok(());
    }
    let message = format!("Somebody else wrote {} since; left as it is.", safe(&left.join(", ")));
    let failure = Failure::new(FindingId::SetupChanged, message);
    let kept = back.files.iter().filter_map(|(path, fate)| match fate {
        Fate::Changed { kept: Some(kept) } => Some(format!("Compare {path} with {kept}, its text before the change.")),
        _ => None,
    });
    let exit = if back.did_something() { Exit::NotRolledBack } else { Exit::Refused };
    Err(kept.fold(failure, Failure::or).ending(exit))
}

fn write(shell: &mut Shell<'_>, back: &Back, dry: bool) -> io::Result<()> {
    if shell.json() {
        return json::document(shell.out, json::GPU_ROLLBACK, back);
    }
    for (path, fate) in &back.files {
        let word = match fate {
            Fate::Restored => "restored",
            Fate::Removed => "removed",
            Fate::Untouched => "as it was",
            Fate::Changed { .. } => "changed since, left",
        };
        writeln!(shell.out, "{word:<20} {}", safe(path))?;
    }
    if dry {
        return writeln!(shell.out, "Nothing was changed.");
    }
    if back.did_something() { writeln!(shell.out, "Start the host again for it to take effect.") } else { Ok(()) }
}
