//! A host that answers too much, or without end: it costs little memory, and the program can be ended at any time.

use crate::{
    host::Host,
    terminal::{Start, Terminal},
};
use morpheus::sim::Scenario;
use rustix::process::Signal;
use serde_json::json;
use std::{os::unix::process::ExitStatusExt as _, path::Path, process::Stdio};

const MORPHEUS: &str = env!("CARGO_BIN_EXE_morpheus");
/// Most that an answer may cost, KiB.
const COST: u64 = 16 << 10;
/// Below what is read at all, bytes.
const READ: usize = (4 << 20) - 64;
/// More than that.
const TOO_MUCH: usize = 60 << 20;

/// An answer of about so many bytes, all of them this piece.
fn answer(piece: &str, bytes: usize) -> String {
    format!("{{\"data\":[{piece}{}]}}", format!(",{piece}").repeat(bytes / (piece.len() + 1) - 1))
}

/// A host that does this with each request.
fn host(home: &Path, then: &serde_json::Value) -> Host {
    let yaml = json!({ "faults": [{ "on": "GET **", "then": then }] }).to_string();
    Host::with(home, Scenario::from_yaml(&yaml).unwrap(), 100.0)
}

fn open(home: &Path) -> Terminal {
    let env = &[("TERM", "xterm-256color")];
    Terminal::start(&Start { command: &[MORPHEUS, "--refresh", "1"], env, home, size: (120, 40), deaf: false })
}

#[test]
fn whatever_is_answered_costs_little_memory() {
    let usual = {
        let home = tempfile::tempdir().unwrap();
        let _host = Host::start(home.path(), 100.0);
        let terminal = open(home.path());
        terminal.shows("linuxvrstreaming");
        terminal.peak_memory()
    };
    for (piece, bytes) in [("[]", TOO_MUCH), ("[]", READ), ("{}", READ), ("{\"\":0}", READ), ("\"\\u00e9\"", READ)] {
        let home = tempfile::tempdir().unwrap();
        let then = json!({ "answer": { "status": 200, "reason": "OK", "body": answer(piece, bytes) } });
        let _host = host(home.path(), &then);
        let mut terminal = open(home.path());
        terminal.shows("The answer makes no sense.");
        let cost = terminal.peak_memory().saturating_sub(usual);
        assert!(cost < COST, "{bytes} bytes of {piece}: {cost} KiB");
        terminal.signal(Signal::TERM);
        assert_eq!(terminal.ends(), 143, "{bytes} bytes of {piece}");
        terminal.assert_given_back();
    }
}

#[test]
fn an_answer_that_never_comes_keeps_nobody_from_ending_it() {
    let home = tempfile::tempdir().unwrap();
    let host = host(home.path(), &json!("never"));
    let mut terminal = open(home.path());
    host.is_asked_more_than(0);
    terminal.signal(Signal::TERM);
    assert_eq!(terminal.ends(), 143);
    terminal.assert_given_back();
    for line in ["mode list", "mode switch windowsvrstreaming --yes", "doctor", "plant nimsforest vr --dry-run"] {
        let before = host.asked();
        let mut command = host.command(line);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        host.is_asked_more_than(before);
        rustix::process::kill_process(rustix::process::Pid::from_child(&child), Signal::TERM).unwrap();
        let status = child.wait().unwrap();
        assert_eq!(status.signal(), Some(Signal::TERM.as_raw()), "{line}: {status:?}");
    }
}
