//! However the dashboard is left, the terminal is as it was found.

use crate::terminal::{Start, Terminal, modes_left_on, sgr};
use rustix::process::{Signal, kill_process};
use std::{fs, process::Command};
use tempfile::TempDir;

const MORPHEUS: &str = env!("CARGO_BIN_EXE_morpheus");
const SIZE: (u16, u16) = (80, 24);
const XTERM: (&str, &str) = ("TERM", "xterm-256color");
/// Nothing listens on the discard port; the first frame doesn't care.
const CONFIG: &str = "proxmox: { host: 127.0.0.1, port: 9, api_token_id: 'a@pve!bc', api_token_secret: x, \
    modes: { linuxvr: { vmid: 101, gpu_mode: exclusive }, windowsvr: { vmid: 102, gpu_mode: exclusive } } }\n";
/// In the header from the first frame on.
const MARK: &str = "127.0.0.1";

fn home() -> TempDir {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("config.yaml"), CONFIG).unwrap();
    home
}

fn open(home: &TempDir, env: &[(&str, &str)]) -> Terminal {
    let start = Start { command: &[MORPHEUS], env, home: home.path(), size: SIZE, deaf: false };
    let terminal = Terminal::start(&start);
    terminal.shows(MARK);
    terminal
}

#[test]
fn leaving_gives_the_terminal_back() {
    let home = home();
    let mut terminal = open(&home, &[XTERM]);
    assert!(!modes_left_on(&terminal.raw()).is_empty(), "modes are on while it runs");
    terminal.type_in("q");
    assert_eq!(terminal.ends(), 0);
    terminal.assert_given_back();
}

#[test]
fn every_signal_that_ends_it_gives_the_terminal_back() {
    for (signal, status) in [(Signal::HUP, 129), (Signal::INT, 130), (Signal::QUIT, 131), (Signal::TERM, 143)] {
        let home = home();
        let mut terminal = open(&home, &[XTERM]);
        terminal.signal(signal);
        assert_eq!(terminal.ends(), status, "{signal:?}");
        terminal.assert_given_back();
    }
}

#[test]
fn any_size_will_do() {
    let home = home();
    let mut terminal = open(&home, &[XTERM]);
    for size in [(120, 40), (60, 16), (59, 15), (20, 5), (1, 1), (2, 1), (1, 2), (200, 60), (300, 100), SIZE] {
        let before = terminal.sent();
        terminal.resize(size);
        terminal.until("a whole frame", |seen| seen.raw[before..].windows(4).any(|w| w == b"\x1b[2J"));
    }
    terminal.shows(MARK);
    terminal.type_in("q");
    assert_eq!(terminal.ends(), 0);
    terminal.assert_given_back();
}

#[test]
fn a_shell_gets_the_terminal_while_it_is_suspended() {
    let home = home();
    let env = [XTERM, ("PS1", "prompt> ")];
    let start = Start { command: &["/bin/sh", "-i"], env: &env, home: home.path(), size: SIZE, deaf: false };
    let mut terminal = Terminal::start(&start);
    terminal.shows("prompt>");
    terminal.type_in("stty -g > before; ");
    terminal.type_in(&format!("'{MORPHEUS}'\n"));
    terminal.shows(MARK);
    for (turn, by_key) in [(1, true), (2, false), (3, true)] {
        if by_key {
            terminal.type_in("\x1a");
        } else {
            kill_process(terminal.job(), Signal::TSTP).unwrap();
        }
        terminal.shows("Stopped");
        assert_eq!(modes_left_on(&terminal.raw()), [""; 0]);
        terminal.type_in(&format!("stty -g > stopped; clear; echo is''here{turn}\n"));
        terminal.shows(&format!("ishere{turn}"));
        terminal.type_in("fg\n");
        terminal.shows(MARK);
        assert!(!modes_left_on(&terminal.raw()).is_empty());
    }
    terminal.type_in("q");
    terminal.until("the shell", |seen| seen.screen.screen().contents().trim_end().ends_with("\nprompt>"));
    assert_eq!(modes_left_on(&terminal.raw()), [""; 0]);
    terminal.type_in("stty -g > after; echo end''ed\n");
    terminal.shows("ended");
    let read = |name| fs::read_to_string(home.path().join(name)).unwrap();
    assert_eq!(read("before"), read("stopped"));
    assert_eq!(read("before"), read("after"));
    terminal.type_in("exit 0\n");
    assert_eq!(terminal.ends(), 0);
}

#[test]
fn where_no_shell_could_bring_it_back_it_stays() {
    let home = home();
    let mut terminal = open(&home, &[XTERM]);
    for turn in 0..2 {
        let before = terminal.sent();
        if turn == 0 {
            terminal.type_in("\x1a");
        } else {
            terminal.signal(Signal::TSTP);
        }
        terminal.until("a whole frame", |seen| {
            let sent = String::from_utf8_lossy(&seen.raw[before..]);
            sent.contains("\x1b[?1049l") && sent.contains("\x1b[?1049h") && sent.contains(MARK)
        });
    }
    terminal.type_in("l");
    terminal.shows("Not suspended");
    terminal.type_in("q");
    assert_eq!(terminal.ends(), 0);
    terminal.assert_given_back();
}

#[test]
fn a_continued_process_draws_everything_anew() {
    let home = home();
    let mut terminal = open(&home, &[XTERM]);
    let before = terminal.sent();
    terminal.signal(Signal::CONT);
    terminal.until("a whole frame", |seen| String::from_utf8_lossy(&seen.raw[before..]).contains(MARK));
    let before = terminal.sent();
    terminal.type_in("\x0c");
    terminal.until("a whole frame", |seen| String::from_utf8_lossy(&seen.raw[before..]).contains(MARK));
    terminal.signal(Signal::TERM);
    assert_eq!(terminal.ends(), 143);
    terminal.assert_given_back();
}

#[test]
#[cfg(debug_assertions)]
fn a_panic_reports_on_a_terminal_that_was_given_back() {
    for paste in ["panic", "panic in a task", "panic in the keys"] {
        let home = home();
        let mut terminal = open(&home, &[XTERM, ("MORPHEUS_TEST_PANIC", "1")]);
        terminal.type_in(&format!("\x1b[200~{paste}\x1b[201~"));
        assert_eq!(terminal.ends(), 101, "{paste}");
        terminal.assert_given_back();
        terminal.shows("provoked in");
        let raw = String::from_utf8(terminal.raw()).unwrap();
        let left = raw.rfind("\x1b[?1049l").unwrap();
        assert_eq!(raw.matches("provoked in").count(), 1, "one report:\n{raw}");
        assert!(raw.find("provoked in").unwrap() > left, "the report comes after the alternate screen");
    }
}

#[test]
fn pasted_text_is_no_keys() {
    let home = home();
    let mut terminal = open(&home, &[XTERM]);
    terminal.type_in("\x1b[200~q\x03q\n\x1b[201~");
    terminal.type_in("?");
    let before = terminal.contents();
    terminal.until("help", |seen| seen.screen.screen().contents() != before);
    terminal.signal(Signal::TERM);
    assert_eq!(terminal.ends(), 143, "it was still there to be ended");
    terminal.assert_given_back();
}

#[test]
fn a_terminal_that_vanishes_ends_it() {
    let home = home();
    let start = Start { command: &[MORPHEUS], env: &[XTERM], home: home.path(), size: SIZE, deaf: true };
    let mut terminal = Terminal::start(&start);
    terminal.glance(MARK);
    terminal.vanish();
    assert_eq!(terminal.ends(), 129);
}

#[test]
fn a_terminal_that_does_not_read_holds_nothing_up() {
    let home = home();
    let start = Start { command: &[MORPHEUS], env: &[XTERM], home: home.path(), size: (300, 100), deaf: true };
    let mut terminal = Terminal::start(&start);
    for size in [(299, 99), (300, 100)].into_iter().cycle().take(40) {
        terminal.resize(size);
        terminal.type_in("\x0c");
    }
    terminal.type_in("q");
    assert_eq!(terminal.ends(), 0, "a key is heard though nobody reads the screen");
}

#[test]
fn a_terminal_that_does_not_read_is_given_back_all_the_same() {
    let home = home();
    let start = Start { command: &[MORPHEUS], env: &[XTERM], home: home.path(), size: (300, 100), deaf: true };
    let mut terminal = Terminal::start(&start);
    terminal.glance(MARK);
    for size in [(299, 99), (300, 100)].into_iter().cycle().take(40) {
        terminal.resize(size);
        terminal.type_in("\x0c");
    }
    terminal.signal(Signal::TERM);
    terminal.signal(Signal::TERM);
    assert_eq!(terminal.ends(), 143, "a second signal while it ends changes nothing");
    terminal.listen();
    terminal.assert_given_back();
}

#[test]
fn colours_are_only_sent_where_they_are_wanted() {
    let shown = |env: &[(&str, &str)]| {
        let home = home();
        let mut terminal = open(&home, env);
        terminal.type_in("\x0c?");
        terminal.signal(Signal::TERM);
        terminal.ends();
        terminal.assert_given_back();
        terminal.raw()
    };
    let is_color = |code: &str| code.parse().is_ok_and(|n: u8| matches!(n, 30..=38 | 40..=48 | 90..=107));
    let plain = sgr(&shown(&[XTERM, ("NO_COLOR", "1")]));
    assert!(!plain.iter().any(|sgr| sgr.split([';', ':']).any(is_color)), "{plain:?}");
    let raw = shown(&[("TERM", "linux")]);
    let console = sgr(&raw);
    assert!(!console.iter().any(|sgr| sgr.contains("38;") || sgr.contains("48;")), "{console:?}");
    assert!(!raw.windows(2).any(|w| w == b"\x1b]"), "a console has no title");
    shown(&[("TERM", "xterm-nosuch")]);
    shown(&[]);
}

#[test]
fn without_a_terminal_it_says_so() {
    let home = home();
    let mut command = Command::new(MORPHEUS);
    command.env_clear().env("HOME", home.path()).env("TERM", "xterm").current_dir(home.path());
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("not a terminal") && said.contains("mode list"), "{said}");
    assert!(said.contains("usage.bad") && said.lines().count() <= 4, "{said}");
}
