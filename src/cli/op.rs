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
        ids::{OpId, Vmid},
        journal::Told,
        mode::ModeSet,
        policy,
        switch::{machine, state::State},
    },
    ops::{self, Control, Store},
};
use std::io;

/// Runs a command of `op`.
pub(crate) fn run(shell: &mut Shell<'_>, command: &OpCommand) -> Result<(), Failure> {
    let store = session::store(shell);
    match command {
        OpCommand::List => {
            let mut operations: Vec<_> = store.list().into_iter().map(|op| (op.id, op.state)).collect();
            operations.reverse();
            Ok(list::list(shell, &operations, store.active().as_ref())?)
        }
        OpCommand::Status(op) => {
            let id = find(&store, op)?;
            let (events, modes) = (store.read(&id)?, modes(shell));
            Ok(list::status(shell, &id, &events, store.active().as_ref() == Some(&id), modes.as_ref())?)
        }
        OpCommand::Attach(op) => {
            let id = find(&store, op)?;
            let modes = modes(shell);
            session::block_on(follow::follow(shell, &store, &id, modes.as_ref()))
        }
        OpCommand::Cancel(args) => cancel(shell, &store, args),
        OpCommand::Resume(args) => resume(shell, &store, args),
        OpCommand::Undo(args) => undo(shell, &store, args),
        OpCommand::Run(args) => runner::run(shell, &store, &OpId::from(args.id.as_str()), args.password_stdin),
    }
}

/// The operation that is meant: the named one, else the running one, else the newest.
fn find(store: &Store, op: &OpRef) -> Result<OpId, Failure> {
    match (&op.id, store.active()) {
        (None, Some(active)) if active.is_plant() => Err(planting(&active)),
        (None, Some(active)) => Ok(active),
        (Some(id), _) if OpId::from(id.as_str()).is_plant() => Err(planting(&OpId::from(id.as_str()))),
        (id, _) => Ok(store.find(id.as_deref())?),
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

/// The host of an operation. Another one has other guests under the same numbers.
fn open(shell: &mut Shell<'_>, state: &State) -> Result<Session, Failure> {
    let session = Session::open(shell)?;
    let here = session.host.label();
    if state.host.ends_with(&here) {
        return Ok(session);
    }
    let message = format!("The operation is for {}, but the configuration names {here}.", state.host);
    Err(Failure::new(FindingId::OpOtherHost, message))
}

fn ended(id: &OpId, state: &State) -> Option<Failure> {
    let outcome = state.finished.as_ref()?.outcome;
    let message = format!("Operation {id} has ended already: {}.", outcome.word());
    Some(Failure::new(FindingId::OpEnded, message))
}

fn cancel(shell: &mut Shell<'_>, store: &Store, args: &CancelArgs) -> Result<(), Failure> {
    let id = find(store, &args.op)?;
    if let Some(failure) = ended(&id, &state(store, &id)?) {
        return Err(failure);
    }
    if store.active().as_ref() != Some(&id) {
        return Err(follow::interrupted(&id).ending(Exit::Refused));
    }
    store.control(&id, Control::Cancel { go_back: args.go_back })?;
    if args.detach {
        return operate::started(shell, &id);
    }
    let modes = modes(shell);
    wanted(session::block_on(follow::follow(shell, store, &id, modes.as_ref())))
}

/// Ended by a person: for the one who asked for it that is success.
fn wanted(followed: Result<(), Failure>) -> Result<(), Failure> {
    followed.or_else(|failure| if failure.exit == Exit::Cancelled { Ok(()) } else { Err(failure) })
}

fn resume(shell: &mut Shell<'_>, store: &Store, args: &ResumeArgs) -> Result<(), Failure> {
    let id = find(store, &args.op)?;
    let state = state(store, &id)?;
    if let Some(failure) = ended(&id, &state) {
        return Err(failure);
    }
    if let Some(active) = store.active() {
        return Err(ops::Error::Running(active).into());
    }
    session::block_on(async {
        let session = open(shell, &state)?;
        operate::launch(shell, &session, &id).await?;
        if args.detach {
            return operate::started(shell, &id);
        }
        follow::follow(shell, store, &id, Some(session.host.modes())).await
    })
}

fn undo(shell: &mut Shell<'_>, store: &Store, args: &UndoArgs) -> Result<(), Failure> {
    let id = find(store, &args.op)?;
    if let Some(active) = store.active() {
        return Err(ops::Error::Running(active).into());
    }
    let state = state(store, &id)?;
    session::block_on(async {
        let session = open(shell, &state)?;
        if state.finished.is_none() {
            return go_back(shell, store, &session, &id, &state, &args.operate).await;
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
    store: &Store,
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
    store.control(id, Control::Cancel { go_back: true })?;
    operate::launch(shell, session, id).await?;
    if flags.detach {
        return operate::started(shell, id);
    }
    wanted(follow::follow(shell, store, id, Some(session.host.modes())).await)
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
