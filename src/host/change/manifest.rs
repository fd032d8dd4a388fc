//! The journal of one change.

use super::{PLACE, Trouble, at, disk::Disk, io_trouble};
use crate::{
    domain::{
        gpu::PciAddr,
        hostplan::{HostPlan, Run},
    },
    files::{self, Kept},
    host::root::Root,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{ffi::CString, fmt::Write as _};

/// How far something is.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Nothing was done yet.
    Planned,
    /// It was begun.
    Begun,
    /// It is done.
    Done,
}

/// What a change does, and how far it is.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Manifest {
    /// The shape of this document.
    schema: String,
    /// Its number.
    pub id: String,
    /// The card that it is for.
    pub card: PciAddr,
    /// How far the whole is.
    pub stage: Stage,
    /// The files.
    pub(super) files: Vec<Entry>,
    /// Directories that it made, the outermost first.
    pub(super) made: Vec<String>,
    /// What is run once the files are written, or taken back.
    pub commands: Vec<Run>,
    /// Files that had other names too (hard links): those go on with the text before the change.
    #[serde(default)]
    pub parted: Vec<String>,
}

/// A file of a change.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Entry {
    pub(super) path: String,
    /// SHA-256 of what was there; none if nothing was.
    pub(super) before: Option<String>,
    /// SHA-256 of what is written.
    pub(super) after: String,
    /// Whose it was; none if nothing was there.
    pub(super) owner: Option<Owner>,
    pub(super) stage: Stage,
}

/// Whose a file is, and who may do what with it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Owner {
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) mode: u32,
}

impl Owner {
    pub(super) fn of(kept: &Kept) -> Option<Self> {
        kept.owner.map(|(uid, gid)| Self { uid, gid, mode: kept.mode })
    }

    /// The same with what else hangs on a file.
    pub(super) fn with(&self, attributes: Vec<(CString, Vec<u8>)>) -> Kept {
        Kept { owner: Some((self.uid, self.gid)), mode: self.mode, attributes }
    }
}

/// The mode of a file that wasn't there.
pub(super) const FRESH: u32 = 0o644;

/// SHA-256 in hexadecimal digits.
pub(super) fn hash(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in Sha256::digest(bytes) {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

const SCHEMA: &str = "morpheus.host-change/1";

impl Manifest {
    pub(super) fn new(id: String, plan: &HostPlan, files: Vec<Entry>, made: Vec<String>, parted: Vec<String>) -> Self {
        let commands = plan.commands.clone();
        Self { schema: SCHEMA.to_owned(), id, card: plan.card, stage: Stage::Begun, files, made, commands, parted }
    }

    /// Where its files are kept, inside of the root.
    #[must_use]
    pub fn place(&self) -> String {
        format!("{PLACE}/{}", self.id)
    }

    /// The files that it writes.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(|entry| entry.path.as_str())
    }

    pub(super) fn mark(&mut self, number: usize, stage: Stage) {
        if let Some(entry) = self.files.get_mut(number) {
            entry.stage = stage;
        }
    }

    /// Reads one; none where its change ended before anything was changed.
    pub(super) fn load(root: &Root, id: &str) -> Result<Option<Self>, Trouble> {
        let path = format!("{PLACE}/{id}/manifest.json");
        let Some(bytes) = files::read(&at(root, &path)?).map_err(io_trouble(path.as_str()))? else {
            return Ok(None);
        };
        let read: Self = serde_json::from_slice(&bytes)
            .map_err(|error| Trouble::Journal { path: path.clone(), words: error.to_string() })?;
        if read.schema == SCHEMA && read.id == id {
            return Ok(Some(read));
        }
        Err(Trouble::Journal { path, words: "it isn't a journal of this kind".to_owned() })
    }

    pub(super) fn save(&self, disk: &Disk, root: &Root) -> Result<(), Trouble> {
        let path = format!("{}/manifest.json", self.place());
        let target = at(root, &path)?;
        let text = serde_json::to_vec_pretty(self)
            .map_err(|error| Trouble::Journal { path: path.clone(), words: error.to_string() })?;
        disk.replace(&target, &target.with_extension("new"), &text, &Kept::fresh(FRESH)).map_err(io_trouble(path))
    }
}
