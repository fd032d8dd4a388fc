//! What a command talks to: the outputs, the terminal, the surroundings.

use super::args::Global;
use crate::config::Env;
use std::io::{self, IsTerminal as _, Write};

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
    /// On the simulated host of `morpheus demo`.
    pub(crate) demo: bool,
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

    /// Whether a line may be rewritten while something runs.
    pub(crate) fn is_live(&self) -> bool {
        self.terminal.stdout && !self.json() && self.env.var("TERM") != Some("dumb")
    }

    /// Whether a person is there and wants to be asked.
    pub(crate) const fn can_ask(&self) -> bool {
        self.terminal.can_ask() && !self.json()
    }
}
