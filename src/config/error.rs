//! What is wrong with a configuration, and what is worth saying about it.

use crate::domain::finding::FindingId;
use std::{fmt, path::PathBuf};

/// Where something stands.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Place {
    /// In a file; lines and columns count from 1, line 0 means the file as a whole.
    File {
        /// The file as it was named or found.
        path: PathBuf,
        /// The line.
        line: u64,
        /// The column in characters.
        column: u64,
    },
    /// An environment variable of this name.
    Variable(String),
    /// A command-line flag, such as `--host`.
    Flag(&'static str),
}

impl fmt::Display for Place {
    /// `config.yaml:9:5`, `environment`, `command line`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, line: 0, .. } => write!(f, "{}", path.display()),
            Self::File { path, line, column } => write!(f, "{}:{line}:{column}", path.display()),
            Self::Variable(_) => f.write_str("environment"),
            Self::Flag(_) => f.write_str("command line"),
        }
    }
}

/// One mistake.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Problem {
    /// Where.
    pub place: Place,
    /// The key's path, the variable's or the flag's name; empty for the file as a whole.
    pub key: String,
    /// What is wrong, what is allowed, what was probably meant. Never holds a secret.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.place)?;
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.message)
    }
}

/// Something worth saying about a configuration that can be used.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Notice {
    /// Its kind.
    pub finding: FindingId,
    /// Where.
    pub place: Place,
    /// The key's path or the variable's name; empty for a file as a whole.
    pub key: String,
    /// This case. Never holds a secret.
    pub message: String,
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.place)?;
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.message)
    }
}

/// Everything that is wrong with a configuration, in file order.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub struct ConfigError {
    /// At least one.
    pub problems: Vec<Problem>,
    /// What would have been said had it been usable.
    pub notices: Vec<Notice>,
}

impl ConfigError {
    /// The finding of every such error.
    pub const FINDING: FindingId = FindingId::ConfigBad;
}

impl fmt::Display for ConfigError {
    /// One problem a line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, problem) in self.problems.iter().enumerate() {
            if i > 0 {
                writeln!(f)?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}
