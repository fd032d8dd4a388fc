//! What a configuration holds once it is known to be right.

use crate::domain::{gpu::PciAddr, ids::NodeName, ids::Vmid, mode::ModeSet, switch::plan::Fallback};
use secrecy::SecretString;
use std::{path::PathBuf, time::Duration};

use super::{
    locate::FoundBy,
    ui::{Ui, UiOverrides},
};

/// One validated configuration.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// The host; none if nothing says which.
    pub proxmox: Option<Proxmox>,
    /// Modes in the file's order, from `proxmox.modes` and `vr`.
    pub modes: ModeSet,
    /// How a switch behaves.
    pub switch: SwitchOptions,
    /// `vr.linux`: the guest as it is provisioned.
    pub vr_linux: Option<VrGuest>,
    /// `vr.windows`: the guest as it is provisioned.
    pub vr_windows: Option<VrGuest>,
    /// The compute network.
    pub nimsforest: Nimsforest,
    /// How the dashboard looks and behaves.
    pub ui: Ui,
    /// Which file it came from.
    pub source: Source,
}

/// The Proxmox host and how to talk to it.
#[derive(Clone, Debug)]
pub struct Proxmox {
    /// Name or address, an IPv6 address without brackets.
    pub host: String,
    /// Port of the API, 8006 unless said.
    pub port: u16,
    /// Which node of the cluster.
    pub node: NodeChoice,
    /// Who asks.
    pub credentials: Credentials,
    /// Check the certificate against the system's authorities, unless a fingerprint is pinned.
    pub verify_ssl: bool,
    /// SHA-256 of the certificate (DER) that the host must show.
    pub tls_fingerprint: Option<[u8; 32]>,
    /// How long one request may take.
    pub timeout: Duration,
}

/// Which node of a cluster.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum NodeChoice {
    /// The one that answers.
    #[default]
    Auto,
    /// This one.
    Named(NodeName),
}

/// Who asks. Secrets show as `[REDACTED]` when printed for debugging.
#[derive(Clone, Debug)]
pub enum Credentials {
    /// An API token.
    Token {
        /// `user@realm!name`.
        id: String,
        /// Its secret.
        secret: SecretString,
    },
    /// A user who logs in for a ticket; some options need root's own.
    Password {
        /// `user@realm`.
        user: String,
        /// The password; none means that the person is asked.
        password: Option<SecretString>,
    },
    /// Not enough is said; the text names what is missing.
    Missing(String),
}

/// How a switch behaves unless a flag says otherwise.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SwitchOptions {
    /// Seconds that a guest gets to shut down.
    pub shutdown_timeout: u64,
    /// What follows when it doesn't. `Ask` with nobody to ask means `Stop`.
    pub shutdown_fallback: Fallback,
    /// Seconds that a guest gets before that to leave NATS and `NimsForest`; 0: it isn't told.
    pub drain_timeout: u64,
    /// Seconds that a guest gets from its start to an address.
    pub startup_timeout: u64,
    /// Wait for the guest's address and services.
    pub wait_for_network: bool,
    /// Start again what was stopped if the target doesn't come up.
    pub rollback: bool,
    /// What a conflict means.
    pub on_conflict: OnConflict,
}

impl Default for SwitchOptions {
    fn default() -> Self {
        Self {
            shutdown_timeout: 60,
            shutdown_fallback: Fallback::Ask,
            drain_timeout: 45,
            startup_timeout: 180,
            wait_for_network: true,
            rollback: true,
            on_conflict: OnConflict::Refuse,
        }
    }
}

/// What a running mode that conflicts with the target means for a switch.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum OnConflict {
    /// The switch is refused.
    #[default]
    Refuse,
    /// The other mode is stopped, as with `--replace`.
    Replace,
}

/// A VR guest as `vr.linux` or `vr.windows` describes it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct VrGuest {
    /// Its number.
    pub vmid: Vmid,
    /// Its name on the host.
    pub name: Option<String>,
    /// Memory in MiB.
    pub memory: Option<u64>,
    /// CPU cores.
    pub cores: Option<u32>,
    /// Disk in GiB.
    pub disk_size: Option<u64>,
    /// The card that it uses.
    pub gpu_pci: Option<PciAddr>,
}

/// The compute network that modes may belong to.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Nimsforest {
    /// Its name.
    pub cluster_id: Option<String>,
    /// Port of NATS, if said; NATS' own is 4222.
    pub nats_port: Option<u16>,
    /// Where its registry is.
    pub registry_url: Option<String>,
    /// The file with the token that it is written with.
    pub registry_token_file: Option<String>,
}

/// Which file a configuration came from.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Source {
    /// No file: environment, flags and defaults alone.
    #[default]
    NoFile,
    /// This one.
    File {
        /// Where it is.
        path: PathBuf,
        /// Why this one.
        found_by: FoundBy,
    },
}

/// What command-line flags say; each comes before environment and file.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// `--config`: this file and no other.
    pub config: Option<PathBuf>,
    /// `--host`.
    pub host: Option<String>,
    /// `--port`.
    pub port: Option<u16>,
    /// `--node`; `auto` is allowed.
    pub node: Option<String>,
    /// `--token-id`.
    pub token_id: Option<String>,
    /// `--user`: log in with a password instead of a token.
    pub user: Option<String>,
    /// `--tls-fingerprint`.
    pub tls_fingerprint: Option<String>,
    /// Certificate checking on or off; `--insecure` is off.
    pub verify_ssl: Option<bool>,
    /// `--timeout`: seconds for one request.
    pub timeout: Option<u64>,
    /// Flags of the dashboard.
    pub ui: UiOverrides,
}
