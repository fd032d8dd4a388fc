//! What network interfaces are to the host: ports of bridges and bonds, and interfaces with an address of its own.

use super::root::{Bad, Root};
use std::collections::{BTreeMap, BTreeSet};

/// What is known of interfaces by their names.
pub(super) struct Networks {
    /// The bridge, bond or VLAN that each is a port of, as ifupdown has it.
    ports: BTreeMap<String, String>,
    /// Those with an address.
    own: BTreeSet<String>,
}

/// Reads it.
pub(super) fn networks(root: &Root) -> Result<Networks, Bad> {
    let mut networks = Networks { ports: BTreeMap::new(), own: addressed(root)? };
    let mut files = vec!["/etc/network/interfaces".to_owned()];
    files
        .extend(root.list("/etc/network/interfaces.d")?.iter().map(|name| format!("/etc/network/interfaces.d/{name}")));
    for file in files {
        networks.ifupdown(&root.text(&file)?.unwrap_or_default());
    }
    Ok(networks)
}

impl Networks {
    /// The configuration of ifupdown, for a root whose kernel doesn't run: below `iface NAME FAMILY METHOD`,
    /// `bridge-ports` (and `bridge_ports`), `bond-slaves` (and `slaves`), `vlan-raw-device` (interfaces(5),
    /// bridge-utils-interfaces(5), vlan-interfaces(5)).
    fn ifupdown(&mut self, text: &str) {
        let mut stanza = None;
        for line in text.lines() {
            let mut words = line.split_whitespace();
            match words.next() {
                Some("iface") => {
                    stanza = words.next();
                    let method = words.nth(1).unwrap_or("manual");
                    if !matches!(method, "manual" | "loopback") {
                        self.own.extend(stanza.map(str::to_owned));
                    }
                }
                Some(
                    "bridge-ports" | "bridge_ports" | "bond-slaves" | "bond_slaves" | "slaves" | "vlan-raw-device"
                    | "vlan_raw_device",
                ) => {
                    let above = stanza.unwrap_or_default();
                    self.ports.extend(words.map(|port| (port.to_owned(), above.to_owned())));
                }
                _ => {}
            }
        }
    }

    /// The bridge, bond or VLAN that needs an interface. A VLAN's name begins with that of its interface: `eno1.10`.
    pub(super) fn above(&self, interface: &str) -> Option<&String> {
        let vlan = |name: &str| name.strip_prefix(interface).is_some_and(|tag| tag.starts_with('.'));
        let tagged = || self.ports.iter().find(|(name, _)| vlan(name)).map(|(_, above)| above);
        let own = || self.own.iter().find(|name| vlan(name));
        self.ports.get(interface).or_else(tagged).or_else(own)
    }

    /// Whether the host has an address on an interface.
    pub(super) fn is_own(&self, interface: &str) -> bool {
        self.own.contains(interface)
    }
}

/// Interfaces with an address by the running kernel: with a route of IPv4 (`/proc/net/route`, columns below a head), or
/// with an address of IPv6 that isn't of the link alone (`/proc/net/if_inet6`: address, number, length, scope, flags,
/// name; `Documentation/networking/ipv6.rst`).
fn addressed(root: &Root) -> Result<BTreeSet<String>, Bad> {
    let routes = root.text("/proc/net/route")?.unwrap_or_default();
    let old = routes.lines().skip(1).filter_map(|line| line.split_whitespace().next());
    let addresses = root.text("/proc/net/if_inet6")?.unwrap_or_default();
    let new = addresses.lines().filter_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [.., scope, _, name] = words.as_slice() else { return None };
        (*scope == "00").then_some(*name)
    });
    Ok(old.chain(new).map(str::to_owned).collect())
}
