//! Words to a running operation: written beside its journal by whoever is attached, read by its runner.

use super::{Error, Store};
use crate::{
    domain::{ids::OpId, switch::event::Answer},
    files,
};
use serde::{Deserialize, Serialize};
use std::io::{self, Read, Seek, SeekFrom, Write};

/// A word to a running operation.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(tag = "control", rename_all = "snake_case")]
pub enum Control {
    /// End it.
    Cancel {
        /// Undo what was done even if the target runs already.
        go_back: bool,
    },
    /// The answer to a step's question.
    Answer {
        /// The step.
        step: u16,
        /// The answer.
        answer: Answer,
    },
}

impl Store {
    /// Says something to a running operation.
    ///
    /// # Errors
    /// The file can't be written.
    pub fn control(&self, id: &OpId, control: Control) -> Result<(), Error> {
        let path = self.control_path(id);
        let line = serde_json::to_string(&control).map_err(|why| Error::file(&path, &why))?;
        let written = files::append(&path).and_then(|mut file| file.write_all(format!("{line}\n").as_bytes()));
        written.map_err(|why| Error::file(&path, &why))
    }
}

/// Reads new words as they come.
pub(super) struct Listener {
    path: std::path::PathBuf,
    offset: u64,
}

impl Listener {
    /// Listens from the first word on.
    pub(super) fn new(store: &Store, id: &OpId) -> Self {
        Self { path: store.control_path(id), offset: 0 }
    }

    /// Whole new lines; one that makes no sense is passed over.
    pub(super) fn hear(&mut self) -> Vec<Control> {
        let mut text = String::new();
        let read = files::Own::open(&self.path).and_then(|own| {
            let mut file = own.ok_or(io::ErrorKind::NotFound)?.0;
            file.seek(SeekFrom::Start(self.offset))?;
            file.read_to_string(&mut text)
        });
        let Some(end) = read.ok().and_then(|_| text.rfind('\n')) else { return Vec::new() };
        self.offset += u64::try_from(end + 1).unwrap_or(0);
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }
}
