//! Files and environment in, one validated [`Config`] out.
//!
//! Flags come before the environment, the environment before the file, the file before the defaults. Every mistake is
//! reported with file, line, key, what is allowed and, where one is near, what was probably meant.

pub mod answers;
mod beside;
mod bindings;
mod credentials;
pub mod edit;
mod error;
mod host;
mod interpolate;
pub mod keys;
mod load;
mod locate;
mod look;
mod modes;
mod names;
mod node;
mod other;
mod reader;
mod services;
mod show;
mod shown;
mod theme;
mod types;
mod ui;
mod unknown;
mod vr;

pub use bindings::{KeyChange, KeyPlace};
pub use error::{ConfigError, Notice, Place, Problem};
pub use locate::{Candidate, Env, FoundBy, candidates};
pub use look::{Look, Paint};
pub use theme::{BaseTheme, ROLES, ThemeChoice};
pub use types::{
    Config, Credentials, Nimsforest, NodeChoice, OnConflict, Overrides, Proxmox, Source, SwitchOptions, VrGuest,
};
pub use ui::{ColorChoice, GlyphChoice, Ui, UiOverrides};

/// A configuration and what is worth saying about it.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// Warnings and notes, in file order.
    pub notices: Vec<Notice>,
}

/// Reads the configuration: the file (the one that the flags or the environment name, else the first of
/// [`candidates`] that exists), the environment and the flags.
///
/// # Errors
/// Everything that is wrong with it, in file order. Without any file and without `PROXMOX_HOST` there is no error:
/// [`Config::proxmox`] is none.
pub fn load(overrides: &Overrides, env: &Env) -> Result<Loaded, ConfigError> {
    load::load(overrides, env)
}

/// The configuration as YAML that would load as the same configuration, with secrets masked.
#[must_use]
pub fn show(config: &Config) -> String {
    show::show(config)
}

#[cfg(test)]
#[path = "config/docs_tests.rs"]
mod docs_tests;
#[cfg(test)]
#[path = "config/errors_tests.rs"]
mod errors_tests;
#[cfg(test)]
#[path = "config/precedence_tests.rs"]
mod precedence_tests;
#[cfg(test)]
#[path = "config/samples_tests.rs"]
mod samples_tests;
#[cfg(test)]
#[path = "config/secrets_tests.rs"]
mod secrets_tests;
#[cfg(test)]
#[path = "config/testing.rs"]
mod testing;
#[cfg(test)]
#[path = "config/ui_tests.rs"]
mod ui_tests;
