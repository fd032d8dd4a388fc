//! Signals as events. The ones that end a program end this one too, but by way of its loop.

use std::io;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// What a signal asks for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Caught {
    /// SIGWINCH: the terminal has another size.
    Resized,
    /// SIGCONT: the process was stopped and goes on; others may have used the terminal.
    Continued,
    /// SIGTSTP from outside: the process is to stop, and the terminal to be given back before.
    Stop,
    /// A signal that ends a program.
    End {
        /// Its number; the exit status is 128 more.
        number: u8,
        /// SIGHUP: the terminal is gone.
        hangup: bool,
    },
}

/// The signals that the dashboard answers. Once listened to, a signal is never left to its default again.
#[derive(Debug)]
pub(crate) struct Signals {
    resized: Signal,
    continued: Signal,
    stop: Signal,
    hangup: Signal,
    interrupt: Signal,
    quit: Signal,
    terminate: Signal,
}

impl Signals {
    /// Listens from now on.
    ///
    /// # Errors
    /// The operating system refuses.
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self {
            resized: signal(SignalKind::window_change())?,
            continued: signal(SignalKind::from_raw(rustix::process::Signal::CONT.as_raw()))?,
            stop: signal(SignalKind::from_raw(rustix::process::Signal::TSTP.as_raw()))?,
            hangup: signal(SignalKind::hangup())?,
            interrupt: signal(SignalKind::interrupt())?,
            quit: signal(SignalKind::quit())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Waits for the next one.
    pub(crate) async fn next(&mut self) -> Caught {
        let end = |number, hangup| Caught::End { number, hangup };
        tokio::select! {
            biased;
            _ = self.hangup.recv() => end(1, true),
            _ = self.interrupt.recv() => end(2, false),
            _ = self.quit.recv() => end(3, false),
            _ = self.terminate.recv() => end(15, false),
            _ = self.stop.recv() => Caught::Stop,
            _ = self.continued.recv() => Caught::Continued,
            _ = self.resized.recv() => Caught::Resized,
        }
    }

    /// Waits for SIGCONT alone; the others are kept for [`next`](Self::next).
    pub(crate) async fn continued(&mut self) {
        self.continued.recv().await;
    }
}

/// The signals that whoever started this process had it ignore, a bit for each from the lowest (`proc_pid_status(5)`).
/// To be asked before any is listened to.
pub(crate) fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}
