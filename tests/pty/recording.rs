//! A session of the real binary is written to a file, and the file shows what was on the terminal.
//!
//! `UPDATE_REPLAYS=1 cargo test --test pty recording` also puts the files into `tests/replays`, where
//! `INSTA_UPDATE=always cargo test --lib replays` then writes down what they are replayed to.

use crate::{
    host::Host,
    switching::confirm,
    terminal::{Start, Terminal},
};
use flate2::read::MultiGzDecoder;
use morpheus::sim::Scenario;
use rustix::fs::{FileType, stat};
use serde_json::Value;
use std::{
    fs,
    io::Read as _,
    path::{Path, PathBuf},
    process::{Command, Output},
};

const MORPHEUS: &str = env!("CARGO_BIN_EXE_morpheus");
/// Nothing listens on the discard port.
const NOBODY: &str = "proxmox: { host: 127.0.0.1, port: 9, api_token_id: 'a@pve!bc', api_token_secret: x, \
    modes: { linuxvr: { vmid: 101, gpu_mode: exclusive }, windowsvr: { vmid: 102, gpu_mode: exclusive } } }\n";

fn open(home: &Path, env: &[(&str, &str)], shows: &str) -> Terminal {
    let command = [MORPHEUS, "--refresh", "1"];
    let env = [&[("TERM", "xterm-256color")], env].concat();
    let terminal = Terminal::start(&Start { command: &command, env: &env, home, size: (80, 24), deaf: false });
    terminal.shows(shows);
    terminal
}

/// The only file that was written.
fn file(home: &Path) -> PathBuf {
    let dir = home.join("ops/dumps");
    let files: Vec<PathBuf> = fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    let mode =
        |path: &Path| stat(path).map(|stat| (FileType::from_raw_mode(stat.st_mode), stat.st_mode & 0o777)).unwrap();
    assert_eq!(mode(&files[0]), (FileType::RegularFile, 0o600));
    assert_eq!(mode(&dir), (FileType::Directory, 0o700));
    files[0].clone()
}

/// Without a home, a configuration and a terminal.
fn replay(file: &Path, flags: &[&str]) -> Output {
    let output = Command::new(MORPHEUS).env_clear().arg("replay").arg(file).args(flags).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn trimmed(screen: &str) -> Vec<&str> {
    let mut rows: Vec<&str> = screen.lines().map(str::trim_end).collect();
    while rows.last().is_some_and(|row| row.is_empty()) {
        rows.pop();
    }
    rows
}

/// Writes the session from the palette, and sees that it is replayed to what was on the terminal, and quietly.
fn dump(terminal: &mut Terminal, home: &Path, kept: Option<&str>) -> PathBuf {
    terminal.type_in(":dump");
    terminal.until("the whole palette", |seen| {
        let screen = seen.screen.screen().contents();
        let foot = screen.trim_end().lines().next_back().unwrap_or_default();
        // The foot is drawn last, and what was open before may have a way back too.
        screen.contains("Write this session to a file") && screen.contains(": dump") && foot.contains("enter choose")
    });
    let before = terminal.contents();
    terminal.type_in("\r");
    terminal.shows("Session written: ~/ops/dumps/");
    let file = file(home);
    let steps = replay(&file, &["--step", "--json"]);
    assert_eq!(text(&steps.stderr), "", "nothing is otherwise than it was");
    let steps: Vec<Value> = text(&steps.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (last, earlier) = steps.split_last().unwrap();
    assert_eq!(last["msg"]["Input"]["Key"], "enter");
    assert!(last["effects"].as_array().unwrap().contains(&Value::from("Dump")), "{}", last["effects"]);
    let rows = |step: &Value| -> Vec<String> { serde_json::from_value(step["rows"].clone()).unwrap() };
    // Looks at the host may have come between the last glance at the terminal and the key; only a step with the whole
    // palette is like the terminal.
    let shown = earlier.iter().rev().any(|step| trimmed(&rows(step).join("\n")) == trimmed(&before));
    assert!(shown, "on the terminal:\n{before}\nreplayed:\n{}", rows(&steps[steps.len() - 2]).join("\n"));
    let screen = replay(&file, &["--screen"]);
    assert_eq!(text(&screen.stdout).lines().collect::<Vec<_>>(), rows(last));
    let update = std::env::var_os("UPDATE_REPLAYS").is_some_and(|value| value == "1");
    if let Some(name) = kept.filter(|_| update) {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/replays");
        fs::write(dir.join(format!("{name}.jsonl.gz")), fs::read(&file).unwrap()).unwrap();
    }
    file
}

fn quit(terminal: &mut Terminal) {
    terminal.type_in("q");
    assert_eq!(terminal.ends(), 0);
    terminal.assert_given_back();
}

#[test]
fn a_switch_is_replayed() {
    let home = tempfile::tempdir().unwrap();
    let _host = Host::start(home.path(), 100.0);
    let mut terminal = open(home.path(), &[], "current");
    terminal.type_in(":mode switch windowsvrstreaming\r");
    confirm(&mut terminal, 1);
    terminal.shows("Now in windowsvrstreaming mode");
    terminal.type_in("\x1b");
    terminal.loses("Now in");
    dump(&mut terminal, home.path(), Some("switch"));
    quit(&mut terminal);
    terminal.shows("Session written: ~/ops/dumps/");
}

#[test]
fn a_failure_with_a_question_is_replayed() {
    let home = tempfile::tempdir().unwrap();
    let host = Host::with(home.path(), Scenario::named("stubborn").unwrap(), 100.0);
    host.configure("switch: { shutdown_timeout: 1, shutdown_fallback: ask }\n");
    let mut terminal = open(home.path(), &[], "current");
    terminal.type_in(":mode switch windowsvrstreaming\r");
    confirm(&mut terminal, 1);
    terminal.shows("stop hard");
    terminal.type_in("a");
    terminal.loses("stop hard");
    terminal.type_in("\x1b");
    dump(&mut terminal, home.path(), Some("question"));
    quit(&mut terminal);
}

#[test]
fn a_host_that_is_not_there_is_replayed() {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("config.yaml"), NOBODY).unwrap();
    let mut terminal = open(home.path(), &[], "can't be reached");
    terminal.resize((100, 30));
    terminal.type_in("?");
    terminal.type_in("\x1b");
    dump(&mut terminal, home.path(), Some("nobody"));
    quit(&mut terminal);
}

#[test]
fn the_player_goes_through_a_session() {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("config.yaml"), NOBODY).unwrap();
    let mut terminal = open(home.path(), &[], "can't be reached");
    let file = dump(&mut terminal, home.path(), None);
    quit(&mut terminal);
    let last = text(&replay(&file, &["--screen"]).stdout);
    let command = [MORPHEUS, "replay", file.to_str().unwrap()];
    let env = [("TERM", "xterm-256color")];
    let mut player =
        Terminal::start(&Start { command: &command, env: &env, home: home.path(), size: (80, 25), deaf: false });
    player.shows("before the first message");
    player.type_in("\x1b[C");
    player.shows("1/");
    player.type_in("G");
    player.shows("key enter");
    let shown = player.contents();
    let rows: Vec<&str> = shown.lines().collect();
    assert_eq!(trimmed(&rows[..24].join("\n")), trimmed(&last));
    quit(&mut player);
}

#[test]
#[cfg(debug_assertions)]
fn a_panic_leaves_the_session_behind() {
    for paste in ["panic", "panic in a task"] {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("config.yaml"), NOBODY).unwrap();
        let mut terminal = open(home.path(), &[("MORPHEUS_TEST_PANIC", "1")], "can't be reached");
        terminal.type_in(&format!("\x1b[200~{paste}\x1b[201~"));
        assert_eq!(terminal.ends(), 101, "{paste}");
        terminal.assert_given_back();
        terminal.shows("`morpheus replay` shows it");
        let file = file(home.path());
        let steps = text(&replay(&file, &["--step"]).stdout);
        assert!(steps.contains("\npanic at src/tui/runtime/mishap.rs:"), "{steps}");
        assert!(steps.contains(&format!("paste of {} characters", paste.len())), "{steps}");
    }
}

/// Everything that could hold a secret is given one, and none of them gets into the file.
#[test]
fn no_secret_gets_into_the_file() {
    let home = tempfile::tempdir().unwrap();
    let plain = Host::start(home.path(), 1.0);
    let config = fs::read_to_string(home.path().join("config.yaml")).unwrap();
    let secret =
        config.lines().find_map(|line| line.trim().strip_prefix("api_token_secret: ")).unwrap().trim_matches('"');
    drop(plain);
    let echo = format!(
        "description: The host repeats what it was sent.\nfaults:\n  - {{ on: \"GET /nodes/*/lxc\", then: {{ answer: \
         {{ status: 500, reason: \"who is {secret}\", body: '{{\"data\":null,\"message\":\"what is {secret}\"}}' }} }} }}\n"
    );
    let _host = Host::with(home.path(), Scenario::from_yaml(&echo).unwrap(), 1.0);
    let env = [("PROXMOX_PASSWORD", "canary-in-a-variable"), ("MORPHEUS_SECRET", "canary-in-another")];
    let mut terminal = open(home.path(), &env, "current");
    terminal.type_in("\x1b[200~canary-in-a-paste\x1b[201~");
    terminal.type_in("l");
    let file = dump(&mut terminal, home.path(), None);
    quit(&mut terminal);
    let mut whole = String::new();
    MultiGzDecoder::new(fs::File::open(file).unwrap()).read_to_string(&mut whole).unwrap();
    assert!(whole.contains("(secret)"), "the host's words are there");
    for canary in [secret, "canary-in", "PVEAPIToken="] {
        assert!(!whole.contains(canary), "{canary}");
    }
    assert!(!whole.contains(&config.split("tls_fingerprint: \"").nth(1).unwrap()[..20]), "the pin");
}
