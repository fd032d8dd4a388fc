//! The ladder of confirmations on a command line: nothing, `--yes`, `--confirm NAME`, or a person who is asked.

use super::{
    args::OperateFlags,
    failure::Failure,
    plan_text,
    shell::{Shell, quoted},
};
use crate::domain::{
    finding::FindingId,
    switch::plan::{Fallback, Plan, Rung},
    text,
};
use std::io::BufRead;

/// What follows when a guest doesn't shut down: resolved for this command line. `force` is a person's leave to stop it
/// hard; a person who is there can be asked; else `named`, that the name was given with which the plan is confirmed,
/// is leave too. Without any of these no guest is stopped hard that may be in use.
pub(crate) const fn fallback(configured: Fallback, force: bool, named: bool, person: bool) -> Fallback {
    match configured {
        _ if force => Fallback::Stop,
        Fallback::Fail => Fallback::Fail,
        Fallback::Ask if person => Fallback::Ask,
        _ if named => Fallback::Stop,
        Fallback::Ask | Fallback::Stop | Fallback::StopIdle => Fallback::StopIdle,
    }
}

/// Gets the confirmation that a plan needs, from flags or from a person.
///
/// # Errors
/// [`FindingId::NeedsConfirmation`], naming the flag; or the person said no.
pub(crate) fn confirm(
    shell: &mut Shell<'_>,
    input: &mut dyn BufRead,
    plan: &Plan,
    flags: &OperateFlags,
) -> Result<(), Failure> {
    let needed = match (&plan.rung, flags.confirm.as_deref()) {
        (Rung::None, _) => return Ok(()),
        (Rung::Confirm, None) if flags.yes => return Ok(()),
        (Rung::Confirm, None) => None,
        (Rung::Confirm, Some(name)) if is_of(name, &names(plan)) => return Ok(()),
        (Rung::TypeName { names, .. }, Some(name)) if is_of(name, names) => return Ok(()),
        (Rung::Confirm, Some(name)) => return Err(wrong(shell, name, &names(plan))),
        (Rung::TypeName { names, .. }, Some(name)) => return Err(wrong(shell, name, names)),
        (Rung::TypeName { names, because }, None) => Some((names, because)),
    };
    let ask = shell.can_ask() && !flags.yes;
    match needed {
        None if ask => ask_yes(shell, input, plan),
        Some((names, because)) if ask => ask_name(shell, input, plan, names, because),
        None => Err(needs_yes(shell, plan)),
        Some((names, because)) => Err(needs_name(shell, plan, names, because)),
    }
}

/// Gets the confirmation to go back from an interrupted operation; `way` says what that does.
///
/// # Errors
/// [`FindingId::NeedsConfirmation`]: nobody is there to ask, or the person said no.
pub(crate) fn go_back(
    shell: &mut Shell<'_>,
    input: &mut dyn BufRead,
    way: &str,
    flags: &OperateFlags,
) -> Result<(), Failure> {
    if flags.yes || flags.confirm.is_some() {
        return Ok(());
    }
    if !shell.can_ask() {
        let message = format!("{way}, and nobody is here to ask.");
        return Err(Failure::new(FindingId::NeedsConfirmation, message).or(shell.again("--yes")));
    }
    writeln!(shell.err, "{way}")?;
    yes_or_no(shell, input)
}

/// Gets a yes to something small, from `--yes` or from a person.
///
/// # Errors
/// [`FindingId::NeedsConfirmation`]: nobody is there to ask, or the person said no.
pub(crate) fn agree(shell: &mut Shell<'_>, input: &mut dyn BufRead, what: &str, yes: bool) -> Result<(), Failure> {
    if yes {
        return Ok(());
    }
    if !shell.can_ask() {
        return Err(nobody(what).or(shell.again("--yes")).or(dry_run(shell)));
    }
    writeln!(shell.err, "{what}")?;
    yes_or_no(shell, input)
}

/// Gets a name typed, by `--confirm` or by a person.
///
/// # Errors
/// [`FindingId::NeedsConfirmation`]: it is another name, or nobody is there to ask.
pub(crate) fn name(
    shell: &mut Shell<'_>,
    input: &mut dyn BufRead,
    what: &str,
    name: &str,
    given: Option<&str>,
) -> Result<(), Failure> {
    let names = [name.to_owned()];
    match given {
        Some(given) if is_of(given, &names) => return Ok(()),
        Some(given) => return Err(wrong(shell, given, &names)),
        None if !shell.can_ask() => return Err(nobody(what).or(with_name(shell, name)).or(dry_run(shell))),
        None => {}
    }
    writeln!(shell.err, "{what}")?;
    write!(shell.err, "Type {name} to go on: ")?;
    let answer = line(shell, input)?;
    if is_of(&answer, &names) { Ok(()) } else { Err(declined()) }
}

fn nobody(what: &str) -> Failure {
    Failure::new(FindingId::NeedsConfirmation, format!("{what}\nNobody is here to ask."))
}

fn names(plan: &Plan) -> Vec<String> {
    let parties = plan.target.iter().chain(plan.stops());
    parties.filter_map(|party| party.mode.as_ref()).map(ToString::to_string).collect()
}

fn is_of(name: &str, names: &[String]) -> bool {
    names.iter().any(|other| other == name.trim())
}

fn ask_yes(shell: &mut Shell<'_>, input: &mut dyn BufRead, plan: &Plan) -> Result<(), Failure> {
    plan_text::plan(shell.err, plan)?;
    yes_or_no(shell, input)
}

fn yes_or_no(shell: &mut Shell<'_>, input: &mut dyn BufRead) -> Result<(), Failure> {
    write!(shell.err, "Go on? [y/N] ")?;
    let answer = line(shell, input)?;
    let yes = matches!(answer.to_ascii_lowercase().as_str(), "y" | "yes");
    if yes { Ok(()) } else { Err(declined()) }
}

fn ask_name(
    shell: &mut Shell<'_>,
    input: &mut dyn BufRead,
    plan: &Plan,
    names: &[String],
    because: &[String],
) -> Result<(), Failure> {
    plan_text::plan(shell.err, plan)?;
    plan_text::reasons(shell.err, because)?;
    write!(shell.err, "Type {} to go on: ", names.join(" or "))?;
    let answer = line(shell, input)?;
    if is_of(&answer, names) { Ok(()) } else { Err(declined()) }
}

fn line(shell: &mut Shell<'_>, input: &mut dyn BufRead) -> Result<String, Failure> {
    shell.err.flush()?;
    let mut answer = String::new();
    if input.read_line(&mut answer)? == 0 {
        writeln!(shell.err)?;
    }
    Ok(answer.trim().to_owned())
}

fn declined() -> Failure {
    Failure::new(FindingId::NeedsConfirmation, "Not confirmed; nothing was changed.")
}

fn wrong(shell: &Shell<'_>, name: &str, names: &[String]) -> Failure {
    let message = format!("--confirm {} is not the name that this needs; nothing was changed.", text::safe(name));
    let failure = Failure::new(FindingId::NeedsConfirmation, message);
    names.iter().fold(failure, |failure, name| failure.or(with_name(shell, name)))
}

fn needs_yes(shell: &Shell<'_>, plan: &Plan) -> Failure {
    let stops: Vec<String> = plan.stops().map(ToString::to_string).collect();
    let message = format!("{} would stop {}, and nobody is here to ask.", plan.title(), stops.join(", "));
    Failure::new(FindingId::NeedsConfirmation, message).or(shell.again("--yes")).or(dry_run(shell))
}

fn needs_name(shell: &Shell<'_>, plan: &Plan, names: &[String], because: &[String]) -> Failure {
    let message = format!("{} may lose work: {}", plan.title(), because.join(" "));
    let name = names.first().map_or("NAME", String::as_str);
    Failure::new(FindingId::NeedsConfirmation, message).or(with_name(shell, name)).or(dry_run(shell))
}

fn with_name(shell: &Shell<'_>, name: &str) -> String {
    shell.again(&format!("--confirm {}", quoted(name)))
}

fn dry_run(shell: &Shell<'_>) -> String {
    format!("`{}` shows the plan.", shell.again("--dry-run"))
}

#[cfg(test)]
#[path = "confirm_tests.rs"]
mod tests;
