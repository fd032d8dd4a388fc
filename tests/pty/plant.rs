//! A machine for VR is planted by keys, on the simulated host.

use crate::{
    host::Host,
    terminal::{Start, Terminal},
};
use morpheus::sim::Scenario;
use std::{fs, path::Path};

/// A host without guests that would use its card. New guests are quick, but the prompt of Windows' disc waits for a key
/// as long as a real one does.
const BARE: &str = "
world:
  guests: { 101: null, 102: null, 103: null, 104: null }
  mappings: { gpu0: null }
  planting: { import: 1, download: 1, agent: 2, windows: 5, setup: 5 }
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
    let _host = Host::start(home.path(), 100.0);
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

#[test]
fn a_changed_configuration_is_taken_by_a_key() {
    let home = tempfile::tempdir().unwrap();
    let _host = Host::start(home.path(), 100.0);
    let file = home.path().join("config.yaml");
    let before = fs::read_to_string(&file).unwrap();
    let mut terminal = open(home.path());
    terminal.shows("windowsvrstreaming");
    fs::write(&file, format!("{before}\nproxmox: twice\n")).unwrap();
    terminal.type_in("r");
    terminal.shows("The configuration can't be used");
    terminal.shows("windowsvrstreaming");
    fs::write(&file, before.replace("windowsvrstreaming", "quest")).unwrap();
    terminal.type_in("r");
    terminal.shows("New in the configuration: quest");
    terminal.loses("windowsvrstreaming");
    terminal.type_in("q");
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
    let host = Host::with(home.path(), Scenario::from_yaml(BARE).unwrap(), 20.0);
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
    for done in [14, 16, 20] {
        terminal.until("the steps after it", |seen| {
            let screen = seen.screen.screen().contents();
            let steps = screen.split_once("planting ").and_then(|(_, rest)| rest.split_once('/'));
            let far = steps.and_then(|(count, _)| count.parse::<u32>().ok()).is_some_and(|count| count >= done);
            far || screen.contains("Planted in")
        });
    }
    terminal.shows("Planted in");
    let planted: Vec<String> = host.modes().into_iter().map(|(name, ..)| name).collect();
    assert_eq!(planted, ["linuxvrstreaming", "windowsvrstreaming"]);
    the_new_modes_are_there_at_once(&mut terminal, &host);
    terminal.type_in("p");
    terminal.shows("removes what was made");
    terminal.type_in("\x10");
    terminal.shows("Everything stands already");
    terminal.type_in("\x0e");
    terminal.shows("removes what was made");
    terminal.type_in("u");
    terminal.shows("to go on:");
    terminal.type_in("vr-windows vr-linux\t");
    terminal.shows("› [ Remove ]");
    terminal.type_in("\r");
    terminal.shows("Ended: undone");
    assert!(host.modes().is_empty());
    terminal.type_in("\x04");
    terminal.shows("No mode is configured");
    terminal.type_in("q");
    assert_eq!(terminal.ends(), 0);
    terminal.assert_given_back();
}

/// The planting wrote its modes into the configuration; the dashboard that planted switches to one of them.
fn the_new_modes_are_there_at_once(terminal: &mut Terminal, host: &Host) {
    terminal.type_in("\x04");
    terminal.shows("windowsvrstreaming");
    terminal.type_in("1j\r");
    terminal.shows("[ Switch ]");
    terminal.type_in("\t\r");
    terminal.shows("Now in windowsvrstreaming mode");
    let running = host.modes().into_iter().filter(|(.., current)| *current).map(|(name, ..)| name);
    assert_eq!(running.collect::<Vec<_>>(), ["windowsvrstreaming"]);
    terminal.type_in("\x1b");
}

/// A host whose Linux guest takes long to be ready: what is done to its planting meanwhile is done in time.
const SLOW: &str = "
world:
  guests: { 101: null, 102: null, 103: null, 104: null }
  mappings: { gpu0: null }
  planting: { import: 1, download: 1, agent: 2, setup: 400 }
";

/// From the wizard's first page to a planting of a Linux guest that runs.
fn plant_linux(terminal: &mut Terminal) {
    terminal.type_in("p");
    terminal.shows("all that planting needs");
    next_page(terminal, "GPU");
    next_page(terminal, "Linux guest");
    terminal.type_in(KEY);
    next_page(terminal, "Windows guest");
    terminal.type_in("n");
    terminal.loses("Edition");
    next_page(terminal, "NATS and NimsForest");
    terminal.type_in("\x0e");
    terminal.shows("[✓ Review]");
    terminal.type_in("\r");
    terminal.shows("› [ Cancel ]");
    terminal.type_in("\t");
    terminal.shows("› [ Plant ]");
    terminal.type_in("\r");
    terminal.shows("Now       Waiting for VM 100");
}

/// The newest runner that the journal tells of.
fn runner(home: &Path) -> rustix::process::Pid {
    let file = |entry: fs::DirEntry| Some(entry.path()).filter(|path| path.to_string_lossy().ends_with(".jsonl"));
    let room = home.join("ops");
    let journal = fs::read_dir(room).unwrap().filter_map(|entry| file(entry.unwrap())).max().unwrap();
    let text = fs::read_to_string(journal).unwrap();
    let pid = text.rsplit_once("\"pid\":").unwrap().1.split(|c: char| !c.is_ascii_digit()).next().unwrap();
    rustix::process::Pid::from_raw(pid.parse().unwrap()).unwrap()
}

#[test]
fn a_planting_outlives_its_runner_and_its_dashboard() {
    let home = tempfile::tempdir().unwrap();
    let _host = Host::with(home.path(), Scenario::from_yaml(SLOW).unwrap(), 20.0);
    let mut terminal = open(home.path());
    plant_linux(&mut terminal);
    rustix::process::kill_process(runner(home.path()), rustix::process::Signal::KILL).unwrap();
    terminal.shows("Stands still");
    terminal.shows("c goes on from what stands, u removes what was made");
    terminal.type_in("c");
    terminal.shows("Now       Waiting for VM 100");
    let second = runner(home.path());
    terminal.signal(rustix::process::Signal::HUP);
    assert_ne!(terminal.ends(), 0);
    assert!(rustix::process::test_kill_process(second).is_ok(), "the runner goes on");
    let mut terminal = open(home.path());
    let mut other = open(home.path());
    for seen in [&terminal, &other] {
        seen.shows("[Plant: Run]");
        seen.shows("Now       Waiting for VM 100");
    }
    terminal.type_in("x");
    terminal.shows("› [ Go on ]");
    terminal.type_in("\t\r");
    for seen in [&terminal, &other] {
        seen.shows("Stands still");
        seen.shows("It was told to stop.");
    }
    other.type_in("u");
    other.shows("Type vr-linux to go on:");
    other.type_in("vr-linux\t\r");
    other.shows("Ended: undone");
    terminal.shows("Ended: undone");
    other.type_in("\x04q");
    terminal.type_in("\x04q");
    assert_eq!((other.ends(), terminal.ends()), (0, 0));
}
