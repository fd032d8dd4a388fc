//! A VM's configuration as Proxmox writes it: keys with property strings.

use crate::domain::{
    gpu::{Claim, HostPci, PciSource},
    guest::flag_word,
    held,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A VM's configuration, every value as text.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Settings(pub BTreeMap<String, String>);

/// A `hostpciN` line.
pub(super) struct Line {
    /// `hostpci0`.
    pub(super) key: String,
    /// What it names.
    pub(super) source: PciSource,
    /// A slice of the device and not the whole.
    pub(super) slice: bool,
    /// Whether it is attached as PCI Express.
    pub(super) pcie: bool,
    /// Whether it is a processor's graphics in the mode that makes them the VM's only ones.
    pub(super) legacy: bool,
}

/// Whether a switch is on.
pub(super) fn is_true(word: &str) -> bool {
    flag_word(word) == Some(true)
}

impl Settings {
    /// A value.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    /// Whether a switch is on.
    pub(super) fn is_on(&self, key: &str) -> bool {
        self.get(key).is_some_and(is_true)
    }

    /// Whether a switch among a value's properties is on.
    pub(super) fn has(&self, key: &str, name: &str) -> bool {
        self.property(key, name, false).is_some_and(is_true)
    }

    /// A property of a value: `efitype` of `efidisk0: local:1,efitype=4m`. Where `default` names the same property, it
    /// may stand without its name, as `q35` does in `machine: q35,viommu=intel`.
    pub(super) fn property(&self, key: &str, name: &str, default: bool) -> Option<&str> {
        let mut parts = self.get(key)?.split(',').map(|part| part.split_once('=').unwrap_or(("", part)));
        parts.find(|(found, _)| *found == name || (default && found.is_empty())).map(|(_, value)| value)
    }

    /// The lines that pass devices through, by number. One that can't be understood is left out: Proxmox refuses to
    /// start a VM with it, in words of its own.
    pub(super) fn hostpci(&self) -> Vec<Line> {
        let number = |key: &str| key.strip_prefix("hostpci")?.parse::<u8>().ok();
        let mut found: Vec<(u8, Line)> = Vec::new();
        for (key, value) in &self.0 {
            let Some(index) = number(key) else { continue };
            let Ok(HostPci { source, mdev, .. }) = HostPci::parse(index, value) else { continue };
            let (pcie, legacy) = (self.has(key, "pcie"), self.has(key, "legacy-igd"));
            found.push((index, Line { key: key.clone(), source, slice: mdev.is_some(), pcie, legacy }));
        }
        found.sort_by_key(|(index, _)| *index);
        found.into_iter().map(|(_, line)| line).collect()
    }

    /// What its `args` take past `hostpciN`.
    #[must_use]
    pub fn by_args(&self) -> Vec<Claim> {
        self.get("args").map(held::by_args).unwrap_or_default()
    }

    /// Whether a `hostpciN` line names a mapping.
    #[must_use]
    pub fn names_mapping(&self, id: &str) -> bool {
        self.hostpci().iter().any(|line| matches!(&line.source, PciSource::Mapping(named) if named == id))
    }

    /// Whether the machine type is q35: `q35`, `pc-q35-10.1`, `type=q35,viommu=intel`.
    pub(super) fn is_q35(&self) -> bool {
        self.property("machine", "type", true).is_some_and(|machine| machine.contains("q35"))
    }

    /// Assigned memory, MiB: `4096` or `current=4096`; 512 where nothing is said.
    pub(super) fn memory_mib(&self) -> u64 {
        self.property("memory", "current", true).and_then(|number| number.parse().ok()).unwrap_or(512)
    }

    /// Whether the guest is Windows.
    pub(super) fn is_windows(&self) -> bool {
        self.get("ostype").is_some_and(|kind| kind.starts_with("win") || kind.starts_with("w2k") || kind == "wxp")
    }
}
