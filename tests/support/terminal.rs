//! A terminal with the real binary in it: what it shows, what it was sent, and whether it was given back as found.

use crate::served::PATIENCE;
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, SlavePty, native_pty_system};
use std::{
    collections::BTreeMap,
    io::{Read, Write},
    path::Path,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc},
    thread,
    time::Duration,
};

/// Bytes that a slow line carries at once.
const SIP: usize = 16;
/// What that takes: less than on a line of 9,600 baud, for whoever waits oversleeps.
const PER_SIP: Duration = Duration::from_millis(10);
/// Columns and rows that the emulator has at least. With fewer it panics at a line that is too long for it, such as one
/// that was on its way when the terminal became smaller.
const DRAWN: u16 = 2;

/// A terminal and the program in it.
pub(crate) struct Terminal {
    master: Option<Box<dyn MasterPty + Send>>,
    /// Keeps the terminal's modes readable after the program has ended.
    slave: Option<Box<dyn SlavePty + Send>>,
    writer: Option<Box<dyn Write + Send>>,
    child: Option<Box<dyn Child + Send + Sync>>,
    pid: i32,
    seen: Arc<(Mutex<Seen>, Condvar)>,
    found: String,
    /// Who reads it slowly, until the sender is dropped.
    listener: Option<(mpsc::Sender<()>, thread::JoinHandle<()>)>,
}

/// What the program has sent so far.
pub(crate) struct Seen {
    /// The terminal as it looks now.
    pub(crate) screen: vt100::Parser,
    /// Every byte.
    pub(crate) raw: Vec<u8>,
}

/// What to start, and on which terminal.
pub(crate) struct Start<'a> {
    /// Program and arguments.
    pub(crate) command: &'a [&'a str],
    /// The whole environment beside `PATH`, `HOME` and the state directory.
    pub(crate) env: &'a [(&'a str, &'a str)],
    /// Home, state and working directory.
    pub(crate) home: &'a Path,
    /// Columns and rows.
    pub(crate) size: (u16, u16),
    /// Whether anybody reads what the terminal is sent.
    pub(crate) deaf: bool,
}

const fn pty_size((cols, rows): (u16, u16)) -> PtySize {
    PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }
}

impl Terminal {
    /// Opens a terminal and starts a program in it, as the leader of its session.
    pub(crate) fn start(start: &Start<'_>) -> Self {
        let pair = native_pty_system().openpty(pty_size(start.size)).unwrap();
        let mut command = CommandBuilder::new(start.command[0]);
        command.args(&start.command[1..]);
        command.env_clear();
        command.cwd(start.home);
        for (key, value) in [("HOME", start.home.to_str().unwrap()), ("PATH", "/usr/bin:/bin"), ("LANG", "C.UTF-8")] {
            command.env(key, value);
        }
        command.env("MORPHEUS_STATE_DIR", start.home.join("ops"));
        start.env.iter().for_each(|(key, value)| command.env(key, value));
        let found = format!("{:?}", pair.master.get_termios().unwrap());
        let child = pair.slave.spawn_command(command).unwrap();
        let pid = i32::try_from(child.process_id().unwrap()).unwrap();
        let screen = vt100::Parser::new(start.size.1, start.size.0, 0);
        let seen = Arc::new((Mutex::new(Seen { screen, raw: Vec::new() }), Condvar::new()));
        let writer = Some(pair.master.take_writer().unwrap());
        let (master, slave) = (Some(pair.master), Some(pair.slave));
        let terminal = Self { master, slave, writer, child: Some(child), pid, seen, found, listener: None };
        if !start.deaf {
            terminal.listen();
        }
        terminal
    }

    /// Types.
    pub(crate) fn type_in(&mut self, keys: &str) {
        let writer = self.writer.as_mut().unwrap();
        writer.write_all(keys.as_bytes()).unwrap();
        writer.flush().unwrap();
    }

    /// Gives the terminal another size.
    pub(crate) fn resize(&self, size: (u16, u16)) {
        let [columns, rows] = [size.0, size.1].map(|count| count.max(DRAWN));
        seen(&self.seen.0).screen.screen_mut().set_size(rows, columns);
        self.master.as_ref().unwrap().resize(pty_size(size)).unwrap();
    }

    /// Waits until what was seen is as wanted.
    pub(crate) fn until(&self, what: &str, wanted: impl Fn(&Seen) -> bool) {
        let result = self.seen.1.wait_timeout_while(seen(&self.seen.0), PATIENCE, |seen| !wanted(seen));
        let (seen, outcome) = result.unwrap_or_else(PoisonError::into_inner);
        assert!(!outcome.timed_out(), "never came: {what}\n{}", seen.screen.screen().contents());
    }

    /// Waits until the screen shows this text.
    pub(crate) fn shows(&self, text: &str) {
        self.until(text, |seen| seen.screen.screen().contents().contains(text));
    }

    /// Waits until the screen doesn't show this text.
    pub(crate) fn loses(&self, text: &str) {
        self.until(&format!("no {text}"), |seen| !seen.screen.screen().contents().contains(text));
    }

    /// How many bytes were sent so far.
    pub(crate) fn sent(&self) -> usize {
        self.raw().len()
    }

    /// Every byte so far.
    pub(crate) fn raw(&self) -> Vec<u8> {
        seen(&self.seen.0).raw.clone()
    }

    /// The screen as text.
    pub(crate) fn contents(&self) -> String {
        seen(&self.seen.0).screen.screen().contents()
    }

    /// What is to be known about the screen.
    pub(crate) fn look<T>(&self, of: impl Fn(&vt100::Screen) -> T) -> T {
        of(seen(&self.seen.0).screen.screen())
    }

    /// Sends a signal to the program alone.
    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        rustix::process::kill_process(rustix::process::Pid::from_raw(self.pid).unwrap(), signal).unwrap();
    }

    /// Waits for the program's end and says its exit code.
    pub(crate) fn ends(&mut self) -> u32 {
        let mut child = self.child.take().unwrap();
        let mut killer = child.clone_killer();
        let (sender, ended) = mpsc::channel();
        thread::spawn(move || drop(sender.send(child.wait())));
        if let Ok(status) = ended.recv_timeout(PATIENCE) {
            return status.unwrap().exit_code();
        }
        let _ = killer.kill();
        panic!("the program doesn't end\n{}", self.contents());
    }

    /// From now on somebody reads what the terminal is sent, where nobody did.
    pub(crate) fn listen(&self) {
        let (mut reader, seen) = (self.master.as_ref().unwrap().try_clone_reader().unwrap(), Arc::clone(&self.seen));
        thread::spawn(move || while hear(&mut *reader, &mut [0; 4096], &seen) {});
    }

    /// From now on it is read as slowly as a line of 9,600 baud carries it, where nobody read it; until it vanishes.
    pub(crate) fn listen_slowly(&mut self) {
        let (mut reader, seen) = (self.master.as_ref().unwrap().try_clone_reader().unwrap(), Arc::clone(&self.seen));
        let (hearing, gone) = mpsc::channel::<()>();
        let listener = thread::spawn(move || {
            let mut bytes = [0; SIP];
            while gone.recv_timeout(PER_SIP) == Err(mpsc::RecvTimeoutError::Timeout)
                && hear(&mut *reader, &mut bytes, &seen)
            {}
        });
        self.listener = Some((hearing, listener));
    }

    /// The process that the program, a shell, waits for.
    pub(crate) fn job(&self) -> rustix::process::Pid {
        let of_shell = std::fs::read_to_string(format!("/proc/{0}/task/{0}/children", self.pid)).unwrap();
        rustix::process::Pid::from_raw(of_shell.trim().parse().unwrap()).unwrap()
    }

    /// The most memory that the program had so far, KiB.
    pub(crate) fn peak_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid)).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// Reads until this text comes, on a terminal that nobody else reads.
    pub(crate) fn glance(&self, text: &str) {
        let mut reader = self.master.as_ref().unwrap().try_clone_reader().unwrap();
        let (mut raw, mut bytes) = (String::new(), [0; 4096]);
        while !raw.contains(text) {
            let count = reader.read(&mut bytes).unwrap();
            raw.push_str(&String::from_utf8_lossy(&bytes[..count]));
        }
    }

    /// The terminal goes away. Nobody may read it but slowly.
    pub(crate) fn vanish(&mut self) {
        self.writer = None;
        self.slave = None;
        if let Some((hearing, listener)) = self.listener.take() {
            drop(hearing);
            listener.join().unwrap();
        }
        self.master = None;
    }

    /// Fails unless the terminal is as it was before the program started: every mode that was sent and the line
    /// discipline, byte for byte.
    pub(crate) fn assert_given_back(&self) {
        self.until("the last mode", |seen| modes_left_on(&seen.raw).is_empty());
        let seen = seen(&self.seen.0);
        assert!(!seen.screen.screen().alternate_screen() && !seen.screen.screen().hide_cursor());
        drop(seen);
        let now = format!("{:?}", self.master.as_ref().unwrap().get_termios().unwrap());
        assert_eq!(now, self.found);
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// What was seen so far. A test that failed while it held this is not what is wrong with the next one.
fn seen(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reads what is there, and says whether there may be more.
fn hear(reader: &mut dyn Read, bytes: &mut [u8], seen: &(Mutex<Seen>, Condvar)) -> bool {
    let Ok(count @ 1..) = reader.read(bytes) else { return false };
    let mut held = self::seen(&seen.0);
    held.screen.process(&bytes[..count]);
    held.raw.extend_from_slice(&bytes[..count]);
    drop(held);
    seen.1.notify_all();
    true
}

/// Private modes that are not as a fresh terminal has them.
pub(crate) fn modes_left_on(raw: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(raw);
    let mut modes: BTreeMap<&str, bool> = BTreeMap::new();
    for part in text.split("\x1b[?").skip(1) {
        let end = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
        match part.as_bytes().get(end) {
            Some(b'h') => modes.insert(&part[..end], true),
            Some(b'l') => modes.insert(&part[..end], false),
            _ => None,
        };
    }
    // The cursor is the one mode that is on in a fresh terminal.
    modes.into_iter().filter(|(mode, on)| *on != (*mode == "25")).map(|(mode, _)| mode.to_owned()).collect()
}

/// Parameters of every colour and attribute sequence that was sent.
pub(crate) fn sgr(raw: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(raw);
    let parts = text.split("\x1b[").skip(1).filter_map(|part| {
        let end = part.find(|c: char| !(c.is_ascii_digit() || c == ';' || c == ':'))?;
        (part.as_bytes()[end] == b'm').then(|| part[..end].to_owned())
    });
    parts.collect()
}
