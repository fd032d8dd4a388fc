//! `morpheus op`: operations as their journals tell them, and words to those that run.

mod list;

use super::{
    args::{CancelArgs, OpCommand, OpRef, OperateFlags, ResumeArgs, UndoArgs},
    confirm,
    exit::Exit,
    failure::Failure,
    follow, operate, runner,
    session::{self, Session},
    shell::Shell,
};
use crate::{
    domain::{
        finding::FindingId,
        host_id::HostId,
        ids::{OpId, Vmid},
        journal::Told,
        mode::ModeSet,
        policy,
        switch::{machine, state::State},
    },
    ops::{Control, Store},
};
use std::io;

/// Runs a command of `op`.
pub(crate) fn run(shell: &mut Shell<'_>, command: &OpCommand) -> Result<(), Failure> {
    let store = session::store(shell);
    let here = session::here(shell);
    match command {
        OpCommand::List => {
            let mut operations: Vec<_> = store.list().into_iter().map(|op| (op.id, op.state)).collect();
            operations.reverse();
            Ok(list::list(shell, &operations, &store.running())?)
        }
        OpCommand::Status(op) => {
            let id = find(&store, op, here.as_ref())?;
            let (events, modes) = (store.read(&id)?, modes(shell));
            Ok(list::status(shell, &id, &events, store.is_running(&id), modes.as_ref())?)
        }
        OpCommand::Attach(op) => {
            let id = find(&store, op, here.as_ref())?;
            let (client, modes) = (operate::local(shell)?, modes(shell));
            session::block_on(follow::follow(shell, &client, &id, here.as_ref(), modes.as_ref()))
        }
        OpCommand::Cancel(args) => cancel(shell, &store, args),
        OpCommand::Resume(args) => resume(shell, &store, args),
        OpCommand::Undo(args) => undo(shell, &store, args),
        OpCommand::Run(args) => runner::run(shell, &store, &OpId::from(args.id.as_str()), args.password_stdin),
    }
}

/// The operation that is meant: the named one, else of those of this host the running one, else the newest.
fn find(store: &Store, op: &OpRef, here: Option<&HostId>) -> Result<OpId, Failure> {
    let named = op.id.as_deref().map(OpId::from);
    let running = || store.running().into_iter().find(|id| here.is_none_or(|here| store.is_of(id, here).is_ok()));
    match named.clone().or_else(running) {
        Some(id) if id.is_plant() => Err(planting(&id)),
        Some(id) if named.is_none() => Ok(id),
        _ => Ok(store.find(op.id.as_deref(), here)?),
    }
}

/// Plantings have commands of their own.
fn planting(id: &OpId) -> Failure {
    Failure::new(FindingId::OpUnknown, format!("{id} is a planting, and these commands are for switches."))
        .or("`morpheus plant status` tells how far it is.")
        .or("`morpheus plant resume` goes on with one that was interrupted.")
        .or("`morpheus plant undo` removes what it made.")
}

/// The configured modes, where there is a configuration: they only decorate.
fn modes(shell: &Shell<'_>) -> Option<ModeSet> {
    crate::config::load(&shell.global.overrides(), shell.env).ok().map(|loaded| loaded.config.modes)
}

fn state(store: &Store, id: &OpId) -> Result<State, Failure> {
    let broken = || Failure::new(FindingId::JournalBroken, format!("The journal of {id} doesn't begin with a plan."));
    State::fold(&store.read(id)?).ok_or_else(broken)
}

fn ended(id: &OpId, state: &State) -> Option<Failure> {
    let outcome = state.finished.as_ref()?.outcome;
    let message = format!("Operation {id} has ended already: {}.", outcome.word());
    Some(Failure::new(FindingId::OpEnded, message))
}

fn cancel(shell: &mut Shell<'_>, store: &Store, args: &CancelArgs) -> Result<(), Failure> {
    let here = session::here(shell);
    let id = find(store, &args.op, here.as_ref())?;
    if let Some(failure) = ended(&id, &state(store, &id)?) {
        return Err(failure);
    }
    if !store.is_running(&id) {
        return Err(follow::interrupted(&id).ending(Exit::Refused));
    }
    session::block_on(async {
        let (client, modes) = (operate::local(shell)?, modes(shell));
        client.control(&id, Control::Cancel { go_back: args.go_back }, here.as_ref()).await?;
        if args.detach {
            return operate::started(shell, &id);
        }
        wanted(follow::follow(shell, &client, &id, here.as_ref(), modes.as_ref()).await)
    })
}

/// Ended by a person: for the one who asked for it that is success.
fn wanted(followed: Result<(), Failure>) -> Result<(), Failure> {
    followed.or_else(|failure| if failure.exit == Exit::Cancelled { Ok(()) } else { Err(failure) })
}

fn resume(shell: &mut Shell<'_>, store: &Store, args: &ResumeArgs) -> Result<(), Failure> {
    let here = session::here(shell);
    let id = find(store, &args.op, here.as_ref())?;
    if let Some(failure) = ended(&id, &state(store, &id)?) {
        return Err(failure);
    }
    session::block_on(async {
        let session = Session::of(shell, store, &id)?;
        let (client, here) = (operate::client(shell, &session)?, session.host.id());
        client.resume(&id, &here).await?;
        if args.detach {
            return operate::started(shell, &id);
        }
        follow::follow(shell, &client, &id, Some(&here), Some(session.host.modes())).await
    })
}

fn undo(shell: &mut Shell<'_>, store: &Store, args: &UndoArgs) -> Result<(), Failure> {
    let here = session::here(shell);
    let id = find(store, &args.op, here.as_ref())?;
    if let Some(here) = here {
        store.is_free_for(&id, &here)?;
    }
    let state = state(store, &id)?;
    session::block_on(async {
        let session = Session::of(shell, store, &id)?;
        if state.finished.is_none() {
            return go_back(shell, &session, &id, &state, &args.operate).await;
        }
        let options = operate::options(shell, &session, &args.operate);
        let nothing = || Failure::new(FindingId::OpNothingToUndo, format!("Operation {id} changed nothing."));
        let intent = policy::undo_intent(&state, options).ok_or_else(nothing)?;
        operate::carry_out(shell, &session, &intent, &args.operate).await
    })
}

/// An interrupted operation goes back by itself: its own runner knows what it began and waits for what is under way.
async fn go_back(
    shell: &mut Shell<'_>,
    session: &Session,
    id: &OpId,
    state: &State,
    flags: &OperateFlags,
) -> Result<(), Failure> {
    let way = way_back(state);
    if flags.dry_run {
        return Ok(writeln!(shell.out, "{way}\nNothing was changed.")?);
    }
    confirm::go_back(shell, &mut io::stdin().lock(), &way, flags)?;
    let (client, here) = (operate::client(shell, session)?, session.host.id());
    client.go_back(id, &here).await?;
    if flags.detach {
        return operate::started(shell, id);
    }
    wanted(follow::follow(shell, &client, id, Some(&here), Some(session.host.modes())).await)
}

fn way_back(state: &State) -> String {
    let restore = machine::restore(state);
    let name = |vmid: &Vmid| {
        let known = state.plan.basis.iter().find(|guest| guest.party.vmid == *vmid);
        known.map_or_else(|| format!("VM {vmid}"), |guest| guest.party.to_string())
    };
    let stop = restore.stop.iter().map(|vmid| format!("shut {} down", name(vmid)));
    let start = restore.start.iter().map(|vmid| format!("start {} again", name(vmid)));
    let steps: Vec<String> = stop.chain(start).collect();
    let steps = if steps.is_empty() { "nothing was changed yet".to_owned() } else { steps.join(", ") };
    format!("Going back from \"{}\": {steps}", state.plan.title())
}
