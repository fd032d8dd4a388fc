//! `op run`: the body of the detached runner. It outlives the terminal and the process that started it.

use super::{
    failure::Failure,
    session::{self, Session},
    shell::Shell,
};
use crate::{
    config::{Config, Source},
    domain::{
        facts::Trouble,
        finding::FindingId,
        ids::OpId,
        journal::{Line, Told},
        plant,
        switch::state::State,
    },
    ops::{self, Report, Store, plant::Local},
};
use secrecy::SecretString;
use std::{
    io,
    path::PathBuf,
    sync::atomic::{AtomicBool, Ordering},
};
use tokio::signal::unix::{SignalKind, signal};

/// Carries an operation out. Its outcome is in the journal; the exit code repeats it.
pub(crate) fn run(shell: &mut Shell<'_>, store: &Store, id: &OpId, password_stdin: bool) -> Result<(), Failure> {
    // A session of its own, so that neither Ctrl-C nor a closed terminal reaches it. Fails if it has one already.
    let _ = rustix::process::setsid();
    let ended = session::block_on(work(shell, store, id, password_stdin));
    if let Some(trouble) = ended.as_ref().err().and_then(Failure::trouble) {
        // Whoever started this runner waits for its word if it hasn't begun; else nobody reads any more.
        let _ = Report::Refused { trouble }.write(shell.out);
    }
    ended
}

async fn work(shell: &mut Shell<'_>, store: &Store, id: &OpId, password_stdin: bool) -> Result<(), Failure> {
    let mut hangup = signal(SignalKind::hangup())?;
    let password = if password_stdin { Some(read_password()?) } else { None };
    let session = Session::with_password(shell, password)?;
    let local = Local { config: config_path(shell, &session.config), state: store.dir().to_owned() };
    let has_begun = AtomicBool::new(false);
    let begun = || {
        has_begun.store(true, Ordering::Relaxed);
        let _ = Report::Begun.write(&mut io::stdout().lock());
    };
    let work = async {
        if id.is_plant() {
            ops::plant::carry_out(store, id, &session.host, &local, &begun).await.map(drop)
        } else {
            ops::operate(store, id, &session.host, &begun).await.map(drop)
        }
    };
    tokio::pin!(work);
    loop {
        tokio::select! {
            outcome = &mut work => { outcome?; break }
            _ = hangup.recv() => {}
        }
    }
    if has_begun.load(Ordering::Relaxed) { Ok(()) } else { Err(why_not(store, id)) }
}

/// Why an operation ended, or had ended, before this runner could begin.
fn why_not(store: &Store, id: &OpId) -> Failure {
    let (trouble, ended) =
        if id.is_plant() { why::<plant::State>(store.read_plant(id)) } else { why::<State>(store.read(id)) };
    let message = format!("{id} has ended already: {}.", ended.unwrap_or("nobody knows how"));
    trouble.map_or_else(|| Failure::new(FindingId::OpEnded, message), Failure::from)
}

fn why<S: Told>(lines: Result<Vec<Line<S::What>>, ops::Error>) -> (Option<Trouble>, Option<&'static str>) {
    let state = lines.ok().and_then(|lines| S::fold(&lines));
    state.map_or((None, None), |state| (state.trouble().cloned(), state.ended()))
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
