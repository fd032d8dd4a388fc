//! Which file is read.

use super::types::Overrides;
use crate::files;
use std::{
    collections::BTreeMap,
    ffi::OsString,
    fmt, fs, io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

/// What the process was given by its surroundings, captured once, so that nothing else reads the process's own.
///
/// Printing it for debugging shows the variables' names only.
#[derive(Clone, Default)]
pub struct Env {
    /// Environment variables. Not every one is UTF-8, and one that isn't matters only if it is used.
    pub vars: BTreeMap<String, OsString>,
    /// The user's home directory.
    pub home: Option<PathBuf>,
    /// The working directory.
    pub cwd: PathBuf,
    /// Where `/etc` is looked for; `/` but in tests.
    pub root: PathBuf,
}

impl fmt::Debug for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&String> = self.vars.keys().collect();
        f.debug_struct("Env")
            .field("vars", &names)
            .field("home", &self.home)
            .field("cwd", &self.cwd)
            .finish_non_exhaustive()
    }
}

impl Env {
    /// The environment of this process.
    #[must_use]
    pub fn capture() -> Self {
        let vars = std::env::vars_os().filter_map(|(key, value)| Some((key.into_string().ok()?, value))).collect();
        Self {
            vars,
            home: std::env::home_dir(),
            cwd: std::env::current_dir().unwrap_or_default(),
            root: PathBuf::from("/"),
        }
    }

    /// A variable, if it is set, not empty and UTF-8.
    #[must_use]
    pub fn var(&self, name: &str) -> Option<&str> {
        self.vars.get(name)?.to_str().filter(|value| !value.is_empty())
    }
}

/// Why a file is looked at.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FoundBy {
    /// `--config` names it.
    Flag,
    /// `$MORPHEUS_CONFIG_PATH` names it.
    Variable,
    /// It lies in the working directory.
    WorkingDirectory,
    /// It lies in `~/.morpheus`.
    Home,
    /// It lies in `$XDG_CONFIG_HOME/morpheus`.
    Xdg,
    /// It lies in `/etc/morpheus`.
    Etc,
}

impl fmt::Display for FoundBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Flag => "--config",
            Self::Variable => "$MORPHEUS_CONFIG_PATH",
            Self::WorkingDirectory => "./config.yaml",
            Self::Home => "~/.morpheus/config.yaml",
            Self::Xdg => "$XDG_CONFIG_HOME/morpheus/config.yaml",
            Self::Etc => "/etc/morpheus/config.yaml",
        })
    }
}

/// A file that would be read, or was looked for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Candidate {
    /// Where it is.
    pub path: PathBuf,
    /// Why it is looked at.
    pub found_by: FoundBy,
    /// Whether it is there.
    pub exists: bool,
    /// Why it isn't read though it is there: somebody else could have written it.
    pub distrust: Option<String>,
}

impl Candidate {
    /// Whether it is the one, if none before it is.
    #[must_use]
    pub const fn is_taken(&self) -> bool {
        matches!(self.found_by, FoundBy::Flag | FoundBy::Variable) || (self.exists && self.distrust.is_none())
    }
}

/// The places where the configuration may be, in the order in which they are tried. The first that exists is the one;
/// a file that `--config` or `$MORPHEUS_CONFIG_PATH` names is the one whether it exists or not. One in the working
/// directory is passed over if somebody else could have written it: it would get the token and send it anywhere.
#[must_use]
pub fn candidates(overrides: &Overrides, env: &Env) -> Vec<Candidate> {
    let named = overrides.config.clone().map(|path| (path, FoundBy::Flag));
    let variable = env.var("MORPHEUS_CONFIG_PATH").map(|path| (expand_home(path, env), FoundBy::Variable));
    let home = |tail: &str| env.home.as_deref().map(|home| home.join(tail));
    let xdg = env.var("XDG_CONFIG_HOME").map(PathBuf::from).filter(|dir| dir.is_absolute());
    let xdg = xdg.or_else(|| home(".config")).map(|dir| dir.join("morpheus/config.yaml"));
    let all = [
        named,
        variable,
        Some((PathBuf::from("config.yaml"), FoundBy::WorkingDirectory)),
        home(".morpheus/config.yaml").map(|path| (path, FoundBy::Home)),
        xdg.map(|path| (path, FoundBy::Xdg)),
        Some((env.root.join("etc/morpheus/config.yaml"), FoundBy::Etc)),
    ];
    let candidate = |(path, found_by): (PathBuf, FoundBy)| {
        let whole = env.cwd.join(&path);
        let exists = whole.exists();
        let distrust = (exists && found_by == FoundBy::WorkingDirectory).then(|| distrust(&whole)).flatten();
        Candidate { path, found_by, exists, distrust }
    };
    all.into_iter().flatten().map(candidate).collect()
}

/// Why a file that was only found may not be the person's: whose it, a link to it or its directory is, or who can write
/// there.
fn distrust(path: &Path) -> Option<String> {
    let of = |about: io::Result<fs::Metadata>| match about {
        Ok(about) => files::others_can_change(&about),
        Err(why) => Some(format!("it can't be looked at: {why}")),
    };
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let link = fs::symlink_metadata(path);
    let link = if link.as_ref().is_ok_and(fs::Metadata::is_symlink) {
        link.ok().and_then(|link| files::not_ours(link.uid()))
    } else {
        None
    };
    let dir = || of(fs::metadata(dir)).map(|why| format!("its directory isn't only yours: {why}"));
    link.or_else(|| of(fs::metadata(path))).or_else(dir)
}

fn expand_home(path: &str, env: &Env) -> PathBuf {
    let tail = path.strip_prefix("~/").zip(env.home.as_deref());
    tail.map_or_else(|| Path::new(path).to_owned(), |(tail, home)| home.join(tail))
}
