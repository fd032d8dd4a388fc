//! The host's PCI devices: from its own kernel where this machine is the host, else by the API.

use super::Host;
use crate::{
    config::{Config, NodeChoice},
    domain::{ids::NodeName, iommu::Inventory},
    host::{self, Root},
    pve,
};
use std::{
    net::{IpAddr, UdpSocket},
    sync::PoisonError,
};

/// Where every Proxmox host serves its API. A simulated one is anywhere else.
const PORT: u16 = 8006;

/// The node that this machine is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Here {
    root: Root,
    node: NodeName,
}

impl Here {
    /// This machine, if it is the host of this address: it runs Proxmox VE and the address is one of its own.
    pub(super) fn find(address: &str, port: u16) -> Option<Self> {
        Self::find_in(Root::this_machine(), address, port)
    }

    fn find_in(root: Root, address: &str, port: u16) -> Option<Self> {
        let name = root.text("/proc/sys/kernel/hostname").ok().flatten()?;
        // A node is called as its machine, without a domain.
        let name = name.trim().split('.').next().unwrap_or_default().to_ascii_lowercase();
        let own = port == PORT && root.has("/etc/pve") && is_own(address, &name);
        own.then(|| Self { root, node: NodeName::from(name.as_str()) })
    }

    fn is(&self, node: &NodeName) -> bool {
        self.node.as_str().eq_ignore_ascii_case(node.as_str())
    }

    /// Whether the configuration means this node and can't mean another one of its cluster.
    fn is_meant(&self, choice: &NodeChoice) -> bool {
        match choice {
            NodeChoice::Named(node) => self.is(node),
            NodeChoice::Auto => self.root.list("/etc/pve/nodes").is_ok_and(|nodes| nodes.len() == 1),
        }
    }
}

/// Whether an address is this machine's: its name, or an address that one of its interfaces has. Names aren't looked up.
fn is_own(address: &str, name: &str) -> bool {
    if let Ok(ip) = address.parse::<IpAddr>() {
        return ip.is_loopback() || UdpSocket::bind((ip, 0)).is_ok();
    }
    let first = address.split('.').next().unwrap_or_default();
    address.eq_ignore_ascii_case("localhost") || first.eq_ignore_ascii_case(name)
}

/// Whether this machine is the host that is meant: the configured one, or itself where none is configured. Its
/// hardware can be looked at without asking the API for anything.
#[must_use]
pub fn is_this_machine(config: &Config) -> bool {
    config
        .proxmox
        .as_ref()
        .is_none_or(|proxmox| Here::find(&proxmox.host, proxmox.port).is_some_and(|here| here.is_meant(&proxmox.node)))
}

impl Host {
    /// The node's PCI devices as they are now.
    ///
    /// # Errors
    /// The host doesn't answer, or our credentials may not see them.
    pub async fn hardware(&self) -> Result<Inventory, pve::Error> {
        let node = self.node().await?;
        self.pci_now(&node).await
    }

    /// Whether the node is this machine, so that looking at its devices costs nobody anything.
    pub(crate) async fn is_here(&self) -> bool {
        match (self.here(), self.node().await) {
            (Some(here), Ok(node)) => here.is(&node),
            _ => false,
        }
    }

    pub(super) async fn pci_now(&self, node: &NodeName) -> Result<Inventory, pve::Error> {
        let of_kernel = match self.here().filter(|here| here.is(node)) {
            Some(Here { root, .. }) => {
                let root = root.clone();
                tokio::task::spawn_blocking(move || host::inventory(&root, None)).await.ok().and_then(Result::ok)
            }
            None => None,
        };
        let pci = match of_kernel {
            Some(pci) => pci,
            None => self.client().hardware_pci(node).await?,
        };
        *self.known_pci().lock().unwrap_or_else(PoisonError::into_inner) = Some(pci.clone());
        Ok(pci)
    }

    /// The devices as they were last seen: which there are doesn't change while a host runs. Their drivers do, and only
    /// the host itself knows of them, at no cost.
    pub(super) async fn pci(&self, node: &NodeName) -> Result<Inventory, pve::Error> {
        if self.here().is_some_and(|here| here.is(node)) {
            return self.pci_now(node).await;
        }
        let known = self.known_pci().lock().unwrap_or_else(PoisonError::into_inner).clone();
        match known {
            Some(pci) => Ok(pci),
            None => self.pci_now(node).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// A node's file system.
    fn node(name: &str, cluster: &[&str]) -> (tempfile::TempDir, Root) {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("proc/sys/kernel")).unwrap();
        fs::write(dir.path().join("proc/sys/kernel/hostname"), format!("{name}\n")).unwrap();
        for node in cluster {
            fs::create_dir_all(dir.path().join("etc/pve/nodes").join(node)).unwrap();
        }
        let root = Root::at(dir.path()).unwrap();
        (dir, root)
    }

    #[test]
    fn this_machine_is_known_by_its_names_and_addresses() {
        let (_dir, root) = node("Homelab.lan", &["homelab"]);
        let find = |address: &str, port| Here::find_in(root.clone(), address, port);
        for own in ["localhost", "127.0.0.1", "::1", "homelab", "HOMELAB.lan"] {
            assert!(find(own, PORT).is_some(), "{own}");
        }
        for other in ["pve", "192.0.2.7", "2001:db8::7", "lan"] {
            assert!(find(other, PORT).is_none(), "{other}");
        }
        assert!(find("127.0.0.1", 18006).is_none(), "a simulated host, or a tunnel to another one");
    }

    #[test]
    fn a_machine_without_proxmox_is_no_host() {
        let (_dir, root) = node("homelab", &[]);
        assert_eq!(Here::find_in(root, "localhost", PORT), None);
    }

    #[test]
    fn another_node_of_the_cluster_is_never_taken_for_this_one() {
        let (_dir, alone) = node("one", &["one"]);
        let (_other, both) = node("one", &["one", "two"]);
        let meant = |root: &Root, choice| Here::find_in(root.clone(), "localhost", PORT).unwrap().is_meant(&choice);
        assert!(meant(&alone, NodeChoice::Auto) && meant(&both, NodeChoice::Named("one".into())));
        assert!(!meant(&both, NodeChoice::Auto) && !meant(&both, NodeChoice::Named("two".into())));
    }
}
