//! `op run`: the body of the detached runner. It outlives the terminal and the process that started it.

use super::{
    failure::Failure,
    session::{self, Session},
    shell::Shell,
};
use crate::{domain::ids::OpId, ops, ops::Store};
use secrecy::SecretString;
use std::io;
use tokio::signal::unix::{SignalKind, signal};

/// Carries an operation out. Its outcome is in the journal; the exit code repeats it.
pub(crate) fn run(shell: &mut Shell<'_>, store: &Store, id: &OpId, password_stdin: bool) -> Result<(), Failure> {
    // A session of its own, so that neither Ctrl-C nor a closed terminal reaches it. Fails if it has one already.
    let _ = rustix::process::setsid();
    session::block_on(async {
        let mut hangup = signal(SignalKind::hangup())?;
        let password = if password_stdin { Some(read_password()?) } else { None };
        let session = Session::with_password(shell, password)?;
        let work = ops::operate(store, id, &session.host);
        tokio::pin!(work);
        loop {
            tokio::select! {
                outcome = &mut work => { outcome?; return Ok(()) }
                _ = hangup.recv() => {}
            }
        }
    })
}

fn read_password() -> io::Result<SecretString> {
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    Ok(SecretString::from(line.trim_end_matches('\n')))
}
