//! A directory that stands for `/`.

use crate::files;
use std::{
    cell::RefCell,
    collections::HashSet,
    ffi::OsString,
    fs,
    io::{self, ErrorKind},
    path::{Component, Path, PathBuf},
};

/// How many links one path may go through, as the kernel has it (`path_resolution(7)`).
const MOST_LINKS: usize = 40;

/// A directory that stands for `/`. Absolute links and `..` stay inside of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Root(PathBuf);

/// Directories that were seen to be no links. It holds for one look at many places near each other, and no longer.
#[derive(Debug, Default)]
pub(super) struct Walked(RefCell<HashSet<PathBuf>>);

/// A file that can't be read.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {source}")]
pub struct Bad {
    /// Where, as seen inside of the root.
    pub path: String,
    /// Why.
    pub source: io::Error,
}

impl Default for Root {
    fn default() -> Self {
        Self::this_machine()
    }
}

impl Root {
    /// The machine that this program runs on.
    #[must_use]
    pub fn this_machine() -> Self {
        Self(PathBuf::from("/"))
    }

    /// A directory.
    ///
    /// # Errors
    /// It isn't there, or isn't a directory.
    pub fn at(path: &Path) -> Result<Self, Bad> {
        let shown = path.display().to_string();
        let found = path.canonicalize().map_err(|error| bad(&shown, error))?;
        if found.is_dir() { Ok(Self(found)) } else { Err(bad(&shown, ErrorKind::NotADirectory.into())) }
    }

    /// Whether this is the machine that this program runs on, so that its commands speak of it.
    #[must_use]
    pub fn is_this_machine(&self) -> bool {
        self.0 == Path::new("/")
    }

    /// The directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Where a path of this root is really, every link followed inside of the root. What isn't there is taken as it is
    /// written.
    ///
    /// # Errors
    /// Links go in circles, or a directory can't be searched.
    pub fn resolve(&self, path: impl AsRef<Path>) -> io::Result<PathBuf> {
        self.resolve_in(None, path)
    }

    /// The same in a look at many places.
    ///
    /// # Errors
    /// Those of [`Root::resolve`].
    pub(super) fn resolve_in(&self, walked: Option<&Walked>, path: impl AsRef<Path>) -> io::Result<PathBuf> {
        let mut todo = steps(path.as_ref());
        let mut inside = PathBuf::new();
        let mut links = 0;
        while let Some(step) = todo.pop() {
            match step {
                Step::Top => inside.clear(),
                Step::Up => drop(inside.pop()),
                Step::Down(name) if walked.is_some_and(|w| w.0.borrow().contains(&inside.join(&name))) => {
                    inside.push(name);
                }
                Step::Down(name) => match fs::read_link(self.0.join(&inside).join(&name)) {
                    Ok(_) if links == MOST_LINKS => return Err(io::Error::other("too many links")),
                    Ok(target) => {
                        links += 1;
                        todo.extend(steps(&target));
                    }
                    // Not a link, or not there.
                    Err(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::NotFound) => {
                        inside.push(name);
                        if let Some(Walked(known)) = walked.filter(|_| error.kind() == ErrorKind::InvalidInput) {
                            known.borrow_mut().insert(inside.clone());
                        }
                    }
                    Err(error) => return Err(error),
                },
            }
        }
        Ok(self.0.join(inside))
    }

    /// A file's text; none where there is no such file.
    ///
    /// # Errors
    /// It is there and can't be read.
    pub fn text(&self, path: &str) -> Result<Option<String>, Bad> {
        self.text_in(None, path)
    }

    /// The same in a look at many places.
    ///
    /// # Errors
    /// Those of [`Root::text`].
    pub(super) fn text_in(&self, walked: Option<&Walked>, path: &str) -> Result<Option<String>, Bad> {
        let read = self.resolve_in(walked, path).and_then(|at| files::read(&at));
        read.map(|bytes| bytes.map(|b| String::from_utf8_lossy(&b).into_owned())).map_err(|e| bad(path, e))
    }

    /// A regular file's text, exactly; none where there is no such file.
    ///
    /// # Errors
    /// It is there and can't be read, or isn't UTF-8.
    pub fn whole_text(&self, path: &str) -> Result<Option<String>, Bad> {
        let read = self.resolve(path).and_then(|at| if at.is_file() { files::read(&at) } else { Ok(None) });
        let bytes = read.map_err(|error| bad(path, error))?;
        let text = bytes.map(String::from_utf8).transpose();
        text.map_err(|_| bad(path, io::Error::new(ErrorKind::InvalidData, "it isn't UTF-8 text")))
    }

    /// The names in a directory, in order; none where there is no such directory.
    ///
    /// # Errors
    /// It is there and can't be read.
    pub fn list(&self, path: &str) -> Result<Vec<String>, Bad> {
        let names = self.resolve(path).and_then(|at| entries(&at));
        names.map_err(|error| bad(path, error))
    }

    /// Whether something is there.
    #[must_use]
    pub fn has(&self, path: &str) -> bool {
        self.resolve(path).is_ok_and(|at| at.exists())
    }

    /// The path inside of the root that a path outside of it is.
    #[must_use]
    pub fn inside(&self, path: &Path) -> PathBuf {
        path.strip_prefix(&self.0).map_or_else(|_| path.to_owned(), |inside| Path::new("/").join(inside))
    }
}

enum Step {
    Top,
    Up,
    Down(OsString),
}

/// The steps of a path, the first one last.
fn steps(path: &Path) -> Vec<Step> {
    let step = |part: Component<'_>| match part {
        Component::RootDir => Some(Step::Top),
        Component::ParentDir => Some(Step::Up),
        Component::Normal(name) => Some(Step::Down(name.to_owned())),
        Component::CurDir | Component::Prefix(_) => None,
    };
    path.components().rev().filter_map(step).collect()
}

pub(super) fn bad(path: &str, source: io::Error) -> Bad {
    Bad { path: path.to_owned(), source }
}

/// Whether a directory of drop-ins takes a file of this name.
pub(super) fn is_conf(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|extension| extension == "conf")
}

/// What isn't there is no error. A file below something that isn't a directory isn't there either.
pub(super) fn absent<T>(read: io::Result<T>) -> io::Result<Option<T>> {
    match read {
        Ok(value) => Ok(Some(value)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The names in a directory, in order; none where there is no such directory.
pub(super) fn entries(at: &Path) -> io::Result<Vec<String>> {
    let Some(found) = absent(fs::read_dir(at))? else { return Ok(Vec::new()) };
    let mut names = found
        .map(|entry| entry.map(|entry| entry.file_name().to_string_lossy().into_owned()))
        .collect::<io::Result<Vec<String>>>()?;
    names.sort_unstable();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn links_never_lead_out_of_the_root() {
        let dir = tempfile::tempdir().unwrap();
        let top = dir.path().canonicalize().unwrap();
        fs::create_dir_all(top.join("sys/devices/a/b")).unwrap();
        fs::create_dir_all(top.join("sys/bus")).unwrap();
        symlink("/sys/devices/a", top.join("sys/bus/absolute")).unwrap();
        symlink("../devices/a", top.join("sys/bus/relative")).unwrap();
        symlink("../../../../../sys/devices/a", top.join("sys/bus/above")).unwrap();
        let root = Root::at(&top).unwrap();
        for way in ["absolute", "relative", "above"] {
            assert_eq!(root.resolve(format!("/sys/bus/{way}/b")).unwrap(), top.join("sys/devices/a/b"), "{way}");
        }
        assert_eq!(root.resolve("/../../etc/passwd").unwrap(), top.join("etc/passwd"));
        assert_eq!(root.text("/etc/passwd").unwrap(), None);
    }

    #[test]
    fn links_in_circles_end() {
        let dir = tempfile::tempdir().unwrap();
        symlink("b", dir.path().join("a")).unwrap();
        symlink("a", dir.path().join("b")).unwrap();
        let root = Root::at(dir.path()).unwrap();
        assert!(root.text("/a").unwrap_err().to_string().starts_with("/a: "));
    }
}
