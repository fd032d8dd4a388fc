//! Telling a guest to leave its forest, or to join it again.

use super::{ask::system, linux, windows};
use crate::{
    domain::{
        drain::Drain,
        guest::GuestConfig,
        ids::{NodeName, Vmid},
        mode::{Mode, Os},
        probe::encode_powershell,
    },
    pve::{Client, Error, ExecStatus},
};
use std::time::Duration;
use tokio::time::{Instant, sleep};

const LINUX: &str = include_str!("../../assets/guest/drain.sh");
const WINDOWS: &str = include_str!("../../assets/guest/drain.ps1");
/// Between two looks whether a guest is through.
const PAUSE: Duration = Duration::from_millis(500);

/// The command for a guest. It runs until the services are gone, or until its seconds are over.
#[must_use]
pub fn command(os: Os, drain: &Drain) -> Vec<String> {
    let words = |quote: fn(&str) -> String, between| {
        drain.names.iter().map(|name| quote(name)).collect::<Vec<_>>().join(between)
    };
    let script = match (os, drain.leave) {
        (Os::Linux, leave) => {
            let call = if leave { format!("leave {}", words(linux::quote, " ")) } else { "join".to_owned() };
            let seconds = drain.seconds;
            // The place of the note can be moved for tests.
            let places =
                format!("mark=${{MORPHEUS_DRAINED:-/run/morpheus-drained}}\nends=$(($(date +%s) + {seconds}))");
            format!("{}\n{LINUX}{places}\n{call}\n", drain.header())
        }
        (Os::Windows, true) => {
            format!("{}\n{WINDOWS}Leave {} @({})\n", drain.header(), drain.seconds, words(windows::quote, ", "))
        }
        (Os::Windows, false) => format!("{}\n{WINDOWS}Join\n", drain.header()),
    };
    match os {
        Os::Linux => vec!["/bin/sh".to_owned(), "-c".to_owned(), script],
        Os::Windows => {
            ["powershell.exe", "-NoProfile", "-NonInteractive", "-EncodedCommand", &encode_powershell(&script)]
                .map(str::to_owned)
                .to_vec()
        }
    }
}

/// Tells a guest to leave or join, and doesn't wait for it. Nothing is sent to a guest without a forest.
///
/// # Errors
/// It couldn't be told, or nobody knows.
pub async fn tell(
    client: &Client,
    node: &NodeName,
    mode: &Mode,
    config: Option<&GuestConfig>,
    leave: bool,
    seconds: u64,
) -> Result<Option<u64>, Error> {
    let os = mode.os.unwrap_or_else(|| config.map_or(Os::Linux, system));
    let Some(drain) = Drain::of(mode, os, leave, seconds) else { return Ok(None) };
    client.agent_exec(node, mode.vmid, &command(os, &drain), None).await.map(Some)
}

/// Waits until a guest is through with what it was told; whether it managed.
///
/// # Errors
/// Its agent can't be asked.
pub async fn finished(client: &Client, node: &NodeName, vmid: Vmid, pid: u64, seconds: u64) -> Result<bool, Error> {
    let until = Instant::now() + Duration::from_secs(seconds.saturating_add(10));
    loop {
        match client.agent_exec_status(node, vmid, pid).await? {
            ExecStatus::Ended { code, .. } => return Ok(code == Some(0)),
            ExecStatus::Running if Instant::now() >= until => return Ok(false),
            ExecStatus::Running => sleep(PAUSE).await,
        }
    }
}

#[cfg(test)]
#[path = "drain_tests.rs"]
mod tests;
