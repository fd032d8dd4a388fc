//! One operation at a time on each host.
//!
//! Whoever carries an operation out holds its journal locked ([`Journal`]): the lock is on the very file that is written,
//! so that no second runner can get at it whatever becomes of other files. The file `lock` beside the journals only
//! keeps those apart who find out at the same time whether a host is free, and notes who works, so that lookers needn't
//! try every journal. It may be deleted at any time.

use super::{Error, Journal, Store, client::in_thread};
use crate::{
    domain::{host_id::HostId, ids::OpId, journal::Told, plant, switch::state::State},
    files,
};
use std::{
    fs::{self, File, TryLockError},
    io::{Seek, Write},
    os::unix::fs::MetadataExt,
    path::Path,
    thread,
    time::Duration,
};
use tokio::time::sleep;

/// How often a lock is tried for that somebody may be holding for a moment.
const TRIES: u32 = 200;
/// Between two tries.
const PAUSE: Duration = Duration::from_millis(50);
/// The part of it that passes on every clock.
const MOMENT: Duration = Duration::from_millis(2);

/// The right to find out whether a host is free.
#[derive(Debug)]
pub(super) struct Guard(File);

/// That an operation's runner is being started, as long as this value lives.
#[derive(Debug)]
pub(super) struct Starting {
    _file: File,
}

/// Opens an operation's journal for its runner. Beside it the operation that is in the way, if one is.
///
/// # Errors
/// Another runner has the journal, or a file can't be read or written.
pub(super) async fn take<S: Told>(store: &Store, id: &OpId) -> Result<(Journal<S>, Option<OpId>), Error> {
    let mut tries = TRIES;
    loop {
        let taken = store.take(&store.guard().await?, id);
        tries -= 1;
        // A looker may be touching the journal just now.
        if tries == 0 || !matches!(&taken, Err(Error::Running(busy)) if busy == id) {
            return taken;
        }
        pause().await?;
    }
}

/// Waits until a lock may be tried again. A moment of it is real: whoever has the lock knows nothing of a clock that a
/// test holds still.
async fn pause() -> Result<(), Error> {
    sleep(PAUSE).await;
    in_thread(|| {
        thread::park_timeout(MOMENT);
        Ok(())
    })
    .await
}

impl Store {
    /// Waits for the right to find out whether a host is free, or to put a new operation beside the others.
    pub(super) async fn guard(&self) -> Result<Guard, Error> {
        self.prepare()?;
        for _ in 0..TRIES {
            if let Some(guard) = self.try_guard()? {
                return Ok(guard);
            }
            pause().await?;
        }
        // A runner of an earlier morpheus holds this file as long as it works.
        let busy = || Error::file(&self.lock_path(), &"another process has held this lock for seconds");
        Err(self.noted().and_then(|ids| ids.into_iter().next()).map_or_else(busy, Error::Running))
    }

    fn try_guard(&self) -> Result<Option<Guard>, Error> {
        let path = self.lock_path();
        let fail = |why: &dyn ToString| Error::file(&path, why);
        let file = files::shared(&path).map_err(|why| fail(&why))?;
        match file.try_lock() {
            Ok(()) if is_at(&file, &path) => Ok(Some(Guard(file))),
            // It was deleted between opening and locking: others hold another one.
            Ok(()) | Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(why)) => Err(fail(&why)),
        }
    }

    fn take<S: Told>(&self, guard: &Guard, id: &OpId) -> Result<(Journal<S>, Option<OpId>), Error> {
        let journal = self.open_journal::<S>(id)?;
        // Each has its own journal locked before it tries those of others: even without the guard two never both go on.
        let working: Vec<OpId> = self.ids().into_iter().filter(|other| other != id && self.is_running(other)).collect();
        let here = journal.state().origin().id();
        let rival = working.iter().find(|other| self.may_meet(other, &here)).cloned();
        let note = working.iter().chain([id]).fold(String::new(), |note, id| note + id.as_str() + "\n");
        let mut file = &guard.0;
        let written = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(note.as_bytes()));
        written.map_err(|why| Error::file(&self.lock_path(), &why))?;
        Ok((journal, rival))
    }

    /// The operations that a runner works on now.
    #[must_use]
    pub fn running(&self) -> Vec<OpId> {
        let ids = self.noted().unwrap_or_else(|| self.ids());
        ids.into_iter().filter(|id| self.is_running(id)).collect()
    }

    /// Whether a runner works on an operation now. One that has written its end doesn't count: its runner is on its way
    /// out, and who was told of the end may go on with the next.
    #[must_use]
    pub fn is_running(&self, id: &OpId) -> bool {
        is_locked(&self.journal_path(id)) && !self.has_ended(id)
    }

    /// The operation that runs, or is just being started, on what may be this host.
    #[must_use]
    pub fn rival(&self, here: &HostId) -> Option<OpId> {
        let meets = |id: &OpId| self.may_meet(id, here);
        let starting = || self.ids().into_iter().find(|id| self.is_starting(id) && meets(id));
        self.running().into_iter().find(meets).or_else(starting)
    }

    fn may_meet(&self, id: &OpId, here: &HostId) -> bool {
        self.origin(id).is_none_or(|origin| origin.id().may_be(here))
    }

    /// Says that an operation is being started, until the value is dropped.
    pub(super) fn starting(&self, id: &OpId) -> Result<Starting, Error> {
        let path = self.control_path(id);
        let file =
            files::append(&path).and_then(|file| file.lock().map(|()| file)).map_err(|why| Error::file(&path, &why))?;
        Ok(Starting { _file: file })
    }

    /// Whether somebody is starting a runner for it now.
    pub(super) fn is_starting(&self, id: &OpId) -> bool {
        is_locked(&self.control_path(id)) && !self.has_ended(id)
    }

    fn has_ended(&self, id: &OpId) -> bool {
        if id.is_plant() {
            self.read_plant(id).is_ok_and(|lines| plant::State::has_ended(&lines))
        } else {
            self.read(id).is_ok_and(|lines| State::has_ended(&lines))
        }
    }

    /// Who worked when the last runner began; none if the note is gone.
    fn noted(&self) -> Option<Vec<OpId>> {
        let text = String::from_utf8(files::read(&self.lock_path()).ok()??).ok()?;
        Some(text.lines().filter(|line| !line.is_empty()).map(OpId::from).collect())
    }
}

/// Whether another process, or another part of this one, holds a file locked. The lock is shared and given back at
/// once: lookers don't hinder each other, and a runner tries for a while.
fn is_locked(path: &Path) -> bool {
    let held = |file: &File| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock));
    files::regular(path).is_ok_and(|file| file.is_some_and(|file| held(&file)))
}

/// Whether an open file is still the one at a path.
pub(super) fn is_at(file: &File, path: &Path) -> bool {
    let same = |one: &fs::Metadata, other: &fs::Metadata| (one.dev(), one.ino()) == (other.dev(), other.ino());
    matches!((file.metadata(), fs::metadata(path)), (Ok(one), Ok(other)) if same(&one, &other))
}
