//! `/nodes`.

use super::{
    client::Client,
    error::Error,
    form,
    wire::{Object, list, text},
};
use crate::domain::{
    facts::HostMemory,
    ids::NodeName,
    load::{HostStatus, Space},
};

/// A node of the cluster. Without Sys.Audit on it, Proxmox gives its name and state only.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Its name.
    pub name: NodeName,
    /// Whether the cluster sees it.
    pub online: bool,
    /// CPU use, fraction 0 to 1.
    pub cpu: Option<f64>,
    /// Memory in use, bytes.
    pub mem: Option<u64>,
    /// Installed memory, bytes.
    pub maxmem: Option<u64>,
}

impl Client {
    /// The cluster's nodes, by name.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn nodes(&self) -> Result<Vec<Node>, Error> {
        let data = self.get("/nodes".to_owned(), &[]).await?;
        let mut nodes = Vec::new();
        for entry in list(&data, "nodes")? {
            let entry = Object::new(entry, "nodes")?;
            let Some(name) = entry.word("node") else { continue };
            nodes.push(Node {
                name: NodeName(name),
                online: entry.text("status").as_deref() == Some("online"),
                cpu: entry.float("cpu"),
                mem: entry.uint("mem"),
                maxmem: entry.uint("maxmem"),
            });
        }
        nodes.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(nodes)
    }

    /// A node's load, memory and versions. Needs Sys.Audit on it.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn node_status(&self, node: &NodeName) -> Result<HostStatus, Error> {
        let data = self.get(format!("/nodes/{}/status", form::encode(node)), &[]).await?;
        let status = Object::new(&data, "node status")?;
        let memory = status.get("memory").and_then(|memory| {
            let memory = Object::new(memory, "memory").ok()?;
            let total = memory.uint("total")?;
            // Before 9 there is no `available`; `free` is less than that, never more.
            Some(HostMemory { total, available: memory.uint("available").or_else(|| memory.uint("free"))? })
        });
        let memory = memory.ok_or_else(|| Error::Protocol("node status: no memory in the answer".to_owned()))?;
        let kernel = part(status, "current-kernel").and_then(|kernel| kernel.word("release"));
        let version = status.word("pveversion").and_then(|text| text.split('/').nth(1).map(str::to_owned));
        Ok(HostStatus {
            cpu: status.float("cpu"),
            cpus: part(status, "cpuinfo").and_then(|info| info.uint("cpus")),
            load: load(status),
            memory,
            swap: space(status, "swap"),
            root: space(status, "rootfs"),
            uptime: status.uint("uptime"),
            kernel,
            version,
        })
    }
}

fn part<'a>(status: Object<'a>, key: &str) -> Option<Object<'a>> {
    Object::new(status.get(key)?, key).ok()
}

fn space(status: Object<'_>, key: &str) -> Option<Space> {
    let part = part(status, key)?;
    Some(Space { total: part.uint("total")?, used: part.uint("used")? })
}

/// `["0.23", "0.62", "1.26"]`: texts.
fn load(status: Object<'_>) -> Option<[f64; 3]> {
    let texts = status.get("loadavg")?.as_array()?.iter().filter_map(text);
    let numbers: Vec<f64> = texts.filter_map(|text| text.parse().ok()).collect();
    numbers.try_into().ok()
}
