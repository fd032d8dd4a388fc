//! One operation at a time on this machine.

use super::{Error, Store};
use crate::{
    domain::{ids::OpId, journal::Told, plant, switch::state::State},
    files,
};
use std::{
    fs::{File, TryLockError},
    io::{Read, Seek, Write},
    time::Duration,
};

/// How long a runner tries to get the lock that a looker may be touching just now.
const TRIES: u32 = 20;
/// Between two tries.
const PAUSE: Duration = Duration::from_millis(50);

/// Takes the lock for a runner.
pub(super) async fn take(store: &Store, id: &OpId) -> Result<Lock, Error> {
    for _ in 1..TRIES {
        match store.lock(id) {
            Err(Error::Running(_)) => tokio::time::sleep(PAUSE).await,
            other => return other,
        }
    }
    store.lock(id)
}

/// The lock, held as long as this value lives; the kernel lets go of it when the process dies.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Store {
    /// Takes the lock for an operation.
    ///
    /// # Errors
    /// Another operation has it, or the file can't be opened.
    pub fn lock(&self, id: &OpId) -> Result<Lock, Error> {
        let path = self.lock_path();
        let fail = |why: &dyn ToString| Error::file(&path, why);
        let mut file = self.open_lock()?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Error::Running(holder(&mut file))),
            Err(TryLockError::Error(why)) => return Err(fail(&why)),
        }
        let written =
            file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(id.as_str().as_bytes()));
        written.map_err(|why| fail(&why))?;
        Ok(Lock { _file: file })
    }

    /// The operation that holds the lock now. One that has written its end doesn't count: its runner is on its way out,
    /// and who was told of the end may go on with the next.
    #[must_use]
    pub fn active(&self) -> Option<OpId> {
        let mut file = files::regular(&self.lock_path()).ok()??;
        // A shared lock, given back at once: lookers don't hinder each other, and a runner tries for a while.
        match file.try_lock_shared() {
            Err(TryLockError::WouldBlock) => Some(holder(&mut file)).filter(|id| !self.has_ended(id)),
            Ok(()) | Err(TryLockError::Error(_)) => None,
        }
    }

    fn has_ended(&self, id: &OpId) -> bool {
        if id.is_plant() {
            self.read_plant(id).is_ok_and(|lines| plant::State::has_ended(&lines))
        } else {
            self.read(id).is_ok_and(|lines| State::has_ended(&lines))
        }
    }

    fn open_lock(&self) -> Result<File, Error> {
        let path = self.lock_path();
        self.prepare()?;
        files::shared(&path).map_err(|why| Error::file(&path, &why))
    }
}

fn holder(file: &mut File) -> OpId {
    let mut text = String::new();
    let read = file.rewind().and_then(|()| file.read_to_string(&mut text));
    OpId(read.map(|_| text).unwrap_or_default())
}
