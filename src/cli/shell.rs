//! What a command talks to: the outputs, the terminal, the surroundings.

use super::args::Global;
use crate::{config::Env, pve::transport::Transport};
use std::{
    io::{self, IsTerminal as _, Write},
    sync::Arc,
};

/// The surroundings of a command.
pub(crate) struct Shell<'a> {
    /// What was asked for.
    pub(crate) out: &'a mut dyn Write,
    /// Errors, warnings, questions.
    pub(crate) err: &'a mut dyn Write,
    /// What is at the ends.
    pub(crate) terminal: Terminal,
    /// Flags that every command takes.
    pub(crate) global: &'a Global,
    /// Variables, home and working directory.
    pub(crate) env: &'a Env,
    /// The command line as it was typed, for advice that repeats it.
    pub(crate) typed: &'a [String],
    /// The way to the simulated host of `morpheus demo` inside of this process.
    pub(crate) demo: Option<Arc<dyn Transport>>,
}

/// Which ends are a terminal, and how wide it is.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Terminal {
    /// A person can type.
    pub(crate) stdin: bool,
    /// A person sees the output, and a line can be rewritten.
    pub(crate) stdout: bool,
    /// A person sees errors and questions.
    pub(crate) stderr: bool,
    /// Columns.
    pub(crate) width: u16,
}

impl Terminal {
    /// The ends of this process.
    pub(crate) fn look() -> Self {
        let width = rustix::termios::tcgetwinsize(io::stdout()).map_or(80, |size| size.ws_col);
        Self {
            stdin: io::stdin().is_terminal(),
            stdout: io::stdout().is_terminal(),
            stderr: io::stderr().is_terminal(),
            width: if width == 0 { 80 } else { width },
        }
    }

    /// Whether a person is there who can be asked.
    pub(crate) const fn can_ask(self) -> bool {
        self.stdin && self.stderr
    }
}

impl Shell<'_> {
    /// Whether documents are wanted instead of text.
    pub(crate) const fn json(&self) -> bool {
        self.global.json
    }

    /// Columns of the output, where it is a terminal.
    pub(crate) fn width(&self) -> Option<usize> {
        self.terminal.stdout.then_some(usize::from(self.terminal.width))
    }

    /// Whether a line may be rewritten while something runs.
    pub(crate) fn is_live(&self) -> bool {
        self.terminal.stdout && !self.json() && self.env.var("TERM") != Some("dumb")
    }

    /// The command line that was typed with other flags of confirmation, to be copied.
    pub(crate) fn again(&self, flags: &str) -> String {
        let mut words = self.typed.iter();
        let mut line = vec!["morpheus".to_owned()];
        while let Some(word) = words.next() {
            match word.as_str() {
                "-y" | "--yes" => {}
                "--confirm" => drop(words.next()),
                word if word.starts_with("--confirm=") => {}
                word => line.push(quoted(word)),
            }
        }
        line.push(flags.to_owned());
        line.join(" ")
    }

    /// Whether a person is there and wants to be asked.
    pub(crate) const fn can_ask(&self) -> bool {
        self.terminal.can_ask() && !self.json()
    }
}

/// A word as a POSIX shell reads it.
pub(crate) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/@._-:=,+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}
