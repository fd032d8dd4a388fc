//! Following an operation: its past, then what happens, until it ends.

use super::{Error, Store, journal};
use crate::{
    domain::{
        ids::OpId,
        journal::{Line, Told},
        plant, switch,
    },
    files::Own,
};
use std::{
    io::{self, Read, Seek, SeekFrom},
    marker::PhantomData,
    path::PathBuf,
    time::Duration,
};
use tokio::sync::mpsc;

/// How often a followed journal is looked at.
const PAUSE: Duration = Duration::from_millis(100);
/// For how many looks in a row nobody may hold the lock before the runner counts as lost: 3 s, so that a runner that
/// is only just being started isn't.
const PATIENCE: u32 = 30;

/// What a follower of a switch, or of a planting, hears.
#[derive(Clone, Debug, PartialEq)]
pub enum Followed<E = switch::event::Event> {
    /// A line of the journal.
    Event(Box<E>),
    /// The operation hasn't ended, but nobody carries it out any more. Said once; a resume is heard again.
    Lost,
    /// The journal can't be read; the last word.
    Broken(String),
}

/// Follows a switch from its first line. The channel closes after its last one.
#[must_use]
pub(super) fn follow(store: Store, id: OpId) -> mpsc::Receiver<Followed> {
    spawn::<switch::state::State>(store, id)
}

/// Follows a planting from its first line. The channel closes after its last one.
#[must_use]
pub(super) fn follow_plant(store: Store, id: OpId) -> mpsc::Receiver<Followed<plant::Event>> {
    spawn::<plant::State>(store, id)
}

fn spawn<S: Told>(store: Store, id: OpId) -> mpsc::Receiver<Followed<Line<S::What>>> {
    let (sender, receiver) = mpsc::channel(64);
    tokio::spawn(async move {
        let told = sender.clone();
        if let Err(why) = run::<S>(&store, &id, sender).await {
            // The listener may be gone already.
            drop(told.send(Followed::Broken(why.to_string())).await);
        }
    });
    receiver
}

async fn run<S: Told>(store: &Store, id: &OpId, sender: mpsc::Sender<Followed<Line<S::What>>>) -> Result<(), Error> {
    let mut tail = Tail::<S> { path: store.journal_path(id), offset: 0, seq: 0, of: PhantomData };
    let (mut alone, mut lost) = (0, false);
    while !sender.is_closed() {
        let events = tail.read()?;
        if !events.is_empty() {
            (alone, lost) = (0, false);
        }
        // A planting can be undone after its end: then its journal goes on.
        let ends = S::has_ended(&events);
        for event in events {
            if sender.send(Followed::Event(Box::new(event))).await.is_err() {
                return Ok(());
            }
        }
        if ends {
            return Ok(());
        }
        alone = if store.is_running(id) { 0 } else { alone + 1 };
        if alone >= PATIENCE && !lost {
            lost = true;
            if sender.send(Followed::Lost).await.is_err() {
                return Ok(());
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
}

struct Tail<S> {
    path: PathBuf,
    offset: u64,
    seq: u32,
    of: PhantomData<fn() -> S>,
}

impl<S: Told> Tail<S> {
    /// Whole new lines.
    fn read(&mut self) -> Result<Vec<Line<S::What>>, Error> {
        let mut text = Vec::new();
        let read = Own::open(&self.path).and_then(|own| {
            let mut file = own.ok_or(io::ErrorKind::NotFound)?.0;
            file.seek(SeekFrom::Start(self.offset))?;
            file.read_to_end(&mut text)
        });
        read.map_err(|why| Error::file(&self.path, &why))?;
        let (events, bytes) = journal::parse_from(&text, self.seq).map_err(|why| Error::file(&self.path, &why))?;
        self.offset += u64::try_from(bytes).unwrap_or(0);
        self.seq += u32::try_from(events.len()).unwrap_or(0);
        Ok(events)
    }
}
