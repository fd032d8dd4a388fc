//! VMs and containers as one look at the host saw them.

use super::{
    gpu::{HostPci, PciSource},
    ids::{Millis, Vmid},
    load::GpuLoad,
    service::ServiceCheck,
    text,
    wivrn::Wivrn,
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt, net::IpAddr};

/// A switch as Proxmox reads it: `1`, `on`, `yes`, `true` and their opposites (pve-common `JSONSchema.pm`).
#[must_use]
pub fn flag_word(word: &str) -> Option<bool> {
    match word.to_ascii_lowercase().as_str() {
        "1" | "on" | "yes" | "true" => Some(true),
        "0" | "off" | "no" | "false" | "" => Some(false),
        _ => None,
    }
}

/// VM or container.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GuestKind {
    /// A QEMU virtual machine.
    Qemu,
    /// An LXC container.
    Lxc,
}

/// What a guest is doing. `status` of the host knows only running and stopped; the rest is QEMU's own `qmpstatus`,
/// which only `status/current` and the full list carry (qemu-server `QemuServer.pm:2371-2528`).
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Power {
    /// No process: the guest holds no device.
    Stopped,
    /// A process runs. From the plain list this may still mean paused.
    Running,
    /// CPUs are halted; memory and devices are held.
    Paused,
    /// Suspended inside (ACPI S3); memory and devices are held.
    Suspended,
    /// QEMU was started but its CPUs weren't: a backup of a stopped VM does this, and it takes the GPU.
    Prelaunch,
    /// The guest has powered off, but its QEMU process is still there, with memory and devices: its end is near, or
    /// nobody cleans up.
    Shutdown,
    /// A state that this program doesn't know, or none was given. Never taken for stopped.
    Unknown,
}

impl Power {
    /// Whether devices and memory may be held. Unknown counts as held.
    #[must_use]
    pub const fn holds_devices(self) -> bool {
        !matches!(self, Self::Stopped)
    }

    /// The word for people and JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Stopped => "stopped",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Suspended => "suspended",
            Self::Prelaunch => "prelaunch",
            Self::Shutdown => "shutdown",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for Power {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// The lock of a guest that was written to disk with its memory. Starting it resumes it and takes the lock off; a stop
/// or shutdown does nothing, and every change of its configuration is refused (qemu-server `QemuServer.pm`, `vm_start`).
pub const HIBERNATED: &str = "suspended";

/// A guest as the node's lists show it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Guest {
    /// Its number.
    pub vmid: Vmid,
    /// VM or container.
    pub kind: GuestKind,
    /// Its name; may hold anything that Proxmox lets through. Not made safe for a terminal.
    pub name: String,
    /// What it is doing.
    pub power: Power,
    /// Why Proxmox refuses to touch it: `backup`, `migrate`, `snapshot`, `suspended` ...
    pub lock: Option<String>,
    /// A template can't be started.
    pub template: bool,
    /// Tags, in the host's order.
    pub tags: Vec<String>,
    /// Number of virtual CPUs.
    pub cpus: Option<f64>,
    /// CPU use as a fraction of `cpus`, 0 to 1.
    pub cpu: Option<f64>,
    /// Memory in use, bytes.
    pub mem: Option<u64>,
    /// Memory assigned, bytes.
    pub maxmem: Option<u64>,
    /// Seconds since its start, 0 when stopped.
    pub uptime: Option<u64>,
    /// Bytes received since its start.
    pub netin: Option<u64>,
    /// Bytes sent since its start.
    pub netout: Option<u64>,
    /// Whether the HA manager runs it; known only after `status/current`.
    pub ha: Option<bool>,
}

impl Guest {
    /// Whether it was written to disk with its memory, and its start resumes it.
    #[must_use]
    pub fn is_hibernated(&self) -> bool {
        self.power == Power::Stopped && self.lock.as_deref() == Some(HIBERNATED)
    }

    /// What it is doing, in a word for people.
    #[must_use]
    pub fn state(&self) -> &'static str {
        if self.is_hibernated() { "hibernated" } else { self.power.word() }
    }
}

/// The part of a guest's configuration that morpheus reads. Of a container only its device nodes are.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct GuestConfig {
    /// Passed-through devices.
    pub hostpci: Vec<HostPci>,
    /// `hostpciN` values that couldn't be read, as they stand. Their devices are unknown.
    pub hostpci_unread: Vec<String>,
    /// Whether the guest agent is switched on (not: alive).
    pub agent: bool,
    /// MAC of `net0`, lower case.
    pub net0_mac: Option<String>,
    /// `ostype`: `l26`, `win11` ...
    pub ostype: Option<String>,
    /// Assigned memory, MiB. Proxmox's default is 512.
    pub memory_mib: u64,
    /// Optimistic lock of the configuration file.
    pub digest: Option<String>,
    /// Arguments that are handed to QEMU as they are.
    #[serde(default)]
    pub args: Option<String>,
    /// A container's device nodes of graphics cards: `/dev/nvidia0`, `/dev/dri`.
    #[serde(default)]
    pub device_nodes: Vec<String>,
}

impl GuestConfig {
    /// The resource mappings that its `hostpciN` lines name.
    pub fn mappings(&self) -> impl Iterator<Item = &str> {
        self.hostpci.iter().filter_map(|device| match &device.source {
            PciSource::Mapping(id) => Some(id.as_str()),
            PciSource::Raw(_) => None,
        })
    }
}

/// Whether the guest agent answers, and if not why.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AgentState {
    /// It answered.
    Alive,
    /// The VM's configuration has no agent.
    NotConfigured,
    /// Configured, but nothing answers in the guest.
    NotRunning,
    /// The guest is not running.
    GuestOff,
    /// The token may not ask.
    Forbidden,
    /// Nobody asked yet, or the answer made no sense.
    Unknown,
}

/// What a guest says about itself.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct AgentFacts {
    /// Whether it answers.
    pub agent: AgentState,
    /// Address of `net0`, for a headset to point at.
    pub address: Option<IpAddr>,
    /// Operating system in its own words.
    pub os: Option<String>,
    /// GPU as the guest's driver names it.
    pub gpu: Option<String>,
    /// How busy that GPU is, where it was asked and the guest could tell.
    #[serde(default)]
    pub load: Option<GpuLoad>,
    /// What its WiVRn server says, where the mode has one and it runs.
    #[serde(default)]
    pub wivrn: Option<Wivrn>,
    /// Each service of the mode, in the mode's order.
    pub services: Vec<ServiceState>,
    /// People logged in.
    pub users: Vec<String>,
    /// Commands that the guest's agent refuses (`exec`, `network-get-interfaces` ...), each with its words. It answers,
    /// but they are switched off in the guest, or its agent doesn't have them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub refused: BTreeMap<String, String>,
    /// When the answers came.
    pub at: Millis,
}

impl AgentFacts {
    /// The words with which the guest's agent refused a command.
    #[must_use]
    pub fn refuses(&self, command: &str) -> Option<&str> {
        self.refused.get(command).map(String::as_str)
    }

    /// What it refuses, for people: `refuses exec, get-users`, and its words, once for all that it refuses in the same.
    #[must_use]
    pub fn refusals(&self) -> Option<(String, Vec<&str>)> {
        let names: Vec<&str> = self.refused.keys().map(String::as_str).collect();
        let mut said = Vec::new();
        let mut words = Vec::new();
        for (name, text) in &self.refused {
            let reason = text.replace(name, "");
            if !said.contains(&reason) {
                said.push(reason);
                words.push(text.as_str());
            }
        }
        (!names.is_empty()).then(|| (format!("refuses {}", names.join(", ")), words))
    }
}

/// A service and how it answered.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct ServiceState {
    /// The service's name.
    pub name: String,
    /// Its health.
    pub health: Health,
    /// What was seen, in a few words.
    pub detail: Option<String>,
    /// What is known of it however it answers, such as its cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl ServiceState {
    /// A service that couldn't be asked, with the reason if one is known.
    #[must_use]
    pub fn unknown(check: &ServiceCheck, detail: Option<String>) -> Self {
        Self { name: check.name.clone(), health: Health::Unknown, detail, note: check.note.clone() }
    }

    /// As people read it: `NATS up`, `NimsForest down (cluster: home, inactive)`. What was seen is left out of one that is
    /// up, unless `whole`.
    #[must_use]
    pub fn text(&self, whole: bool) -> String {
        let detail = self.detail.iter().filter(|_| whole || self.health != Health::Up);
        let words: Vec<String> = self.note.iter().chain(detail).map(|words| text::safe(words)).collect();
        let words = if words.is_empty() { String::new() } else { format!(" ({})", words.join(", ")) };
        format!("{} {}{words}", text::safe(&self.name), self.health.word())
    }
}

/// Health of a service. Not asked is `Unknown`, never `Up`.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// It answers.
    Up,
    /// It answers, but not as well as it should: NATS without a server that it is to be connected to.
    Degraded,
    /// It doesn't answer.
    Down,
    /// Nobody could ask.
    Unknown,
}

impl Health {
    /// The word for people, scripts, and what a guest prints.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Degraded => "degraded",
            Self::Down => "down",
            Self::Unknown => "unknown",
        }
    }
}
