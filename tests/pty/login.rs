//! Logging in by password: the second factor is asked for, and what is wrong is asked for again.

use crate::{
    host::Host,
    terminal::{Start, Terminal},
};
use morpheus::sim::Scenario;
use serde_json::json;
use std::fs;
use tempfile::TempDir;

const SECRET: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
const KEYS: [&str; 2] = ["029f-ea6c-843f-f696", "1296-0176-453a-2970"];
const ASKED: &str = "Second factor of ann@pve (code of your authenticator, or a recovery key): ";

/// A host whose configuration names a user with a second factor, and no password.
fn host(home: &TempDir) -> Host {
    let tfa = json!({"totp": [{"id": "phone", "secret": SECRET}], "recovery": KEYS});
    let world = json!({
        "users": {"ann@pve": {"password": "right-one", "tfa": tfa}},
        "acl": [{"path": "/", "who": "ann@pve", "role": "PVEAdmin"}],
    });
    let host = Host::with(home.path(), Scenario { world: Some(world), ..Scenario::default() }, 1.0);
    let path = home.path().join("config.yaml");
    let text = fs::read_to_string(&path).unwrap();
    let token = |line: &&str| line.contains("api_token_");
    let lines = text.lines().filter(|line| !token(line));
    let lines = lines.flat_map(|line| if line == "proxmox:" { vec![line, "  user: ann@pve"] } else { vec![line] });
    fs::write(&path, lines.collect::<Vec<_>>().join("\n")).unwrap();
    host
}

fn open(home: &TempDir) -> Terminal {
    let command = [env!("CARGO_BIN_EXE_morpheus"), "mode", "list"];
    let env = [("TERM", "linux")];
    Terminal::start(&Start { command: &command, env: &env, home: home.path(), size: (120, 30), deaf: false })
}

/// Waits until the factor has been asked for this often.
fn asked(terminal: &Terminal, times: usize) {
    terminal.until(&format!("asked {times} times"), |seen| {
        String::from_utf8_lossy(&seen.raw).matches(ASKED).count() == times
    });
}

#[test]
fn a_wrong_code_is_asked_for_again_and_a_right_one_lets_in() {
    let home = tempfile::tempdir().unwrap();
    let host = host(&home);
    let mut terminal = open(&home);
    terminal.shows("Password of ann@pve: ");
    terminal.type_in("right-one\n");
    asked(&terminal, 1);
    terminal.type_in("000000\n");
    asked(&terminal, 2);
    let code = host.code("ann@pve");
    terminal.type_in(&format!("{code}\n"));
    terminal.shows("linuxvrstreaming");
    assert_eq!(terminal.ends(), 0);
    let seen = terminal.contents();
    assert!(!["right-one", "000000", &code].into_iter().any(|typed| seen.contains(typed)), "{seen}");
    terminal.assert_given_back();
}

#[test]
fn whoever_doesnt_answer_has_the_terminal_back() {
    let home = tempfile::tempdir().unwrap();
    let _host = host(&home);
    // A death by a signal counts as 1 here.
    for (keys, status) in [("right\x03", 1), ("\x04", 5)] {
        let mut terminal = open(&home);
        terminal.shows("Password of ann@pve: ");
        terminal.type_in(keys);
        assert_eq!(terminal.ends(), status, "{keys:?}: {}", terminal.contents());
        terminal.assert_given_back();
    }
}

#[test]
fn a_recovery_key_lets_in_once() {
    let home = tempfile::tempdir().unwrap();
    let _host = host(&home);
    for (used, key) in [(false, KEYS[0]), (true, KEYS[1])] {
        let mut terminal = open(&home);
        terminal.shows("Password of ann@pve: ");
        terminal.type_in("right-one\n");
        asked(&terminal, 1);
        if used {
            terminal.type_in(&format!("{}\n", KEYS[0]));
            asked(&terminal, 2);
        }
        terminal.type_in(&format!("{}\n", key.to_uppercase()));
        terminal.shows("linuxvrstreaming");
        assert_eq!(terminal.ends(), 0);
    }
}

#[test]
fn the_third_wrong_code_ends_it_with_what_to_do() {
    let home = tempfile::tempdir().unwrap();
    let _host = host(&home);
    let mut terminal = open(&home);
    terminal.shows("Password of ann@pve: ");
    terminal.type_in("right-one\n");
    for times in 1..=3 {
        asked(&terminal, times);
        terminal.type_in("000000\n");
    }
    terminal.shows("pve.second-factor");
    assert_ne!(terminal.ends(), 0);
}
