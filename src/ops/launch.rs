//! Starting a runner that outlives whoever started it.

use super::Error;
use crate::domain::{facts::Trouble, ids::OpId};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use std::{ffi::OsString, io, path::PathBuf, process::Stdio, time::Duration};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    process::{Child, Command},
    time::timeout,
};

/// How long a runner may take until it has begun. Usually that is some milliseconds.
const DEADLINE: Duration = Duration::from_secs(30);

/// How to start a runner.
#[derive(Clone, Debug)]
pub struct Launch {
    /// This program.
    pub exe: PathBuf,
    /// Arguments before `op run ID`: the same global flags as ours, so that it finds the same configuration.
    pub args: Vec<OsString>,
    /// Environment to add, such as the state directory.
    pub env: Vec<(String, OsString)>,
    /// A password that a person typed; given over a pipe, never on a command line.
    pub password: Option<SecretString>,
}

/// The one line that a runner writes on its standard output, for whoever started it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(tag = "runner", rename_all = "snake_case")]
pub enum Report {
    /// It has a session of its own, the operation's lock, and a line in its journal: it goes on whatever becomes of who
    /// started it.
    Begun,
    /// It ends without having begun.
    Refused {
        /// Why.
        trouble: Trouble,
    },
}

impl Report {
    /// Writes it as the line that it is.
    ///
    /// # Errors
    /// Nobody reads it any more.
    pub fn write(&self, out: &mut dyn io::Write) -> io::Result<()> {
        writeln!(out, "{}", serde_json::to_string(self)?)?;
        out.flush()
    }
}

/// Starts `morpheus op run ID` and waits until it has begun. The runner makes itself the leader of a session of its own,
/// so that neither a closed terminal nor an interrupt from its keyboard reaches it; until it has done that, whoever leads
/// the present session must not end, for the kernel then hangs up on all in front of the terminal.
///
/// # Errors
/// The program can't be started, it refuses, or it doesn't begin in time.
pub(super) async fn launch(id: &OpId, how: &Launch) -> Result<(), Error> {
    let input = if how.password.is_some() { Stdio::piped() } else { Stdio::null() };
    let child = Command::new(&how.exe)
        .args(&how.args)
        .args(["op", "run", id.as_str()])
        .args(how.password.is_some().then_some("--password-stdin"))
        .envs(how.env.iter().map(|(key, value)| (key, value)))
        .stdin(input)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(false)
        .spawn();
    let mut child = child.map_err(|why| failed(&why))?;
    if let Ok(report) = timeout(DEADLINE, begun(&mut child, how)).await {
        return report;
    }
    // It must not begin after it was said that it doesn't.
    let killed = child.kill().await.err().map(|why| format!(", and it can't be ended: {why}"));
    Err(failed(&format!("it didn't begin within {} s{}", DEADLINE.as_secs(), killed.unwrap_or_default())))
}

fn failed(why: &dyn ToString) -> Error {
    Error::Launch(why.to_string())
}

async fn begun(child: &mut Child, how: &Launch) -> Result<(), Error> {
    if let (Some(password), Some(mut pipe)) = (&how.password, child.stdin.take()) {
        let line = format!("{}\n", password.expose_secret());
        pipe.write_all(line.as_bytes()).await.map_err(|why| failed(&why))?;
    }
    let mut line = String::new();
    if let Some(out) = child.stdout.take() {
        BufReader::new(out).read_line(&mut line).await.map_err(|why| failed(&why))?;
    }
    match serde_json::from_str(&line) {
        Ok(Report::Begun) => Ok(()),
        Ok(Report::Refused { trouble }) => Err(Error::Refused(trouble)),
        Err(_) => {
            let status = child.wait().await.map_err(|why| failed(&why))?;
            Err(failed(&format!("it ended before it began ({status})")))
        }
    }
}
