//! A simulated host in a process of its own, and questions to it from the command line.

use crate::runner::end_runner;
use serde_json::Value;
use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

/// A simulated host; it ends with this value.
pub(crate) struct Host {
    child: Child,
    home: PathBuf,
}

impl Host {
    /// Starts one whose guests are this many times faster than real ones. Its configuration is `home`'s.
    pub(crate) fn start(home: &Path, speed: &str) -> Self {
        Self::with(home, &["--speed", speed])
    }

    /// Starts one with these flags.
    pub(crate) fn with(home: &Path, flags: &[&str]) -> Self {
        let mut child = morpheus(home)
            .args(["sim", "--listen", "127.0.0.1:0", "--write-config", "config.yaml"])
            .args(flags)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap().contains("Ctrl-C")), "the simulated host doesn't start");
        Self { child, home: home.to_owned() }
    }

    /// The modes as `mode list --json` prints them, by name: status, and whether it is the current one.
    pub(crate) fn modes(&self) -> Vec<(String, String, bool)> {
        let output = morpheus(&self.home).args(["mode", "list", "--json"]).output().unwrap();
        let list: Value = serde_json::from_slice(&output.stdout).unwrap();
        let word = |mode: &Value, key: &str| mode[key].as_str().unwrap().to_owned();
        let modes = list["modes"].as_array().unwrap().iter();
        modes.map(|mode| (word(mode, "name"), word(mode, "status"), mode["current"].as_bool().unwrap())).collect()
    }
}

impl Host {
    /// Makes a mode the current one from the command line, with these flags.
    pub(crate) fn switch(&self, mode: &str, flags: &[&str]) {
        let output = morpheus(&self.home).args(["mode", "switch", mode, "--yes"]).args(flags).output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }

    /// Follows the operation that runs, or else the last one, to its end, and says what was printed.
    pub(crate) fn attach(&self) -> String {
        let output = morpheus(&self.home).args(["op", "attach"]).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        end_runner(&self.home.join("ops"));
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn morpheus(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_morpheus"));
    command.env_clear().env("HOME", home).env("MORPHEUS_STATE_DIR", home.join("ops")).current_dir(home);
    command
}
