//! As `ssh -t host 'morpheus ...'` has it: the program leads its terminal's session. With its end the kernel hangs up on
//! everything in front of the terminal, and then the terminal goes away; what the program started goes on.

use crate::{
    host::{Host, PATIENT},
    runner::{self, kill},
    served::PATIENCE,
    terminal::{Start, Terminal},
};
use morpheus::{ops::Store, sim::Scenario};
use serde_json::Value;
use std::{fs, path::Path, sync::mpsc, time::Duration};

/// A runner that dies with its starter does so in an instant, but not each time.
const ROUNDS: usize = 4;
const KEY: &str =
    "linux.ssh_keys=ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl me@home";

/// Runs a command line as the leader of a terminal's session, and has the terminal go away when it ends.
fn lead(home: &Path, line: &[&str]) {
    let command: Vec<&str> = [env!("CARGO_BIN_EXE_morpheus")].iter().chain(line).copied().collect();
    let env = &[("TERM", "xterm-256color"), ("USER", "player")];
    let start = Start { command: &command, env, home, size: (80, 24), deaf: true };
    let mut terminal = Terminal::start(&start);
    assert_eq!(terminal.ends(), 0, "{line:?}");
    terminal.vanish();
}

/// The lines of the one journal.
fn journal(home: &Path) -> Vec<Value> {
    let mut files = fs::read_dir(home.join("ops")).unwrap().map(|entry| entry.unwrap().path());
    let path = files.find(|path| path.extension().is_some_and(|ending| ending == "jsonl"));
    path.map(|path| runner::lines(&path)).unwrap_or_default()
}

fn wait_until(there: impl Fn() -> bool) {
    let (_keep, nothing) = mpsc::channel::<()>();
    let pause = Duration::from_millis(100);
    let tries = PATIENCE.as_millis() / pause.as_millis();
    assert!((0..tries).any(|_| there() || nothing.recv_timeout(pause).is_ok()), "it never came");
}

/// Waits for an end; the journal goes on when what ended is undone.
fn ends(home: &Path, end: &str) {
    wait_until(|| journal(home).last().is_some_and(|line| line["event"] == "finished" && line["end"] == end));
}

#[test]
fn a_switch_outlives_the_session_that_it_was_started_in() {
    let home = tempfile::tempdir().unwrap();
    let host = Host::start(home.path(), 200.0);
    for round in 0..ROUNDS {
        let mode = ["windowsvrstreaming", "linuxvrstreaming"][round % 2];
        lead(home.path(), &["mode", "switch", mode, "--yes", "--detach"]);
        let said = host.attach();
        assert!(said.contains(&format!("Now in {mode} mode")), "round {round}: {said}");
    }
}

#[test]
fn a_runner_that_goes_on_with_a_switch_outlives_the_session_too() {
    let home = tempfile::tempdir().unwrap();
    let host = Host::start(home.path(), 200.0);
    host.configure(PATIENT);
    host.hold("qmshutdown");
    lead(home.path(), &["mode", "switch", "windowsvrstreaming", "--yes", "--detach"]);
    for way in [&["op", "resume", "--detach"][..], &["op", "undo", "--yes", "--detach"]] {
        let store = Store::open(home.path().join("ops"));
        wait_until(|| host.writes() > 0);
        kill(runner::runner(&journal(home.path())).unwrap());
        wait_until(|| store.running().is_empty());
        lead(home.path(), way);
        assert_eq!(store.running().len(), 1, "{way:?}: it works when the command has ended");
    }
    host.release();
    assert!(host.attach().contains("Cancelled: linuxvrstreaming"));
}

#[test]
fn a_planting_and_its_undo_outlive_the_session_that_they_were_started_in() {
    let home = tempfile::tempdir().unwrap();
    let host = Host::with(home.path(), Scenario::named("bare").unwrap(), 200.0);
    lead(home.path(), &["plant", "nimsforest", "vr", "--linux-only", "--yes", "--detach", "--set", KEY]);
    ends(home.path(), "done");
    assert_eq!(host.modes().len(), 1);
    lead(home.path(), &["plant", "undo", "--confirm", "vr-linux", "--detach"]);
    ends(home.path(), "undone");
}
