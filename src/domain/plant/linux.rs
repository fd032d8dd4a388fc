//! What a Linux guest is made from: the seed that `cloud-init` reads at the first boot of a cloud image, and the files
//! that drive CachyOS' installer. Both lead to the same script, which goes on from there part by part.
//!
//! Nothing of an answer is ever part of a script: scripts are the files of `assets/plant/linux`, and answers lie beside
//! them as quoted values.

mod guest;
mod installer;
mod network;
mod password;
mod quote;
mod seed;

pub use installer::installer;
pub use seed::seed;

/// The label by which `cloud-init` finds a seed (its `DataSourceNoCloud.py`).
pub const SEED_LABEL: &str = "CIDATA";

/// What has a guest go on with its set-up once somebody has repaired why it stopped: program and arguments.
pub const AGAIN: [&str; 4] = ["systemctl", "restart", "--no-block", "morpheus-setup.service"];

#[cfg(test)]
mod tests;
