//! Changing a host's files with a way back.
//!
//! What is to be written lies beside what was there before anything is changed: `/var/lib/morpheus/host/<number>` of the
//! root holds both texts of each file and a manifest, which is written before the first file and after each. Each file
//! is replaced by a rename, so that it is the old one or the new one, whenever the power goes. What somebody else wrote
//! since is never overwritten.

mod disk;
mod manifest;
mod undo;

pub use disk::Disk;
pub use manifest::{Manifest, Stage};
pub use undo::{Back, Fate, rollback};

use super::root::{Root, absent};
use crate::{
    domain::{
        gpu::PciAddr,
        hostplan::{Edit, HostPlan},
    },
    files::{self, Kept},
};
use manifest::{Entry, FRESH, Owner, hash};
use std::{
    fs::{self, File, TryLockError},
    io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

/// Where the journals of changes are kept, inside of the root.
pub const PLACE: &str = "/var/lib/morpheus/host";

/// Why a change wasn't made, or not to its end.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// A file can't be read or written.
    #[error("{path}: {source}")]
    Io {
        /// Which, as seen inside of the root.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// A file isn't what the plan was made from.
    #[error("{0} changed since it was read.")]
    Changed(String),
    /// Another process is changing this root.
    #[error("Another morpheus is changing this host right now.")]
    Locked,
    /// A journal can't be understood.
    #[error("{path}: {words}")]
    Journal {
        /// Which.
        path: String,
        /// Why.
        words: String,
    },
}

pub(super) fn io_trouble(path: impl Into<String>) -> impl FnOnce(io::Error) -> Trouble {
    let path = path.into();
    move |source| Trouble::Io { path, source }
}

/// Writes a plan's files.
///
/// # Errors
/// A file isn't what the plan was made from (nothing is written then), or can't be written. What was begun is finished
/// by [`finish`] or taken back by [`rollback`].
pub fn apply(disk: &Disk, root: &Root, plan: &HostPlan) -> Result<Manifest, Trouble> {
    for edit in &plan.edits {
        unchanged(root, edit)?;
    }
    let place = at(root, PLACE)?;
    disk.create_ours(&place, root.path()).map_err(io_trouble(PLACE))?;
    let _lock = lock(&place)?;
    let id = next(root)?;
    let directory = place.join(&id);
    disk.create_ours(&directory, root.path()).map_err(io_trouble(format!("{PLACE}/{id}")))?;
    let (mut files, mut made, mut parted) = (Vec::new(), Vec::new(), Vec::new());
    for (number, edit) in plan.edits.iter().enumerate() {
        files.push(prepare(disk, root, &directory, number, edit)?);
        made.extend(missing(root, &edit.path)?);
        if names(root, &edit.path)? > 1 {
            parted.push(edit.path.clone());
        }
    }
    made.dedup();
    let made = made.into_iter().map(|path| root.inside(&path).display().to_string()).collect();
    let mut manifest = Manifest::new(id, plan, files, made, parted);
    manifest.save(disk, root)?;
    carry_out(disk, root, &mut manifest)?;
    Ok(manifest)
}

/// Finishes what was begun.
///
/// # Errors
/// A file is neither what it was nor what it was to be, or can't be written.
pub fn finish(disk: &Disk, root: &Root, manifest: &mut Manifest) -> Result<(), Trouble> {
    let _lock = lock(&at(root, PLACE)?)?;
    carry_out(disk, root, manifest)
}

/// The newest change that wasn't taken back; none if there is none.
///
/// # Errors
/// A journal can't be read.
pub fn newest(root: &Root) -> Result<Option<Manifest>, Trouble> {
    let ids = ids(root)?;
    ids.iter().rev().find_map(|id| Manifest::load(root, id).transpose()).transpose()
}

fn carry_out(disk: &Disk, root: &Root, manifest: &mut Manifest) -> Result<(), Trouble> {
    for number in 0..manifest.files.len() {
        let Some(entry) = manifest.files.get(number).cloned() else { break };
        let now = present(root, &entry.path)?.map(|bytes| hash(&bytes));
        if now.as_ref() == Some(&entry.after) {
            manifest.mark(number, Stage::Done);
            continue;
        }
        if now != entry.before {
            return Err(Trouble::Changed(entry.path));
        }
        manifest.mark(number, Stage::Begun);
        manifest.save(disk, root)?;
        let text = copy(root, format!("{}/{number}.after", manifest.place()), &entry.after)?;
        replace(disk, root, &entry, &text)?;
        manifest.mark(number, Stage::Done);
        manifest.save(disk, root)?;
    }
    manifest.stage = Stage::Done;
    manifest.save(disk, root)
}

/// Puts a text in a file's place, as a whole.
fn replace(disk: &Disk, root: &Root, entry: &Entry, text: &[u8]) -> Result<(), Trouble> {
    let target = at(root, &entry.path)?;
    let above = target.parent().unwrap_or(root.path());
    let fail = || io_trouble(entry.path.as_str());
    disk.create_dirs(above, root.path()).map_err(fail())?;
    let there = kept(&target).map_err(fail())?;
    let kept = match &entry.owner {
        Some(owner) => owner.with(there.map(|kept| kept.attributes).unwrap_or_default()),
        None => Kept::fresh(FRESH),
    };
    disk.replace(&target, &beside(&target), text, &kept).map_err(fail())
}

/// What a file keeps when its text is replaced; none where it isn't there.
fn kept(target: &Path) -> io::Result<Option<Kept>> {
    files::regular(target)?.map(|file| Kept::of(&file)).transpose()
}

/// A copy that was kept, if it is still what was kept.
fn copy(root: &Root, path: String, hash: &str) -> Result<Vec<u8>, Trouble> {
    match present(root, &path)? {
        Some(bytes) if manifest::hash(&bytes) == hash => Ok(bytes),
        found => {
            let words = if found.is_some() { "it isn't what was kept in it any more" } else { "it is gone" };
            Err(Trouble::Journal { path, words: words.to_owned() })
        }
    }
}

/// The name under which a file is written before it takes its place. It is hidden, and no tool takes it for a drop-in.
fn beside(target: &Path) -> PathBuf {
    let name = target.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    target.with_file_name(format!(".{name}.morpheus-new"))
}

/// Keeps both texts of a file; who may read it may read them, and nobody else.
fn prepare(disk: &Disk, root: &Root, directory: &Path, number: usize, edit: &Edit) -> Result<Entry, Trouble> {
    let owner = match &edit.before {
        None => None,
        Some(_) => {
            kept(&at(root, &edit.path)?).map_err(io_trouble(edit.path.as_str()))?.and_then(|kept| Owner::of(&kept))
        }
    };
    let like = owner.as_ref().map_or(Kept::fresh(FRESH), |owner| owner.with(Vec::new()));
    let keep = |name: &str, text: &[u8]| {
        let copy = directory.join(format!("{number}.{name}"));
        disk.create(&copy, text, &like).map_err(io_trouble(root.inside(&copy).display().to_string()))
    };
    if let Some(before) = &edit.before {
        keep("before", before.as_bytes())?;
    }
    keep("after", edit.after.as_bytes())?;
    Ok(Entry {
        path: edit.path.clone(),
        before: edit.before.as_ref().map(|text| hash(text.as_bytes())),
        after: hash(edit.after.as_bytes()),
        owner,
        stage: Stage::Planned,
    })
}

fn unchanged(root: &Root, edit: &Edit) -> Result<(), Trouble> {
    let now = present(root, &edit.path)?;
    let same = now.as_deref() == edit.before.as_deref().map(str::as_bytes);
    if same { Ok(()) } else { Err(Trouble::Changed(edit.path.clone())) }
}

/// A file's bytes; none where it isn't there.
fn present(root: &Root, path: &str) -> Result<Option<Vec<u8>>, Trouble> {
    files::read(&at(root, path)?).map_err(io_trouble(path))
}

/// How many names a file has (hard links).
fn names(root: &Root, path: &str) -> Result<u64, Trouble> {
    let found = absent(fs::symlink_metadata(at(root, path)?)).map_err(io_trouble(path))?;
    Ok(found.map_or(0, |about| about.nlink()))
}

fn at(root: &Root, path: &str) -> Result<PathBuf, Trouble> {
    root.resolve(path).map_err(io_trouble(path))
}

/// The directories above a file that aren't there yet, the outermost first.
fn missing(root: &Root, path: &str) -> Result<Vec<PathBuf>, Trouble> {
    let target = at(root, path)?;
    let above = target.ancestors().skip(1).take_while(|above| *above != root.path() && !above.exists());
    let mut missing: Vec<PathBuf> = above.map(Path::to_owned).collect();
    missing.reverse();
    Ok(missing)
}

/// One process at a time; the lock is the directory itself, and ends with the process.
fn lock(place: &Path) -> Result<Lock, Trouble> {
    let directory = File::open(place).map_err(io_trouble(PLACE))?;
    match directory.try_lock() {
        Ok(()) => Ok(Lock(directory)),
        Err(TryLockError::WouldBlock) => Err(Trouble::Locked),
        Err(TryLockError::Error(error)) => Err(io_trouble(PLACE)(error)),
    }
}

/// The lock while it is held.
#[derive(Debug)]
struct Lock(File);

impl Drop for Lock {
    /// Given back by name: a program that is being started at this moment may still have the descriptor.
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}

/// Numbers of changes, in order.
fn ids(root: &Root) -> Result<Vec<String>, Trouble> {
    let names = root.list(PLACE).map_err(|bad| Trouble::Io { path: bad.path, source: bad.source })?;
    Ok(names.into_iter().filter(|name| name.len() >= 4 && name.bytes().all(|b| b.is_ascii_digit())).collect())
}

fn next(root: &Root) -> Result<String, Trouble> {
    let last = ids(root)?.iter().filter_map(|id| id.parse::<u32>().ok()).max().unwrap_or(0);
    Ok(format!("{:04}", last + 1))
}

/// Whether a change that was begun wasn't finished, and for which card.
#[must_use]
pub fn interrupted(manifest: Option<&Manifest>) -> Option<PciAddr> {
    manifest.filter(|manifest| manifest.stage != Stage::Done).map(|manifest| manifest.card)
}

#[cfg(test)]
#[path = "change/tests.rs"]
mod tests;
