//! Starting a runner that outlives whoever started it.

use super::Error;
use crate::domain::ids::OpId;
use secrecy::{ExposeSecret, SecretString};
use std::{ffi::OsString, path::PathBuf, process::Stdio};
use tokio::{io::AsyncWriteExt, process::Command};

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

/// Starts `morpheus op run ID`. The runner makes itself the leader of a session of its own, so that neither a closed
/// terminal nor an interrupt from its keyboard reaches it; it has no terminal to write on.
///
/// # Errors
/// The program can't be started.
pub async fn launch(id: &OpId, how: &Launch) -> Result<(), Error> {
    let input = if how.password.is_some() { Stdio::piped() } else { Stdio::null() };
    let mut child = Command::new(&how.exe)
        .args(&how.args)
        .args(["op", "run", id.as_str()])
        .args(how.password.is_some().then_some("--password-stdin"))
        .envs(how.env.iter().map(|(key, value)| (key, value)))
        .stdin(input)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(false)
        .spawn()
        .map_err(|why| Error::Launch(why.to_string()))?;
    if let (Some(password), Some(mut pipe)) = (&how.password, child.stdin.take()) {
        let line = format!("{}\n", password.expose_secret());
        pipe.write_all(line.as_bytes()).await.map_err(|why| Error::Launch(why.to_string()))?;
    }
    Ok(())
}
