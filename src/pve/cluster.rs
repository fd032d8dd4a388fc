//! `/cluster/resources`: every node's guests at once, but up to 10 s old (it is what `pvestatd` last gathered).

use super::{
    client::Client,
    error::Error,
    qemu::{read_guest, read_vmid},
    wire::{self, Object, list},
};
use crate::domain::{
    guest::{Guest, GuestKind},
    ids::{NodeName, Vmid},
};

/// A filter of the cluster's resources.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ResourceKind {
    /// VMs and containers.
    Vm,
    /// Storages.
    Storage,
    /// Nodes.
    Node,
    /// Virtual networks.
    Sdn,
}

impl ResourceKind {
    const fn word(self) -> &'static str {
        match self {
            Self::Vm => "vm",
            Self::Storage => "storage",
            Self::Node => "node",
            Self::Sdn => "sdn",
        }
    }
}

/// Something in the cluster.
#[derive(Clone, Debug, PartialEq)]
pub struct Resource {
    /// Such as `qemu/101` or `node/pve`.
    pub id: String,
    /// `qemu`, `lxc`, `node`, `storage` ...
    pub kind: String,
    /// Where it is.
    pub node: Option<NodeName>,
    /// In the words of its kind: `running`, `online`, `available` ...
    pub status: Option<String>,
    /// The guest, if it is one.
    pub guest: Option<Guest>,
}

impl Client {
    /// The lowest free guest number.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn next_vmid(&self) -> Result<Vmid, Error> {
        let data = self.get("/cluster/nextid".to_owned(), &[]).await?;
        let vmid = wire::text(&data).and_then(|text| text.parse().ok());
        vmid.ok_or_else(|| Error::Protocol("nextid: no number in the answer".to_owned()))
    }

    /// Whether a guest number is taken by any guest of the cluster, also by one that can't be seen.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn is_taken(&self, vmid: Vmid) -> Result<bool, Error> {
        let answer = self.get("/cluster/nextid".to_owned(), &[("vmid", vmid.to_string())]).await;
        match answer {
            Ok(_) => Ok(false),
            Err(Error::Refused(words)) if words.contains("already exists") => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// What there is in the cluster, as of up to 10 s ago.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn cluster_resources(&self, kind: Option<ResourceKind>) -> Result<Vec<Resource>, Error> {
        let params: Vec<_> = kind.map(|kind| ("type", kind.word().to_owned())).into_iter().collect();
        let data = self.get("/cluster/resources".to_owned(), &params).await?;
        let read = |entry| {
            let entry = Object::new(entry, "cluster resources")?;
            let kind = entry.text("type").unwrap_or_default();
            let guest = match kind.as_str() {
                "qemu" => Some(read_guest(entry, read_vmid(entry)?, GuestKind::Qemu)),
                "lxc" => Some(read_guest(entry, read_vmid(entry)?, GuestKind::Lxc)),
                _ => None,
            };
            Ok(Resource {
                id: entry.text("id").unwrap_or_default(),
                node: entry.word("node").map(NodeName),
                status: entry.word("status"),
                kind,
                guest,
            })
        };
        list(&data, "cluster resources")?.iter().map(read).collect()
    }
}
