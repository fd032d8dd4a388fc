//! How a runner takes an operation over, whatever its kind: its host, its lock, its first line.

use super::{Error, Host, Journal, Store, error, identity, lock};
use crate::domain::{facts::Trouble, ids::OpId, journal::Told};

/// An operation that is its runner's now.
pub(super) struct Taken<S: Told> {
    /// Its journal; at its end if it was refused, or had ended before.
    pub(super) journal: Journal<S>,
    /// Whether an earlier runner had it.
    pub(super) resumed: bool,
}

/// The connection with which an operation is carried out: to the node that it was planned for, where the configuration
/// leaves the node open.
pub(super) fn host_of(store: &Store, id: &OpId, host: &Host) -> Host {
    store.origin(id).and_then(|origin| origin.id().node).map_or_else(|| host.clone(), |node| host.on(node))
}

/// Takes an operation over. One that hadn't begun and may not ends here; one that had is left for a resume.
///
/// # Errors
/// Another runner has it, another operation is in the way, it is another host's, or its journal can't be read or written.
pub(super) async fn take_over<S: Told>(store: &Store, id: &OpId, host: &Host) -> Result<Taken<S>, Error> {
    let (mut journal, rival) = lock::take::<S>(store, id).await?;
    let (state, clock) = (journal.state(), host.clock());
    let resumed = state.had_runner();
    if state.ended().is_some() {
        return Ok(Taken { journal, resumed });
    }
    let may = match rival {
        Some(rival) => Err(Error::Running(rival)),
        None => identity::check(id, state.origin(), &host.id(), true),
    };
    match may {
        Ok(()) => journal.append(S::taken_over(std::process::id()), clock.now())?,
        Err(error) if resumed || !state.is_untouched() => return Err(error),
        Err(error) => end(&mut journal, error::refusal(&error), host)?,
    }
    Ok(Taken { journal, resumed })
}

fn end<S: Told>(journal: &mut Journal<S>, because: Trouble, host: &Host) -> Result<(), Error> {
    S::refused(because).into_iter().try_for_each(|what| journal.append(what, host.clock().now()))
}

/// Ends an operation whose runner didn't begin: nothing was done, and it would hold up the next.
pub(super) async fn abandon<S: Told>(store: &Store, id: &OpId, because: Trouble, host: &Host) -> Result<(), Error> {
    let (mut journal, _) = lock::take::<S>(store, id).await?;
    let state = journal.state();
    let begun = state.ended().is_some() || state.had_runner() || !state.is_untouched();
    if begun { Ok(()) } else { end(&mut journal, because, host) }
}
