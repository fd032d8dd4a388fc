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
}

fn named(id: &OpId) -> String {
    format!("{} {id}", if id.is_plant() { "planting" } else { "operation" })
}

/// Why an operation can't begin now, for its journal.
pub(super) fn busy(other: &OpId) -> String {
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
        }
    }

    /// The error as a journal or the screen keeps it.
    #[must_use]
    pub fn trouble(&self) -> Trouble {
        Trouble { finding: self.finding(), message: self.to_string() }
    }
}
