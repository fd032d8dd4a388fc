//! Backup jobs, as far as they matter to guests that share a card.

use super::ids::{NodeName, Vmid};
use serde::{Deserialize, Serialize};

/// A backup job of the cluster.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct BackupJob {
    /// Its id.
    pub id: String,
    /// Whether it runs by itself.
    pub enabled: bool,
    /// The only node that it runs on, where it is bound to one.
    pub node: Option<NodeName>,
    /// When, in Proxmox's calendar words.
    pub schedule: Option<String>,
    /// Which guests.
    pub scope: BackupScope,
}

/// Which guests a job backs up.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BackupScope {
    /// All but these.
    AllBut(Vec<Vmid>),
    /// These.
    These(Vec<Vmid>),
    /// Those of a pool; who is in it isn't known here.
    Pool(String),
}

impl BackupJob {
    /// Whether it backs a guest of the node up; none where that isn't known.
    #[must_use]
    pub fn covers(&self, vmid: Vmid, node: &NodeName) -> Option<bool> {
        if !self.enabled || self.node.as_ref().is_some_and(|own| own != node) {
            return Some(false);
        }
        match &self.scope {
            BackupScope::AllBut(left_out) => Some(!left_out.contains(&vmid)),
            BackupScope::These(guests) => Some(guests.contains(&vmid)),
            BackupScope::Pool(_) => None,
        }
    }
}
