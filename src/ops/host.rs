//! One Proxmox host: how to reach it, which node, which modes.

use super::{Clock, Error, hardware::Here, registry::Listed};
use crate::{
    config::{Config, Credentials, NodeChoice, Proxmox},
    domain::{host_id::HostId, ids::NodeName, iommu::Inventory, mode::ModeSet, text, traffic::Traffic},
    pve::{self, Client, Fingerprint, Node, ResourceKind, Target, transport::Transport},
};
use secrecy::SecretString;
use std::{
    fmt,
    sync::{Arc, Mutex},
};
use tokio::sync::OnceCell;

/// A connection to one host. Cheap to clone; nothing is sent until something is asked.
#[derive(Clone)]
pub struct Host(Arc<Inner>, Arc<ModeSet>, NodeChoice);

struct Inner {
    client: Client,
    server: HostId,
    clock: Clock,
    node: OnceCell<NodeName>,
    /// This machine, if it is the host.
    here: Option<Here>,
    /// The devices that were last seen.
    pci: Mutex<Option<Inventory>>,
    /// What guests send, from one list to the next.
    traffic: Mutex<Traffic>,
    /// Where the forest's nodes are listed.
    listed: Option<Listed>,
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Host({})", self.0.server)
    }
}

/// The server that a configuration names.
fn server(proxmox: &Proxmox) -> HostId {
    let pin = proxmox.tls_fingerprint.map(|pin| Fingerprint(pin).to_string());
    HostId::new(&proxmox.host, proxmox.port, pin, None)
}

impl Host {
    /// Prepares a connection as the configuration says. `password` is one that a person typed, or the ticket that was
    /// given for it; it goes before a configured one.
    ///
    /// # Errors
    /// The configuration names no host or no credentials.
    pub fn connect(config: &Config, password: Option<SecretString>) -> Result<Self, Error> {
        Self::by(config, password, None)
    }

    /// The same over a wire that exists already, where there is one: what the configuration says of TLS doesn't matter
    /// then.
    ///
    /// # Errors
    /// Those of [`Host::connect`].
    pub fn by(
        config: &Config,
        password: Option<SecretString>,
        wire: Option<Arc<dyn Transport>>,
    ) -> Result<Self, Error> {
        let missing = |what: &str| Error::Config(what.to_owned());
        let proxmox = config
            .proxmox
            .as_ref()
            .ok_or_else(|| missing("no Proxmox host is configured; set proxmox.host in config.yaml or PROXMOX_HOST"))?;
        let credentials = match &proxmox.credentials {
            Credentials::Token { id, secret } => pve::Credentials::Token { id: id.clone(), secret: secret.clone() },
            Credentials::Password { user, password: known } => pve::Credentials::Password {
                user: user.clone(),
                password: password.or_else(|| known.clone()).ok_or_else(|| missing("the password is missing"))?,
            },
            Credentials::Missing(what) => return Err(missing(what)),
        };
        let target = Target {
            host: proxmox.host.clone(),
            port: proxmox.port,
            verify_tls: proxmox.verify_ssl,
            fingerprint: proxmox.tls_fingerprint.map(Fingerprint),
            timeout: proxmox.timeout,
        };
        let here = if wire.is_some() { None } else { Here::find(&proxmox.host, proxmox.port) };
        let client = match wire {
            Some(wire) => Client::over(wire, credentials, proxmox.timeout),
            None => Client::connect(&target, credentials)?,
        };
        let host = Self::over(client, config.modes.clone(), proxmox.node.clone(), Clock::System);
        Ok(host.at(server(proxmox), here, Listed::of(&config.nimsforest)))
    }

    /// A host behind a client that exists already.
    #[must_use]
    pub fn over(client: Client, modes: ModeSet, choice: NodeChoice, clock: Clock) -> Self {
        let (node, pci, traffic) = (OnceCell::new(), Mutex::default(), Mutex::default());
        let inner = Inner { client, server: HostId::default(), clock, node, here: None, pci, traffic, listed: None };
        Self(Arc::new(inner), Arc::new(modes), choice)
    }

    /// The same connection with other modes: the configuration was read again.
    #[must_use]
    pub fn with_modes(&self, modes: ModeSet) -> Self {
        Self(Arc::clone(&self.0), Arc::new(modes), self.2.clone())
    }

    /// Where the forest's nodes are listed, if the configuration says.
    pub(super) fn listed(&self) -> Option<&Listed> {
        self.0.listed.as_ref()
    }

    fn at(self, server: HostId, here: Option<Here>, listed: Option<Listed>) -> Self {
        match Arc::try_unwrap(self.0) {
            Ok(inner) => Self(Arc::new(Inner { server, here, listed, ..inner }), self.1, self.2),
            Err(shared) => Self(shared, self.1, self.2),
        }
    }

    /// The API client.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.0.client
    }

    /// The configured modes.
    #[must_use]
    pub fn modes(&self) -> &ModeSet {
        &self.1
    }

    /// The clock.
    #[must_use]
    pub fn clock(&self) -> Clock {
        self.0.clock
    }

    /// How people know it: `pve at 192.168.1.100:8006`, or only the address while the node isn't known.
    #[must_use]
    pub fn label(&self) -> String {
        self.id().to_string()
    }

    /// Its identity, as far as it is known: the node may not be before the host was asked.
    #[must_use]
    pub fn id(&self) -> HostId {
        let node = match &self.2 {
            NodeChoice::Named(node) => Some(node),
            NodeChoice::Auto => self.0.node.get(),
        };
        HostId { node: node.cloned(), ..self.0.server.clone() }
    }

    /// The identity of the host that a configuration names, as far as nobody has to be asked; none if it names none.
    #[must_use]
    pub fn named(config: &Config) -> Option<HostId> {
        let proxmox = config.proxmox.as_ref()?;
        let node = if let NodeChoice::Named(node) = &proxmox.node { Some(node.clone()) } else { None };
        Some(HostId { node, ..server(proxmox) })
    }

    /// The same connection to this node, where the configuration leaves the node open.
    pub(super) fn on(&self, node: NodeName) -> Self {
        let choice = match &self.2 {
            NodeChoice::Auto => NodeChoice::Named(node),
            named @ NodeChoice::Named(_) => named.clone(),
        };
        Self(Arc::clone(&self.0), Arc::clone(&self.1), choice)
    }

    /// The node: the configured one, the only one, or the one that has the modes' guests. Asked for once, before
    /// anything that depends on it.
    ///
    /// # Errors
    /// The host doesn't answer, has no node of the configured name, or a cluster has several nodes and none of them has
    /// a guest of a mode.
    pub async fn node(&self) -> Result<NodeName, pve::Error> {
        self.0.node.get_or_try_init(|| Box::pin(self.find_node())).await.cloned()
    }

    async fn find_node(&self) -> Result<NodeName, pve::Error> {
        let nodes = self.client().nodes().await?;
        if let NodeChoice::Named(wanted) = &self.2 {
            return named(wanted, &nodes);
        }
        if let [only] = nodes.as_slice() {
            return Ok(only.name.clone());
        }
        let resources = self.client().cluster_resources(Some(ResourceKind::Vm)).await?;
        let of_mode = |vmid| self.modes().of(vmid).is_some();
        let found = resources
            .iter()
            .find(|r| r.guest.as_ref().is_some_and(|guest| of_mode(guest.vmid)))
            .and_then(|r| r.node.clone());
        found.ok_or_else(|| {
            let names: Vec<&str> = nodes.iter().map(|node| node.name.as_str()).collect();
            pve::Error::NotFound(format!("the cluster has several nodes ({}); set proxmox.node", names.join(", ")))
        })
    }

    /// This machine, if it is the host.
    pub(super) fn here(&self) -> Option<&Here> {
        self.0.here.as_ref()
    }

    /// The devices that were last seen.
    pub(super) fn known_pci(&self) -> &Mutex<Option<Inventory>> {
        &self.0.pci
    }

    /// What guests send, as far as lists have shown it.
    pub(super) fn traffic(&self) -> &Mutex<Traffic> {
        &self.0.traffic
    }
}

/// The configured node, if the host has it. Proxmox looks another name up as if it was another machine's, and says that
/// it can't be reached.
fn named(wanted: &NodeName, nodes: &[Node]) -> Result<NodeName, pve::Error> {
    let names = || nodes.iter().map(|node| node.name.as_str());
    if names().any(|name| name == wanted.as_str()) {
        return Ok(wanted.clone());
    }
    // Proxmox knows the node that answers by this name too, but nothing else does.
    if let ([only], "localhost") = (nodes, wanted.as_str()) {
        return Ok(only.name.clone());
    }
    let short = wanted.as_str().split('.').next().unwrap_or_default();
    let same = names().find(|name| name.eq_ignore_ascii_case(short));
    let near = same.or_else(|| text::nearest(wanted.as_str(), names()));
    let meant = near.map(|name| format!(" (did you mean {name}?)")).unwrap_or_default();
    let all = names().collect::<Vec<_>>().join(", ");
    Err(pve::Error::NotFound(format!("There is no node {}; the host has {all}{meant}.", text::safe(wanted.as_str()))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pve::scripted::{Scripted, good};
    use serde_json::json;

    async fn node(wanted: &str, nodes: &[&str]) -> Result<String, String> {
        let list: Vec<_> = nodes.iter().map(|name| json!({ "node": name, "status": "online" })).collect();
        let wire = Scripted::new([good(&json!(list))]);
        let choice = NodeChoice::Named(NodeName::from(wanted));
        let host = Host::over(wire.client(), ModeSet::default(), choice, Clock::System);
        let found = host.node().await.map(|node| node.to_string()).map_err(|error| error.to_string());
        assert_eq!(wire.lines(), ["GET /nodes"]);
        found
    }

    #[tokio::test]
    async fn a_node_that_the_host_doesnt_have_is_told_from_one_that_is_off() {
        assert_eq!(node("pve", &["pve", "pve2"]).await.as_deref(), Ok("pve"));
        assert_eq!(node("localhost", &["pve"]).await.as_deref(), Ok("pve"));
        let wrong =
            |wanted: &'static str, nodes: &'static [&'static str]| async { node(wanted, nodes).await.unwrap_err() };
        assert_eq!(wrong("Pve", &["pve"]).await, "There is no node Pve; the host has pve (did you mean pve?).");
        assert_eq!(wrong("pve.lan", &["pve"]).await, "There is no node pve.lan; the host has pve (did you mean pve?).");
        let of_two = wrong("PVE2", &["pve", "pve2"]).await;
        assert_eq!(of_two, "There is no node PVE2; the host has pve, pve2 (did you mean pve2?).");
        assert_eq!(wrong("mars", &["pve"]).await, "There is no node mars; the host has pve.");
    }
}
