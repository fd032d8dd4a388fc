//! Planting: looking at what there is to plant on, and carrying a plan out.
//!
//! Every step looks first and does nothing where its fact is there already: a resume is the same again. Before a
//! request that makes something a line is written; what was made is known by its mark: a guest and a mapping by their
//! description, a volume by the line.

mod guests;
mod images;
mod inside;
mod look;
mod means;
mod nodes;
mod passwords;
mod run;
mod undo;

pub use means::{Doing, Local, Means};
pub use passwords::passwords_file;
pub use run::carry_out;

use crate::{
    domain::{facts::Trouble, finding::FindingId, ids::OpId},
    ops::Error,
    pve,
};

/// What a description says that belongs to a planting.
fn mark(id: &OpId) -> String {
    format!("Made by morpheus, {id}.")
}

/// Why a step goes no further.
#[derive(Debug)]
enum Stop {
    /// The host refused, or couldn't be asked.
    Host(pve::Error),
    /// Anything else that went wrong.
    Trouble(Trouble),
    /// A person wants it to stop.
    Told,
    /// The journal can't be written: nothing may be done any more.
    Journal(Error),
}

impl Stop {
    fn new(finding: FindingId, message: impl Into<String>) -> Self {
        Self::Trouble(Trouble { finding, message: message.into() })
    }

    /// Whether the same may go well in a moment, after another look.
    fn may_pass(&self) -> bool {
        let Self::Host(error) = self else { return false };
        error.retry_may_help()
            || error.outcome_unknown()
            || matches!(error, pve::Error::Unreachable(_) | pve::Error::Timeout(_))
            // A digest that isn't the newest (pve-common `Tools.pm`, `assert_if_modified`): another look has that.
            || matches!(error, pve::Error::Refused(words) if words.contains("file change"))
    }
}

impl From<pve::Error> for Stop {
    fn from(error: pve::Error) -> Self {
        Self::Host(error)
    }
}

impl From<Trouble> for Stop {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Journal(error)
    }
}

#[cfg(test)]
mod tests;
