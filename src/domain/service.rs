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
}

impl ServiceCheck {
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
}

/// Services to expect where the configuration lists none, by operating system and VR software. Sources: WiVRn's port
/// 9757 and user unit, NATS' monitoring port 8222 with `/healthz`, Steam's and Virtual Desktop's process names.
#[must_use]
pub fn defaults(os: Option<Os>, vr_software: Option<&str>, nimsforest: bool) -> Vec<ServiceCheck> {
    let check = |name: &str, probes: Vec<Probe>| ServiceCheck { name: name.to_owned(), probes };
    let process = |name: &str| Probe::Process { process: name.to_owned() };
    let mut found = Vec::new();
    match (vr_software.map(str::to_ascii_lowercase).as_deref(), os) {
        (Some("wivrn"), _) | (None, Some(Os::Linux)) if vr_software.is_some() || !nimsforest => found.push(check(
            "WiVRn",
            vec![
                Probe::SystemdUser { unit: "wivrn.service".into(), user: None },
                Probe::Tcp { port: 9757, udp: false, outside: false },
            ],
        )),
        (Some("virtual-desktop" | "virtualdesktop"), _) => {
            found.push(check("Virtual Desktop", vec![process("VirtualDesktop.Streamer")]));
        }
        (Some("steam-link" | "steamlink" | "steamvr" | "steam"), _) | (None, Some(Os::Windows)) => {
            found.push(check("Steam Link", vec![process("vrserver"), process("steam")]));
        }
        _ => {}
    }
    if nimsforest {
        let unit = |os| match os {
            Some(Os::Windows) => Probe::Winsvc { service: "NimsForest".into() },
            _ => Probe::Systemd { unit: "nimsforest.service".into() },
        };
        found.push(check("NimsForest", vec![unit(os)]));
        found.push(check("NATS", vec![Probe::Http { url: "http://127.0.0.1:8222/healthz".into() }]));
    }
    found
}
