//! A machine for VR is planted by keys, on the simulated host.

use crate::{
    host::Host,
    terminal::{Start, Terminal},
};
use std::{fs, path::Path};

/// A host without guests that would use its card. New guests are quick, but the prompt of Windows' disc waits for a key
/// as long as a real one does.
const BARE: &str = "
world:
  guests: { 101: null, 102: null, 103: null, 104: null }
  mappings: { gpu0: null }
  planting: { import: 1, download: 1, agent: 2, windows: 5, setup: 5, prompt_for: 100 }
";
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

/// Goes to the page whose frame has this title.
fn next_page(terminal: &mut Terminal, title: &str) {
    terminal.type_in("\x0e");
    terminal.shows(&format!("[Plant: {title}]"));
}

#[test]
fn by_keys_from_a_bare_host_to_two_guests_and_back() {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("bare.yaml"), BARE).unwrap();
    let host = Host::with(home.path(), &["--scenario", "bare.yaml", "--speed", "20"]);
    let mut terminal = open(home.path());
    terminal.shows("p plants");
    terminal.type_in("p");
    terminal.shows("all that planting needs");
    next_page(&mut terminal, "GPU");
    next_page(&mut terminal, "Linux guest");
    terminal.type_in(KEY);
    next_page(&mut terminal, "Windows guest");
    terminal.type_in("y");
    terminal.shows("Edition");
    next_page(&mut terminal, "NATS and NimsForest");
    terminal.type_in("\x0e");
    terminal.shows("[✓ Review]");
    terminal.type_in("f");
    terminal.shows("Files for the guests");
    terminal.type_in("\x1b");
    terminal.loses("Files for the guests");
    terminal.type_in("\r");
    terminal.shows("› [ Cancel ]");
    terminal.type_in("\t");
    terminal.shows("› [ Plant ]");
    terminal.type_in("\r");
    terminal.shows("[Plant: Run]");
    terminal.type_in("\x1b");
    terminal.shows("1 Modes");
    terminal.type_in("o");
    terminal.shows("planting 13/");
    // Keys are pressed at the prompt of Windows' disc for as long as a real one may take to ask.
    terminal.until("what comes after it", |seen| {
        let screen = seen.screen.screen().contents();
        screen.contains("Planted in") || screen.contains("planting 2")
    });
    terminal.shows("Planted in");
    terminal.type_in("\x04q");
    assert_eq!(terminal.ends(), 0);
    terminal.assert_given_back();
    let planted: Vec<String> = host.modes().into_iter().map(|(name, ..)| name).collect();
    assert_eq!(planted, ["linuxvrstreaming", "windowsvrstreaming"]);
    let mut terminal = open(home.path());
    terminal.shows("windowsvrstreaming");
    terminal.type_in("p\x0e\x0e\x0e\x0e\x0e");
    terminal.shows("Everything stands already");
    terminal.type_in("\x0e");
    terminal.shows("removes what was made");
    terminal.type_in("u");
    terminal.shows("to go on:");
    terminal.type_in("vr-linux\t");
    terminal.shows("› [ Remove ]");
    terminal.type_in("\r");
    terminal.shows("Ended: undone");
    terminal.type_in("\x04q");
    assert_eq!(terminal.ends(), 0);
    assert!(host.modes().is_empty());
}
