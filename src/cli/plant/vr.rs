//! `plant nimsforest vr`: answers, look, plan, confirm, journal, runner, follow.

use super::{answers, follow, plan_text, problems};
use crate::{
    cli::{
        args::VrArgs,
        confirm,
        failure::Failure,
        json, operate,
        session::{self, Session},
        shell::Shell,
    },
    config,
    domain::{
        ids::OpId,
        plant::{self, Form, Plan, defaults},
        switch::plan::Rung,
    },
    ops,
};
use serde::Serialize;
use std::io;

#[derive(Serialize)]
struct Planned<'a> {
    already_there: bool,
    #[serde(flatten)]
    plan: &'a Plan,
}

#[derive(Serialize)]
struct Started<'a> {
    plant: &'a OpId,
}

pub(super) async fn run(shell: &mut Shell<'_>, args: &VrArgs) -> Result<(), Failure> {
    let session = Session::open(shell)?;
    if !args.dry_run && !args.print_answers {
        operate::may_begin(&session::store(shell), &session.host)?;
    }
    let (said, file) = answers::said(shell, &args.answers)?;
    let form = whole(shell, &session, said).await?;
    if args.print_answers {
        return Ok(write!(shell.out, "{}", config::answers::write(&form))?);
    }
    if let Some(file) = file.filter(|_| args.answers.answers.is_none() && !shell.json()) {
        writeln!(shell.err, "Answers: {} (kept by the wizard)", file.display())?;
    }
    let site = session.host.survey_for(&form).await.map_err(problems::silent)?;
    let plan = match plant::plan(&form, &site) {
        Ok(plan) => plan,
        Err(found) => return Err(problems::refuse(shell, &found)),
    };
    if plan.steps.is_empty() || args.dry_run {
        return Ok(show(shell, &plan)?);
    }
    agree(shell, &plan, args)?;
    let client = operate::client(shell, &session)?;
    let id = client.plant(plan, &session.host).await?;
    if args.detach {
        return started(shell, &id);
    }
    follow::follow(shell, &client, &id, &session.host.id(), 0).await
}

/// What was said, with what is usual here where nothing was.
async fn whole(shell: &Shell<'_>, session: &Session, mut said: Form) -> Result<Form, Failure> {
    let hints = ops::hints(&session.config, shell.env);
    let site = session.host.survey_for(&said).await.map_err(problems::silent)?;
    defaults::fill(&mut said, &hints, &site);
    Ok(said)
}

/// Says that a planting runs without anybody following it.
pub(super) fn started(shell: &mut Shell<'_>, plant: &OpId) -> Result<(), Failure> {
    if shell.json() {
        return Ok(json::document(shell.out, json::PLANT, &Started { plant })?);
    }
    writeln!(shell.out, "Planting {plant} is running.")?;
    Ok(writeln!(shell.out, "  `morpheus plant status` tells how far it is, `morpheus plant cancel` ends it.")?)
}

fn agree(shell: &mut Shell<'_>, plan: &Plan, args: &VrArgs) -> Result<(), Failure> {
    let names = match &plan.rung {
        Rung::None => return Ok(()),
        Rung::Confirm if args.yes || args.confirm.is_some() => return Ok(()),
        Rung::Confirm => Vec::new(),
        Rung::TypeName { names, .. } => names.clone(),
    };
    if shell.can_ask() {
        plan_text::plan(shell.err, plan)?;
    }
    let input = &mut io::stdin().lock();
    match (names.first(), &plan.rung) {
        (Some(name), Rung::TypeName { because, .. }) => {
            confirm::name(shell, input, &because.join(" "), name, args.confirm.as_deref())
        }
        _ => confirm::agree(shell, input, "This makes guests on the host.", false),
    }
}

fn show(shell: &mut Shell<'_>, plan: &Plan) -> io::Result<()> {
    if shell.json() {
        let planned = Planned { already_there: plan.steps.is_empty(), plan };
        return json::document(shell.out, json::PLANT_PLAN, &planned);
    }
    if plan.steps.is_empty() {
        plan.stands.iter().try_for_each(|stands| writeln!(shell.out, "{stands}"))?;
        return writeln!(shell.out, "Nothing to do.");
    }
    plan_text::plan(shell.out, plan)?;
    crate::cli::plan_text::needs(shell.out, &plan.rung)?;
    writeln!(shell.out, "Nothing was changed.")
}
