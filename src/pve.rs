//! Proxmox VE over HTTPS, as it really answers: tolerant of its types, exact about its errors.
//!
//! [`Client`] asks; every answer becomes a word of [`domain`](crate::domain), every failure an [`Error`] with a finding.
//! One file per group of endpoints; [`transport`] is the seam that tests and the simulated host use.

mod access;
mod agent;
mod auth;
mod backup;
mod bounded;
mod client;
mod cluster;
mod error;
mod form;
mod grant;
mod hardware;
mod http;
mod login;
mod lxc;
mod make;
mod mapping;
mod nodes;
mod qemu;
mod rrd;
mod storage;
mod tasks;
mod tls;
pub mod transport;
mod wire;

pub use agent::{ExecStatus, LARGEST_FILE, agent_state, refusal};
pub use auth::Credentials;
pub use client::Client;
pub use cluster::{Resource, ResourceKind};
pub use error::Error;
pub use http::Target;
pub use login::Challenge;
pub use nodes::Node;
pub use storage::sha256;
pub use tasks::TaskStatus;
pub use tls::{BadFingerprint, Fingerprint};
pub(crate) use tls::{trusting_authorities, trusting_nobody};

#[cfg(test)]
pub(crate) mod scripted;
