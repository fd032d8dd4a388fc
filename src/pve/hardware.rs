//! `/nodes/{node}/hardware` and `/cluster/mapping`.

use super::{
    client::Client,
    error::Error,
    form,
    wire::{self, Object, list, properties},
};
use crate::domain::{
    gpu::{Mapping, MappingEntry, PciAddr},
    ids::NodeName,
    iommu::{Class, Device, Inventory, Known, Names, PciId, PciNames},
};
use serde_json::Value;
use std::collections::BTreeMap;

impl Client {
    /// Every PCI device of a node, as far as the API shows them. Needs Sys.Audit or Sys.Modify on `/`.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn hardware_pci(&self, node: &NodeName) -> Result<Inventory, Error> {
        // By default memory controllers, bridges and processors are hidden, which makes IOMMU groups look cleaner
        // than they are (pve-manager API2/Hardware/PCI.pm:13).
        let all = [("pci-class-blacklist", String::new())];
        let data = self.get(format!("/nodes/{}/hardware/pci", form::encode(node)), &all).await?;
        let mut devices = Vec::new();
        for entry in list(&data, "PCI devices")? {
            let entry = Object::new(entry, "PCI devices")?;
            devices.extend(read_device(entry));
        }
        Ok(Inventory::new(devices, Known::Unknown, BTreeMap::new()))
    }

    /// The cluster's PCI resource mappings, by id; those that these credentials may not see are missing without an
    /// error. Each is compared with the hardware of `node`, which does that itself: for a host that has no such node, or
    /// whose node doesn't answer, nothing is compared. One with an entry that can't be read has none, so that nobody
    /// takes its devices for known.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn mappings(&self, node: &NodeName) -> Result<Vec<Mapping>, Error> {
        const PATH: &str = "/cluster/mapping/pci";
        let data = match self.get(PATH.to_owned(), &[("check-node", node.to_string())]).await {
            Err(Error::Refused(_) | Error::NotFound(_)) => self.get(PATH.to_owned(), &[]).await?,
            answer => answer?,
        };
        let mut mappings: Vec<Mapping> = Vec::new();
        for mapping in list(&data, "mappings")? {
            mappings.extend(read_mapping(Object::new(mapping, "mappings")?));
        }
        mappings.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(mappings)
    }
}

/// One device; none where its address can't be read. Numbers are `0x10de`, a group of -1 is none (pve-manager
/// `API2/Hardware/PCI.pm:39-110`).
fn read_device(entry: Object<'_>) -> Option<Device> {
    let number = |key: &str| u16::from_str_radix(entry.word(key)?.trim_start_matches("0x"), 16).ok();
    let id = |vendor, device| Some(PciId { vendor: number(vendor)?, device: number(device)? });
    let addr: PciAddr = entry.word("id")?.parse().ok()?;
    let class = entry.word("class").and_then(|class| Class::read(&class)).unwrap_or_default();
    let ids = id("vendor", "device").unwrap_or_default();
    let named = Names { vendor: entry.word("vendor_name"), device: entry.word("device_name") };
    Some(Device {
        subsystem: id("subsystem_vendor", "subsystem_device").filter(|id| id.vendor != 0),
        names: named.or(PciNames::default().of(ids)),
        group: entry.int("iommugroup").and_then(|group| group.try_into().ok()),
        ..Device::bare(addr, ids, class)
    })
}

fn read_mapping(mapping: Object<'_>) -> Option<Mapping> {
    let entries = match mapping.get("map") {
        Some(Value::Array(entries)) => entries.iter().map(wire::text).collect(),
        other => other.and_then(wire::text).map(|entry| vec![entry]),
    };
    let read = |entries: Vec<String>| entries.iter().map(|entry| read_entry(entry)).collect::<Option<Vec<_>>>();
    let entries = entries.and_then(read).unwrap_or_default();
    Some(Mapping { id: mapping.word("id")?, entries, checks: super::mapping::checks(mapping) })
}

/// `id=10de:2684,iommugroup=12,node=pve,path=0000:01:00.0` (pve-guest-common `Mapping/PCI.pm:51-87`).
fn read_entry(text: &str) -> Option<MappingEntry> {
    let get = |wanted: &str| properties(text).find(|(key, _)| *key == wanted).map(|(_, value)| value);
    let path = get("path")?.split(';').map(|addr| addr.parse().ok()).collect::<Option<_>>()?;
    Some(MappingEntry { node: NodeName::from(get("node")?), path, id: get("id").unwrap_or_default().to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn several_functions_and_several_alternatives_are_read() {
        let value = json!({ "id": "gpu", "map": [
            "id=10de:2684,node=pve,path=0000:01:00.0;0000:01:00.1", "node=pve2,path=0000:02:00,id=10de:2684" ] });
        let mapping = read_mapping(Object::new(&value, "m").unwrap()).unwrap();
        assert_eq!(mapping.entries.iter().map(|e| e.path.len()).collect::<Vec<_>>(), [2, 1]);
        assert_eq!(mapping.entries[1].node, NodeName::from("pve2"));
        let broken = json!({ "id": "gpu", "map": ["node=pve,path=0000:01:00.0", "node=pve,path=nonsense"] });
        assert!(read_mapping(Object::new(&broken, "m").unwrap()).unwrap().entries.is_empty());
    }
}
