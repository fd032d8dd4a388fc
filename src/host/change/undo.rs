//! Taking a change back.

use super::{
    PLACE, Trouble, at, beside, copy,
    disk::Disk,
    ids, io_trouble, lock,
    manifest::{Entry, Manifest, Stage, hash},
    newest, present, replace,
};
use crate::{domain::hostplan::Run, host::root::Root};
use serde::Serialize;

/// What became of a change that was taken back.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Back {
    /// The change's number.
    pub id: String,
    /// Its files, the last one first.
    pub files: Vec<(String, Fate)>,
    /// What has to be run for it to take effect.
    pub commands: Vec<Run>,
}

/// What became of a file.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// It is as it was before.
    Restored,
    /// It was made by the change, and is gone.
    Removed,
    /// It was as before already.
    Untouched,
    /// Somebody else wrote it since; it is left as it is.
    Changed {
        /// Where its former text is kept; none if it wasn't there.
        kept: Option<String>,
    },
}

impl Back {
    /// Files that were left as they are.
    pub fn left(&self) -> impl Iterator<Item = &str> {
        self.files.iter().filter(|(_, fate)| matches!(fate, Fate::Changed { .. })).map(|(path, _)| path.as_str())
    }

    /// Whether any file is another one than before this.
    #[must_use]
    pub fn did_something(&self) -> bool {
        self.files.iter().any(|(_, fate)| matches!(fate, Fate::Restored | Fate::Removed))
    }
}

/// Takes the newest change back, as far as nobody else wrote its files since. None if there is none. Without `disk` it
/// only says what it would do.
///
/// # Errors
/// A file can't be read or written.
pub fn rollback(disk: Option<&Disk>, root: &Root) -> Result<Option<Back>, Trouble> {
    if !root.has(PLACE) {
        if let Some(disk) = disk {
            sweep(disk, root)?;
        }
        return Ok(None);
    }
    let lock = lock(&at(root, PLACE)?)?;
    let found = newest(root)?;
    let back = match found {
        None => None,
        Some(manifest) => Some(take_back(disk, root, manifest)?),
    };
    if let Some(disk) = disk {
        sweep(disk, root)?;
    }
    drop(lock);
    Ok(back)
}

fn take_back(disk: Option<&Disk>, root: &Root, mut manifest: Manifest) -> Result<Back, Trouble> {
    let numbered = || manifest.files.iter().enumerate().rev();
    // Everything is looked at before anything is written: a copy that is no longer what was kept leaves all as it is.
    let plans = numbered().map(|(number, entry)| {
        let fate = fate(root, &manifest, number, entry)?;
        let text = match (&fate, &entry.before) {
            (Fate::Restored, Some(before)) => copy(root, format!("{}/{number}.before", manifest.place()), before)?,
            _ => Vec::new(),
        };
        Ok((fate, text))
    });
    let plans: Vec<(Fate, Vec<u8>)> = plans.collect::<Result<_, Trouble>>()?;
    let mut files = Vec::new();
    for ((_, entry), (fate, text)) in numbered().zip(plans) {
        if let Some(disk) = disk {
            restore(disk, root, entry, &fate, &text)?;
        }
        files.push((entry.path.clone(), fate));
    }
    let back = Back { id: manifest.id.clone(), files, commands: manifest.commands.clone() };
    let Some(disk) = disk else { return Ok(back) };
    if back.left().next().is_some() {
        // Nobody finishes it any more; what is kept stays for who wants to compare.
        manifest.stage = Stage::Done;
        manifest.save(disk, root)?;
        return Ok(back);
    }
    // From the innermost: a directory goes only if nothing is in it.
    for path in manifest.made.iter().rev().filter(|path| !PLACE.starts_with(path.as_str())) {
        disk.remove_dir(&at(root, path)?).map_err(io_trouble(path.as_str()))?;
    }
    forget(disk, root, &manifest.id)?;
    for path in manifest.made.iter().rev() {
        disk.remove_dir(&at(root, path)?).map_err(io_trouble(path.as_str()))?;
    }
    Ok(back)
}

fn fate(root: &Root, manifest: &Manifest, number: usize, entry: &Entry) -> Result<Fate, Trouble> {
    let now = present(root, &entry.path)?.map(|bytes| hash(&bytes));
    Ok(match (&now, &entry.before) {
        (now, before) if now == before => Fate::Untouched,
        (Some(now), None) if *now == entry.after => Fate::Removed,
        (Some(now), Some(_)) if *now == entry.after => Fate::Restored,
        (_, before) => Fate::Changed { kept: before.as_ref().map(|_| format!("{}/{number}.before", manifest.place())) },
    })
}

fn restore(disk: &Disk, root: &Root, entry: &Entry, fate: &Fate, text: &[u8]) -> Result<(), Trouble> {
    let target = at(root, &entry.path)?;
    disk.remove(&beside(&target)).map_err(io_trouble(entry.path.as_str()))?;
    match fate {
        Fate::Restored => replace(disk, root, entry, text),
        Fate::Removed => disk.remove(&target).map_err(io_trouble(entry.path.as_str())),
        Fate::Untouched | Fate::Changed { .. } => Ok(()),
    }
}

/// Removes a journal. Its manifest goes last but for the directory: as long as it is there, this can be done again.
fn forget(disk: &Disk, root: &Root, id: &str) -> Result<(), Trouble> {
    let place = format!("{PLACE}/{id}");
    let mut names = root.list(&place).map_err(|bad| Trouble::Io { path: bad.path, source: bad.source })?;
    names.sort_by_key(|name| name == "manifest.json");
    for name in names {
        let path = format!("{place}/{name}");
        disk.remove(&at(root, &path)?).map_err(io_trouble(path))?;
    }
    disk.remove_dir(&at(root, &place)?).map_err(io_trouble(place))
}

/// Removes what changes left that ended before they changed anything, and the directories if nothing else is in them.
fn sweep(disk: &Disk, root: &Root) -> Result<(), Trouble> {
    for id in ids(root)? {
        if Manifest::load(root, &id)?.is_none() {
            forget(disk, root, &id)?;
        }
    }
    // Those of an older morpheus have no mark.
    for path in [PLACE, "/var/lib/morpheus"] {
        disk.remove_dir(&at(root, path)?).map_err(io_trouble(path))?;
    }
    disk.remove_ours(&at(root, PLACE)?, root.path()).map_err(io_trouble(PLACE))
}
