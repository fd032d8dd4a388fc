//! Writing guests into the configuration file as modes. Comments, order and everything else of the file stay as they
//! are: lines are put in and taken out, and the result is read again and compared before anything is written. A file in
//! which that can't be certain isn't changed; its owner gets the lines.

mod lines;
mod tree;

use crate::{
    domain::plant::plan::Entry,
    files::{Kept, Place},
};
use lines::Lines;
use std::{io, path::Path};

/// Why the file wasn't changed.
#[derive(Debug, thiserror::Error)]
pub enum CantEdit {
    /// Lines can't be put into it so that the rest is certain to stay.
    #[error("{why}")]
    Unclear {
        /// Why.
        why: String,
    },
    /// It can't be read or written.
    #[error("{0}")]
    File(#[from] io::Error),
}

fn unclear(why: impl Into<String>) -> CantEdit {
    CantEdit::Unclear { why: why.into() }
}

/// One thing to put in: the keys above it, and its own lines, the first with its key.
struct Piece {
    above: [&'static str; 2],
    key: String,
    lines: Vec<String>,
}

/// A mode below `proxmox.modes`, and the guest below `vr`.
fn pieces(entry: &Entry) -> [Piece; 2] {
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let (mode, machine) = (&entry.mode, &entry.machine);
    let mut lines = vec![format!("{}:", mode.name), format!("  vmid: {}", mode.vmid)];
    lines.push(format!("  description: {}", quoted(&mode.description)));
    lines.extend(mode.gpu_mode.map(|gpu| format!("  gpu_mode: {}", gpu.word())));
    lines.extend(mode.vr_software.as_ref().map(|software| format!("  vr_software: {software}")));
    if !entry.services.is_empty() {
        lines.push("  services:".to_owned());
        lines.extend(entry.services.iter().map(|service| format!("    - {service}")));
    }
    let card = mode.gpu_pci.map(|card| format!(", gpu_pci: {}", quoted(&card.to_string()))).unwrap_or_default();
    let guest = format!(
        "{}: {{ vmid: {}, name: {}, memory: {}, cores: {}, disk_size: {}{card} }}",
        entry.word,
        mode.vmid,
        quoted(&machine.name),
        machine.memory,
        machine.cores,
        machine.disk
    );
    [
        Piece { above: ["proxmox", "modes"], key: mode.name.to_string(), lines },
        Piece { above: ["vr", ""], key: entry.word.to_owned(), lines: vec![guest] },
    ]
}

impl Piece {
    fn path(&self) -> Vec<&str> {
        self.above.iter().copied().filter(|key| !key.is_empty()).collect()
    }
}

/// The lines that say what the guests are, for somebody who puts them in by hand.
#[must_use]
pub fn snippet(entries: &[Entry]) -> String {
    let mut text = String::new();
    for entry in entries {
        for piece in pieces(entry) {
            text = Lines::new(&text)
                .and_then(|mut lines| lines.insert(&piece.path(), &piece.key, &piece.lines).map(|_| lines.text()))
                .unwrap_or(text);
        }
    }
    text
}

/// The file's text with the guests in it. What it says of them already is left as it is.
///
/// # Errors
/// The text isn't written so that lines can be put in.
pub fn with(text: &str, entries: &[Entry]) -> Result<String, CantEdit> {
    let mut text = text.to_owned();
    for piece in entries.iter().flat_map(pieces) {
        let mut lines = Lines::new(&text)?;
        if lines.insert(&piece.path(), &piece.key, &piece.lines)? {
            let after = lines.text();
            let expected = tree::read(&text)?.with(&piece.path(), tree::read(&piece.lines.join("\n"))?);
            if tree::read(&after)? != expected {
                return Err(unclear(format!("a change for '{}' wouldn't keep the rest of it", piece.key)));
            }
            text = after;
        }
    }
    Ok(text)
}

/// The file's text without the guests. What says something else of them by now is left as it is.
///
/// # Errors
/// The text isn't written so that lines can be taken out.
pub fn without(text: &str, entries: &[Entry]) -> Result<String, CantEdit> {
    let mut text = text.to_owned();
    for piece in entries.iter().flat_map(pieces) {
        let (path, ours) = (piece.path(), tree::read(&piece.lines.join("\n"))?);
        let before = tree::read(&text)?;
        if before.at(&path, &piece.key) != ours.at(&[], &piece.key) || before.at(&path, &piece.key).is_none() {
            continue;
        }
        let mut lines = Lines::new(&text)?;
        let gone = lines.remove(&path, &piece.key)?;
        let after = lines.text();
        let Some((last, above)) = gone.split_last() else { continue };
        if tree::read(&after)? != before.without(above, last) {
            return Err(unclear(format!("taking '{}' out wouldn't keep the rest of it", piece.key)));
        }
        text = after;
    }
    Ok(text)
}

/// Changes a file by one of these functions, as a whole or not at all. A link of the person's own, or of root, is
/// followed; owner, group, mode and attributes stay. One that isn't there begins empty and can be read by its owner
/// alone. Says whether anything was changed.
///
/// # Errors
/// It can't be read or written, or can't be changed for certain; it is as it was then.
pub fn change(path: &Path, edit: impl FnOnce(&str) -> Result<String, CantEdit>) -> Result<bool, CantEdit> {
    let place = Place::of(path)?;
    let (before, kept) = place.read()?.unwrap_or((Vec::new(), Kept::fresh(0o600)));
    let before = String::from_utf8(before).map_err(|_| unclear("it isn't UTF-8"))?;
    let after = edit(&before)?;
    if before == after {
        return Ok(false);
    }
    place.replace(after.as_bytes(), &kept)?;
    Ok(true)
}

#[cfg(test)]
#[path = "edit_tests.rs"]
mod tests;
