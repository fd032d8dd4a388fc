//! `/nodes/{node}/storage` and `/nodes/{node}/network`: where disks and images lie, and what a guest is plugged into.

use super::{
    client::Client,
    error::Error,
    form,
    tasks::read_upid,
    transport::File,
    wire::{Object, list},
};
use crate::domain::{
    ids::{NodeName, Upid, Vmid},
    plant::site::{Content, Storage, Volume},
};
use sha2::{Digest, Sha256};
use std::sync::Arc;

fn storage(node: &NodeName, storage: &str, rest: &str) -> String {
    format!("/nodes/{}/storage/{}/{rest}", form::encode(node), form::encode(storage))
}

/// The SHA-256 of bytes, 64 lower-case hexadecimal digits.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

impl Client {
    /// Uploads a small image. A file of that name is overwritten, which Proxmox doesn't ask about. Needs
    /// Datastore.AllocateTemplate.
    ///
    /// # Errors
    /// See [`Error`]. A wrong sum or a full storage shows up in the task.
    pub async fn upload(
        &self,
        node: &NodeName,
        id: &str,
        content: Content,
        name: &str,
        bytes: Arc<[u8]>,
    ) -> Result<Upid, Error> {
        let params = [
            ("content", content.word().to_owned()),
            ("checksum-algorithm", "sha256".to_owned()),
            ("checksum", sha256(&bytes)),
        ];
        let file = File { name: name.to_owned(), bytes };
        read_upid(&self.send_file(storage(node, id, "upload"), &params, file).await?)
    }

    /// Has the host download an image. Needs Datastore.AllocateTemplate on the storage, and Sys.AccessNetwork on the
    /// node or Sys.Audit and Sys.Modify on `/`.
    ///
    /// # Errors
    /// See [`Error`]. That the address gives nothing, another sum, or a file of that name which is another one, shows
    /// up in the task.
    pub async fn download(
        &self,
        node: &NodeName,
        id: &str,
        content: Content,
        name: &str,
        url: &str,
        sum: Option<&str>,
    ) -> Result<Upid, Error> {
        let mut params =
            vec![("content", content.word().to_owned()), ("filename", name.to_owned()), ("url", url.to_owned())];
        if let Some(sum) = sum {
            params.push(("checksum-algorithm", "sha256".to_owned()));
            params.push(("checksum", sum.to_owned()));
        }
        read_upid(&self.post(storage(node, id, "download-url"), &params).await?)
    }

    /// Deletes a volume. One that isn't there is deleted without a word. Needs Datastore.Allocate on its
    /// storage.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn delete_volume(&self, node: &NodeName, volid: &str) -> Result<Option<Upid>, Error> {
        let id = volid.split(':').next().unwrap_or_default();
        let data = self.delete(storage(node, id, &format!("content/{}", form::encode(volid)))).await?;
        if data.is_null() { Ok(None) } else { read_upid(&data).map(Some) }
    }

    /// A node's storages by id; those without Datastore.Audit or Datastore.AllocateSpace are missing without an error.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn storages(&self, node: &NodeName) -> Result<Vec<Storage>, Error> {
        let data = self.get(format!("/nodes/{}/storage", form::encode(node)), &[]).await?;
        let read = |entry| {
            let entry = Object::new(entry, "storages")?;
            let id = entry.word("storage").ok_or_else(|| Error::Protocol("a storage without a name".to_owned()))?;
            let content = entry.text("content").unwrap_or_default();
            // A storage that is switched off on this node has no `active` at all, or 0.
            let enabled = entry.flag("enabled") != Some(false);
            Ok(Storage {
                id,
                kind: entry.text("type").unwrap_or_default(),
                content: content.split(',').filter(|word| !word.is_empty()).map(str::to_owned).collect(),
                active: enabled && entry.flag("active") == Some(true),
                available: entry.uint("avail"),
                total: entry.uint("total"),
            })
        };
        let mut all: Vec<Storage> = list(&data, "storages")?.iter().map(read).collect::<Result<_, Error>>()?;
        all.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(all)
    }

    /// What a storage holds of one kind.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn volumes(&self, node: &NodeName, id: &str, content: Content) -> Result<Vec<Volume>, Error> {
        self.content(node, id, &[("content", content.word().to_owned())]).await
    }

    /// What a storage holds of a guest: its disks.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn volumes_of(&self, node: &NodeName, id: &str, vmid: Vmid) -> Result<Vec<Volume>, Error> {
        self.content(node, id, &[("vmid", vmid.to_string())]).await
    }

    async fn content(&self, node: &NodeName, id: &str, params: &[(&str, String)]) -> Result<Vec<Volume>, Error> {
        let read = |entry: Object<'_>| {
            let volid = entry.word("volid").ok_or_else(|| Error::Protocol("a volume without a name".to_owned()))?;
            let content = entry.text("content").unwrap_or_default();
            Ok(Volume { volid, content, size: entry.uint("size").unwrap_or_default() })
        };
        self.get_each(storage(node, id, "content"), params, "volumes", read).await
    }

    /// Names of a node's bridges that guests can be plugged into: first the one that the default route leads over, which is
    /// where a person's own network is, then those with names of the installer. Those without SDN.Use or SDN.Audit are
    /// missing without an error.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn bridges(&self, node: &NodeName) -> Result<Vec<String>, Error> {
        // All interfaces: the route may be on one above a bridge.
        let data = self.get(format!("/nodes/{}/network", form::encode(node)), &[]).await?;
        let entries = list(&data, "network")?.iter().map(|entry| Object::new(entry, "network"));
        let interfaces = entries.collect::<Result<Vec<_>, _>>()?;
        let is_bridge = |entry: &Object<'_>| matches!(entry.text("type").as_deref(), Some("bridge" | "OVSBridge"));
        let all: Vec<String> =
            interfaces.iter().filter(|entry| is_bridge(entry)).filter_map(|entry| entry.word("iface")).collect();
        // The bridges that interfaces of a kind are, or are above.
        let below = |kind: &dyn Fn(&Object<'_>) -> bool| -> Vec<String> {
            let names = interfaces.iter().filter(|entry| kind(entry)).filter_map(|entry| entry.word("iface"));
            names.filter_map(|name| bridge_below(name, &all, &interfaces)).collect()
        };
        let leads = [
            below(&|entry| entry.word("gateway").is_some()),
            below(&|entry| entry.word("gateway6").is_some()),
            // Here the route comes with the address, and isn't written down.
            below(&|entry| entry.text("method").is_some_and(|method| method == "dhcp")),
        ];
        let mut bridges = all.clone();
        bridges.sort_by_cached_key(|name| {
            // Else the installer's own names before others, by number.
            let number = name.strip_prefix("vmbr").and_then(|number| number.parse::<u32>().ok()).unwrap_or(u32::MAX);
            (leads.each_ref().map(|lead| !lead.contains(name)), number, name.clone())
        });
        Ok(bridges)
    }
}

/// The bridge that an interface is or is above: as a VLAN, which names its device or is called after it (`vmbr0.20`), as a
/// port of Open vSwitch, or as a second address (`vmbr0:1`).
fn bridge_below(mut name: String, bridges: &[String], interfaces: &[Object<'_>]) -> Option<String> {
    // Nobody stacks more, and a circle has to end.
    for _ in 0..8 {
        if bridges.contains(&name) {
            return Some(name);
        }
        let entry = interfaces.iter().find(|entry| entry.text("iface").as_deref() == Some(&name));
        let device = entry.and_then(|entry| entry.word("vlan-raw-device").or_else(|| entry.word("ovs_bridge")));
        let parent = || name.rsplit_once(['.', ':']).map(|(parent, _)| parent.to_owned());
        name = device.or_else(parent)?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pve::scripted::{Scripted, good};
    use serde_json::json;

    #[tokio::test]
    async fn the_bridge_that_leads_out_comes_first() {
        // As a host with several bridges lists them: only one has the default route.
        let entry = |name: &str| json!({ "iface": name, "type": "bridge", "active": 1, "priority": 3 });
        let with = |name: &str, key: &str| {
            let mut entry = entry(name);
            entry[key] = json!("192.168.1.1");
            entry
        };
        // A route on something above a bridge: a VLAN by its name or by its device, a port of Open vSwitch, a second address.
        let above = |name: &str, key: &str, value: &str| {
            let mut entry = json!({ "iface": name, "type": "vlan", "gateway": "192.168.20.1" });
            entry[key] = json!(value);
            entry
        };
        let ovs = |name: &str| json!({ "iface": name, "type": "OVSBridge", "active": 1 });
        let dhcp = json!({ "iface": "vmbr9", "type": "bridge", "method": "dhcp" });
        let card = json!({ "iface": "eno1", "type": "eth", "gateway": "192.168.1.1" });
        let lists = [
            (
                json!([entry("br-iot"), entry("vmbr0"), entry("vmbr2"), above("vmbr2.20", "vlan-id", "20")]),
                ["vmbr2", "vmbr0", "br-iot"],
            ),
            (
                json!([entry("br-iot"), entry("vmbr0"), entry("vmbr2"), above("lan", "vlan-raw-device", "br-iot")]),
                ["br-iot", "vmbr0", "vmbr2"],
            ),
            (
                json!([ovs("vmbr1"), entry("vmbr0"), ovs("vmbr2"), above("host", "ovs_bridge", "vmbr2")]),
                ["vmbr2", "vmbr0", "vmbr1"],
            ),
            (
                json!([entry("br-iot"), entry("vmbr0"), entry("vmbr2"), above("vmbr2:1", "comments", "")]),
                ["vmbr2", "vmbr0", "br-iot"],
            ),
            (
                json!([
                    entry("vmbr2"),
                    entry("vmbr0"),
                    entry("vmbr1"),
                    above("q.7", "vlan-raw-device", "vmbr2.20"),
                    above("vmbr2.20", "vlan-id", "20")
                ]),
                ["vmbr2", "vmbr0", "vmbr1"],
            ),
            (json!([entry("br-iot"), entry("vmbr0"), dhcp]), ["vmbr9", "vmbr0", "br-iot"]),
            (json!([entry("br-iot"), card, entry("vmbr0"), entry("vmbr2")]), ["vmbr0", "vmbr2", "br-iot"]),
            (json!([entry("br-iot"), entry("vmbr10v5"), with("vmbr0", "gateway")]), ["vmbr0", "br-iot", "vmbr10v5"]),
            (json!([with("vmbr9", "gateway6"), entry("br-iot"), entry("vmbr0")]), ["vmbr9", "vmbr0", "br-iot"]),
            (json!([entry("vmbr10"), entry("vmbr2"), with("br-iot", "address")]), ["vmbr2", "vmbr10", "br-iot"]),
        ];
        for (list, order) in lists {
            let wire = Scripted::new([good(&list)]);
            assert_eq!(wire.client().bridges(&NodeName::from("pve")).await.unwrap(), order);
            assert_eq!(wire.lines(), ["GET /nodes/pve/network"]);
        }
    }
}
