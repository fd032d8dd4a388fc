//! A simulated host on the loopback interface, and the real binary pointed at it.

use crate::{
    runner::{end_runner, kill},
    served::{PATIENCE, Served, serve},
};
use morpheus::sim::{Counts, Scenario, Sim, World, config_yaml};
use serde_json::Value;
use std::{
    io::Read as _,
    net::SocketAddr,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};
use tempfile::TempDir;

/// A host, a configuration that reaches it, and a home.
pub(crate) struct Rig {
    pub(crate) sim: Arc<Sim>,
    pub(crate) addr: SocketAddr,
    pub(crate) home: TempDir,
    _served: Served,
}

/// What a command said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Rig {
    /// The demo's world, fast.
    pub(crate) fn new() -> Self {
        Self::with("{}")
    }

    /// The demo's world with this scenario, fast unless it says otherwise.
    pub(crate) fn with(scenario: &str) -> Self {
        let mut scenario = Scenario::from_yaml(scenario).unwrap();
        scenario.speed.get_or_insert(50.0);
        let served = serve(World::demo().unwrap(), scenario);
        let home = tempfile::tempdir().unwrap();
        let yaml = config_yaml(&served.sim, served.addr, &served.fingerprint);
        let rig = Self { sim: served.sim.clone(), addr: served.addr, home, _served: served };
        rig.write_config(&yaml);
        rig
    }

    /// Changes the configuration.
    pub(crate) fn edit_config(&self, change: impl FnOnce(String) -> String) {
        let yaml = std::fs::read_to_string(self.config()).unwrap();
        self.write_config(&change(yaml));
    }

    /// Has the configuration name another port of this machine for the host.
    pub(crate) fn reach_by(&self, addr: SocketAddr) {
        let port = |addr: SocketAddr| format!("port: {}\n", addr.port());
        self.edit_config(|yaml| yaml.replace(&port(self.addr), &port(addr)));
    }

    fn write_config(&self, yaml: &str) {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::write(self.config(), yaml).unwrap();
        std::fs::set_permissions(self.config(), std::fs::Permissions::from_mode(0o600)).unwrap();
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.home.path().join("config.yaml")
    }

    /// Runs a command line, words separated by blanks.
    pub(crate) fn run(&self, line: &str) -> Said {
        finish(self.start(line))
    }

    /// Starts a command line.
    pub(crate) fn start(&self, line: &str) -> Child {
        self.command("ops", line).spawn().unwrap()
    }

    /// A command line with this directory of journals.
    pub(crate) fn command(&self, ops: &str, line: &str) -> Command {
        let mut command = bare(line);
        command
            .current_dir(self.home.path())
            .env("HOME", self.home.path())
            .env("MORPHEUS_STATE_DIR", self.home.path().join(ops))
            .env("MORPHEUS_CONFIG_PATH", self.config());
        command
    }

    /// Runs a command line that must end well, and returns what it said.
    pub(crate) fn ok(&self, line: &str) -> String {
        let said = self.run(line);
        assert_eq!(said.code, Some(0), "{line}: {said:?}");
        said.out
    }

    /// The one JSON document that a command line prints.
    pub(crate) fn json(&self, line: &str) -> Value {
        serde_json::from_str(&self.ok(line)).unwrap()
    }

    /// Makes tasks of this kind wait until the host releases them, and guests have all the time for it.
    pub(crate) fn hold(&self, kind: &str) {
        self.edit_config(|yaml| format!("{yaml}switch: {{ shutdown_timeout: 3600 }}\n"));
        self.sim.hold(kind);
    }

    /// Requests so far.
    pub(crate) fn counts(&self) -> Counts {
        self.sim.counts()
    }

    /// Guests that run now, of the four modes' guests.
    pub(crate) fn running(&self) -> Vec<u32> {
        [101, 102, 103, 104].into_iter().filter(|vmid| self.sim.is_on(*vmid)).collect()
    }

    /// Waits until the host is as described; false if it doesn't get there.
    pub(crate) fn wait_until(&self, mut there: impl FnMut(&Self) -> bool) -> bool {
        let pauses = PATIENCE.as_millis() / PAUSE.as_millis();
        (0..pauses).any(|_| there(self) || pause())
    }

    /// Text without what differs from run to run.
    pub(crate) fn plain(&self, text: &str) -> String {
        text.replace(&self.addr.to_string(), "HOST:PORT").replace(&self.home.path().display().to_string(), "HOME")
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        end_runner(&self.home.path().join("ops"));
    }
}

/// A command line with nothing of this process's surroundings.
pub(crate) fn bare(line: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_morpheus"));
    command.args(line.split_whitespace()).env_clear().env("TZ", "UTC").env("HOME", "/nonexistent");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Waits for a command's end, within bounds.
pub(crate) fn finish(mut child: Child) -> Said {
    let (mut stdout, mut stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let pid = child.id();
    let (done, ended) = mpsc::channel();
    thread::spawn(move || {
        let err = thread::spawn(move || {
            let mut text = String::new();
            stderr.read_to_string(&mut text).map(|_| text)
        });
        let mut out = String::new();
        stdout.read_to_string(&mut out).unwrap();
        let err = err.join().unwrap().unwrap();
        let _ = done.send(Said { code: child.wait().unwrap().code(), out, err });
    });
    ended.recv_timeout(PATIENCE).unwrap_or_else(|_| {
        kill(pid);
        panic!("a command didn't end within {PATIENCE:?}")
    })
}

/// Between two looks at what changes without telling.
pub(crate) const PAUSE: Duration = Duration::from_millis(50);

/// A short pause; always false, so that it reads well in conditions.
pub(crate) fn pause() -> bool {
    let (keep, nothing) = mpsc::channel::<()>();
    let _ = nothing.recv_timeout(PAUSE);
    drop(keep);
    false
}

/// Compares with a snapshot of this name.
pub(crate) fn snapshot(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.add_filter(r"\d{8}-\d{6}-[0-9a-f]{4}", "OPERATION");
    settings.add_filter(r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}", "2026-11-21 20:15:00");
    settings.add_filter(r" \((\d+m )?\d+s\)", "");
    settings.add_filter(r"  Waiting for the GPU to be free\.\.\. ok\n", "");
    settings.add_filter(r"  (\d+m )?\d+s\n", "  8s\n");
    settings.bind(|| insta::assert_snapshot!(name, text));
}

/// The names and types of a JSON value's keys: its shape.
pub(crate) fn shape(value: &Value) -> Value {
    match value {
        Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), shape(value))).collect(),
        Value::Array(all) => Value::Array(all.first().map(shape).into_iter().collect()),
        Value::String(_) => "string".into(),
        Value::Number(_) => "number".into(),
        Value::Bool(_) => "bool".into(),
        Value::Null => "null".into(),
    }
}
