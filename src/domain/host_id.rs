//! Which host an operation is for. Another host has other guests under the same numbers.

use super::ids::NodeName;
use serde::{Deserialize, Serialize};
use std::{fmt, net::IpAddr};

/// The identity of a host: of the server that is asked, and of the node that the guests are on.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct HostId {
    /// SHA-256 of the server's certificate, where one is pinned.
    pub certificate: Option<String>,
    /// Name or address and port, as they are configured; nothing for a host that isn't reached over a network.
    pub address: String,
    /// The node; none while it isn't known.
    pub node: Option<NodeName>,
}

/// How two identities compare.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Likeness {
    /// One host.
    Same,
    /// Two hosts.
    Other,
    /// One server, but not for both is it known which node is meant.
    Unknown,
}

impl HostId {
    /// The identity of a host at a name or address and a port.
    #[must_use]
    pub fn new(host: &str, port: u16, certificate: Option<String>, node: Option<NodeName>) -> Self {
        let host = host.trim_matches(['[', ']']);
        let host = host.parse::<IpAddr>().map_or_else(|_| host.to_ascii_lowercase(), |ip| ip.to_string());
        let host = if host.contains(':') { format!("[{host}]") } else { host };
        Self { certificate, address: format!("{host}:{port}"), node }
    }

    /// What the label of a journal tells that was written before identities were: `pve at 192.168.1.100:8006`.
    #[must_use]
    pub fn of_label(label: &str) -> Self {
        let (node, address) = match label.split_once(" at ") {
            Some((node, address)) => (node, address),
            None if label.contains(':') => ("", label),
            None => (label, ""),
        };
        let address = match address.rsplit_once(':').map(|(host, port)| (host, port.parse())) {
            Some((host, Ok(port))) => Self::new(host, port, None, None).address,
            _ => address.to_owned(),
        };
        Self { certificate: None, address, node: Some(node).filter(|node| !node.is_empty()).map(NodeName::from) }
    }

    /// Whether both are one host: the certificates tell where both are known, the addresses where not; then the nodes.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Likeness {
        match (&self.node, &other.node) {
            _ if !self.is_one_server(other) => Likeness::Other,
            (Some(here), Some(there)) if here == there => Likeness::Same,
            (Some(_), Some(_)) => Likeness::Other,
            _ => Likeness::Unknown,
        }
    }

    /// Whether both may have the same guests. An address alone is enough for that: its certificate may have been renewed
    /// since the other one was written down.
    #[must_use]
    pub fn may_be(&self, other: &Self) -> bool {
        let one_node = self.node.is_none() || other.node.is_none() || self.node == other.node;
        one_node && (self.address == other.address || self.is_one_server(other))
    }

    fn is_one_server(&self, other: &Self) -> bool {
        match (&self.certificate, &other.certificate) {
            (Some(here), Some(there)) => here.eq_ignore_ascii_case(there),
            _ => self.address == other.address,
        }
    }
}

impl fmt::Display for HostId {
    /// `pve at 192.168.1.100:8006`, or as much of it as is known.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.node, self.address.as_str()) {
            (Some(node), "") => node.fmt(f),
            (Some(node), address) => write!(f, "{node} at {address}"),
            (None, address) => f.write_str(address),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(host: &str, node: &str) -> HostId {
        HostId::new(host, 8006, None, Some(node).filter(|node| !node.is_empty()).map(NodeName::from))
    }

    #[test]
    fn an_address_is_compared_whole() {
        assert_eq!(at("10.0.0.1", "pve").compare(&at("110.0.0.1", "pve")), Likeness::Other);
        assert_eq!(at("pve.lan", "pve").compare(&at("PVE.lan", "pve")), Likeness::Same);
        assert_eq!(at("fd00::1", "pve").compare(&at("[FD00:0:0::1]", "pve")), Likeness::Same);
        assert_eq!(at("10.0.0.1", "pve").compare(&at("10.0.0.1", "pve2")), Likeness::Other);
        assert_eq!(at("10.0.0.1", "pve").compare(&at("10.0.0.1", "")), Likeness::Unknown);
        assert_eq!(at("10.0.0.1", "").compare(&at("110.0.0.1", "pve")), Likeness::Other);
    }

    #[test]
    fn a_certificate_counts_more_than_an_address() {
        let with = |host: &str, pin: &str| HostId { certificate: Some(pin.to_owned()), ..at(host, "pve") };
        assert_eq!(with("pve.lan", "AB").compare(&with("10.0.0.1", "ab")), Likeness::Same);
        assert_eq!(with("10.0.0.1", "AB").compare(&with("10.0.0.1", "CD")), Likeness::Other);
        assert_eq!(with("10.0.0.1", "AB").compare(&at("10.0.0.1", "pve")), Likeness::Same);
        assert_eq!(with("10.0.0.1", "AB").compare(&at("pve.lan", "pve")), Likeness::Other);
        assert!(with("10.0.0.1", "AB").may_be(&with("10.0.0.1", "CD")), "it may have been renewed");
        assert!(
            with("pve.lan", "AB").may_be(&with("10.0.0.1", "ab"))
                && !with("pve.lan", "AB").may_be(&at("10.0.0.1", "pve"))
        );
        assert!(
            !at("10.0.0.1", "pve").may_be(&at("10.0.0.1", "pve2")) && at("10.0.0.1", "pve").may_be(&at("10.0.0.1", ""))
        );
    }

    proptest! {
        #[test]
        fn a_label_tells_what_it_was_made_of(host in "[a-z0-9.]{1,12}", port: u16, node in "([a-z][a-z0-9-]{0,8})?") {
            let node = Some(node.as_str()).filter(|node| !node.is_empty()).map(NodeName::from);
            let id = HostId::new(&host, port, None, node);
            prop_assert_eq!(HostId::of_label(&id.to_string()), id);
        }

        #[test]
        fn labels_that_differ_are_never_one_host(one in "[a-c1.]{1,4}", other in "[a-c1.]{1,4}", near: bool) {
            let other = if near { format!("1{one}") } else { other };
            let (here, there) = (HostId::new(&one, 8006, None, Some("pve".into())), HostId::new(&other, 8006, None, Some("pve".into())));
            prop_assert_eq!(here.compare(&there) == Likeness::Same, here.to_string() == there.to_string());
            prop_assert_eq!(HostId::of_label(&here.to_string()).compare(&there) == Likeness::Same, here == there);
        }
    }
}
