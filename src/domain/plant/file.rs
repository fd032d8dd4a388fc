//! Files that morpheus makes for a guest.

use serde::{Deserialize, Serialize};

/// A file of a seed or for a guest.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct File {
    /// Where it lies: relative to the root of its seed, with `/`; absolute in a guest.
    pub path: String,
    /// Its text. Lines of files for Windows end with CR LF already.
    pub text: String,
    /// Whether a secret is in it.
    pub secret: bool,
    /// What it is for, one sentence.
    pub about: String,
}

impl File {
    /// A file without secrets.
    #[must_use]
    pub fn new(path: impl Into<String>, text: impl Into<String>, about: impl Into<String>) -> Self {
        Self { path: path.into(), text: text.into(), secret: false, about: about.into() }
    }

    /// The same with a secret in it.
    #[must_use]
    pub fn with_secret(self) -> Self {
        Self { secret: true, ..self }
    }
}
