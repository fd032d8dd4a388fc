//! A registry that is a file of this machine. `NimsForest` writes it too: its lock is a file beside it that only one
//! can make (nimsforest2 `internal/natsclusterconfig/config.go`, `fileLock`).

use super::trouble;
use crate::{
    domain::{
        facts::Trouble,
        plant::registry::{Change, Document, Left},
    },
    files::{self, Kept, Place},
};
use std::{
    ffi::OsString,
    fs,
    io::ErrorKind,
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
    let place = Place::of(path).map_err(|why| fail(path, &why));
    let bytes = match place {
        Ok(place) => place.read().map_err(|why| fail(path, &why))?.map(|(bytes, _)| bytes).unwrap_or_default(),
        // No directory, no registry; whoever is asked to write one finds out.
        Err(_) if !path.exists() => Vec::new(),
        Err(trouble) => return Err(trouble),
    };
    parse(path, bytes, forest)
}

fn parse(path: &Path, bytes: Vec<u8>, forest: &str) -> Result<Document, Trouble> {
    let text = String::from_utf8(bytes).map_err(|_| fail(path, &"it isn't UTF-8"))?;
    Document::parse(&text, forest).map_err(|why| fail(path, &why))
}

fn fail(path: &Path, why: &dyn ToString) -> Trouble {
    trouble(&path.to_string_lossy(), &why.to_string())
}

pub(super) async fn change(path: &Path, forest: &str, change: &Change) -> Result<Vec<Left>, Trouble> {
    // Behind a link it is the file that is replaced, not the link.
    let place = Place::of(path).map_err(|why| fail(path, &why))?;
    let path = place.path();
    let _lock = Held::take(path).await?;
    let (bytes, kept) = place.read().map_err(|why| fail(path, &why))?.unwrap_or((Vec::new(), Kept::fresh(0o644)));
    let mut document = parse(path, bytes, forest)?;
    let before = document.clone();
    let left = document.apply(forest, change);
    if document != before {
        // A rename would replace it all the same; whoever made it so wanted it left alone.
        if kept.mode & 0o222 == 0 {
            return Err(fail(path, &"it is read-only"));
        }
        place.replace(document.text().as_bytes(), &kept).map_err(|why| fail(path, &why))?;
    }
    Ok(left)
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
            match files::create(&lock) {
                Ok(_) => return Ok(Self(lock)),
                Err(why) if why.kind() == ErrorKind::AlreadyExists => {}
                Err(why) => {
                    let words = format!("its lock {} can't be made: {why}", lock.display());
                    return Err(trouble(&path.to_string_lossy(), &words));
                }
            }
            let age =
                fs::symlink_metadata(&lock).and_then(|about| about.modified()).ok().and_then(|at| at.elapsed().ok());
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
