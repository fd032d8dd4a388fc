//! Guests: configuration as Proxmox has it, and how they behave.

use crate::domain::wivrn::Wivrn;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// What a guest does when the simulation begins.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Initial {
    /// Off.
    #[default]
    Stopped,
    /// Up for long.
    Running,
    /// Paused by `qm suspend`.
    Paused,
    /// Asleep inside (ACPI S3).
    Suspended,
    /// Started for a backup, CPUs not running.
    Prelaunch,
    /// Powered off inside, its QEMU process left.
    Shutdown,
}

/// A VM or container.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct GuestSpec {
    /// Whether it is a container. Containers only stand in lists.
    pub container: bool,
    /// The configuration, keys and values as the API gives them.
    pub config: BTreeMap<String, Value>,
    /// Size of its disks, bytes.
    pub disk: u64,
    /// What it does at first.
    pub initial: Initial,
    /// Lock at first, such as `backup`.
    pub lock: Option<String>,
    /// CPU use while it runs, as a fraction of its CPUs.
    pub cpu: f64,
    /// The HA manager, if it runs the guest.
    pub ha: Option<HaSpec>,
    /// How long things take.
    pub timing: Timing,
    /// The guest agent inside; none: it isn't installed.
    pub agent: Option<AgentSpec>,
    /// Whether it ignores the ACPI power button.
    pub ignores_acpi: bool,
    /// Whether it doesn't react to the agent's shutdown either.
    pub ignores_agent: bool,
    /// What answers inside when everything is up.
    pub serves: Serves,
}

/// Seconds that things take.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Timing {
    /// From the start request to a running QEMU.
    pub start: f64,
    /// From there to an answering agent and an address.
    pub agent: f64,
    /// From there (QEMU) to answering services.
    pub services: f64,
    /// From the shutdown request to QEMU's end.
    pub shutdown: f64,
    /// From a hard stop to QEMU's end.
    pub stop: f64,
    /// From QEMU's end to the end of the task that waits for it; the device is reserved meanwhile.
    pub cleanup: f64,
    /// How much longer the device stays reserved after that.
    pub leftover: f64,
}

impl Default for Timing {
    fn default() -> Self {
        Self { start: 1.5, agent: 12.0, services: 15.0, shutdown: 7.0, stop: 1.0, cleanup: 0.4, leftover: 0.0 }
    }
}

/// A guest under the HA manager.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct HaSpec {
    /// Seconds from a request to the manager's own task.
    pub delay: f64,
}

impl Default for HaSpec {
    fn default() -> Self {
        Self { delay: 8.0 }
    }
}

/// The guest agent inside.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct AgentSpec {
    /// Network interfaces.
    pub nics: Vec<NicSpec>,
    /// Answer of `get-osinfo`.
    pub os: OsInfo,
    /// People logged in.
    pub users: Vec<String>,
    /// GPU as the guest's driver names it.
    pub gpu: Option<String>,
    /// How busy that GPU is: percent, and its memory in use and in all, MiB.
    pub gpu_load: Option<(u8, u64, u64)>,
    /// Commands that it refuses (`block-rpcs`), such as `exec` or `network-get-interfaces`.
    pub forbids: Vec<String>,
    /// Never answers, although configured and installed.
    pub dead: bool,
    /// Seconds after the guest's start at which it dies.
    pub dies: Option<f64>,
}

/// A network interface inside a guest.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct NicSpec {
    /// Its name.
    pub name: String,
    /// Hardware address; tunnels have none.
    pub mac: Option<String>,
    /// Addresses with prefix, such as `192.168.1.150/24`; none: the key is absent, as with an unplugged cable.
    pub addresses: Option<Vec<String>>,
}

/// `get-osinfo`.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct OsInfo {
    /// Short id such as `arch` or `mswindows`.
    pub id: String,
    /// Name.
    pub name: String,
    /// Name for people.
    pub pretty_name: String,
    /// Version.
    pub version: Option<String>,
    /// Version id.
    pub version_id: Option<String>,
    /// Kernel.
    pub kernel_release: String,
    /// Kernel's build.
    pub kernel_version: String,
    /// Architecture.
    pub machine: String,
}

/// What answers inside a guest when everything is up.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Serves {
    /// System units.
    pub systemd: Vec<String>,
    /// Units of users' own managers.
    pub systemd_user: Vec<String>,
    /// TCP ports.
    pub tcp: Vec<u16>,
    /// UDP ports.
    pub udp: Vec<u16>,
    /// URLs.
    pub http: Vec<String>,
    /// Processes.
    pub process: Vec<String>,
    /// Windows services.
    pub winsvc: Vec<String>,
    /// What its `WiVRn` server says.
    pub wivrn: Option<Wivrn>,
}

impl GuestSpec {
    /// A text of the configuration, numbers as text.
    pub(crate) fn text(&self, key: &str) -> Option<String> {
        match self.config.get(key)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(flag) => Some(u8::from(*flag).to_string()),
            _ => None,
        }
    }

    /// A number of the configuration.
    pub(crate) fn number(&self, key: &str) -> Option<u64> {
        self.text(key)?.parse().ok()
    }

    /// The name; a guest without one is called after its number by Proxmox, which the caller does.
    pub(crate) fn name(&self) -> String {
        self.text(if self.container { "hostname" } else { "name" }).unwrap_or_default()
    }

    /// Assigned memory, bytes; 512 MiB where the configuration says nothing.
    pub(crate) fn max_mem(&self) -> u64 {
        self.number("memory").unwrap_or(512) << 20
    }

    /// Virtual CPUs: cores times sockets.
    pub(crate) fn cpus(&self) -> u64 {
        self.number("cores").unwrap_or(1) * self.number("sockets").unwrap_or(1)
    }

    /// Whether the configuration switches the guest agent on: `1`, `enabled=1`, `enabled=1,fstrim_cloned_disks=1`.
    pub(crate) fn agent_enabled(&self) -> bool {
        let text = self.text("agent").unwrap_or_default();
        text.split(',').next().is_some_and(|first| first == "1" || first == "enabled=1")
    }

    /// Whether `hostpciN` lines pin its memory.
    pub(crate) fn pins_memory(&self) -> bool {
        self.config.keys().any(|key| key.starts_with("hostpci"))
    }

    /// Whether it is a template.
    pub(crate) fn is_template(&self) -> bool {
        self.number("template") == Some(1)
    }

    /// A copy under another number, without devices, network cards or an agent.
    pub(crate) fn copy(&self, vmid: u32) -> Self {
        let mut copy = self.clone();
        copy.config.retain(|key, _| !key.starts_with("hostpci") && !key.starts_with("net"));
        let key = if copy.container { "hostname" } else { "name" };
        copy.config.insert(key.to_owned(), Value::String(format!("{}-{vmid}", self.name())));
        copy.agent = None;
        copy
    }
}
