//! A planting from a terminal that goes away: whoever followed it ends, its runner doesn't.

use crate::{
    host::Host,
    served::PATIENCE,
    terminal::{Start, Terminal},
};
use morpheus::sim::Scenario;
use std::{fs, path::Path, sync::mpsc, time::Duration};

/// What the one journal says.
fn journal(ops: &Path) -> String {
    let mut files = fs::read_dir(ops).unwrap().map(|entry| entry.unwrap().path());
    let path = files.find(|path| path.extension().is_some_and(|ending| ending == "jsonl"));
    path.and_then(|path| fs::read_to_string(path).ok()).unwrap_or_default()
}

fn ends(ops: &Path) -> bool {
    let (_keep, nothing) = mpsc::channel::<()>();
    let pause = Duration::from_millis(500);
    (0..PATIENCE.as_millis() / pause.as_millis())
        .any(|_| journal(ops).contains("\"finished\"") || nothing.recv_timeout(pause).is_ok())
}

#[test]
fn a_planting_goes_on_when_its_terminal_vanishes() {
    let home = tempfile::tempdir().unwrap();
    let host = Host::with(home.path(), Scenario::named("bare").unwrap(), 50.0);
    host.hold("qmcreate");
    let start = Start {
        command: &[
            env!("CARGO_BIN_EXE_morpheus"),
            "plant",
            "nimsforest",
            "vr",
            "--linux-only",
            "--yes",
            "--set",
            "linux.ssh_keys=ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl me@home",
        ],
        env: &[("TERM", "xterm-256color"), ("USER", "player")],
        home: home.path(),
        size: (80, 24),
        deaf: true,
    };
    let mut terminal = Terminal::start(&start);
    terminal.glance("Creating VM 100");
    terminal.vanish();
    terminal.ends();
    let ops = home.path().join("ops");
    assert!(!journal(&ops).contains("\"finished\""), "it still goes on");
    host.release();
    assert!(ends(&ops), "{}", journal(&ops));
    let journal = journal(&ops);
    assert!(journal.contains("\"end\":\"done\"") && journal.matches("runner_started").count() == 1, "{journal}");
    assert_eq!(host.modes().len(), 1);
}
