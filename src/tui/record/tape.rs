//! The recorder of this process, where a panic in any thread can reach it too.

use super::{
    recorder::{Recorder, Recording},
    replay::digest,
    write::Place,
};
use crate::{
    domain::ids::Millis,
    tui::{model::Model, msg::Msg},
};
use std::{
    io,
    sync::{Mutex, PoisonError, TryLockError},
};

static TAPE: Mutex<Option<Tape>> = Mutex::new(None);

/// How often somebody who must not wait tries to get at the recorder.
const TRIES: u32 = 10_000;

#[derive(Debug)]
struct Tape {
    recorder: Recorder,
    place: Place,
}

/// A session on its way to a file.
#[derive(Debug)]
pub(crate) struct Job {
    recording: Recording,
    place: Place,
}

impl Job {
    /// Writes it and says where. Blocks.
    ///
    /// # Errors
    /// The directory that is named can't be written.
    pub(crate) fn write(&self) -> Result<String, String> {
        let failed = |why: io::Error| format!("{}: {why}", self.place.shown(&self.place.dir));
        self.place.write(&self.recording).map_err(failed)
    }
}

/// Begins to keep what follows this model.
pub(crate) fn begin(model: &Model, place: Place) {
    let tape = Tape { recorder: Recorder::new(model), place };
    *TAPE.lock().unwrap_or_else(PoisonError::into_inner) = Some(tape);
}

/// Keeps a message that this model is about to meet.
pub(crate) fn keep(model: &Model, msg: &Msg) {
    if let Some(tape) = TAPE.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
        tape.recorder.record(model, msg);
    }
}

/// Everything until now, to be written; none if nothing is being kept.
pub(crate) fn dump(model: &Model, at: Millis) -> Option<Job> {
    let mut tape = TAPE.lock().unwrap_or_else(PoisonError::into_inner);
    let tape = tape.as_mut()?;
    Some(Job { recording: tape.recorder.recording(model, at, digest(model)), place: tape.place.clone() })
}

/// Everything until now, once, without ever waiting for whoever has the recorder.
pub(super) fn last(at: Millis, panic: Option<String>) -> Option<Job> {
    for _ in 0..TRIES {
        match TAPE.try_lock() {
            Ok(mut tape) => {
                let Tape { recorder, place } = tape.take()?;
                return Some(Job { recording: recorder.last_recording(at, panic), place });
            }
            Err(TryLockError::WouldBlock) => std::thread::yield_now(),
            // It panicked while it wrote: what it holds may be half a line.
            Err(TryLockError::Poisoned(_)) => return None,
        }
    }
    None
}
