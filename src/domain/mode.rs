//! Modes: named uses of a guest, with a claim on the GPU.

use super::{
    facts::Facts,
    gpu::PciAddr,
    ids::{ModeName, Vmid},
    service::ServiceCheck,
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A mode's claim on the GPU.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GpuMode {
    /// The whole card for this guest.
    Exclusive,
    /// Shared with the host's compute, or a slice of the card (mdev, SR-IOV).
    Shared,
    /// No GPU.
    None,
}

impl GpuMode {
    /// Every value, for error messages.
    pub const ALL: [Self; 3] = [Self::Exclusive, Self::Shared, Self::None];

    /// The configuration's word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Exclusive => "exclusive",
            Self::Shared => "shared",
            Self::None => "none",
        }
    }
}

impl fmt::Display for GpuMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// Operating system of a mode's guest, where the configuration says it.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Os {
    /// Linux.
    Linux,
    /// Windows.
    Windows,
}

/// A named use of a guest.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Mode {
    /// Its name.
    pub name: ModeName,
    /// Other names for it.
    pub aliases: Vec<String>,
    /// Its guest.
    pub vmid: Vmid,
    /// A sentence for people.
    pub description: String,
    /// Its claim; none means that the guest's own `hostpciN` decides.
    pub gpu_mode: Option<GpuMode>,
    /// Modes that must not run when this one starts.
    pub conflicts_with: Vec<ModeName>,
    /// Operating system, if said.
    pub os: Option<Os>,
    /// VR software, if said: `wivrn`, `steam-link`, `virtual-desktop` ...
    pub vr_software: Option<String>,
    /// Services that make the mode useful, defaults already filled in.
    pub services: Vec<ServiceCheck>,
    /// The card that the configuration expects, for checks and names.
    pub gpu_pci: Option<PciAddr>,
}

impl Mode {
    /// Whether a service of it is NATS or `NimsForest`.
    #[must_use]
    pub fn is_of_forest(&self) -> bool {
        self.services.iter().any(ServiceCheck::is_of_forest)
    }

    /// The claim on the GPU, from the configuration or from the guest's devices; none if neither is known.
    #[must_use]
    pub fn gpu(&self, facts: &Facts) -> Option<GpuMode> {
        self.gpu_mode.or_else(|| {
            let config = facts.config(self.vmid)?;
            Some(match config.hostpci.as_slice() {
                [] if config.hostpci_unread.is_empty() => GpuMode::None,
                devices if devices.iter().any(|device| device.mdev.is_none()) => GpuMode::Exclusive,
                _ => GpuMode::Shared,
            })
        })
    }
}

/// The configured modes in the file's order.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct ModeSet(pub Vec<Mode>);

impl ModeSet {
    /// A mode by its name or an alias, upper and lower case alike.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&Mode> {
        let same = |text: &str| text.eq_ignore_ascii_case(name);
        self.0
            .iter()
            .find(|m| same(m.name.as_str()))
            .or_else(|| self.0.iter().find(|m| m.aliases.iter().any(|a| same(a))))
    }

    /// The mode of a guest.
    #[must_use]
    pub fn of(&self, vmid: Vmid) -> Option<&Mode> {
        self.0.iter().find(|mode| mode.vmid == vmid)
    }

    /// The configured name nearest to a mistyped one, if any is near at all.
    #[must_use]
    pub fn nearest(&self, name: &str) -> Option<&str> {
        let names =
            self.0.iter().flat_map(|m| std::iter::once(m.name.as_str()).chain(m.aliases.iter().map(String::as_str)));
        super::text::nearest(name, names)
    }

    /// Modes whose guest isn't stopped, in order. Unknown counts as running.
    pub fn running<'a>(&'a self, facts: &'a Facts) -> impl Iterator<Item = &'a Mode> {
        self.0.iter().filter(|mode| facts.power(mode.vmid).holds_devices())
    }

    /// The one mode that runs; none if none does, several do, or a state is unknown.
    #[must_use]
    pub fn current<'a>(&'a self, facts: &'a Facts) -> Option<&'a Mode> {
        let mut running = self.running(facts);
        let first = running.next()?;
        let known = facts.power(first.vmid) != super::guest::Power::Unknown;
        (known && running.next().is_none()).then_some(first)
    }
}
