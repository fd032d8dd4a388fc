//! The guest's own address, as each system takes it.

use super::quote;
use crate::domain::plant::answers::Address;

/// Asked beside the gateway, which in most homes is the name server: <https://quad9.net>.
const NAMES_V4: &str = "9.9.9.9";
const NAMES_V6: &str = "2620:fe::9";

/// `cloud-init`'s network-config, version 2. The interface is `eth0`: Arch's cloud image is started with
/// `net.ifnames=0` (arch-boxes `images/base.sh`).
pub(super) fn config(address: &Address) -> String {
    let start = "# Made by morpheus: the guest's network.\nversion: 2\nethernets:\n  eth0:\n";
    match address {
        Address::Dhcp => format!("{start}    dhcp4: true\n"),
        Address::Static { cidr, gateway } => format!(
            "{start}    dhcp4: false\n    addresses: [{}]\n    routes:\n      - to: {}\n        via: {}\n    \
             nameservers:\n      addresses: [{}, {}]\n",
            quote::yaml(cidr),
            quote::yaml(if is_v6(cidr) { "::/0" } else { "0.0.0.0/0" }),
            quote::yaml(gateway),
            quote::yaml(gateway),
            quote::yaml(if is_v6(cidr) { NAMES_V6 } else { NAMES_V4 }),
        ),
    }
}

/// `NetworkManager`'s connection; nothing where it asks the network itself.
pub(super) fn connection(address: &Address) -> Option<String> {
    let Address::Static { cidr, gateway } = address else { return None };
    let (own, other, names) = if is_v6(cidr) { ("ipv6", "ipv4", NAMES_V6) } else { ("ipv4", "ipv6", NAMES_V4) };
    Some(format!(
        "# Made by morpheus: the guest's network.\n[connection]\nid=morpheus\ntype=ethernet\nautoconnect-priority=100\n\n\
         [{own}]\nmethod=manual\naddress1={cidr},{gateway}\ndns={gateway};{names};\n\n[{other}]\nmethod=auto\n"
    ))
}

fn is_v6(cidr: &str) -> bool {
    cidr.contains(':')
}
