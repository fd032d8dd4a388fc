//! The machine is switched by keys, from every mode to every other.

use crate::{
    host::{Host, PATIENT},
    terminal::{Start, Terminal},
};
use rustix::process::Signal;
use std::fs;
use tempfile::TempDir;

const MODES: [&str; 4] = ["linuxvrstreaming", "windowsvrstreaming", "nimsforestnogpu", "nimsforestsharedgpu"];
/// From the first mode over all twelve ordered pairs and back, by place in the list.
const TOUR: [usize; 12] = [1, 0, 2, 0, 3, 1, 2, 1, 3, 2, 3, 0];
/// The first two rule it out beside themselves (`conflicts_with`).
const SHARED: usize = 3;

fn open(home: &TempDir) -> Terminal {
    let start = Start {
        command: &[env!("CARGO_BIN_EXE_morpheus"), "--refresh", "1"],
        env: &[("TERM", "xterm-256color"), ("MORPHEUS_TEST_PANIC", "1")],
        home: home.path(),
        size: (80, 24),
        deaf: false,
    };
    let terminal = Terminal::start(&start);
    terminal.shows("live");
    terminal
}

/// Chooses a mode in its pane, and goes on until a plan or a refusal is on the screen.
pub(crate) fn choose(terminal: &mut Terminal, mode: usize) {
    terminal.type_in("1gg");
    terminal.type_in(&"j".repeat(mode));
    terminal.type_in("\r");
    terminal.until("an answer", |seen| {
        let screen = seen.screen.screen().contents();
        screen.contains("[ Switch ]") || screen.contains("Not now:")
    });
}

/// Says yes, with the name typed where that is asked for.
pub(crate) fn confirm(terminal: &mut Terminal, mode: usize) {
    terminal.shows("› [ Cancel ]");
    if terminal.contents().contains("to go on:") {
        terminal.type_in(MODES[mode]);
    }
    terminal.type_in("\t");
    terminal.shows("› [ Switch ]");
    terminal.type_in("\r");
}

#[test]
fn by_keys_from_every_mode_to_every_other() {
    let home = tempfile::tempdir().unwrap();
    let host = Host::start(home.path(), 100.0);
    let mut terminal = open(&home);
    terminal.shows("current");
    let mut from = 0;
    for to in TOUR {
        choose(&mut terminal, to);
        if to == SHARED && from < 2 {
            terminal.shows("conflicts_with");
            assert_eq!(current(&host), MODES[from], "a refusal changes nothing");
            terminal.type_in("R");
            terminal.loses("Not now:");
        }
        confirm(&mut terminal, to);
        terminal.shows(&format!("Now in {} mode", MODES[to]));
        terminal.type_in("\x1b");
        terminal.loses("Now in");
        assert_eq!(current(&host), MODES[to], "from {}", MODES[from]);
        from = to;
    }
    terminal.type_in("q");
    assert_eq!(terminal.ends(), 0);
    terminal.assert_given_back();
}

/// The current mode; fails if another one runs too.
pub(crate) fn current(host: &Host) -> String {
    let modes = host.modes();
    let running: Vec<_> = modes.iter().filter(|(_, status, _)| status != "stopped").collect();
    assert_eq!(running.len(), 1, "{modes:?}");
    assert!(running[0].2, "{modes:?}");
    running[0].0.clone()
}

#[test]
fn a_switch_goes_on_when_the_dashboard_is_closed() {
    let home = tempfile::tempdir().unwrap();
    let host = Host::start(home.path(), 50.0);
    host.configure(PATIENT);
    host.hold("qmshutdown");
    let mut terminal = open(&home);
    terminal.shows("current");
    choose(&mut terminal, 1);
    confirm(&mut terminal, 1);
    terminal.shows("goes on if you leave");
    terminal.type_in("\x1b");
    terminal.type_in("q");
    terminal.shows("enter quit");
    terminal.type_in("\r");
    assert_eq!(terminal.ends(), 0);
    terminal.assert_given_back();
    terminal.shows("op attach");
    let mut terminal = open(&home);
    terminal.shows("Switching");
    terminal.type_in("o");
    host.release();
    terminal.shows("Now in windowsvrstreaming mode");
    assert_eq!(current(&host), "windowsvrstreaming");
}

#[test]
fn a_dashboard_keeps_to_its_host_when_the_configuration_names_another() {
    let (home, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (host, other) = (Host::start(home.path(), 100.0), Host::start(elsewhere.path(), 100.0));
    let file = home.path().join("config.yaml");
    let own = fs::read_to_string(&file).unwrap();
    let mut terminal = open(&home);
    terminal.shows("current");
    fs::write(&file, fs::read_to_string(elsewhere.path().join("config.yaml")).unwrap()).unwrap();
    choose(&mut terminal, 1);
    confirm(&mut terminal, 1);
    terminal.shows("but the configuration names");
    assert_eq!((host.writes(), other.writes()), (0, 0));
    terminal.type_in("\x1b");
    terminal.type_in("r");
    terminal.shows("The configuration names");
    fs::write(&file, own).unwrap();
    choose(&mut terminal, 1);
    confirm(&mut terminal, 1);
    terminal.shows("Now in windowsvrstreaming mode");
    assert_eq!((current(&host), other.writes()), (MODES[1].to_owned(), 0));
}

/// A way in which a dashboard ends.
type Ending = fn(&mut Terminal);

#[test]
fn no_ending_of_the_dashboard_harms_a_switch() {
    let home = tempfile::tempdir().unwrap();
    let host = Host::start(home.path(), 50.0);
    host.configure(PATIENT);
    let endings: [(Ending, u32); 5] = [
        (|terminal| terminal.signal(Signal::HUP), 129),
        (|terminal| terminal.signal(Signal::TERM), 143),
        (|terminal| terminal.signal(Signal::KILL), 1),
        (|terminal| terminal.type_in("\x1b[200~panic\x1b[201~"), 101),
        (|terminal| terminal.signal(Signal::QUIT), 131),
    ];
    for (turn, (end, status)) in endings.into_iter().enumerate() {
        let to = [1, 0][turn % 2];
        host.hold("qmshutdown");
        let mut terminal = open(&home);
        terminal.shows("current");
        choose(&mut terminal, to);
        confirm(&mut terminal, to);
        terminal.shows("goes on if you leave");
        end(&mut terminal);
        assert_eq!(terminal.ends(), status, "ending {turn}");
        host.release();
        let said = host.attach();
        assert!(said.contains(&format!("Now in {} mode", MODES[to])), "ending {turn}: {said}");
        assert_eq!(current(&host), MODES[to], "ending {turn}");
    }
}
