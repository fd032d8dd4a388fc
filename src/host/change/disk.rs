//! The few ways in which a change touches the disk; tests let each of them be the last.

use super::manifest::Owner;
use std::{
    cell::Cell,
    fs::{self, DirBuilder, File, OpenOptions, Permissions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

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
    pub(super) fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.touch()?;
        DirBuilder::new().mode(0o755).create(path)?;
        path.parent().map_or(Ok(()), |above| self.sync(above))
    }

    /// Makes a directory and those above it, as far as they aren't there, inside of `top`. Gives those that it made.
    pub(super) fn create_dirs(&self, path: &Path, top: &Path) -> io::Result<Vec<PathBuf>> {
        let above = path.ancestors().take_while(|above| *above != top && !above.exists());
        let mut made: Vec<PathBuf> = above.map(Path::to_owned).collect();
        made.reverse();
        for directory in &made {
            self.create_dir(directory)?;
        }
        Ok(made)
    }

    /// Writes a file that is on the disk when this returns. One that a dead process left half written is replaced.
    pub(super) fn create(&self, path: &Path, text: &[u8], owner: Option<&Owner>) -> io::Result<()> {
        self.touch()?;
        if let Err(error) = fs::remove_file(path)
            && error.kind() != io::ErrorKind::NotFound
        {
            return Err(error);
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        let (half, rest) = text.split_at(text.len() / 2);
        file.write_all(half)?;
        self.touch()?;
        file.write_all(rest)?;
        self.touch()?;
        if let Some(owner) = owner {
            owner.give(&file)?;
        }
        file.set_permissions(Permissions::from_mode(owner.map_or(0o644, |owner| owner.mode)))?;
        file.sync_all()
    }

    /// Puts a file in the place of another one, as a whole.
    pub(super) fn replace(&self, path: &Path, beside: &Path, text: &[u8], owner: Option<&Owner>) -> io::Result<()> {
        self.create(beside, text, owner)?;
        self.touch()?;
        fs::rename(beside, path)?;
        path.parent().map_or(Ok(()), |above| self.sync(above))
    }

    /// Removes a file, if it is there.
    pub(super) fn remove(&self, path: &Path) -> io::Result<()> {
        self.touch()?;
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Err(_) => Ok(()),
            Ok(()) => path.parent().map_or(Ok(()), |above| self.sync(above)),
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
