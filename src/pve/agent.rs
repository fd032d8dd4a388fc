//! `/nodes/{node}/qemu/{vmid}/agent`: questions to a guest through its QEMU guest agent.
//!
//! A dead agent costs at least 3 s a call, and only one client at a time is served: ask seldom and never twice.

use super::{
    client::{Client, vm},
    error::Error,
    wire::{Object, list},
};
use crate::domain::{
    address::Interface,
    guest::AgentState,
    ids::{NodeName, Vmid},
    text,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;

/// The largest file that is written at once, bytes: as base64 the 61440 characters that Proxmox takes.
pub const LARGEST_FILE: usize = 46_080;

/// A program that was started in a guest.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ExecStatus {
    /// Not done yet.
    Running,
    /// Done. The agent hands this out once; who asks again is told that there is no such process.
    Ended {
        /// Exit code, none if a signal ended it.
        code: Option<i64>,
        /// What it printed.
        out: String,
        /// What it complained of.
        err: String,
        /// The agent cut the output.
        truncated: bool,
    },
}

/// What an error says about the agent; [`AgentState::Unknown`] if nothing.
#[must_use]
pub fn agent_state(error: &Error) -> AgentState {
    match error {
        Error::Forbidden { .. } => AgentState::Forbidden,
        Error::Refused(words) if words.contains("No QEMU guest agent configured") => AgentState::NotConfigured,
        Error::Refused(words) if words.contains("guest agent is not running") => AgentState::NotRunning,
        Error::Refused(words) if words.contains("qga command") && words.contains("got timeout") => {
            AgentState::NotRunning
        }
        Error::Refused(words) if words.starts_with("VM ") && words.contains("not running") => AgentState::GuestOff,
        _ => AgentState::Unknown,
    }
}

/// The guest's words if its agent answered that it refuses this command: switched off by `block-rpcs` or `allow-rpcs`,
/// or not known to it. The same under HTTP 500 and 200, in the words of old and new agents (QEMU
/// `qapi/qmp-dispatch.c`). While file systems are frozen for a backup nearly all commands are off for a moment: no
/// refusal.
#[must_use]
pub fn refusal(error: &Error) -> Option<&str> {
    let Error::Refused(words) = error else { return None };
    refused(words)
}

/// The same of an error's words.
pub(super) fn refused(words: &str) -> Option<&str> {
    let says = |part: &str| words.contains(part);
    let of_agent = says("ommand guest-") && (says("has been disabled") || says("has not been found"));
    let passing = says("frozen") || says("fsfreeze");
    (of_agent && !passing).then(|| words.strip_prefix("Agent error: ").unwrap_or(words))
}

impl Client {
    /// Whether the agent answers.
    ///
    /// # Errors
    /// It doesn't ([`agent_state`] says why), or see [`Error`].
    pub async fn agent_ping(&self, node: &NodeName, vmid: Vmid) -> Result<(), Error> {
        result(&self.ask(vm(node, vmid, "agent/ping"), &[]).await?).map(|_| ())
    }

    /// The guest's network interfaces.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn agent_interfaces(&self, node: &NodeName, vmid: Vmid) -> Result<Vec<Interface>, Error> {
        let data = self.get_once(vm(node, vmid, "agent/network-get-interfaces"), &[]).await?;
        let read = |entry| {
            let entry = Object::new(entry, "interfaces")?;
            let addresses = entry.get("ip-addresses").and_then(Value::as_array).into_iter().flatten();
            let address = |addr| Object::new(addr, "address").ok()?.text("ip-address")?.parse().ok();
            Ok(Interface {
                name: entry.text("name").unwrap_or_default(),
                mac: entry.word("hardware-address"),
                addresses: addresses.filter_map(address).collect(),
            })
        };
        list(result(&data)?, "interfaces")?.iter().map(read).collect()
    }

    /// The guest's operating system in its own words.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn agent_osinfo(&self, node: &NodeName, vmid: Vmid) -> Result<String, Error> {
        let data = self.get_once(vm(node, vmid, "agent/get-osinfo"), &[]).await?;
        let info = Object::new(result(&data)?, "OS")?;
        let name = info.word("pretty-name").or_else(|| info.word("name")).or_else(|| info.word("id"));
        name.ok_or_else(|| Error::Protocol("the guest doesn't name its system".to_owned()))
    }

    /// People logged in to the guest, each once.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn agent_users(&self, node: &NodeName, vmid: Vmid) -> Result<Vec<String>, Error> {
        let data = self.get_once(vm(node, vmid, "agent/get-users"), &[]).await?;
        let mut users = Vec::new();
        for entry in list(result(&data)?, "users")? {
            users.extend(Object::new(entry, "users")?.word("user"));
        }
        users.sort();
        users.dedup();
        Ok(users)
    }

    /// Starts a program in the guest and returns its process id. No shell: use `/bin/sh -c` (a program that doesn't
    /// exist is answered with a cut connection after 5 s).
    ///
    /// # Errors
    /// An argument isn't ASCII (above U+00FF it would kill the agent's channel until the guest restarts), or see [`Error`].
    pub async fn agent_exec(
        &self,
        node: &NodeName,
        vmid: Vmid,
        command: &[String],
        input: Option<&str>,
    ) -> Result<u64, Error> {
        if !command.iter().map(String::as_str).chain(input).all(str::is_ascii) {
            return Err(Error::Refused("a command for a guest may only hold ASCII".to_owned()));
        }
        let mut params: Vec<_> = command.iter().map(|arg| ("command", arg.clone())).collect();
        params.extend(input.map(|input| ("input-data", input.to_owned())));
        let data = self.post(vm(node, vmid, "agent/exec"), &params).await?;
        let pid = Object::new(&data, "exec")?.uint("pid");
        pid.ok_or_else(|| Error::OutcomeUnknown("exec: no process id in the answer".to_owned()))
    }

    /// How far a program started by [`agent_exec`](Self::agent_exec) is. Its end is told once.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn agent_exec_status(&self, node: &NodeName, vmid: Vmid, pid: u64) -> Result<ExecStatus, Error> {
        let data = self.get_once(vm(node, vmid, "agent/exec-status"), &[("pid", pid.to_string())]).await?;
        let status = Object::new(&data, "exec status")?;
        if status.flag("exited") != Some(true) {
            return Ok(ExecStatus::Running);
        }
        let stream = |key| repaired(&status.text(key).unwrap_or_default());
        let cut = |key| status.flag(key) == Some(true);
        Ok(ExecStatus::Ended {
            code: status.int("exitcode"),
            out: stream("out-data"),
            err: stream("err-data"),
            truncated: cut("out-truncated") || cut("err-truncated"),
        })
    }
}

impl Client {
    /// Writes a file of a guest whole; its directory has to be there. Needs VM.GuestAgent.FileWrite or Unrestricted.
    ///
    /// # Errors
    /// The file is larger than [`LARGEST_FILE`], its name isn't ASCII, or see [`Error`].
    pub async fn agent_write(&self, node: &NodeName, vmid: Vmid, path: &str, bytes: &[u8]) -> Result<(), Error> {
        if bytes.len() > LARGEST_FILE || !path.is_ascii() {
            let why = format!("a file for a guest has at most {LARGEST_FILE} bytes and a name in ASCII");
            return Err(Error::Refused(format!("{}: {why}", text::safe(path))));
        }
        // Plain text would be written as Latin-1, or not at all.
        let params = [("file", path.to_owned()), ("content", STANDARD.encode(bytes)), ("encode", "0".to_owned())];
        self.post(vm(node, vmid, "agent/file-write"), &params).await.map(drop)
    }

    /// Reads a file of a guest as text; none where it isn't there. Needs VM.GuestAgent.FileRead or Unrestricted.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn agent_read(&self, node: &NodeName, vmid: Vmid, path: &str) -> Result<Option<String>, Error> {
        match self.get_once(vm(node, vmid, "agent/file-read"), &[("file", path.to_owned())]).await {
            Ok(data) => Ok(Some(repaired(&Object::new(&data, "file")?.text("content").unwrap_or_default()))),
            Err(Error::Refused(words)) if is_missing(&words) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// What the agent says of a file that isn't there (qemu `qga/commands-posix.c`, `commands-win32.c`): the second in the
/// language of the guest, but for the code before it.
fn is_missing(words: &str) -> bool {
    words.starts_with("Agent error:") && (words.contains("No such file") || words.contains("failed to open file"))
}

/// The `result` inside of most answers; a guest's own error arrives there too, under HTTP 200 (qemu-server
/// `API2/Qemu/Agent.pm:228`).
fn result(data: &Value) -> Result<&Value, Error> {
    let result = data.get("result").ok_or_else(|| Error::Protocol("the agent's answer holds no result".to_owned()))?;
    match result.get("error").and_then(|error| error.get("desc")).and_then(Value::as_str) {
        Some(words) => Err(Error::Refused(format!("Agent error: {}", text::safe(words)))),
        None => Ok(result),
    }
}

/// Output whose bytes arrived as one character each, put together again as UTF-8.
fn repaired(text: &str) -> String {
    let bytes: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
    bytes.map_or_else(|| text.to_owned(), |bytes| String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_that_arrived_byte_by_byte_is_put_together() {
        assert_eq!(repaired("hello w\u{c3}\u{b6}rld\n"), "hello wörld\n");
        assert_eq!(repaired("a\u{ff}b"), "a\u{fffd}b");
        assert_eq!(repaired("already €"), "already €");
    }
}
