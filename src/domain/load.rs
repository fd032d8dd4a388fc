//! How much of a machine is in use: the host now, and host and guests over the last hour.

use super::{facts::HostMemory, ids::Millis, ids::Vmid};
use serde::{Deserialize, Serialize};

/// What a node says of itself (`/nodes/{node}/status`).
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct HostStatus {
    /// CPU use, fraction 0 to 1.
    pub cpu: Option<f64>,
    /// CPU threads.
    pub cpus: Option<u64>,
    /// Processes that run or wait to, averages over 1, 5 and 15 minutes.
    pub load: Option<[f64; 3]>,
    /// Memory.
    pub memory: HostMemory,
    /// Swap space; none where the host doesn't say.
    pub swap: Option<Space>,
    /// The root file system.
    pub root: Option<Space>,
    /// Seconds since its boot.
    pub uptime: Option<u64>,
    /// The running kernel's release, such as `6.17.4-1-pve`.
    pub kernel: Option<String>,
    /// Proxmox VE's version, such as `9.2.11`.
    pub version: Option<String>,
}

/// Room of which some is taken, bytes.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Space {
    /// All of it.
    pub total: u64,
    /// Taken.
    pub used: u64,
}

/// Of what something was measured.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Measured {
    /// The node itself.
    Host,
    /// A VM or container.
    Guest(Vmid),
}

/// A row of the host's own records: averages over [`Reading::COVERS`] from its time on. What wasn't measured is
/// none, never 0.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Reading {
    /// Its beginning.
    pub at: Millis,
    /// CPU use, fraction 0 to 1.
    pub cpu: Option<f32>,
    /// Memory in use, bytes.
    pub memory: Option<f32>,
    /// Received, bytes per second.
    pub received: Option<f32>,
    /// Sent, bytes per second.
    pub sent: Option<f32>,
}

impl Reading {
    /// How long a row of the last hour stands for, milliseconds (pve-manager `PVE/RRD.pm`: one minute).
    pub const COVERS: u64 = 60_000;
}

/// What a guest says of its GPU.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct GpuLoad {
    /// The card sleeps (runtime suspended) and was left alone: nothing else is known.
    pub asleep: bool,
    /// How busy it is, percent.
    pub busy: Option<u8>,
    /// Its memory.
    pub memory: Option<Space>,
}
