//! A person at a terminal: asked, answered, and shown the seconds.

use crate::{rig::Rig, served::PATIENCE};
use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use std::{
    io::{Read as _, Write},
    sync::mpsc::{self, Receiver},
    thread,
};

/// The binary in a terminal of 80 columns.
struct Seat {
    child: Box<dyn portable_pty::Child + Send + Sync>,
    keys: Box<dyn Write + Send>,
    shown: Receiver<Vec<u8>>,
    text: String,
}

impl Seat {
    fn sit(rig: &Rig, line: &str) -> Self {
        let size = PtySize { rows: 24, cols: 80, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_morpheus"));
        command.args(line.split_whitespace());
        command.env_clear();
        command.cwd(rig.home.path());
        command.env("TERM", "linux");
        command.env("HOME", rig.home.path());
        command.env("MORPHEUS_STATE_DIR", rig.home.path().join("ops"));
        command.env("MORPHEUS_CONFIG_PATH", rig.config());
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let (keys, mut screen) = (pair.master.take_writer().unwrap(), pair.master.try_clone_reader().unwrap());
        let (send, shown) = mpsc::channel();
        thread::spawn(move || {
            let _master = pair.master;
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = screen.read(&mut bytes) {
                if send.send(bytes.iter().take(count).copied().collect()).is_err() {
                    return;
                }
            }
        });
        Self { child, keys, shown, text: String::new() }
    }

    /// Waits for a text, and forgets what came until then.
    fn see(&mut self, wanted: &str) -> String {
        loop {
            if let Some((before, after)) = self.text.split_once(wanted) {
                let (before, after) = (before.to_owned(), after.to_owned());
                self.text = after;
                return before;
            }
            let bytes = self.shown.recv_timeout(PATIENCE);
            let bytes = bytes.unwrap_or_else(|_| panic!("'{wanted}' isn't seen, but: {:?}", self.text));
            self.text.push_str(&String::from_utf8_lossy(&bytes));
        }
    }

    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    fn code(mut self) -> u32 {
        self.child.wait().unwrap().exit_code()
    }
}

#[test]
fn a_person_confirms_the_plan_and_sees_the_seconds() {
    let rig = Rig::new();
    rig.hold("qmshutdown");
    let mut seat = Seat::sit(&rig, "mode windowsvrstreaming");
    let plan = seat.see("Go on? [y/N] ");
    assert!(plan.contains("then you are asked"), "{plan}");
    assert_eq!(rig.counts().writes, 0);
    seat.press("y\r");
    let mut progress = seat.see("\r  Shutting down linuxvrstreaming (VM 101)... 1s");
    rig.sim.release();
    progress += &seat.see("Now in windowsvrstreaming mode");
    assert!(!progress.contains('\u{1b}'), "{progress:?}");
    assert_eq!(seat.code(), 0);
}

#[test]
fn no_is_the_default() {
    let rig = Rig::new();
    let mut seat = Seat::sit(&rig, "mode windowsvrstreaming");
    seat.see("Go on? [y/N] ");
    seat.press("\r");
    seat.see("Not confirmed");
    assert_eq!((seat.code(), rig.counts().writes), (3, 0));
}

#[test]
fn a_guest_that_does_not_shut_down_is_asked_about_while_the_operation_waits() {
    let rig = Rig::with("{ world: { guests: { '101': { agent: null, timing: { shutdown: 100000 } } } } }");
    rig.edit_config(|yaml| format!("{yaml}switch: {{ shutdown_timeout: 1 }}\n"));
    let mut seat = Seat::sit(&rig, "mode windowsvrstreaming");
    seat.see("to go on: ");
    seat.press("linuxvrstreaming\r");
    seat.see("[w]ait on, [s]top it hard, [a]bort? ");
    seat.press("what\r");
    seat.see("[w]ait on, [s]top it hard, [a]bort? ");
    assert_eq!(rig.running(), [101], "nothing is stopped hard before the answer");
    seat.press("s\r");
    seat.see("Answer: stop it hard");
    seat.see("Now in windowsvrstreaming mode");
    assert_eq!((seat.code(), rig.running()), (0, vec![102]));
}

#[test]
fn a_second_factor_that_nobody_is_here_to_type_is_said() {
    let tfa = "{ totp: [ { id: phone, secret: GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ } ] }";
    let rig = Rig::with(&format!("{{ world: {{ users: {{ ann@pve: {{ password: right-one, tfa: {tfa} }} }} }} }}"));
    rig.edit_config(|yaml| {
        let lines = yaml.lines().filter(|line| !line.contains("api_token_"));
        lines
            .flat_map(|line| if line == "proxmox:" { vec![line, USER] } else { vec![line] })
            .collect::<Vec<_>>()
            .join("\n")
    });
    let said = rig.run("mode list");
    assert_eq!(said.code, Some(5), "{said:?}");
    for words in ["pve.second-factor", "ann@pve", "code of your authenticator", "API token"] {
        assert!(said.err.contains(words), "{words}: {}", said.err);
    }
    assert!(!said.err.contains("right-one") && !said.out.contains("right-one"), "{said:?}");
}

/// A user and a password in the place of a token.
const USER: &str = "  user: ann@pve\n  password: right-one";

#[test]
fn ctrl_c_only_stops_looking() {
    let rig = Rig::new();
    rig.hold("qmshutdown");
    let mut seat = Seat::sit(&rig, "mode windowsvrstreaming --yes");
    seat.see("Shutting down");
    assert!(rig.wait_until(|rig| rig.counts().writes > 0));
    seat.press("\u{3}");
    seat.see("goes on");
    assert_eq!(seat.code(), 130);
    rig.sim.release();
    assert!(rig.run("op attach").out.contains("Now in windowsvrstreaming mode"));
}
