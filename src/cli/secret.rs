//! Asking a person for a secret: nothing of it is seen, and the terminal is as before when that is over.

use rustix::{
    process::{Signal, getpid, kill_process},
    termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr},
};
use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Write as _},
};

/// What Ctrl-C sends where it is no signal.
const INTERRUPT: u8 = 3;

/// Asks for a secret on this process's terminal; none if a person ended the input instead. An interrupt ends the process
/// as it would anywhere else, but after the terminal was given back.
///
/// # Errors
/// There is no terminal, or it is gone.
pub(crate) fn ask(prompt: &str) -> io::Result<Option<String>> {
    let typed = {
        // Before the question: what is typed or pasted as soon as it is there must not be seen either.
        let hidden = Hidden::new()?;
        let mut tty = hidden.tty.try_clone()?;
        tty.write_all(prompt.as_bytes())?;
        let keys = Keys(hidden.tty.try_clone()?);
        let typed = rpassword::read_password_with_config(
            rpassword::ConfigBuilder::new().input_reader(keys).output_discard().build(),
        );
        tty.write_all(b"\n")?;
        typed
    };
    match typed {
        Ok(secret) => Ok(Some(secret)),
        Err(why) if why.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(why) if why.kind() == io::ErrorKind::Interrupted => {
            kill_process(getpid(), Signal::INT)?;
            Ok(None)
        }
        Err(why) => Err(why),
    }
}

/// A terminal that shows nothing of what is typed, as long as this value lives.
struct Hidden {
    tty: File,
    before: Termios,
}

impl Hidden {
    fn new() -> io::Result<Self> {
        let tty = OpenOptions::new().read(true).write(true).open("/dev/tty")?;
        let before = tcgetattr(&tty)?;
        let mut quiet = before.clone();
        quiet.local_modes -= LocalModes::ECHO | LocalModes::ECHONL | LocalModes::ICANON | LocalModes::ISIG;
        quiet.special_codes[SpecialCodeIndex::VMIN] = 1;
        quiet.special_codes[SpecialCodeIndex::VTIME] = 0;
        tcsetattr(&tty, OptionalActions::Flush, &quiet)?;
        Ok(Self { tty, before })
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        let _ = tcsetattr(&self.tty, OptionalActions::Now, &self.before);
    }
}

/// What is typed. rpassword answers a Ctrl-C by a signal that ends the process before the terminal is as it was, so it
/// doesn't see one.
struct Keys(File);

impl Read for Keys {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let count = self.0.read(bytes)?;
        if bytes.iter().take(count).any(|byte| *byte == INTERRUPT) {
            Err(io::ErrorKind::Interrupted.into())
        } else {
            Ok(count)
        }
    }
}
