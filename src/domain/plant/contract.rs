//! What a guest that is being set up tells, and where: the files that its scripts write and that are read through its
//! agent. Scripts write a file whole beside its place and move it there, so that no half of it is ever read.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The directory in a Linux guest, and in the live system of an installer.
pub const LINUX_DIR: &str = "/var/lib/morpheus";
/// The directory in a Windows guest.
pub const WINDOWS_DIR: &str = r"C:\ProgramData\morpheus";
/// In that directory: how far it is, a [`Progress`].
pub const PROGRESS: &str = "progress.json";
/// In that directory: what it has reached, a [`Ready`].
pub const READY: &str = "ready.json";

/// How far a guest's set-up is.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct Progress {
    /// What it does, a few words such as `installing the desktop`.
    pub doing: String,
    /// Which of its parts that is, from 1.
    pub part: u32,
    /// How many parts it has.
    pub of: u32,
    /// Why it went no further; the set-up has ended then.
    pub error: Option<String>,
}

/// What a guest's set-up has reached.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Ready {
    /// Which planting it belongs to: the operation's id.
    pub plant: String,
    /// How far.
    pub stage: Stage,
    /// Versions by name: `driver`, `wivrn`, `steam`, `nimsforest`, `nats-server`, `kernel`...
    #[serde(default)]
    pub versions: BTreeMap<String, String>,
    /// What didn't work and can be done later by hand; the guest is of use all the same.
    #[serde(default)]
    pub errors: Vec<String>,
}

/// A stage of a guest's set-up.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// The system is on the disk; the installer's live system says so. Only where there is one.
    Installed,
    /// The system is up, without the card. Windows only: its card is attached after that.
    Base,
    /// All is done.
    Ready,
}

impl Stage {
    /// In words.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Installed => "installed",
            Self::Base => "base",
            Self::Ready => "ready",
        }
    }
}

/// What drives an installer in its live system: files that are written there through the agent, and what starts it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Installer {
    /// Files with absolute paths; their directories are made first.
    pub files: Vec<super::File>,
    /// Program and arguments. It returns at once; the installer goes on by itself and tells its [`Progress`].
    pub command: Vec<String>,
}
