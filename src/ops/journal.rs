//! A journal: one JSON line per event, on disk before anything happens because of it.

use super::{Error, lock::is_at};
use crate::{
    domain::{
        ids::{Millis, OpId},
        journal::{Line, Told},
        switch::state::State,
    },
    files,
};
use serde::de::DeserializeOwned;
use std::{
    fs::{File, TryLockError},
    io::Write,
    path::{Path, PathBuf},
};

/// What is said of a journal whose lines nobody would find.
const REPLACED: &str = "the journal was deleted or replaced while it was being written";

/// A journal that is being written: of a switch, or of a planting. One writer at a time: the file is locked as long as
/// this value lives, and the kernel unlocks it when the process dies.
#[derive(Debug)]
pub struct Journal<S = State> {
    path: PathBuf,
    file: File,
    state: S,
}

impl<S: Told> Journal<S> {
    /// Begins a new journal with its plan.
    pub(super) fn create(path: &Path, first: &Line<S::What>) -> Result<Self, Error> {
        let fail = |why: &dyn ToString| Error::file(path, why);
        let state = S::fold(std::slice::from_ref(first)).ok_or_else(|| fail(&"a journal begins with its plan"))?;
        let file = files::create(path).map_err(|why| fail(&why))?;
        let mut journal = Self { path: path.to_owned(), file, state };
        journal.put(first)?;
        let dir = path.parent().unwrap_or(path);
        File::open(dir).and_then(|dir| dir.sync_all()).map_err(|why| fail(&why))?;
        Ok(journal)
    }

    /// Opens a journal to go on with it. A last line that was torn by a crash is cut off.
    ///
    /// # Errors
    /// Somebody else is writing it, or it can't be read.
    pub(super) fn open(path: &Path, id: &OpId) -> Result<Self, Error> {
        let fail = |why: &dyn ToString| Error::file(path, why);
        // Somebody else's journal would say what is done in our name.
        let file = files::Own::open_to_append(path).map_err(|why| fail(&why))?.0;
        match file.try_lock() {
            Ok(()) if is_at(&file, path) => {}
            Ok(()) => return Err(fail(&REPLACED)),
            Err(TryLockError::WouldBlock) => return Err(Error::Running(id.clone())),
            Err(TryLockError::Error(why)) => return Err(fail(&why)),
        }
        let text = files::all(&file).map_err(|why| fail(&why))?;
        let (lines, whole) = parse(&text).map_err(|why| fail(&why))?;
        let state = S::fold(&lines).ok_or_else(|| fail(&"the journal doesn't begin with a plan"))?;
        if whole < text.len() {
            file.set_len(u64::try_from(whole).unwrap_or(0)).map_err(|why| fail(&why))?;
        }
        Ok(Self { path: path.to_owned(), file, state })
    }

    /// What the journal says so far.
    #[must_use]
    pub const fn state(&self) -> &S {
        &self.state
    }

    /// Writes a line and waits until it is on disk.
    ///
    /// # Errors
    /// The disk didn't take it, or nobody would find it there: the file was deleted or replaced. Nothing may be done then.
    pub fn append(&mut self, what: S::What, at: Millis) -> Result<(), Error> {
        if !is_at(&self.file, &self.path) {
            return Err(Error::file(&self.path, &REPLACED));
        }
        let line = Line { seq: self.state.next_seq(), at, what };
        self.put(&line)?;
        self.state.apply(&line);
        Ok(())
    }

    fn put(&mut self, line: &Line<S::What>) -> Result<(), Error> {
        let mut text = serde_json::to_vec(line).map_err(|why| Error::file(&self.path, &why))?;
        text.push(b'\n');
        let written = self.file.write_all(&text).and_then(|()| self.file.sync_data());
        written.map_err(|why| Error::file(&self.path, &why))
    }
}

/// Whole lines of a journal, and how many bytes they take.
pub(super) type Parsed<W> = (Vec<Line<W>>, usize);

/// The whole lines of a journal. A torn last line is left out.
///
/// # Errors
/// A whole line makes no sense, or lines are missing.
pub(super) fn parse<W: DeserializeOwned>(text: &[u8]) -> Result<Parsed<W>, String> {
    parse_from(text, 0)
}

/// The same for a part of a journal whose first line has this number.
pub(super) fn parse_from<W: DeserializeOwned>(text: &[u8], first: u32) -> Result<Parsed<W>, String> {
    let mut events: Vec<Line<W>> = Vec::new();
    let mut whole = 0;
    for (line, number) in text.split_inclusive(|byte| *byte == b'\n').zip(first..) {
        if line.last() != Some(&b'\n') {
            break;
        }
        let event: Line<W> = serde_json::from_slice(line).map_err(|why| format!("event {number} is damaged: {why}"))?;
        if event.seq != number {
            return Err(format!("event {number} is missing; {} stands in its place", event.seq));
        }
        events.push(event);
        whole += line.len();
    }
    Ok((events, whole))
}

#[cfg(test)]
#[path = "journal_tests.rs"]
mod tests;
