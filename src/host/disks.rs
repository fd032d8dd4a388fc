//! What the host uses its devices for: network interfaces and the bridges over them, disks and what is on them.

use super::{
    root::{Bad, Root, Walked},
    sysfs::{names_in, pci_above},
};
use crate::domain::{gpu::PciAddr, iommu::HostUse};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

/// The uses of PCI functions.
pub(super) fn uses(root: &Root, walked: &Walked) -> Result<BTreeMap<PciAddr, Vec<HostUse>>, Bad> {
    let mut uses: BTreeMap<PciAddr, Vec<HostUse>> = BTreeMap::new();
    let configured = ports(root)?;
    for interface in root.list("/sys/class/net")? {
        let Some((at, addr)) = pci_above(root, walked, &format!("/sys/class/net/{interface}")) else { continue };
        let master = at.join("master").read_link().ok();
        let master = master.and_then(|to| Some(to.file_name()?.to_string_lossy().into_owned()));
        let port_of = master.or_else(|| configured.get(&interface).cloned());
        uses.entry(addr).or_default().push(HostUse::Network { interface, port_of });
    }
    let held = held(root, walked)?;
    for disk in root.list("/sys/class/block")? {
        let Some((at, addr)) = pci_above(root, walked, &format!("/sys/class/block/{disk}")) else { continue };
        if at.join("partition").exists() {
            continue;
        }
        let parts = names_in(&at).into_iter().filter(|name| name.starts_with(&disk));
        let holds: BTreeSet<String> =
            std::iter::once(disk.clone()).chain(parts).filter_map(|part| held.get(&part)).flatten().cloned().collect();
        uses.entry(addr).or_default().push(HostUse::Disk { disk, holds: holds.into_iter().collect() });
    }
    Ok(uses)
}

/// The bridge of each port as ifupdown has it, for a root whose kernel doesn't run: `bridge-ports` (and
/// `bridge_ports`), `bond-slaves` (and `slaves`) below `iface NAME` (interfaces(5), bridge-utils-interfaces(5)).
fn ports(root: &Root) -> Result<BTreeMap<String, String>, Bad> {
    let mut ports = BTreeMap::new();
    let mut files = vec!["/etc/network/interfaces".to_owned()];
    files
        .extend(root.list("/etc/network/interfaces.d")?.iter().map(|name| format!("/etc/network/interfaces.d/{name}")));
    for file in files {
        let mut bridge = None;
        for line in root.text(&file)?.unwrap_or_default().lines() {
            let mut words = line.split_whitespace();
            match words.next() {
                Some("iface") => bridge = words.next().map(str::to_owned),
                Some("bridge-ports" | "bridge_ports" | "bond-slaves" | "bond_slaves" | "slaves") => {
                    let named =
                        bridge.iter().flat_map(|bridge| words.clone().map(|port| (port.to_owned(), bridge.clone())));
                    ports.extend(named);
                }
                _ => {}
            }
        }
    }
    Ok(ports)
}

/// What block devices hold, by the device's name: mount points, and the pools and volume groups that udev's notes name.
fn held(root: &Root, walked: &Walked) -> Result<BTreeMap<String, BTreeSet<String>>, Bad> {
    let mut held: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut pools: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for device in root.list("/sys/class/block")? {
        let Some(number) = root.text_in(Some(walked), &format!("/sys/class/block/{device}/dev"))? else { continue };
        let notes = root.text_in(Some(walked), &format!("/run/udev/data/b{}", number.trim()))?.unwrap_or_default();
        let note =
            |key: &str| notes.lines().find_map(|line| line.strip_prefix("E:")?.strip_prefix(key)?.strip_prefix('='));
        if let (Some("zfs_member"), Some(pool)) = (note("ID_FS_TYPE"), note("ID_FS_LABEL")) {
            held.entry(device.clone()).or_default().insert(format!("pool {pool}"));
            pools.entry(pool.to_owned()).or_default().insert(device.clone());
        }
    }
    for (source, target) in mounts(root)? {
        let pool = source.split('/').next().unwrap_or_default();
        let holders = match pools.get(pool) {
            Some(members) if !source.starts_with('/') => members.clone(),
            _ => below(root, &source),
        };
        for device in holders {
            held.entry(device).or_default().insert(target.clone());
        }
    }
    Ok(held)
}

/// Sources and mount points. What a mount namespace of this program adds doesn't count: process 1's is read first.
fn mounts(root: &Root) -> Result<Vec<(String, String)>, Bad> {
    let text = match root.text("/proc/1/mounts") {
        Ok(Some(text)) => text,
        _ => root.text("/proc/mounts")?.or(root.text("/etc/fstab")?).unwrap_or_default(),
    };
    let mount = |line: &str| {
        let mut words = line.split_whitespace().map(|word| word.replace("\\040", " "));
        Some((words.next()?, words.next()?))
    };
    Ok(text.lines().filter(|line| !line.starts_with('#')).filter_map(mount).collect())
}

/// The disks' devices below a mount's source: a partition, or what a device-mapper or RAID volume is made of.
fn below(root: &Root, source: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let Some(name) = source.strip_prefix("/dev/") else { return found };
    let mut todo = vec![match name.strip_prefix("mapper/") {
        Some(mapped) => mapper(root, mapped).unwrap_or_default(),
        None => resolved(root, source),
    }];
    while let Some(device) = todo.pop() {
        let lower = root.list(&format!("/sys/class/block/{device}/slaves")).unwrap_or_default();
        if found.insert(device) {
            todo.extend(lower);
        }
    }
    found
}

/// The kernel's name of a mapped device: `dm-0` for `pve-root`.
fn mapper(root: &Root, mapped: &str) -> Option<String> {
    let named = |device: &String| {
        let name = root.text(&format!("/sys/class/block/{device}/dm/name")).ok().flatten();
        name.is_some_and(|name| name.trim() == mapped)
    };
    root.list("/sys/class/block").ok()?.into_iter().find(named)
}

/// The kernel's name of a device file: `sda2` for `/dev/disk/by-uuid/…`, where its link is there.
fn resolved(root: &Root, source: &str) -> String {
    let at = root.resolve(source).ok();
    let name = |at: &Path| Some(at.file_name()?.to_string_lossy().into_owned());
    at.as_deref().and_then(name).unwrap_or_default()
}
