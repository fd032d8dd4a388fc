//! `morpheus plant`: from answers to guests; one file per command, here is which one.

mod again;
mod answers;
mod follow;
mod plan_text;
mod problems;
mod progress;
mod render;
mod status;
mod vr;

use super::{
    args::{NimsforestCommand, PlantCommand, PlantRef},
    failure::Failure,
    session,
    shell::Shell,
};
use crate::{
    domain::{finding::FindingId, host_id::HostId, ids::OpId, journal::Told, plant::State},
    ops::{Store, plant::passwords_file},
};

/// Runs a command of `plant`.
pub(crate) fn run(shell: &mut Shell<'_>, command: &PlantCommand) -> Result<(), Failure> {
    let store = session::store(shell);
    let here = session::here(shell);
    match command {
        PlantCommand::Nimsforest(args) => match &args.what {
            NimsforestCommand::Vr(args) => session::block_on(vr::run(shell, args)),
        },
        PlantCommand::Status(plant) => {
            let id = find(&store, plant, here.as_ref())?;
            status::write(shell, &id, &state(&store, &id)?, store.is_running(&id))?;
            passwords(shell, &store, &id)
        }
        PlantCommand::Resume(args) => again::resume(shell, &store, args),
        PlantCommand::Cancel(plant) => again::cancel(shell, &store, plant),
        PlantCommand::Undo(args) => again::undo(shell, &store, args),
        PlantCommand::Render(args) => render::run(shell, args),
    }
}

/// The planting that is meant: the named one, else the newest of this host.
fn find(store: &Store, plant: &PlantRef, here: Option<&HostId>) -> Result<OpId, Failure> {
    if plant.id.is_none() && store.plants().is_empty() {
        let nothing = Failure::new(FindingId::OpUnknown, "Nothing was planted from this machine yet.");
        return Err(nothing.or("`morpheus plant nimsforest vr --dry-run` shows what would be done."));
    }
    Ok(store.find_plant(plant.id.as_deref(), here)?)
}

/// Says where the passwords are that a planting made.
fn passwords(shell: &mut Shell<'_>, store: &Store, id: &OpId) -> Result<(), Failure> {
    let file = passwords_file(store.dir(), id);
    if shell.json() || !file.exists() {
        return Ok(());
    }
    Ok(writeln!(shell.out, "Passwords that were made: {}; delete the file when you have noted them.", file.display())?)
}

fn state(store: &Store, id: &OpId) -> Result<State, Failure> {
    let broken = || Failure::new(FindingId::JournalBroken, format!("The journal of {id} doesn't begin with a plan."));
    State::fold(&store.read_plant(id)?).ok_or_else(broken)
}
