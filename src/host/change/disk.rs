//! The few ways in which a change touches the disk; tests let each of them be the last.

use crate::{
    files::{self, Kept, Place},
    host::root::absent,
};
use std::{
    cell::Cell,
    fs::{self, DirBuilder, File},
    io,
    os::unix::fs::{DirBuilderExt, MetadataExt},
    path::Path,
};

/// The mode of a directory that is there only for journals of changes: that of any other one, and the bit that keeps
/// others from replacing files, where only root writes anyway. It is made in the same moment as the directory, so that
/// one which a dead process left is known from one that was there before.
const OURS: u32 = 0o1755;
const MARK: u32 = 0o1000;

/// The disk.
#[derive(Debug, Default)]
pub struct Disk {
    /// How many more times it is touched before the process is as good as dead; none if it lives.
    left: Cell<Option<usize>>,
}

impl Disk {
    /// A disk that nothing happens to.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A disk that takes only so many touches, as if the power went; the one after them is done by halves.
    #[must_use]
    pub fn dying_after(touches: usize) -> Self {
        Self { left: Cell::new(Some(touches)) }
    }

    fn touch(&self) -> io::Result<()> {
        match self.left.get() {
            None => Ok(()),
            Some(0) => Err(io::Error::other("the power went")),
            Some(left) => {
                self.left.set(Some(left - 1));
                Ok(())
            }
        }
    }

    /// Makes a directory.
    fn create_dir(&self, path: &Path, mode: u32) -> io::Result<()> {
        self.touch()?;
        DirBuilder::new().mode(mode).create(path)?;
        path.parent().map_or(Ok(()), |above| self.sync(above))
    }

    /// Makes a directory and those above it, as far as they aren't there, inside of `top`.
    pub(super) fn create_dirs(&self, path: &Path, top: &Path) -> io::Result<()> {
        self.create_missing(path, top, 0o755)
    }

    /// The same for journals of changes: [`Disk::remove_ours`] takes them away again.
    pub(super) fn create_ours(&self, path: &Path, top: &Path) -> io::Result<()> {
        self.create_missing(path, top, OURS)
    }

    fn create_missing(&self, path: &Path, top: &Path, mode: u32) -> io::Result<()> {
        let above = path.ancestors().take_while(|above| *above != top && !above.exists());
        let missing: Vec<&Path> = above.collect();
        missing.into_iter().rev().try_for_each(|directory| self.create_dir(directory, mode))
    }

    /// Removes directories from the innermost on, up to `top`, as far as they were made for journals of changes and
    /// nothing is in them.
    pub(super) fn remove_ours(&self, path: &Path, top: &Path) -> io::Result<()> {
        let above = path.ancestors().take_while(|above| *above != top);
        above.filter(|above| is_ours(above)).try_for_each(|directory| self.remove_dir(directory))
    }

    /// Writes a file that is on the disk when this returns. One that a dead process left half written is replaced.
    pub(super) fn create(&self, path: &Path, text: &[u8], kept: &Kept) -> io::Result<()> {
        self.clear(path)?;
        Place::exact(path)?.make(text, kept, &|| self.touch())
    }

    /// Puts a file in the place of another one, as a whole.
    pub(super) fn replace(&self, path: &Path, beside: &Path, text: &[u8], kept: &Kept) -> io::Result<()> {
        self.clear(beside)?;
        let name = beside.file_name().ok_or(io::ErrorKind::InvalidInput)?;
        files::put(&Place::exact(path)?, Path::new(name), text, kept, &|| self.touch())
    }

    /// Takes away what a dead process left.
    fn clear(&self, path: &Path) -> io::Result<()> {
        self.touch()?;
        absent(fs::remove_file(path)).map(drop)
    }

    /// Removes a file, if it is there.
    pub(super) fn remove(&self, path: &Path) -> io::Result<()> {
        self.touch()?;
        match absent(fs::remove_file(path))? {
            None => Ok(()),
            Some(()) => path.parent().map_or(Ok(()), |above| self.sync(above)),
        }
    }

    /// Removes a directory, if it is there and nothing is in it.
    pub(super) fn remove_dir(&self, path: &Path) -> io::Result<()> {
        self.touch()?;
        match fs::remove_dir(path) {
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::DirectoryNotEmpty) => Ok(()),
            other => other,
        }
    }

    fn sync(&self, directory: &Path) -> io::Result<()> {
        self.touch()?;
        File::open(directory)?.sync_all()
    }
}

fn is_ours(directory: &Path) -> bool {
    fs::symlink_metadata(directory)
        .is_ok_and(|about| about.is_dir() && about.mode() & MARK != 0 && !files::writable_by_others(&about))
}
