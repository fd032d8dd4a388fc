//! Whether an operation belongs to the host that is reached from here: the one place where that is decided, for all who
//! begin, go on with, undo, cancel or follow one.

use super::{Error, Store};
use crate::domain::{
    host_id::{HostId, Likeness},
    ids::OpId,
    journal::Origin,
};

/// Whether an operation may be one of this host. What isn't known to be of another one may.
pub(super) fn may_concern(origin: &Origin, here: &HostId) -> bool {
    origin.id().compare(here) != Likeness::Other
}

/// Fails unless an operation is one of this host.
///
/// # Errors
/// It is another one's, or, where `wholly` asks for certainty, that can't be told.
pub(super) fn check(id: &OpId, origin: &Origin, here: &HostId, wholly: bool) -> Result<(), Error> {
    let (known, by_label) = (origin.id(), origin.host_id.is_none());
    match known.compare(here) {
        Likeness::Same => Ok(()),
        Likeness::Unknown if !wholly => Ok(()),
        likeness => Err(Error::OtherHost {
            id: id.clone(),
            of: words(&known, here),
            here: words(here, &known),
            by_label,
            unknown: likeness == Likeness::Unknown,
        }),
    }
}

/// A host as a person knows it, with its certificate where only that tells it from the other one.
fn words(host: &HostId, other: &HostId) -> String {
    match &host.certificate {
        Some(certificate) if host.to_string() == other.to_string() => format!("{host} (certificate {certificate})"),
        _ => host.to_string(),
    }
}

impl Store {
    /// What is to be said before an operation is gone on with whose journal doesn't name its host's identity.
    #[must_use]
    pub fn note(&self, id: &OpId) -> Option<String> {
        let origin = self.origin(id).filter(|origin| origin.host_id.is_none())?;
        Some(format!(
            "The journal of {id} is of an earlier morpheus and names no identity of its host; only \"{}\" could be compared.",
            origin.host
        ))
    }
}

#[cfg(test)]
#[path = "identity_tests.rs"]
mod tests;
