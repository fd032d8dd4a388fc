//! A simulated host with a configuration that reaches it, and questions to it from the command line.

use crate::{
    runner::end_runner,
    served::{PATIENCE, Served, serve},
};
use morpheus::{
    ops::Clock,
    sim::{Scenario, World, config_yaml},
};
use serde_json::Value;
use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
    sync::mpsc,
    time::Duration,
};

/// Gives guests all the time to shut down that a test needs.
pub(crate) const PATIENT: &str = "switch: { shutdown_timeout: 3600 }\n";

/// A simulated host; it ends with this value.
pub(crate) struct Host {
    served: Served,
    home: PathBuf,
}

impl Host {
    /// Starts one whose guests are this many times faster than real ones. Its configuration is `home`'s.
    pub(crate) fn start(home: &Path, speed: f64) -> Self {
        Self::with(home, Scenario::default(), speed)
    }

    /// Starts one with this scenario.
    pub(crate) fn with(home: &Path, mut scenario: Scenario, speed: f64) -> Self {
        scenario.speed = Some(speed);
        let mut world = World::demo().unwrap();
        world.epoch = Clock::System.now().0;
        let served = serve(world, scenario);
        let path = home.join("config.yaml");
        fs::write(&path, config_yaml(&served.sim, served.addr, &served.fingerprint)).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        Self { served, home: home.to_owned() }
    }

    /// A code of a user's authenticator.
    pub(crate) fn code(&self, user: &str) -> String {
        self.served.sim.code(user).unwrap()
    }

    /// Makes tasks of this kind wait for [`Self::release`]: an operation stays where it is, however slow the machine is.
    pub(crate) fn hold(&self, kind: &str) {
        self.served.sim.hold(kind);
    }

    /// Lets an operation go on.
    pub(crate) fn release(&self) {
        self.served.sim.release();
    }

    /// Requests so far that change something.
    pub(crate) fn writes(&self) -> u64 {
        self.served.sim.counts().writes
    }

    /// Adds lines to the configuration; [`PATIENT`] where a shutdown is held.
    pub(crate) fn configure(&self, lines: &str) {
        let path = self.home.join("config.yaml");
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text + lines).unwrap();
    }

    /// The modes as `mode list --json` prints them, by name: status, and whether it is the current one.
    pub(crate) fn modes(&self) -> Vec<(String, String, bool)> {
        let output = morpheus(&self.home).args(["mode", "list", "--json"]).output().unwrap();
        let list: Value = serde_json::from_slice(&output.stdout).unwrap();
        let word = |mode: &Value, key: &str| mode[key].as_str().unwrap().to_owned();
        let modes = list["modes"].as_array().unwrap().iter();
        modes.map(|mode| (word(mode, "name"), word(mode, "status"), mode["current"].as_bool().unwrap())).collect()
    }

    /// A command line for this host.
    pub(crate) fn command(&self, line: &str) -> Command {
        let mut command = morpheus(&self.home);
        command.args(line.split_whitespace());
        command
    }

    /// Requests so far.
    pub(crate) fn asked(&self) -> u64 {
        self.served.sim.counts().total()
    }

    /// Waits until it was asked more than so many requests.
    pub(crate) fn is_asked_more_than(&self, before: u64) {
        let (_keep, nothing) = mpsc::channel::<()>();
        let pause = Duration::from_millis(20);
        let asked = (0..PATIENCE.as_millis() / pause.as_millis())
            .any(|_| self.asked() > before || nothing.recv_timeout(pause).is_ok());
        assert!(asked, "the host isn't asked");
    }

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
    }
}

fn morpheus(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_morpheus"));
    command.env_clear().env("HOME", home).env("MORPHEUS_STATE_DIR", home.join("ops")).current_dir(home);
    command
}
