//! Passwords that a planting made: kept beside its journal, for its owner alone, until they are deleted by hand. One
//! that is undone takes them with it.

use crate::{
    domain::{facts::Trouble, finding::FindingId, ids::OpId},
    files,
};
use secrecy::SecretString;
use std::{
    fs::{self, File},
    io::{Read, Write},
    path::{Path, PathBuf},
};

/// Letters and digits that nobody takes for another one.
const LETTERS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz23456789A";
/// How many of them a password has: 100 bits.
const LENGTH: usize = 20;

/// The passwords of one planting: lines of `guest: password`.
pub(super) struct Passwords {
    path: PathBuf,
    text: String,
}

/// The file with the passwords that a planting made, in the directory of the journals. It may not be there.
#[must_use]
pub fn passwords_file(dir: &Path, id: &OpId) -> PathBuf {
    dir.join(format!("{id}.passwords"))
}

/// Deletes them.
pub(super) fn forget(dir: &Path, id: &OpId) {
    // There may be none.
    drop(fs::remove_file(passwords_file(dir, id)));
}

impl Passwords {
    pub(super) fn open(dir: &Path, id: &OpId) -> Result<Self, Trouble> {
        let path = passwords_file(dir, id);
        // A password that somebody else wrote would be known to them.
        let read = files::Own::open(&path).and_then(|own| own.map(|own| files::all(&own.0)).transpose());
        let bytes = read.map_err(|why| trouble(&path, &why))?.unwrap_or_default();
        Ok(Self { path, text: String::from_utf8_lossy(&bytes).into_owned() })
    }

    /// The password of a guest, made at the first time.
    pub(super) fn of(&mut self, guest: &str) -> Result<SecretString, Trouble> {
        let known = self.text.lines().filter_map(|line| line.split_once(": "));
        if let Some((_, password)) = known.into_iter().find(|(name, _)| *name == guest) {
            return Ok(password.to_owned().into());
        }
        let fail = |why: &std::io::Error| trouble(&self.path, why);
        let password = make().map_err(|why| fail(&why))?;
        let line = format!("{guest}: {password}\n");
        let written = files::append(&self.path)
            .and_then(|mut file| file.write_all(line.as_bytes()).and_then(|()| file.sync_data()));
        written.map_err(|why| fail(&why))?;
        self.text.push_str(&line);
        Ok(password.into())
    }
}

fn trouble(path: &Path, why: &std::io::Error) -> Trouble {
    Trouble { finding: FindingId::PlantSecret, message: format!("{}: {why}", path.display()) }
}

fn make() -> std::io::Result<String> {
    let mut bytes = [0_u8; LENGTH];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes.iter().filter_map(|byte| LETTERS.get(usize::from(byte % 32))).map(|letter| char::from(*letter)).collect())
}
