//! Devices that guests hold past `hostpciN`: through arguments for QEMU, and through device nodes in a container.
//! Proxmox keeps no reservation for either, so that it finds them taken only when a start fails, or not even then.

use super::{
    gpu::{Claim, PciAddr},
    iommu::{Device, Inventory},
};
use std::collections::BTreeSet;

const NVIDIA: u16 = 0x10de;
const AMD: u16 = 0x1002;

/// What a VM takes by the arguments that its configuration hands to QEMU (`args: -device vfio-pci,host=01:00.0`).
#[must_use]
pub fn by_args(args: &str) -> Vec<Claim> {
    let words = words(args);
    let mut found = Vec::new();
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        let unreadable = || Claim::Unknown(format!("args: {word}"));
        // QEMU takes one dash or two.
        match word.trim_start_matches('-') {
            _ if !word.starts_with('-') => {}
            "device" => found.extend(rest.next().and_then(|value| device(value))),
            // Options from a file, or of another option's device.
            "readconfig" => found.push(unreadable()),
            "set" | "global" => found.extend(rest.next().filter(|value| names_a_device(value)).map(|_| unreadable())),
            _ => {}
        }
    }
    found
}

/// `-set device.hostpci0.host=...`, `-global vfio-pci.host=...`.
fn names_a_device(value: &str) -> bool {
    let key = value.split('=').next().unwrap_or_default();
    let property = key.rsplit('.').next().unwrap_or_default();
    matches!(property, "host" | "sysfsdev") || key.starts_with("driver")
}

/// What `-device` takes, as `vfio-pci,host=01:00.0,x-vga=on` or as JSON.
fn device(value: &str) -> Option<Claim> {
    let pairs: Vec<(String, String)> = if value.starts_with('{') {
        let object: serde_json::Map<String, serde_json::Value> = match serde_json::from_str(value) {
            Ok(object) => object,
            Err(_) => return value.contains("vfio").then(|| Claim::Unknown(format!("args: -device {value}"))),
        };
        let text = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        object.iter().map(|(key, value)| (key.clone(), text(value))).collect()
    } else {
        let pairs = value.split(',').map(|part| part.split_once('=').unwrap_or(("driver", part)));
        pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
    };
    let get = |wanted: &str| pairs.iter().find(|(key, _)| key == wanted).map(|(_, value)| value.as_str());
    if !get("driver")?.starts_with("vfio-pci") {
        return None;
    }
    let named = get("host").or_else(|| get("sysfsdev").and_then(|path| path.trim_end_matches('/').rsplit('/').next()));
    Some(match named.and_then(|addr| addr.parse::<PciAddr>().ok()) {
        Some(addr) => Claim::Unreserved { functions: vec![addr], sure: true, by: "args".to_owned() },
        None => Claim::Unknown(format!("args: -device {value}")),
    })
}

/// Words as a shell makes them, which is how Proxmox splits arguments (pve-common `Tools.pm`, `split_args`).
fn words(text: &str) -> Vec<String> {
    let (mut all, mut word) = (Vec::new(), None::<String>);
    let mut quote = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, quote) {
            ('\\', None | Some('"')) => word.get_or_insert_default().extend(chars.next()),
            (c, Some(open)) if c == open => quote = None,
            ('\'' | '"', None) => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (c, None) if c.is_whitespace() => all.extend(word.take()),
            (c, _) => word.get_or_insert_default().push(c),
        }
    }
    all.extend(word);
    all
}

/// Whether a path of a container's configuration is a node of a graphics card, or a directory with such nodes.
#[must_use]
pub fn is_of_a_card(path: &str) -> bool {
    let path = path.trim_end_matches('/');
    path == "/dev" || ["/dev/nvidia", "/dev/dri", "/dev/kfd", "/dev/vfio"].iter().any(|prefix| path.starts_with(prefix))
}

/// What a container has by its device nodes. A node says which driver it belongs to, not which card: every card that
/// it may be counts, but for those that no driver of this host has, and those in `taken`, which running VMs hold.
#[must_use]
pub fn by_nodes(nodes: &[String], pci: Option<&Inventory>, taken: &[PciAddr]) -> Vec<Claim> {
    let Some(first) = nodes.first() else { return Vec::new() };
    let Some(pci) = pci else { return vec![Claim::Unknown(first.clone())] };
    let free = |device: &&Device| !taken.iter().any(|addr| addr.overlaps(device.addr));
    let mut functions = Vec::new();
    for node in nodes {
        functions
            .extend(pci.devices.iter().filter(|device| may_be(node, device)).filter(free).map(|device| device.addr));
    }
    functions.sort_unstable();
    functions.dedup();
    let slots: BTreeSet<PciAddr> = functions.iter().map(|addr| addr.slot()).collect();
    let claim = Claim::Unreserved { functions, sure: slots.len() == 1, by: first.clone() };
    if slots.is_empty() { Vec::new() } else { vec![claim] }
}

fn may_be(node: &str, device: &Device) -> bool {
    if let Some(group) = node.strip_prefix("/dev/vfio/") {
        return group.parse().is_ok_and(|group: u32| device.group == Some(group));
    }
    // A card that waits for a VM has no nodes for others.
    let driven = device.driver.get().is_none_or(|driver| driver.as_deref().is_some_and(|name| name != "vfio-pci"));
    let vendor = device.id.vendor;
    let fits = match node {
        node if node.starts_with("/dev/nvidia") => vendor == NVIDIA,
        node if node.starts_with("/dev/kfd") => vendor == AMD,
        _ => true,
    };
    device.class.is_display() && driven && fits
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::iommu::{Class, Known};
    use std::collections::BTreeMap;

    fn sure(addrs: &[&str]) -> Claim {
        let functions = addrs.iter().map(|addr| addr.parse().unwrap()).collect();
        Claim::Unreserved { functions, sure: true, by: "args".into() }
    }

    #[test]
    fn devices_in_arguments_are_found_however_they_are_written() {
        for (args, found) in [
            ("-device vfio-pci,host=01:00.0,x-vga=on", vec![sure(&["01:00.0"])]),
            ("-cpu host --device 'vfio-pci,host=0000:01:00.1,bus=pcie.0'", vec![sure(&["01:00.1"])]),
            ("-device x-vga=on,driver=vfio-pci,host=01:00.0", vec![sure(&["01:00.0"])]),
            ("-device vfio-pci-nohotplug,sysfsdev=/sys/bus/pci/devices/0000:02:00.0", vec![sure(&["02:00.0"])]),
            (r#"-device '{"driver":"vfio-pci","host":"0000:01:00.0"}'"#, vec![sure(&["01:00.0"])]),
            ("-device virtio-rng-pci,host=01:00.0 -smbios type=1", vec![]),
            ("-smbios type=1,serial=vfio-pci", vec![]),
        ] {
            assert_eq!(by_args(args), found, "{args}");
        }
        for args in [
            "-device vfio-pci,sysfsdev=/sys/bus/mdev/devices/83b8f4f2-509f-382f-3c1e-e6bfe0fa1001",
            "-device vfio-pci,fd=7",
            "-readconfig /etc/gpu.cfg",
            "-set device.hostpci0.host=0000:02:00.0",
        ] {
            assert!(matches!(by_args(args).as_slice(), [Claim::Unknown(_)]), "{args}");
        }
    }

    #[test]
    fn a_node_may_be_of_every_card_that_a_driver_of_the_host_has() {
        let card = |addr: &str, id: &str, driver: Option<&str>| Device {
            driver: driver.map_or(Known::Unknown, |name| Known::Is((!name.is_empty()).then(|| name.to_owned()))),
            group: Some(14),
            ..Device::bare(addr.parse().unwrap(), id.parse().unwrap(), Class(0x03_0000))
        };
        let held = |nodes: &[&str], cards: &[Device], taken: &[&str]| {
            let pci = Inventory::new(cards.to_vec(), Known::Unknown, BTreeMap::new());
            let nodes: Vec<String> = nodes.iter().map(|node| (*node).to_owned()).collect();
            let taken: Vec<PciAddr> = taken.iter().map(|addr| addr.parse().unwrap()).collect();
            match by_nodes(&nodes, Some(&pci), &taken).as_slice() {
                [] => (0, true),
                [Claim::Unreserved { functions, sure, .. }] => (functions.len(), *sure),
                other => panic!("{other:?}"),
            }
        };
        let (big, small) = (card("01:00.0", "10de:2684", None), card("00:02.0", "8086:a780", None));
        let both = [big.clone(), small.clone()];
        assert_eq!(held(&["/dev/nvidia0", "/dev/nvidiactl"], &both, &[]), (1, true));
        assert_eq!(held(&["/dev/dri/renderD128"], &both, &[]), (2, false));
        assert_eq!(held(&["/dev/dri"], &both, &["01:00"]), (1, true), "a running VM has the other");
        assert_eq!(held(&["/dev/nvidia0"], &both, &["01:00"]), (0, true));
        let waiting = [card("01:00.0", "10de:2684", Some("vfio-pci")), card("00:02.0", "8086:a780", Some("i915"))];
        assert_eq!(held(&["/dev/dri/renderD128"], &waiting, &[]), (1, true));
        assert_eq!(held(&["/dev/nvidia0"], &waiting, &[]), (0, true));
        assert_eq!(held(&["/dev/vfio/14"], &waiting[..1], &[]), (1, true));
        assert_eq!(by_nodes(&["/dev/dri".into()], None, &[]), [Claim::Unknown("/dev/dri".into())]);
        assert_eq!(by_nodes(&[], None, &[]), []);
    }
}
