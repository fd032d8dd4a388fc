//! `op run`: the body of the detached runner. It outlives the terminal and the process that started it.

use super::{
    failure::Failure,
    session::{self, Session},
    shell::Shell,
};
use crate::{
    config::{Config, Source},
    domain::ids::OpId,
    ops::{self, Store, plant::Local},
};
use secrecy::SecretString;
use std::{io, path::PathBuf};
use tokio::signal::unix::{SignalKind, signal};

/// Carries an operation out. Its outcome is in the journal; the exit code repeats it.
pub(crate) fn run(shell: &mut Shell<'_>, store: &Store, id: &OpId, password_stdin: bool) -> Result<(), Failure> {
    // A session of its own, so that neither Ctrl-C nor a closed terminal reaches it. Fails if it has one already.
    let _ = rustix::process::setsid();
    session::block_on(async {
        let mut hangup = signal(SignalKind::hangup())?;
        let password = if password_stdin { Some(read_password()?) } else { None };
        let session = Session::with_password(shell, password)?;
        let local = Local { config: config_path(shell, &session.config), state: store.dir().to_owned() };
        let work = async {
            if id.is_plant() {
                ops::plant::carry_out(store, id, &session.host, &local).await.map(drop)
            } else {
                ops::operate(store, id, &session.host).await.map(drop)
            }
        };
        tokio::pin!(work);
        loop {
            tokio::select! {
                outcome = &mut work => { outcome?; return Ok(()) }
                _ = hangup.recv() => {}
            }
        }
    })
}

/// The file that modes are written into: the one that was read, else the usual one.
fn config_path(shell: &Shell<'_>, config: &Config) -> PathBuf {
    match &config.source {
        Source::File { path, .. } => shell.env.cwd.join(path),
        Source::NoFile => shell.env.home.as_deref().unwrap_or(&shell.env.cwd).join(".morpheus/config.yaml"),
    }
}

fn read_password() -> io::Result<SecretString> {
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    Ok(SecretString::from(line.trim_end_matches('\n')))
}
