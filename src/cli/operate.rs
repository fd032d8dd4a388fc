//! From what a person wants to an operation that runs: look, plan, confirm, journal, runner, follow.

use super::{
    args::OperateFlags,
    confirm,
    exit::Exit,
    failure::Failure,
    follow, json, plan_text,
    session::{self, Session},
    shell::Shell,
};
use crate::{
    domain::{
        ids::OpId,
        mode::ModeSet,
        policy,
        switch::{
            plan::{Intent, Options, Plan, Rung, Verb},
            planner,
        },
    },
    ops::{self, Client, Host, Launch, Store},
};
use secrecy::SecretString;
use serde::Serialize;
use std::io;

#[derive(Serialize)]
struct Planned<'a> {
    title: String,
    already_there: bool,
    #[serde(flatten)]
    plan: &'a Plan,
}

#[derive(Serialize)]
struct Started<'a> {
    op: &'a OpId,
}

/// How an operation behaves, from the configuration and the flags.
pub(crate) fn options(shell: &Shell<'_>, session: &Session, flags: &OperateFlags) -> Options {
    let configured = session.config.switch;
    let person = shell.can_ask() && !flags.yes && !flags.detach;
    Options {
        shutdown_timeout: configured.shutdown_timeout,
        fallback: confirm::fallback(configured.shutdown_fallback, flags.force, flags.confirm.is_some(), person),
        drain_timeout: configured.drain_timeout,
        startup_timeout: configured.startup_timeout,
        wait_for_network: configured.wait_for_network,
        rollback: configured.rollback && !flags.no_rollback,
    }
}

/// Plans an intent from fresh facts, and carries it out unless only the plan is wanted.
pub(crate) async fn carry_out(
    shell: &mut Shell<'_>,
    session: &Session,
    intent: &Intent,
    flags: &OperateFlags,
) -> Result<(), Failure> {
    if !flags.dry_run {
        may_begin(&session::store(shell), &session.host)?;
    }
    let facts = session.host.look_for_plan(intent).await;
    let plan = planner::plan(intent, session.host.modes(), &facts)?;
    if plan.is_already_there() || flags.dry_run {
        return Ok(show(shell, &plan)?);
    }
    let confirm = flags.confirm.as_deref().map(|name| canonical(name, &plan, session.host.modes()));
    confirm::confirm(shell, &mut io::stdin().lock(), &plan, &OperateFlags { confirm, ..flags.clone() })?;
    let client = client(shell, session)?;
    let id = client.start(plan, &session.host).await?;
    if !flags.detach {
        return follow::follow(shell, &client, &id, Some(&session.host.id()), Some(session.host.modes())).await;
    }
    started(shell, &id)
}

/// Whether a new operation may begin on a host: none is running or being started there, and the newest is at its end.
pub(crate) fn may_begin(store: &Store, host: &Host) -> Result<(), Failure> {
    let here = host.id();
    if let Some(id) = store.rival(&here) {
        return Err(ops::Error::Running(id).into());
    }
    let newest = store.list().into_iter().rfind(|brief| brief.concerns(Some(&here)));
    let refusal = policy::may_begin(newest.as_ref().map(|newest| (&newest.id, &newest.state, newest.alive)));
    refusal.map_err(|refusal| Failure::from(refusal).ending(Exit::Refused))
}

/// The name that a plan asks for, where an alias of it was given.
fn canonical(name: &str, plan: &Plan, modes: &ModeSet) -> String {
    let asked = matches!(&plan.rung, Rung::TypeName { names, .. } if names.iter().any(|asked| asked == name));
    let mode = modes.find(name.trim()).filter(|_| !asked);
    mode.map_or_else(|| name.to_owned(), |mode| mode.name.to_string())
}

/// The operations of this machine, with runners that reach the same host.
pub(crate) fn client(shell: &Shell<'_>, session: &Session) -> Result<Client, Failure> {
    Ok(Client::new(session::store(shell), how_to_launch(shell, session.password.clone())?))
}

/// The same where nothing is sent to a host: nobody is asked for a password.
pub(crate) fn local(shell: &Shell<'_>) -> Result<Client, Failure> {
    Ok(Client::new(session::store(shell), how_to_launch(shell, None)?))
}

/// How to start a runner that finds the same configuration and the same journals.
pub(crate) fn how_to_launch(shell: &Shell<'_>, password: Option<SecretString>) -> Result<Launch, Failure> {
    let exe = std::env::current_exe().map_err(|why| ops::Error::Launch(why.to_string()))?;
    let state_dir = shell.env.cwd.join(session::store(shell).dir()).into_os_string();
    let env = vec![("MORPHEUS_STATE_DIR".to_owned(), state_dir)];
    Ok(Launch { exe, args: shell.global.to_args(), env, password })
}

/// Says that an operation runs without anybody following it.
pub(crate) fn started(shell: &mut Shell<'_>, op: &OpId) -> Result<(), Failure> {
    if shell.json() {
        return Ok(json::document(shell.out, json::OP, &Started { op })?);
    }
    writeln!(shell.out, "Operation {op} is running.")?;
    Ok(writeln!(shell.out, "  `morpheus op attach {op}` follows it, `morpheus op cancel {op}` ends it.")?)
}

fn show(shell: &mut Shell<'_>, plan: &Plan) -> io::Result<()> {
    if shell.json() {
        let planned = Planned { title: plan.title(), already_there: plan.is_already_there(), plan };
        return json::document(shell.out, json::PLAN, &planned);
    }
    if plan.is_already_there() {
        return writeln!(shell.out, "{}", already(plan));
    }
    plan_text::plan(shell.out, plan)?;
    plan_text::needs(shell.out, &plan.rung)?;
    writeln!(shell.out, "Nothing was changed.")
}

fn already(plan: &Plan) -> String {
    let name = plan.intent.mode.as_ref().map_or("", |mode| mode.as_str());
    match plan.intent.verb {
        Verb::Switch => format!("Already in {name} mode"),
        Verb::Start => format!("{name} is running already"),
        Verb::Stop => format!("{name} is stopped already"),
        Verb::Restore => "Everything is as it was before already".to_owned(),
    }
}
