//! Beyond the keys: the mouse, the bell, the clipboard, and a shell in a guest that has the terminal for a while.

use crate::{
    host::Host,
    terminal::{Start, Terminal, modes_left_on},
};
use rustix::process::Signal;
use std::{fs, os::unix::fs::PermissionsExt as _};
use tempfile::TempDir;

/// Stands in for ssh: says what it reads, a line at a time.
const SSH: &str = r#"#!/bin/sh
trap 'echo inter''rupted' INT
echo "shell on $2"
while :; do
    if read -r line; then
        echo "<$line>" >> "$HOME/heard"
        case "$line" in
        exit*) exit "${line#exit }" ;;
        leave*) until [ -e "$HOME/may-leave" ]; do sleep 0.1; done; exit "${line#leave }" ;;
        esac
        echo "said $line"
    fi
done
"#;

/// A dashboard on a simulated host whose first guest runs and has an address.
fn open(home: &TempDir, env: &[(&str, &str)], flags: &[&str]) -> Terminal {
    let bin = home.path().join("bin");
    fs::create_dir_all(&bin).unwrap();
    fs::write(bin.join("ssh"), SSH).unwrap();
    fs::set_permissions(bin.join("ssh"), fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:/usr/bin:/bin", bin.display());
    let env: Vec<_> = [("TERM", "xterm-256color"), ("PATH", path.as_str())].into_iter().chain(env.to_vec()).collect();
    let command: Vec<_> =
        [env!("CARGO_BIN_EXE_morpheus"), "--refresh", "1"].into_iter().chain(flags.to_vec()).collect();
    let start = Start { command: &command, env: &env, home: home.path(), size: (140, 30), deaf: false };
    let terminal = Terminal::start(&start);
    terminal.shows("s shell");
    terminal
}

fn click(terminal: &mut Terminal, text: &str) {
    let screen = terminal.contents();
    let found =
        screen.lines().zip(1..).find_map(|(line, row)| Some((line[..line.find(text)?].chars().count() + 1, row)));
    let (column, row) = found.unwrap_or_else(|| panic!("{text} isn't on the screen:\n{screen}"));
    terminal.type_in(&format!("\x1b[<0;{column};{row}M\x1b[<0;{column};{row}m"));
}

#[test]
fn a_shell_in_a_guest_has_the_keys_to_itself_and_gives_them_back() {
    let home = tempfile::tempdir().unwrap();
    let host = Host::start(home.path(), 100.0);
    let mut terminal = open(&home, &[], &[]);
    terminal.type_in("s");
    terminal.shows("shell on 192.168.1.150");
    assert_eq!(modes_left_on(&terminal.raw()), [""; 0]);
    for line in ["qqq", ":quit", "ls"] {
        terminal.type_in(&format!("{line}\n"));
        terminal.shows(&format!("said {line}"));
    }
    terminal.type_in("\x03");
    terminal.shows("interrupted");
    // The dashboard gets the signal too, maybe in a thread that is late: what it asks meanwhile is counted, not time.
    host.is_asked_more_than(host.asked() + 6);
    terminal.type_in("\x1b[A?\nleave 3\nqqend");
    // Typed for the shell, all of it before it ends.
    terminal.shows("qqend");
    fs::write(home.path().join("may-leave"), "").unwrap();
    terminal.shows("s shell");
    let heard = fs::read_to_string(home.path().join("heard")).unwrap();
    assert_eq!(heard, "<qqq>\n<:quit>\n<ls>\n<\u{1b}[A?>\n<leave 3>\n");
    assert!(modes_left_on(&terminal.raw()).contains(&"1049".to_owned()));
    terminal.type_in("?");
    terminal.shows("Keys here");
    terminal.type_in("\x1bl");
    terminal.shows("ended with status 3");
    terminal.type_in("q");
    assert_eq!(terminal.ends(), 0);
    terminal.assert_given_back();
}

#[test]
fn why_ssh_failed_can_be_read_before_the_dashboard_comes_back() {
    let home = tempfile::tempdir().unwrap();
    let _host = Host::start(home.path(), 100.0);
    let mut terminal = open(&home, &[], &[]);
    terminal.type_in("s");
    terminal.shows("shell on");
    terminal.type_in("exit 255\n");
    terminal.shows("Enter comes back");
    terminal.shows("shell on");
    terminal.type_in("\n");
    terminal.shows("ssh to 192.168.1.150 failed");
    fs::remove_file(home.path().join("bin/ssh")).unwrap();
    terminal.type_in("s");
    terminal.until("a word on it", |seen| {
        let screen = seen.screen.screen().contents();
        screen.contains("this machine has none") || screen.contains("ssh failed")
    });
    terminal.signal(Signal::TERM);
    assert_eq!(terminal.ends(), 143);
    terminal.assert_given_back();
}

#[test]
fn a_signal_ends_the_shell_with_the_dashboard() {
    for (signal, status) in [(Signal::TERM, 143), (Signal::HUP, 129)] {
        let home = tempfile::tempdir().unwrap();
        let _host = Host::start(home.path(), 100.0);
        let mut terminal = open(&home, &[], &[]);
        terminal.type_in("s");
        terminal.shows("shell on");
        terminal.signal(Signal::INT);
        terminal.type_in("still\n");
        terminal.shows("said still");
        terminal.signal(signal);
        assert_eq!(terminal.ends(), status);
        terminal.assert_given_back();
    }
}

#[test]
fn clicks_steer_it_where_they_are_wanted() {
    let home = tempfile::tempdir().unwrap();
    let _host = Host::start(home.path(), 100.0);
    let mut terminal = open(&home, &[], &[]);
    let on = |terminal: &Terminal| {
        let modes = modes_left_on(&terminal.raw());
        ["1000", "1002", "1003", "1006"].map(|mode| modes.contains(&mode.to_owned()))
    };
    assert_eq!(on(&terminal), [true, false, false, true], "buttons and the wheel, no movement");
    click(&mut terminal, "? help");
    terminal.shows("Keys here");
    terminal.type_in("\x1b");
    terminal.loses("Keys here");
    terminal.type_in("m");
    terminal.shows("selects text as usual");
    assert_eq!(on(&terminal), [false; 4]);
    terminal.type_in("m");
    terminal.shows("With Shift held");
    assert_eq!(on(&terminal), [true, false, false, true]);
    terminal.type_in("q");
    assert_eq!(terminal.ends(), 0);
    terminal.assert_given_back();
}

#[test]
fn a_console_is_not_asked_for_clicks_and_says_what_it_cannot_copy() {
    let home = tempfile::tempdir().unwrap();
    let _host = Host::start(home.path(), 100.0);
    let mut terminal = open(&home, &[("TERM", "linux")], &[]);
    terminal.type_in("y");
    terminal.shows("No clipboard here: 192.168.1.150");
    terminal.type_in("q");
    assert_eq!(terminal.ends(), 0);
    let raw = String::from_utf8_lossy(&terminal.raw()).into_owned();
    assert!(!raw.contains("\x1b[?100") && !raw.contains("\x1b]"), "{raw:?}");
}

#[test]
fn a_text_reaches_the_clipboard_through_what_stands_between() {
    for (env, wanted) in [
        (("TMUX", "/tmp/x,1,0"), "\x1bPtmux;\x1b\x1b]52;c;MTkyLjE2OC4xLjE1MA==\x07\x1b\\"),
        (("STY", "1.pts"), "\x1bP\x1b]52;c;MTkyLjE2OC4xLjE1MA==\x07\x1b\\"),
    ] {
        let home = tempfile::tempdir().unwrap();
        let _host = Host::start(home.path(), 100.0);
        let mut terminal = open(&home, &[env], &[]);
        terminal.type_in("y");
        terminal.until(wanted, |seen| String::from_utf8_lossy(&seen.raw).contains(wanted));
        terminal.type_in("q");
        assert_eq!(terminal.ends(), 0);
    }
}

#[test]
fn the_bell_rings_once_when_an_operation_ends() {
    let home = tempfile::tempdir().unwrap();
    let host = Host::start(home.path(), 100.0);
    host.configure("ui:\n  bell: true\n");
    let mut terminal = open(&home, &[], &[]);
    terminal.type_in("1gg");
    terminal.type_in("j\r");
    terminal.shows("[ Switch ]");
    terminal.type_in("\t\r");
    terminal.shows("Now in windowsvrstreaming mode");
    let bells = |terminal: &Terminal| String::from_utf8_lossy(&terminal.raw()).matches('\x07').count();
    terminal.until("a bell", |seen| seen.raw.contains(&7));
    terminal.type_in("\x1br");
    terminal.shows("Looking.");
    assert_eq!(bells(&terminal), 1);
    terminal.type_in("q");
    assert_eq!(terminal.ends(), 0);
}
