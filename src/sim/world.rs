//! The world that is simulated: one node, its hardware, guests, storages and people. Plain data, read from YAML.

mod access;
mod guest;
mod hardware;
mod planting;

pub use access::{AclSpec, PoolSpec, TokenSpec, UserSpec};
pub use guest::{AgentSpec, GuestSpec, HaSpec, Initial, NicSpec, OsInfo, Serves, Timing};
pub use hardware::{MappingSpec, MemorySpec, NodeSpec, PciSpec, StorageSpec, UsbSpec, WebSpec};
pub use planting::PlantingSpec;

use super::release::Release;
pub use super::tfa::{TfaSpec, TotpSpec};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

const DEMO: &str = include_str!("../../assets/sim/demo.yaml");

/// Everything that is true before the first request.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct World {
    /// Milliseconds since the Unix epoch at the moment of [`Sim::new`](super::Sim::new). Tests leave it fixed.
    #[serde(default = "default_epoch")]
    pub epoch: u64,
    /// The node.
    pub node: NodeSpec,
    /// PCI devices, in the order of their addresses.
    pub pci: Vec<PciSpec>,
    /// USB devices.
    #[serde(default)]
    pub usb: Vec<UsbSpec>,
    /// Resource mappings of PCI devices by id.
    #[serde(default)]
    pub mappings: BTreeMap<String, MappingSpec>,
    /// Resource mappings of USB devices by id.
    #[serde(default)]
    pub usb_mappings: BTreeMap<String, MappingSpec>,
    /// Backup jobs, keys and values as the API gives them.
    #[serde(default)]
    pub backups: Vec<BTreeMap<String, Value>>,
    /// Storages by id.
    #[serde(default)]
    pub storages: BTreeMap<String, StorageSpec>,
    /// What addresses give that aren't as usual; any other one gives an image of 500 MiB with the sum that is expected.
    #[serde(default)]
    pub web: BTreeMap<String, WebSpec>,
    /// How long things take in guests that are made.
    #[serde(default)]
    pub planting: PlantingSpec,
    /// VMs and containers by number.
    pub guests: BTreeMap<u32, GuestSpec>,
    /// More guests of one kind, for crowded hosts.
    #[serde(default)]
    pub crowd: Option<Crowd>,
    /// Users by `name@realm`.
    pub users: BTreeMap<String, UserSpec>,
    /// Own roles; the built-in ones needn't be listed.
    #[serde(default)]
    pub roles: BTreeMap<String, Vec<String>>,
    /// Access control entries.
    #[serde(default)]
    pub acl: Vec<AclSpec>,
    /// Pools by name.
    #[serde(default)]
    pub pools: BTreeMap<String, PoolSpec>,
    /// Whether a start is refused while another guest holds the device. The real host always does; switched off, it
    /// shows whether a client relies on being refused.
    #[serde(default = "yes")]
    pub refuse_busy_devices: bool,
    /// Whether CPU and network figures move with time.
    #[serde(default)]
    pub lively: bool,
}

/// Guests made after a pattern.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Crowd {
    /// The guest to copy; its devices and network cards are left out.
    pub like: u32,
    /// Number of the first.
    pub first: u32,
    /// How many.
    pub count: u32,
}

/// Why a world or a scenario can't be used.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BadWorld(pub(crate) String);

/// 2026-11-21 06:00:00 UTC.
fn default_epoch() -> u64 {
    1_795_240_800_000
}

const fn yes() -> bool {
    true
}

impl World {
    /// The world of `morpheus demo`: four modes on one RTX 4090.
    ///
    /// # Errors
    /// Never, as long as the embedded file is sound, which a test sees to.
    pub fn demo() -> Result<Self, BadWorld> {
        Self::from_yaml(DEMO)
    }

    /// The version of Proxmox VE that the node runs.
    #[must_use]
    pub fn release(&self) -> Release {
        Release::of(&self.node.version)
    }

    /// The world under a version of Proxmox VE: own roles get what that version has in place of privileges that it
    /// doesn't know.
    #[must_use]
    pub fn on(mut self, release: Release) -> Self {
        if self.release() == release {
            return self;
        }
        let [version, repoid, kernel] = release.build().map(str::to_owned);
        self.node = NodeSpec { version, repoid, kernel, ..self.node };
        for own in self.roles.values_mut() {
            let mut known: Vec<String> = own.iter().map(|name| release.instead(name).to_owned()).collect();
            known.sort();
            known.dedup();
            *own = known;
        }
        self
    }

    /// Reads a world.
    ///
    /// # Errors
    /// The text is no YAML, or a key or a value is unknown.
    pub fn from_yaml(text: &str) -> Result<Self, BadWorld> {
        let value: Value = serde_yaml::from_str(text).map_err(|bad| BadWorld(bad.to_string()))?;
        Self::from_value(value)
    }

    /// The world with `patch` laid over it: objects are merged key by key, `null` removes a key, anything else
    /// replaces (RFC 7396).
    ///
    /// # Errors
    /// The result isn't a world.
    pub fn patched(&self, patch: &Value) -> Result<Self, BadWorld> {
        let mut value = serde_json::to_value(self).map_err(|bad| BadWorld(bad.to_string()))?;
        merge(&mut value, patch);
        Self::from_value(value)
    }

    fn from_value(value: Value) -> Result<Self, BadWorld> {
        let mut world: Self = serde_json::from_value(value).map_err(|bad| BadWorld(bad.to_string()))?;
        if let Some(Crowd { like, first, count }) = world.crowd.take() {
            let Some(model) = world.guests.get(&like).cloned() else {
                return Err(BadWorld(format!("crowd: there is no guest {like} to copy")));
            };
            for vmid in first..first.saturating_add(count) {
                world.guests.insert(vmid, model.copy(vmid));
            }
        }
        Ok(world)
    }
}

fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(serde_json::Map::new());
    }
    let Value::Object(target) = target else { return };
    for (key, value) in patch {
        if value.is_null() {
            target.remove(key);
        } else {
            merge(target.entry(key.clone()).or_insert(Value::Null), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_embedded_world_reads() {
        let world = World::demo().unwrap();
        assert!([101, 102, 103, 104, 110, 111, 200].iter().all(|vmid| world.guests.contains_key(vmid)));
        let kept = world.guests.iter().filter(|(vmid, guest)| **vmid != 101 && guest.initial == Initial::Running);
        let kept: u64 = kept.map(|(_, guest)| guest.max_mem()).sum();
        let (memory, gpu_guest) = (&world.node.memory, world.guests[&102].max_mem());
        assert!(memory.used + kept + gpu_guest <= memory.total, "a GPU guest fits beside the rest");
    }

    #[test]
    fn a_patch_changes_what_it_names_and_a_typo_is_refused() {
        let world = World::demo().unwrap();
        let patch = json!({"guests": {"101": {"lock": "backup"}, "111": null}, "crowd": {"like": 110, "first": 1000, "count": 3}});
        let patched = world.patched(&patch).unwrap();
        assert_eq!(patched.guests[&101].lock.as_deref(), Some("backup"));
        assert_eq!(patched.guests[&101].config, world.guests[&101].config);
        assert!(!patched.guests.contains_key(&111));
        assert_eq!(patched.guests[&1002].name(), "nas-1002");
        assert!(world.patched(&json!({"guests": {"101": {"lokc": "backup"}}})).is_err());
    }
}
