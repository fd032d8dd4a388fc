//! A registry that is a file of this machine. `NimsForest` writes it too: its lock is a file beside it that only one
//! can make (nimsforest2 `internal/natsclusterconfig/config.go`, `fileLock`).

use super::trouble;
use crate::domain::{
    facts::Trouble,
    plant::registry::{Change, Document, Left},
};
use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::time::sleep;

/// A lock that is older was left behind by somebody who died: writing takes no time.
const STALE: Duration = Duration::from_secs(10);
/// Between two tries to get it.
const PAUSE: Duration = Duration::from_millis(50);
/// Tries until the oldest lock is stale, and some.
const TRIES: u32 = 300;

pub(super) fn read(path: &Path, forest: &str) -> Result<Document, Trouble> {
    let fail = |why: &dyn ToString| trouble(&path.to_string_lossy(), &why.to_string());
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(why) if why.kind() == ErrorKind::NotFound => String::new(),
        Err(why) => return Err(fail(&why)),
    };
    Document::parse(&text, forest).map_err(|why| fail(&why))
}

pub(super) async fn change(path: &Path, forest: &str, change: &Change) -> Result<Vec<Left>, Trouble> {
    // Behind a link it is the file that is replaced, not the link.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let _lock = Held::take(&path).await?;
    let mut document = read(&path, forest)?;
    let before = document.clone();
    let left = document.apply(forest, change);
    if document != before {
        // A rename would replace it all the same; whoever made it so wanted it left alone.
        if fs::metadata(&path).is_ok_and(|about| about.permissions().readonly()) {
            return Err(trouble(&path.to_string_lossy(), "it is read-only"));
        }
        replace(&path, &document.text()).map_err(|why| trouble(&path.to_string_lossy(), &why.to_string()))?;
    }
    Ok(left)
}

/// Whoever reads sees the old text or the new one, and after a power cut too.
fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    let new = beside(path, ".new");
    let mut file = File::create(&new)?;
    if let Ok(old) = fs::metadata(path) {
        file.set_permissions(old.permissions())?;
    }
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&new, path)
}

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name: OsString = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

struct Held(PathBuf);

impl Held {
    async fn take(path: &Path) -> Result<Self, Trouble> {
        let lock = beside(path, ".lock");
        for _ in 0..TRIES {
            match OpenOptions::new().write(true).create_new(true).open(&lock) {
                Ok(_) => return Ok(Self(lock)),
                Err(why) if why.kind() == ErrorKind::AlreadyExists => {}
                Err(why) => {
                    let words = format!("its lock {} can't be made: {why}", lock.display());
                    return Err(trouble(&path.to_string_lossy(), &words));
                }
            }
            let age = fs::metadata(&lock).and_then(|about| about.modified()).ok().and_then(|at| at.elapsed().ok());
            if age.is_some_and(|age| age > STALE) {
                drop(fs::remove_file(&lock));
            } else {
                sleep(PAUSE).await;
            }
        }
        Err(trouble(&path.to_string_lossy(), &format!("{} stays locked by another program", lock.display())))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        drop(fs::remove_file(&self.0));
    }
}
