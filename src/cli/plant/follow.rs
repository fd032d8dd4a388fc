//! Following a planting on a terminal, in a pipe or as JSON. It isn't ours: Ctrl-C only stops looking.

use super::progress::Progress;
use crate::{
    cli::{exit::Exit, failure::Failure, json, shell::Shell},
    domain::{
        finding::FindingId,
        host_id::HostId,
        ids::OpId,
        journal::Told,
        plant::{Event, State, event::End},
    },
    ops::{Client, Clock, Followed},
};
use serde::Serialize;
use std::time::Duration;

#[derive(Serialize)]
struct Line<'a> {
    plant: &'a OpId,
    #[serde(flatten)]
    event: &'a Event,
}

/// Follows a planting until it ends or halts. Lines of its journal before `from` were told already, or were an earlier
/// runner's: its last words don't end what a newer one is about to say.
///
/// # Errors
/// It failed, halted, or nobody follows any more.
pub(super) async fn follow(
    shell: &mut Shell<'_>,
    client: &Client,
    id: &OpId,
    here: &HostId,
    from: u32,
) -> Result<(), Failure> {
    let live = shell.is_live().then_some(shell.terminal.width);
    let mut progress = Progress::new(live);
    let mut told: Option<State> = None;
    let mut journal = client.follow_plant(id, Some(here)).await?;
    let mut second = tokio::time::interval(Duration::from_millis(if live.is_some() { 250 } else { 60_000 }));
    loop {
        tokio::select! {
            biased;
            _ = tokio::signal::ctrl_c() => {
                progress.close(shell.out)?;
                return Err(detach(shell, id)?);
            }
            news = journal.recv() => match news {
                Some(Followed::Event(event)) => {
                    match &mut told {
                        Some(state) => state.apply(&event),
                        None => told = State::begin(&event),
                    }
                    let Some(state) = &told else { continue };
                    if shell.json() {
                        json::document(shell.out, json::PLANT_EVENT, &Line { plant: id, event: &event })?;
                    } else if event.seq >= from {
                        progress.event(shell.out, state, &event)?;
                    }
                    if event.seq >= from && let Some(trouble) = &state.halted {
                        return Err(halted(id, Failure::from(trouble.clone())));
                    }
                }
                Some(Followed::Lost) => {
                    progress.close(shell.out)?;
                    let message = format!("The runner of {id} ended before the planting did.");
                    return Err(halted(id, Failure::new(FindingId::OpInterrupted, message)));
                }
                Some(Followed::Broken(why)) => return Err(Failure::new(FindingId::JournalBroken, why)),
                None => {
                    end(told.as_ref())?;
                    return super::passwords(shell, client.store(), id);
                }
            },
            _ = second.tick() => {
                if let Some(state) = told.as_ref().filter(|_| !shell.json()) {
                    progress.tick(shell.out, state, Clock::System.now())?;
                }
            }
        }
    }
}

/// What was made is kept, and there are two ways on.
pub(super) fn halted(id: &OpId, failure: Failure) -> Failure {
    let cancelled = failure.finding == Some(FindingId::PlantHalted);
    let failure = failure
        .or(format!("`morpheus plant resume {id}` goes on from what stands."))
        .or(format!("`morpheus plant undo {id}` removes what it made."));
    failure.ending(if cancelled { Exit::Cancelled } else { Exit::NotRolledBack })
}

fn detach(shell: &mut Shell<'_>, id: &OpId) -> Result<Failure, Failure> {
    if !shell.json() {
        writeln!(shell.err, "\nNot followed any more; planting {id} goes on.")?;
        writeln!(shell.err, "  `morpheus plant status` tells how far it is, `morpheus plant cancel` ends it.")?;
    }
    Ok(Failure::detached())
}

fn end(told: Option<&State>) -> Result<(), Failure> {
    match told.and_then(|state| Some((state, state.finished?.0))) {
        Some((_, End::Done | End::Undone)) => Ok(()),
        Some((state, End::Refused)) => {
            let why = state.halted.clone().map(Failure::from);
            let changed = || Failure::new(FindingId::PlantChanged, "The host isn't as it was when the plan was made.");
            Err(why.unwrap_or_else(changed).ending(Exit::Refused))
        }
        None => Err(Failure::new(FindingId::JournalBroken, "The journal ended before the planting did.")),
    }
}
