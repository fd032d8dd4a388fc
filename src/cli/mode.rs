//! `morpheus mode`: one file per command; here is which one.

mod history;
mod list;
mod status;

use super::{
    args::{ModeCommand, OperateFlags, StatusArgs},
    failure::Failure,
    operate,
    session::{self, Session},
    shell::Shell,
};
use crate::{
    config::OnConflict,
    domain::{
        ids::Vmid,
        mode::{Mode, ModeSet},
        switch::{
            plan::{Intent, Verb},
            planner,
        },
        text,
    },
};

/// Runs a command of `mode`.
pub(crate) fn run(shell: &mut Shell<'_>, command: &ModeCommand) -> Result<(), Failure> {
    match command {
        ModeCommand::History(args) => {
            let here = session::here(shell);
            let operations = session::store(shell).list().into_iter().filter(|op| op.concerns(here.as_ref()));
            let mut operations: Vec<_> = operations.map(|op| (op.id, op.state)).collect();
            operations.reverse();
            operations.truncate(args.limit);
            Ok(history::write(shell, &operations)?)
        }
        ModeCommand::List => session::block_on(async {
            let session = Session::open(shell)?;
            let mut facts = session.host.list_with_claims().await;
            session.host.exactly(session.host.modes().0.iter().map(|mode| mode.vmid), &mut facts).await;
            list::write(shell, &session.host.label(), session.host.modes(), &facts)
        }),
        ModeCommand::Status(args) => session::block_on(show_status(shell, args)),
        ModeCommand::Switch(args) => {
            let wish = Wish { verb: Verb::Switch, replace: args.switch.replace, keep: args.switch.keep };
            session::block_on(carry_out(shell, wish, &args.name, &args.operate))
        }
        ModeCommand::Start(args) => {
            let wish = Wish { verb: Verb::Start, replace: args.replace, keep: true };
            session::block_on(carry_out(shell, wish, &args.name, &args.operate))
        }
        ModeCommand::Stop(args) => {
            let wish = Wish { verb: Verb::Stop, replace: false, keep: true };
            session::block_on(carry_out(shell, wish, &args.name, &args.operate))
        }
    }
}

struct Wish {
    verb: Verb,
    replace: bool,
    keep: bool,
}

async fn carry_out(shell: &mut Shell<'_>, wish: Wish, name: &str, flags: &OperateFlags) -> Result<(), Failure> {
    let session = Session::open(shell)?;
    let mode = find(session.host.modes(), name)?.name.clone();
    let options = operate::options(shell, &session, flags);
    let replace = wish.replace || session.config.switch.on_conflict == OnConflict::Replace;
    let Wish { verb, keep, .. } = wish;
    let intent = Intent { verb, mode: Some(mode), restore: None, keep, replace, force: flags.force, options };
    operate::carry_out(shell, &session, &intent, flags).await
}

async fn show_status(shell: &mut Shell<'_>, args: &StatusArgs) -> Result<(), Failure> {
    let session = Session::open(shell)?;
    let modes = session.host.modes();
    let named = args.name.as_deref().map(|name| find(modes, name)).transpose()?;
    let mut facts = session.host.list().await;
    list::seen(&facts)?;
    let listed = |mode: &&Mode| facts.guest(mode.vmid).is_some();
    let running: Vec<Vmid> = modes.running(&facts).filter(listed).map(|mode| mode.vmid).collect();
    let shown: Vec<&Mode> = match named {
        Some(mode) => vec![mode],
        None => modes.0.iter().filter(|mode| running.contains(&mode.vmid)).collect(),
    };
    session.host.exactly(shown.iter().map(|mode| mode.vmid), &mut facts).await;
    let locked = |mode: &Mode| facts.guest(mode.vmid).is_some_and(|g| g.lock.is_some() && !g.is_hibernated());
    if shown.iter().any(|mode| locked(mode)) {
        session.host.behind_locks(&mut facts).await;
    }
    for mode in shown.iter().filter(|mode| running.contains(&mode.vmid)) {
        facts.merge(session.host.config(mode.vmid).await);
        facts.merge(session.host.agent(mode.vmid, &facts).await);
    }
    Ok(status::write(shell, &session.host.label(), &shown, &facts)?)
}

/// A mode by name or alias. A word that is neither may have been meant as a command.
fn find<'a>(modes: &'a ModeSet, name: &str) -> Result<&'a Mode, Failure> {
    let unknown = || {
        let mut failure = Failure::from(planner::unknown_mode(name, modes));
        if modes.nearest(name).is_none() {
            let command = text::nearest(name, ["list", "status", "switch", "start", "stop", "history"]);
            failure.alternatives = command.map(|c| format!("Did you mean `morpheus mode {c}`?")).into_iter().collect();
        }
        failure
    };
    modes.find(name).ok_or_else(unknown)
}
