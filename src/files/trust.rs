//! Who may change a file besides the person who uses it.

use rustix::{
    fs::{CWD, OFlags},
    process::geteuid,
};
use std::{
    fs::{self, File, Metadata},
    io,
    os::unix::fs::{FileTypeExt as _, MetadataExt as _},
    path::Path,
};

/// Why somebody else may change a file or directory, as the end of a sentence about it; none if only the person who runs
/// the program and root can. A group of a person's own, with the person's number, counts as the person
/// (`login.defs(5)`, `USERGROUPS_ENAB`).
pub(crate) fn others_can_change(about: &Metadata) -> Option<String> {
    not_ours(about.uid()).or_else(|| writable_by_others(about).then(|| "others can write to it".to_owned()))
}

/// Whether others than its owner can write to it.
pub(crate) fn writable_by_others(about: &Metadata) -> bool {
    let mode = about.mode();
    // The sticky bit keeps others from replacing what is there, not from being there first.
    mode & 0o002 != 0 || (mode & 0o020 != 0 && about.gid() != about.uid())
}

/// Whose a file is, if it is neither the person's nor root's.
pub(crate) fn not_ours(uid: u32) -> Option<String> {
    let me = geteuid().as_raw();
    (uid != me && uid != 0).then(|| format!("it belongs to another user ({uid})"))
}

/// Whether a link may be followed: one of somebody else leads wherever they want.
pub(super) fn may_follow(link: &Metadata) -> io::Result<()> {
    match not_ours(link.uid()) {
        None => Ok(()),
        Some(why) => Err(io::Error::other(format!("it is a link, and {why}"))),
    }
}

/// What the kernel's `protected_regular` refuses, wherever it is switched off (`proc_sys_fs(5)`): what somebody else made
/// where anybody can.
pub(super) fn fit_to_append(path: &Path, about: &Metadata) -> io::Result<()> {
    let kind = about.file_type();
    if kind.is_char_device() {
        return Ok(());
    }
    if !kind.is_file() {
        return Err(io::Error::other("it isn't a regular file"));
    }
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let dir = fs::metadata(dir)?;
    match not_ours(about.uid()).filter(|_| about.uid() != dir.uid()) {
        Some(why) => Err(io::Error::other(why)),
        None => Ok(()),
    }
}

/// A file that the person who runs the program made, and nobody else.
#[derive(Debug)]
pub(crate) struct Own(pub(crate) File);

impl Own {
    /// Opens it to read it; none where there is none.
    ///
    /// # Errors
    /// It is a link, no regular file, somebody else's, or can't be opened.
    pub(crate) fn open(path: &Path) -> io::Result<Option<Self>> {
        let Some(file) = super::regular(path)? else { return Ok(None) };
        Self::check(file).map(Some)
    }

    /// Opens it to read it and to write at its end.
    ///
    /// # Errors
    /// Those of [`Own::open`], or there is none.
    pub(crate) fn open_to_append(path: &Path) -> io::Result<Self> {
        Self::check(super::open(CWD, path, OFlags::RDWR | OFlags::APPEND)?.into())
    }

    /// Takes an open file for the person's own.
    ///
    /// # Errors
    /// It is somebody else's.
    pub(crate) fn check(file: File) -> io::Result<Self> {
        let about = file.metadata()?;
        if !about.is_file() {
            return Err(io::Error::other("it isn't a regular file"));
        }
        let uid = about.uid();
        if uid == geteuid().as_raw() {
            return Ok(Self(file));
        }
        Err(io::Error::other(format!("it belongs to another user ({uid})")))
    }
}
