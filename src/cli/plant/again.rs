//! `plant resume`, `cancel` and `undo`.

use super::{find, follow, state, vr};
use crate::{
    cli::{
        args::{PlantRef, PlantResume, PlantUndo},
        confirm,
        failure::Failure,
        json, operate,
        session::{self, Session},
        shell::{Shell, quoted},
    },
    domain::{
        finding::FindingId,
        host_id::HostId,
        ids::OpId,
        plant::{State, Thing, event::End},
        text,
    },
    ops::{Client, Control, Store},
};
use serde::Serialize;
use std::io;

fn is_free(store: &Store, id: &OpId, here: Option<&HostId>) -> Result<(), Failure> {
    Ok(here.map_or(Ok(()), |here| store.is_free_for(id, here))?)
}

fn ended(id: &OpId, end: End) -> Failure {
    Failure::new(FindingId::OpEnded, format!("Planting {id} has ended already: {}.", end.word()))
}

pub(super) fn resume(shell: &mut Shell<'_>, store: &Store, args: &PlantResume) -> Result<(), Failure> {
    let here = session::here(shell);
    let id = find(store, &args.plant, here.as_ref())?;
    let state = state(store, &id)?;
    if let Some((end, _)) = state.finished {
        return Err(ended(&id, end).or("`morpheus plant nimsforest vr` plants again; what stands is left as it is."));
    }
    is_free(store, &id, here.as_ref())?;
    session::block_on(async {
        let session = Session::of(shell, store, &id)?;
        let client = operate::client(shell, &session)?;
        client.resume(&id, &session.host.id()).await?;
        runs(shell, &client, &session, (&id, &state), args.detach).await
    })
}

/// Follows what runs now, or says so.
async fn runs(
    shell: &mut Shell<'_>,
    client: &Client,
    session: &Session,
    (id, state): (&OpId, &State),
    detach: bool,
) -> Result<(), Failure> {
    if detach {
        return vr::started(shell, id);
    }
    follow::follow(shell, client, id, &session.host.id(), state.next_seq).await
}

pub(super) fn cancel(shell: &mut Shell<'_>, store: &Store, plant: &PlantRef) -> Result<(), Failure> {
    let here = session::here(shell);
    let id = find(store, plant, here.as_ref())?;
    if let Some((end, _)) = state(store, &id)?.finished {
        return Err(ended(&id, end));
    }
    if !store.is_running(&id) {
        let message = format!("Planting {id} isn't running.");
        return Err(follow::halted(&id, Failure::new(FindingId::OpInterrupted, message)));
    }
    session::block_on(async {
        let word = Control::Cancel { go_back: false };
        Ok(operate::local(shell)?.control(&id, word, here.as_ref()).await?)
    })?;
    Ok(writeln!(shell.out, "Planting {id} stops after its present request; what it made is kept.")?)
}

#[derive(Serialize)]
struct Undoing<'a> {
    plant: &'a OpId,
    undo: Vec<String>,
    /// Names that `--confirm` has to give.
    confirm: Vec<&'a str>,
}

pub(super) fn undo(shell: &mut Shell<'_>, store: &Store, args: &PlantUndo) -> Result<(), Failure> {
    let here = session::here(shell);
    let id = find(store, &args.plant, here.as_ref())?;
    let state = state(store, &id)?;
    if !args.dry_run {
        is_free(store, &id, here.as_ref())?;
    }
    if state.made.is_empty() && !(args.dry_run && shell.json()) {
        return Ok(writeln!(shell.out, "Planting {id} made nothing that is still there.")?);
    }
    if state.finished.is_some_and(|(end, _)| end == End::Undone) && state.kept.is_empty() {
        return Err(ended(&id, End::Undone));
    }
    if args.dry_run {
        return Ok(show(shell, &id, &state)?);
    }
    let session = Session::of(shell, store, &id)?;
    agree(shell, &state, args)?;
    session::block_on(async {
        let client = operate::client(shell, &session)?;
        client.remove(&id, &session.host).await?;
        runs(shell, &client, &session, (&id, &state), args.detach).await
    })
}

/// What an undo would do, last made first, and what it asks for.
fn show(shell: &mut Shell<'_>, id: &OpId, state: &State) -> io::Result<()> {
    let asks = state.asks();
    let things: Vec<String> = state.made.iter().rev().map(Thing::undo).collect();
    if shell.json() {
        let confirm = asks.iter().map(|(name, _)| *name).collect();
        return json::document(shell.out, json::PLANT_UNDO, &Undoing { plant: id, undo: things, confirm });
    }
    writeln!(shell.out, "Undo of planting {id}:")?;
    things.iter().try_for_each(|thing| writeln!(shell.out, "  {}", text::safe(thing)))?;
    asks.iter().try_for_each(|(_, what)| writeln!(shell.out, "{what}"))?;
    let flags = confirms(&asks);
    let flags = if flags.is_empty() { "--yes".to_owned() } else { flags };
    writeln!(shell.out, "Nothing was changed. `morpheus plant undo {id} {flags}` does it.")
}

/// The flags that confirm all of it.
fn confirms(asks: &[(&str, String)]) -> String {
    let flags = asks.iter().map(|(name, _)| format!("--confirm {}", quoted(name)));
    flags.collect::<Vec<_>>().join(" ")
}

/// Disks hold work: a guest's name is typed for them.
fn agree(shell: &mut Shell<'_>, state: &State, args: &PlantUndo) -> Result<(), Failure> {
    let asked = state.asks();
    let given = |name: &str| args.confirm.iter().any(|given| given.trim() == name);
    let other = args.confirm.iter().find(|given| !asked.iter().any(|(name, _)| *name == given.trim()));
    let missing = asked.iter().any(|(name, _)| !given(name));
    if other.is_some() || (missing && !shell.can_ask()) {
        let whats: Vec<&str> = asked.iter().map(|(_, what)| what.as_str()).collect();
        let what = match other {
            Some(other) => format!("--confirm {} is no name that this needs; nothing was changed.", text::safe(other)),
            None => format!("{}\nNobody is here to ask.", whats.join("\n")),
        };
        let failure = Failure::new(FindingId::NeedsConfirmation, what);
        let flags = if asked.is_empty() { "--yes".to_owned() } else { confirms(&asked) };
        return Err(failure.or(shell.again(&flags)).or(format!("`{}` shows it.", shell.again("--dry-run"))));
    }
    if shell.can_ask() {
        writeln!(shell.err, "This is what happens:")?;
        state.made.iter().rev().try_for_each(|thing| writeln!(shell.err, "  {}", thing.undo()))?;
    }
    let input = &mut io::stdin().lock();
    for (name, what) in asked.iter().filter(|(name, _)| !given(name)) {
        confirm::name(shell, input, what, name, None)?;
    }
    if asked.is_empty() { confirm::agree(shell, input, "No guest is among it.", args.yes) } else { Ok(()) }
}
