//! Where a file is or will be: its directory, held open, and its name in it. Whatever happens to the path meanwhile,
//! what is read, written and replaced is in that directory.

use super::{Kept, all, create_in, regular_in, trust};
use rustix::fs::{AtFlags, renameat, unlinkat};
use std::{
    ffi::OsString,
    fs::{self, File},
    hash::{BuildHasher as _, RandomState},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

/// How many links one path may go through, as the kernel has it (`path_resolution(7)`).
const MOST_LINKS: usize = 40;
/// Names that are tried for a file beside another one.
const TRIES: usize = 16;

/// Where a file is.
#[derive(Debug)]
pub(crate) struct Place {
    path: PathBuf,
    dir: File,
    name: PathBuf,
}

impl Place {
    /// The place of this very name; a link there isn't followed.
    ///
    /// # Errors
    /// Its directory can't be opened.
    pub(crate) fn exact(path: &Path) -> io::Result<Self> {
        let name = path.file_name().ok_or(io::ErrorKind::IsADirectory)?;
        let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let open = File::open(dir).map_err(|why| {
            io::Error::new(why.kind(), format!("its directory {} can't be opened: {why}", dir.display()))
        });
        Ok(Self { path: path.to_owned(), dir: open?, name: name.into() })
    }

    /// Its path, behind links.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The place that a path means: behind links that the person who runs the program, or root, made.
    ///
    /// # Errors
    /// Somebody else made one, they go in circles, or the directory can't be opened.
    pub(crate) fn of(path: &Path) -> io::Result<Self> {
        let mut path = path.to_owned();
        for _ in 0..MOST_LINKS {
            let link = fs::symlink_metadata(&path).ok().filter(fs::Metadata::is_symlink);
            let Some(link) = link else { return Self::exact(&path) };
            trust::may_follow(&link)?;
            path = path.with_file_name(fs::read_link(&path)?);
        }
        Err(io::Error::other("it goes through too many links"))
    }

    /// What is there: its bytes, and what it keeps when they are replaced. None where nothing is.
    ///
    /// # Errors
    /// It isn't a regular file, or can't be read.
    pub(crate) fn read(&self) -> io::Result<Option<(Vec<u8>, Kept)>> {
        let Some(file) = regular_in(&self.dir, &self.name)? else { return Ok(None) };
        Ok(Some((all(&file)?, Kept::of(&file)?)))
    }

    /// Puts bytes there, as a whole or not at all, with what the file before had.
    ///
    /// # Errors
    /// They can't be written, or what is to be kept can't be; everything is as it was then.
    pub(crate) fn replace(&self, bytes: &[u8], kept: &Kept) -> io::Result<()> {
        for _ in 0..TRIES {
            let beside = self.beside();
            match put(self, &beside, bytes, kept, &|| Ok(())) {
                Err(why) if why.kind() == io::ErrorKind::AlreadyExists => {}
                Err(why) => {
                    // What is left of it is of no use; that the write failed is what is told.
                    let _ = unlinkat(&self.dir, &beside, AtFlags::empty());
                    return Err(why);
                }
                Ok(()) => return Ok(()),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    /// Writes a new file there that is on the disk when this returns. `step` is that of [`put`].
    ///
    /// # Errors
    /// Something is there, or the disk doesn't take it; what was begun is left as it is.
    pub(crate) fn make(&self, bytes: &[u8], kept: &Kept, step: &dyn Fn() -> io::Result<()>) -> io::Result<()> {
        make(&self.dir, &self.name, bytes, kept, step)
    }

    /// A name that nobody can know before.
    fn beside(&self) -> PathBuf {
        let mut name = OsString::from(".");
        name.push(&self.name);
        name.push(format!(".{:08x}.morpheus", RandomState::new().hash_one(0) & 0xffff_ffff));
        name.into()
    }
}

/// Writes a file beside a place and puts it there. `step` is asked before each thing that is done to the disk, so that a
/// test can end it there; what was begun is left as it is if anything fails.
///
/// # Errors
/// Something of the name beside is there, or the disk doesn't take it.
pub(crate) fn put(
    place: &Place,
    beside: &Path,
    bytes: &[u8],
    kept: &Kept,
    step: &dyn Fn() -> io::Result<()>,
) -> io::Result<()> {
    make(&place.dir, beside, bytes, kept, step)?;
    step()?;
    renameat(&place.dir, beside, &place.dir, &place.name)?;
    step()?;
    place.dir.sync_all()
}

fn make(dir: &File, name: &Path, bytes: &[u8], kept: &Kept, step: &dyn Fn() -> io::Result<()>) -> io::Result<()> {
    step()?;
    let mut file = create_in(dir, name)?;
    let (half, rest) = bytes.split_at(bytes.len() / 2);
    file.write_all(half)?;
    step()?;
    file.write_all(rest)?;
    step()?;
    kept.give(&file)?;
    file.sync_all()
}
