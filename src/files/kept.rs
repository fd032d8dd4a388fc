//! What a file keeps when its text is replaced.

use rustix::{
    buffer::spare_capacity,
    fs::{XattrFlags, fgetxattr, flistxattr, fsetxattr},
    io::Errno,
};
use std::{
    ffi::CString,
    fs::{File, Metadata, Permissions},
    io,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, fchown},
};

/// Longest list of names, and longest value, that Linux takes (`limits.h`, `XATTR_LIST_MAX`, `XATTR_SIZE_MAX`), bytes.
const LONGEST: usize = 64 << 10;

/// Whose a file is, who may do what with it, and what else hangs on it: access lists, labels.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Kept {
    /// User and group; none for whoever makes it.
    pub(crate) owner: Option<(u32, u32)>,
    /// Mode, without the kind of file.
    pub(crate) mode: u32,
    /// Extended attributes by name.
    pub(crate) attributes: Vec<(CString, Vec<u8>)>,
}

impl Kept {
    /// For a file that wasn't there.
    pub(crate) const fn fresh(mode: u32) -> Self {
        Self { owner: None, mode, attributes: Vec::new() }
    }

    /// Whose a file is, without what else hangs on it.
    pub(crate) fn of_metadata(about: &Metadata) -> Self {
        Self { owner: Some((about.uid(), about.gid())), mode: about.mode() & 0o7777, attributes: Vec::new() }
    }

    /// What an open file has.
    pub(crate) fn of(file: &File) -> io::Result<Self> {
        Ok(Self { attributes: attributes(file)?, ..Self::of_metadata(&file.metadata()?) })
    }

    /// Gives all of it to another file.
    ///
    /// # Errors
    /// It can't be given: it isn't ours to give, or the file system doesn't take it.
    pub(crate) fn give(&self, file: &File) -> io::Result<()> {
        if let Some((uid, gid)) = self.owner {
            let now = file.metadata()?;
            // Who isn't root may give a file to nobody, not even to whose it is.
            if (now.uid(), now.gid()) != (uid, gid) {
                fchown(file, Some(uid), Some(gid))?;
            }
        }
        let has = attributes(file)?;
        for (name, value) in self.attributes.iter().filter(|attribute| !has.contains(attribute)) {
            fsetxattr(file, name.as_c_str(), value, XattrFlags::empty()).map_err(|why| {
                let name = name.to_string_lossy();
                io::Error::new(io::Error::from(why).kind(), format!("its attribute {name} can't be kept: {why}"))
            })?;
        }
        // Last: a change of the owner takes bits of it away.
        file.set_permissions(Permissions::from_mode(self.mode))
    }
}

fn attributes(file: &File) -> io::Result<Vec<(CString, Vec<u8>)>> {
    let mut names = Vec::with_capacity(LONGEST);
    match flistxattr(file, spare_capacity(&mut names)) {
        // A file system without any.
        Err(Errno::NOTSUP | Errno::NOSYS) => return Ok(Vec::new()),
        other => drop(other?),
    }
    // Signatures of the text (`evm(7)`): the kernel makes those of a new one.
    let names = names.split(|byte| *byte == 0).filter(|name| !matches!(*name, b"" | b"security.ima" | b"security.evm"));
    let mut found = Vec::new();
    for name in names.filter_map(|name| CString::new(name).ok()) {
        let mut value = Vec::with_capacity(LONGEST);
        match fgetxattr(file, name.as_c_str(), spare_capacity(&mut value)) {
            // Taken away meanwhile, or for others' eyes (`security.*` of some modules): nobody could copy it.
            Err(Errno::NODATA | Errno::PERM | Errno::NOTSUP) => {}
            other => {
                other?;
                value.shrink_to_fit();
                found.push((name, value));
            }
        }
    }
    Ok(found)
}
