//! Services as data: what makes a mode useful, and how to see whether it answers.

use super::mode::Os;
use serde::{Deserialize, Serialize};

/// A service of a mode.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct ServiceCheck {
    /// Its name for people.
    pub name: String,
    /// How to see it. Several probes: one answering is enough.
    pub probes: Vec<Probe>,
    /// What is said beside its health, such as the cluster that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl ServiceCheck {
    /// Says beside `NimsForest` which forest it belongs to.
    #[must_use]
    pub fn of(mut self, forest: Forest<'_>) -> Self {
        if self.is_nimsforest() {
            self.note = forest.cluster.map(|id| format!("cluster: {id}"));
        }
        self
    }

    /// Whether it is `NimsForest`.
    #[must_use]
    pub fn is_nimsforest(&self) -> bool {
        self.name.eq_ignore_ascii_case(NIMSFOREST)
    }

    /// Whether it is `WiVRn`, whose server says more than that it runs.
    #[must_use]
    pub fn is_wivrn(&self) -> bool {
        let unit = |probe: &Probe| match probe {
            Probe::Systemd { unit } | Probe::SystemdUser { unit, .. } => unit.starts_with("wivrn"),
            _ => false,
        };
        self.name.eq_ignore_ascii_case("wivrn") || self.probes.iter().any(unit)
    }

    /// Whether it is NATS or `NimsForest`: others notice when it goes, so it is told beforehand.
    #[must_use]
    pub fn is_of_forest(&self) -> bool {
        let known = |name: &str| {
            let name = name.to_ascii_lowercase();
            ["nats", "nats-server", "nimsforest"].contains(&name.trim_end_matches(".service"))
        };
        known(&self.name)
            || self.probes.iter().any(|probe| match probe {
                Probe::Systemd { unit } => known(unit),
                Probe::Winsvc { service } => known(service),
                Probe::Process { process } => known(process),
                Probe::Nats { .. } => true,
                Probe::Http { .. } | Probe::Tcp { .. } | Probe::SystemdUser { .. } => false,
            })
    }
}

/// One way to see a service.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Probe {
    /// An HTTP GET from inside the guest that must be answered with 2xx; `url` such as `http://127.0.0.1:8222/healthz`.
    Http {
        /// Where to ask.
        url: String,
    },
    /// A port that something listens on, seen inside the guest; over UDP if `udp`.
    Tcp {
        /// The port.
        port: u16,
        /// UDP instead of TCP.
        #[serde(default)]
        udp: bool,
        /// Try to connect to the guest's address from where morpheus runs, instead of looking inside.
        #[serde(default)]
        outside: bool,
    },
    /// A systemd system unit.
    Systemd {
        /// Unit name.
        unit: String,
    },
    /// A unit of a user's own manager.
    SystemdUser {
        /// Unit name.
        unit: String,
        /// Whose; any user's if absent.
        user: Option<String>,
    },
    /// A process by name (on Windows without `.exe`).
    Process {
        /// Process name.
        process: String,
    },
    /// A Windows service.
    Winsvc {
        /// Service name.
        service: String,
    },
    /// A NATS server: healthy by its monitoring, and connected to the servers that its configuration names.
    Nats {
        /// Where its clients connect; what is looked for if it has no monitoring.
        port: u16,
        /// Its monitoring port.
        monitor: u16,
    },
}

/// The forest that a mode's guest belongs to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Forest<'a> {
    /// Its id.
    pub cluster: Option<&'a str>,
    /// The port of its NATS, unless it is [`NATS_PORT`].
    pub nats_port: Option<u16>,
}

/// Where a NATS server's clients connect (nats-server `server/const.go`, `DEFAULT_PORT`).
pub const NATS_PORT: u16 = 4222;
/// Where it is monitored (nats-server `server/const.go`, `DEFAULT_HTTP_PORT`).
pub const NATS_MONITOR: u16 = 8222;

/// The name of `NimsForest` among services.
const NIMSFOREST: &str = "NimsForest";

fn check(name: &str, probes: Vec<Probe>) -> ServiceCheck {
    ServiceCheck { name: name.to_owned(), probes, note: None }
}

/// What serves a headset, by the VR software's name in the configuration, else by what is usual on the operating system;
/// none if neither tells. Sources: WiVRn's port 9757 and user unit, Steam's and Virtual Desktop's process names.
#[must_use]
pub fn vr(os: Option<Os>, software: Option<&str>) -> Option<ServiceCheck> {
    let process = |name: &str| Probe::Process { process: name.to_owned() };
    match (software.map(str::to_ascii_lowercase).as_deref(), os) {
        (Some("wivrn"), _) | (None, Some(Os::Linux)) => {
            let unit = Probe::SystemdUser { unit: "wivrn.service".into(), user: None };
            Some(check("WiVRn", vec![unit, Probe::Tcp { port: 9757, udp: false, outside: false }]))
        }
        (Some("virtual-desktop" | "virtualdesktop"), _) => {
            Some(check("Virtual Desktop", vec![process("VirtualDesktop.Streamer")]))
        }
        (Some("steam-link" | "steamlink" | "steamvr" | "steam"), _) | (None, Some(Os::Windows)) => {
            Some(check("Steam Link", vec![process("vrserver"), process("steam")]))
        }
        _ => None,
    }
}

/// What makes a guest one of a forest.
#[must_use]
pub fn forest(os: Option<Os>, forest: Forest<'_>) -> [ServiceCheck; 2] {
    let runs = match os {
        Some(Os::Windows) => Probe::Winsvc { service: "NimsForest".into() },
        _ => Probe::Systemd { unit: "nimsforest.service".into() },
    };
    let port = forest.nats_port.unwrap_or(NATS_PORT);
    [check(NIMSFOREST, vec![runs]), check("NATS", vec![Probe::Nats { port, monitor: NATS_MONITOR }])]
}
