//! `plant resume`, `cancel` and `undo`.

use super::{find, follow, state, vr};
use crate::{
    cli::{
        args::{PlantRef, PlantResume, PlantUndo},
        confirm,
        failure::Failure,
        operate,
        session::{self, Session},
        shell::Shell,
    },
    domain::{
        finding::FindingId,
        ids::OpId,
        plant::{State, What, event::End},
    },
    ops::{self, Clock, Control, Store},
};
use std::io;

/// The host of a planting. Another one has other guests under the same numbers.
fn open(shell: &mut Shell<'_>, state: &State) -> Result<Session, Failure> {
    let session = Session::open(shell)?;
    let here = session.host.label();
    if state.host.ends_with(&here) {
        return Ok(session);
    }
    let message = format!("The planting is for {}, but the configuration names {here}.", state.host);
    Err(Failure::new(FindingId::OpOtherHost, message))
}

fn idle(store: &Store) -> Result<(), Failure> {
    store.active().map_or(Ok(()), |active| Err(ops::Error::Running(active).into()))
}

fn ended(id: &OpId, end: End) -> Failure {
    Failure::new(FindingId::OpEnded, format!("Planting {id} has ended already: {}.", end.word()))
}

pub(super) fn resume(shell: &mut Shell<'_>, store: &Store, args: &PlantResume) -> Result<(), Failure> {
    let id = find(store, &args.plant)?;
    let state = state(store, &id)?;
    if let Some((end, _)) = state.finished {
        return Err(ended(&id, end).or("`morpheus plant nimsforest vr` plants again; what stands is left as it is."));
    }
    idle(store)?;
    session::block_on(run(shell, store, &id, &state, args.detach))
}

async fn run(shell: &mut Shell<'_>, store: &Store, id: &OpId, state: &State, detach: bool) -> Result<(), Failure> {
    let session = open(shell, state)?;
    operate::launch(shell, &session, id).await?;
    if detach {
        return vr::started(shell, id);
    }
    follow::follow(shell, store, id, state.next_seq).await
}

pub(super) fn cancel(shell: &mut Shell<'_>, store: &Store, plant: &PlantRef) -> Result<(), Failure> {
    let id = find(store, plant)?;
    if let Some((end, _)) = state(store, &id)?.finished {
        return Err(ended(&id, end));
    }
    if store.active().as_ref() != Some(&id) {
        let message = format!("Planting {id} isn't running.");
        return Err(follow::halted(&id, Failure::new(FindingId::OpInterrupted, message)));
    }
    store.control(&id, Control::Cancel { go_back: false })?;
    Ok(writeln!(shell.out, "Planting {id} stops after its present request; what it made is kept.")?)
}

pub(super) fn undo(shell: &mut Shell<'_>, store: &Store, args: &PlantUndo) -> Result<(), Failure> {
    let id = find(store, &args.plant)?;
    let state = state(store, &id)?;
    idle(store)?;
    if state.made.is_empty() {
        return Ok(writeln!(shell.out, "Planting {id} made nothing that is still there.")?);
    }
    if state.finished.is_some_and(|(end, _)| end == End::Undone) && state.kept.is_empty() {
        return Err(ended(&id, End::Undone));
    }
    agree(shell, &state, args)?;
    {
        let _lock = store.lock(&id)?;
        store.plant_journal(&id)?.append(What::UndoRequested, Clock::System.now())?;
    }
    session::block_on(run(shell, store, &id, &state, args.detach))
}

/// Disks hold work: a guest's name is typed for them.
fn agree(shell: &mut Shell<'_>, state: &State, args: &PlantUndo) -> Result<(), Failure> {
    if shell.can_ask() {
        writeln!(shell.err, "This is what happens:")?;
        state.made.iter().rev().try_for_each(|thing| writeln!(shell.err, "  {}", thing.undo()))?;
    }
    let input = &mut io::stdin().lock();
    let asked = state.asks();
    for (name, what) in &asked {
        let given = args.confirm.iter().find(|given| given.trim() == *name).or(args.confirm.first());
        confirm::name(shell, input, what, name, given.map(String::as_str))?;
    }
    if asked.is_empty() { confirm::agree(shell, input, "No guest is among it.", args.yes) } else { Ok(()) }
}
