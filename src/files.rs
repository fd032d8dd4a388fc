//! Files of this machine, opened and written so that nobody else decides what is read or overwritten.
//!
//! Every file that the program writes goes through here. What may belong to somebody is opened without following a link
//! and without waiting for the other end of a pipe; what is replaced is written beside it, in its own directory, under a
//! name that nobody else has, with its owner, mode and extended attributes.

mod kept;
mod place;
mod trust;

pub(crate) use kept::Kept;
pub(crate) use place::{Place, put};
pub(crate) use trust::{Own, not_ours, others_can_change, writable_by_others};

use rustix::{
    fs::{CWD, Mode, OFlags, fcntl_setfl, openat},
    io::Errno,
};
use std::{
    fs::{DirBuilder, File},
    io::{self, Read as _},
    os::{
        fd::{AsFd, OwnedFd},
        unix::fs::DirBuilderExt as _,
    },
    path::Path,
};

/// What is opened isn't a link, never waits for the other end of a pipe, and isn't inherited.
const SAFE: OFlags = OFlags::NOFOLLOW.union(OFlags::NONBLOCK).union(OFlags::CLOEXEC).union(OFlags::NOCTTY);
/// Read and written by its owner alone.
const PRIVATE: Mode = Mode::RUSR.union(Mode::WUSR);

/// Makes a new file that its owner alone can read.
///
/// # Errors
/// Something of this name is there, even a link that leads nowhere, or it can't be made.
pub(crate) fn create(path: &Path) -> io::Result<File> {
    create_in(CWD, path)
}

fn create_in(dir: impl AsFd, name: &Path) -> io::Result<File> {
    let flags = SAFE | OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE | OFlags::EXCL;
    Ok(openat(dir, name, flags, PRIVATE).map(File::from)?)
}

/// Opens a file to write at its end; makes one that its owner alone can read if there is none.
///
/// # Errors
/// It is a link or no file to write into, somebody else made it where anybody can, or it can't be opened.
pub(crate) fn append(path: &Path) -> io::Result<File> {
    match create(path) {
        Err(why) if why.kind() == io::ErrorKind::AlreadyExists => {}
        other => return other,
    }
    let file = File::from(open(CWD, path, OFlags::WRONLY | OFlags::APPEND)?);
    trust::fit_to_append(path, &file.metadata()?)?;
    Ok(file)
}

/// Opens a file to read and write it, for a lock and who holds it; makes one if there is none.
///
/// # Errors
/// It is a link, no regular file, somebody else's, or can't be opened or made.
pub(crate) fn shared(path: &Path) -> io::Result<File> {
    let flags = SAFE | OFlags::RDWR | OFlags::CREATE;
    let file = File::from(openat(CWD, path, flags, PRIVATE).map_err(meaning)?);
    Own::check(file).map(|own| own.0)
}

/// Opens a regular file to read it; none where there is none.
///
/// # Errors
/// It is a link or no regular file, or can't be opened.
pub(crate) fn regular(path: &Path) -> io::Result<Option<File>> {
    regular_in(CWD, path)
}

fn regular_in(dir: impl AsFd, name: &Path) -> io::Result<Option<File>> {
    let file = match open(dir, name, OFlags::RDONLY) {
        Err(why) if matches!(why.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => return Ok(None),
        other => File::from(other?),
    };
    if file.metadata()?.is_file() { Ok(Some(file)) } else { Err(io::Error::other("it isn't a regular file")) }
}

/// Opens what somebody named to read it, behind links. A pipe that nobody writes into any more is empty.
///
/// # Errors
/// It isn't there, or can't be opened.
pub(crate) fn named(path: &Path) -> io::Result<File> {
    let file = File::from(openat(CWD, path, SAFE.difference(OFlags::NOFOLLOW), Mode::empty())?);
    if !file.metadata()?.is_file() {
        // What is in a pipe may still be on its way.
        fcntl_setfl(&file, OFlags::empty())?;
    }
    Ok(file)
}

/// What is in a regular file; none where there is none.
///
/// # Errors
/// Those of [`regular`], or it can't be read.
pub(crate) fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    regular(path)?.map(|file| all(&file)).transpose()
}

/// Everything in a file, from where it is.
pub(crate) fn all(mut file: &File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn open(dir: impl AsFd, name: &Path, how: OFlags) -> io::Result<OwnedFd> {
    openat(dir, name, SAFE | how, Mode::empty()).map_err(meaning)
}

fn meaning(why: Errno) -> io::Error {
    match why {
        Errno::LOOP => io::Error::other("it is a link, which isn't followed"),
        why => why.into(),
    }
}

/// Makes a directory, and those above it, for their owner alone. One that is there stays as it is.
///
/// # Errors
/// It can't be made.
pub(crate) fn make_dir(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

#[cfg(test)]
#[path = "files/tests.rs"]
mod tests;

#[cfg(test)]
pub(crate) use tests::given_away;
