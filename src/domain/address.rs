//! Which of a guest's many addresses is the one to point a headset at.

use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// A network interface as the guest agent lists it. Hardware address and addresses may both be missing.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Interface {
    /// Name inside the guest.
    pub name: String,
    /// Hardware address, any case.
    pub mac: Option<String>,
    /// Addresses, in the guest's order.
    pub addresses: Vec<IpAddr>,
}

/// The address of the interface whose MAC is `net0`'s: IPv4 before IPv6, never loopback, link-local or unspecified.
/// Without a MAC to go by, interfaces of containers, bridges inside the guest and tunnels are left out.
#[must_use]
pub fn choose(interfaces: &[Interface], net0_mac: Option<&str>) -> Option<IpAddr> {
    let usable = |addr: &&IpAddr| match addr {
        IpAddr::V4(v4) => !(v4.is_loopback() || v4.is_link_local() || v4.is_unspecified()),
        IpAddr::V6(v6) => !(v6.is_loopback() || v6.is_unspecified() || v6.is_unicast_link_local()),
    };
    let best = |interface: &Interface| {
        let found = interface.addresses.iter().filter(usable).copied();
        found.min_by_key(|addr| !addr.is_ipv4())
    };
    match net0_mac {
        Some(mac) => {
            interfaces.iter().find(|i| i.mac.as_deref().is_some_and(|m| m.eq_ignore_ascii_case(mac))).and_then(best)
        }
        None => interfaces.iter().filter(|i| !is_virtual(&i.name)).find_map(best),
    }
}

fn is_virtual(name: &str) -> bool {
    const PREFIXES: [&str; 14] = [
        "lo",
        "docker",
        "br-",
        "veth",
        "virbr",
        "tailscale",
        "tun",
        "tap",
        "wg",
        "zt",
        "cni",
        "flannel",
        "podman",
        "Loopback",
    ];
    PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interface(name: &str, mac: Option<&str>, addresses: &[&str]) -> Interface {
        let addresses = addresses.iter().map(|a| a.parse().unwrap()).collect();
        Interface { name: name.into(), mac: mac.map(Into::into), addresses }
    }

    #[test]
    fn the_interface_of_net0_wins_whatever_its_name() {
        let all = [
            interface("lo", None, &["127.0.0.1", "::1"]),
            interface("docker0", Some("02:42:00:00:00:01"), &["172.17.0.1"]),
            interface("eth0", Some("BC:24:11:00:01:01"), &["fe80::1", "2001:db8::5", "192.168.1.150"]),
        ];
        assert_eq!(choose(&all, Some("bc:24:11:00:01:01")), Some("192.168.1.150".parse().unwrap()));
        assert_eq!(choose(&all, Some("bc:24:11:00:01:02")), None);
        assert_eq!(choose(&all, None), Some("192.168.1.150".parse().unwrap()));
    }

    #[test]
    fn link_local_alone_is_no_address() {
        let all = [interface("eth0", Some("aa:bb"), &["169.254.3.4", "fe80::2"]), interface("wlan0", None, &[])];
        assert_eq!(choose(&all, Some("AA:BB")), None);
        assert_eq!(choose(&all, None), None);
    }
}
