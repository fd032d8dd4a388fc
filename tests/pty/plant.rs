//! A machine for VR is planted by keys, on the simulated host.

use crate::{
    host::Host,
    terminal::{Start, Terminal},
};
use std::path::Path;

/// A key as the guest is to have it.
const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl me@home";

fn open(home: &Path) -> Terminal {
    let start = Start {
        command: &[env!("CARGO_BIN_EXE_morpheus"), "--refresh", "1"],
        env: &[("TERM", "xterm-256color"), ("MORPHEUS_TEST_PANIC", "1"), ("USER", "player")],
        home,
        size: (100, 40),
        deaf: false,
    };
    let terminal = Terminal::start(&start);
    terminal.shows("live");
    terminal
}

#[test]
fn answers_are_checked_and_kept() {
    let home = tempfile::tempdir().unwrap();
    let _host = Host::start(home.path(), "100");
    let mut terminal = open(home.path());
    terminal.type_in("p");
    terminal.shows("all that planting needs");
    terminal.type_in("\x0e");
    terminal.shows("Cards of the host");
    terminal.type_in("\x0e");
    terminal.shows("[Plant: Linux guest]");
    // Nothing on this machine says whose keys may log in: that question has the keys.
    terminal.type_in("ssh-dss");
    terminal.shows("Wrong:");
    terminal.type_in(&format!("\x15{KEY}"));
    terminal.loses("Wrong:");
    terminal.type_in("\x04");
    terminal.shows("1 Modes");
    terminal.type_in("p");
    terminal.shows("[Plant: Linux guest]");
    terminal.shows("me@home");
    terminal.type_in("\x04q");
    assert_eq!(terminal.ends(), 0);
    terminal.assert_given_back();
    let mut terminal = open(home.path());
    terminal.type_in("p");
    terminal.shows("all that planting needs");
    terminal.type_in("\x0e\x0e");
    terminal.shows("me@home");
    terminal.type_in("\x04q");
    assert_eq!(terminal.ends(), 0);
}
