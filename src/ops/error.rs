//! What goes wrong outside of the host: journals, locks, runners, missing configuration.

use crate::domain::{facts::Trouble, finding::FindingId, ids::OpId};
use std::path::{Path, PathBuf};

/// A failure of this machine's part in an operation.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The host refused, or couldn't be asked.
    #[error(transparent)]
    Pve(#[from] crate::pve::Error),
    /// The configuration doesn't say how to reach a host.
    #[error("{0}")]
    Config(String),
    /// A file of the state directory can't be read or written.
    #[error("{path}: {why}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// There is no such operation.
    #[error("there is no operation '{0}'")]
    UnknownOp(String),
    /// Another operation holds the lock.
    #[error("{} is running", named(.0))]
    Running(OpId),
    /// The runner couldn't be started.
    #[error("can't start a runner: {0}")]
    Launch(String),
    /// The runner ended without having begun.
    #[error("{}", .0.message)]
    Refused(Trouble),
    /// The operation is another host's.
    #[error("the {} is for {of}, but the configuration names {here}{}", named(.id), why(*.by_label, *.unknown))]
    OtherHost {
        /// Which.
        id: OpId,
        /// Its host.
        of: String,
        /// The host that is reached from here.
        here: String,
        /// Its journal names no identity of its host, only a label.
        by_label: bool,
        /// It is one server, but it isn't known whether it is one node.
        unknown: bool,
    },
}

fn named(id: &OpId) -> String {
    format!("{} {id}", if id.is_plant() { "planting" } else { "operation" })
}

const fn why(by_label: bool, unknown: bool) -> &'static str {
    match (by_label, unknown) {
        (_, true) => "; whether both are one node can't be told",
        (true, false) => "; its journal is of an earlier morpheus, so that only address and node can be compared",
        (false, false) => "",
    }
}

/// An error as the reason why an operation ended before it began.
pub(super) fn refusal(error: &Error) -> Trouble {
    match error {
        Error::Running(other) => Trouble { finding: FindingId::OpRunning, message: busy(other) },
        error => error.trouble(),
    }
}

/// Why an operation can't begin now, for its journal.
fn busy(other: &OpId) -> String {
    if other.is_plant() {
        format!("Planting {other} is running; morpheus plant status tells how far it is.")
    } else {
        format!("Operation {other} is running; morpheus op attach {other} follows it.")
    }
}

impl Error {
    pub(crate) fn file(path: &Path, why: &dyn ToString) -> Self {
        Self::File { path: path.to_owned(), why: why.to_string() }
    }

    /// The finding that explains it.
    #[must_use]
    pub fn finding(&self) -> FindingId {
        match self {
            Self::Pve(error) => error.finding(),
            Self::Config(_) => FindingId::ConfigBad,
            Self::File { .. } | Self::Launch(_) => FindingId::JournalBroken,
            Self::UnknownOp(_) => FindingId::OpUnknown,
            Self::Running(_) => FindingId::OpRunning,
            Self::Refused(trouble) => trouble.finding,
            Self::OtherHost { .. } => FindingId::OpOtherHost,
        }
    }

    /// The error as a journal or the screen keeps it.
    #[must_use]
    pub fn trouble(&self) -> Trouble {
        Trouble { finding: self.finding(), message: self.to_string() }
    }
}
