//! The terminal's device: its modes, its size, and a way to write that never blocks.

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::{Mode, OFlags, open},
    io::Errno,
    stdio::{stdin, stdout},
    termios::{
        OptionalActions, QueueSelector, Termios, isatty, tcflush, tcgetattr, tcgetpgrp, tcgetwinsize, tcsetattr,
    },
};
use std::{
    io,
    os::fd::{AsFd, OwnedFd},
    sync::Arc,
    time::Duration,
};
use tokio::time::Instant;

/// How long [`Tty::push`] waits for a terminal that is slow to read.
const PATIENCE: Duration = Duration::from_millis(300);

/// The terminal that this process talks to.
#[derive(Clone, Debug)]
pub(crate) struct Tty {
    input: Arc<OwnedFd>,
    output: Arc<OwnedFd>,
}

impl Tty {
    /// Finds the terminal on standard output; keys come from standard input, or from `/dev/tty` if that is no terminal.
    ///
    /// # Errors
    /// Standard output is no terminal, or there is nothing to read keys from.
    pub(crate) fn open() -> io::Result<Self> {
        if !isatty(stdout()) {
            return Err(io::Error::other("standard output is not a terminal"));
        }
        let input = if isatty(stdin()) {
            stdin().try_clone_to_owned()?
        } else {
            let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
            open("/dev/tty", flags, Mode::empty())
                .map_err(|_| io::Error::other("there is no terminal to read keys from"))?
        };
        Ok(Self { input: Arc::new(input), output: Arc::new(own_description()?) })
    }

    /// The descriptor that is written to.
    pub(crate) const fn output(&self) -> &Arc<OwnedFd> {
        &self.output
    }

    /// The line discipline as it is now.
    pub(crate) fn termios(&self) -> io::Result<Termios> {
        Ok(tcgetattr(&self.input)?)
    }

    /// Sets the line discipline.
    pub(crate) fn set_termios(&self, termios: &Termios) -> io::Result<()> {
        Ok(tcsetattr(&self.input, OptionalActions::Now, termios)?)
    }

    /// Waits until something was typed.
    ///
    /// # Errors
    /// The terminal is gone.
    pub(crate) fn wait_for_keys(&self) -> io::Result<()> {
        while !self.typed(None)? {}
        Ok(())
    }

    /// Whether something was typed that nobody has read yet.
    ///
    /// # Errors
    /// The terminal is gone.
    pub(crate) fn has_keys(&self) -> io::Result<bool> {
        self.typed(Some(&Timespec { tv_sec: 0, tv_nsec: 0 }))
    }

    fn typed(&self, patience: Option<&Timespec>) -> io::Result<bool> {
        let mut fds = [PollFd::from_borrowed_fd(self.input.as_fd(), PollFlags::IN)];
        match poll(&mut fds, patience) {
            Err(Errno::INTR) => return Ok(false),
            found => drop(found?),
        }
        let [input] = &fds;
        let found = input.revents();
        if found.intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL) {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        Ok(found.contains(PollFlags::IN))
    }

    /// Forgets what was typed and not read.
    pub(crate) fn forget_keys(&self) {
        let _ = tcflush(&self.input, QueueSelector::IFlush);
    }

    /// The terminal's end for another process to read keys from.
    ///
    /// # Errors
    /// There are too many open files.
    pub(crate) fn for_child(&self) -> io::Result<OwnedFd> {
        self.input.try_clone()
    }

    /// Columns and rows. A terminal that doesn't know its size is taken for 80x24.
    pub(crate) fn size(&self) -> (u16, u16) {
        match tcgetwinsize(&self.output) {
            Ok(size) if size.ws_col > 0 && size.ws_row > 0 => (size.ws_col, size.ws_row),
            _ => (80, 24),
        }
    }

    /// Writes as much as the terminal takes now, and says how much that was.
    ///
    /// # Errors
    /// The terminal is gone. One that is only busy is no error.
    pub(crate) fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match rustix::io::write(&self.output, bytes) {
                Ok(count) => return Ok(count),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return Ok(0),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Writes all of it, waiting a moment for a terminal that is busy, and giving up on one that stays so. Says whether
    /// all was written.
    pub(crate) fn push(&self, mut bytes: &[u8]) -> bool {
        let end = Instant::now() + PATIENCE;
        while !bytes.is_empty() {
            let left = end.saturating_duration_since(Instant::now());
            let wait = Timespec { tv_sec: 0, tv_nsec: i64::from(left.subsec_nanos()) };
            let mut fds = [PollFd::from_borrowed_fd(self.output.as_fd(), PollFlags::OUT)];
            match poll(&mut fds, Some(&wait)) {
                Err(Errno::INTR) => continue,
                Ok(1..) => {}
                Ok(0) | Err(_) => return false,
            }
            match self.write(bytes) {
                Ok(0) | Err(_) => return false,
                Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
            }
        }
        true
    }

    /// Drops what the terminal hasn't taken yet, so that there is room for something that matters more.
    pub(crate) fn drop_unread(&self) {
        let _ = tcflush(&self.output, QueueSelector::OFlush);
    }
}

/// Opens the terminal on standard output once more: whether writing blocks belongs to the open file, and the shell
/// shares the one that we were given. Where it can't be opened, that one has to do.
fn own_description() -> io::Result<OwnedFd> {
    let controlling = tcgetpgrp(stdout()).is_ok();
    let path = if controlling { "/dev/tty" } else { "/proc/self/fd/1" };
    let flags = OFlags::WRONLY | OFlags::NOCTTY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    open(path, flags, Mode::empty()).map_or_else(|_| stdout().try_clone_to_owned(), Ok)
}
