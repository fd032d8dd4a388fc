//! Where answers come from: a file, flags, what the wizard kept; what is left are the usual ones.

use crate::{
    cli::{args::AnswerFlags, failure::Failure, shell::Shell},
    config::answers::{self, BadAnswers},
    domain::{
        finding::FindingId,
        plant::{Form, Key},
        text,
    },
    ops,
};
use std::path::PathBuf;

/// What a person said, without what is usual; and the file that it was read from.
pub(super) fn said(shell: &Shell<'_>, flags: &AnswerFlags) -> Result<(Form, Option<PathBuf>), Failure> {
    let is_root = rustix::process::geteuid().is_root();
    let kept = ops::answers_file(&shell.env.vars, shell.env.home.as_deref(), is_root);
    let file = match &flags.answers {
        Some(path) => Some(shell.env.cwd.join(path)),
        None => Some(kept).filter(|path| path.exists()),
    };
    let mut form = match &file {
        Some(path) => answers::read(path)?,
        None => Form::default(),
    };
    for said in &flags.set {
        let (key, text) = one(said)?;
        form.set(key, text);
    }
    if flags.linux_only || flags.with_windows {
        form.set(Key::WindowsWanted, if flags.with_windows { "yes" } else { "no" });
    }
    Ok((form, file))
}

fn one(said: &str) -> Result<(Key, &str), Failure> {
    let usage = |message: String| Failure::new(FindingId::UsageBad, message);
    let (name, value) =
        said.split_once('=').ok_or_else(|| usage(format!("--set takes KEY=VALUE, not '{}'.", text::safe(said))))?;
    let near = || text::nearest(name, Key::ALL.iter().map(|key| key.as_str()));
    let unknown = || {
        let failure = usage(format!("There is no question '{}'.", text::safe(name)));
        near().into_iter().fold(failure, |failure, near| failure.or(format!("Did you mean {near}?")))
    };
    Ok((name.trim().parse::<Key>().map_err(|()| unknown())?, value))
}

impl From<BadAnswers> for Failure {
    fn from(bad: BadAnswers) -> Self {
        Self::new(FindingId::UsageBad, bad.to_string())
    }
}
