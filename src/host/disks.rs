//! What the host uses its devices for: network interfaces, disks and what is on them.

use super::{
    networks::networks,
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
    let networks = networks(root)?;
    for interface in root.list("/sys/class/net")? {
        let Some((at, addr)) = pci_above(root, walked, &format!("/sys/class/net/{interface}")) else { continue };
        let master = at.join("master").read_link().ok();
        let master = master.and_then(|to| Some(to.file_name()?.to_string_lossy().into_owned()));
        let port_of = master.or_else(|| networks.above(&interface).cloned());
        let own_address = networks.is_own(&interface);
        uses.entry(addr).or_default().push(HostUse::Network { interface, port_of, own_address });
    }
    let Held { by, root_unseen } = held(root, walked)?;
    for disk in root.list("/sys/class/block")? {
        let Some((at, addr)) = pci_above(root, walked, &format!("/sys/class/block/{disk}")) else { continue };
        if at.join("partition").exists() {
            continue;
        }
        let parts = names_in(&at).into_iter().filter(|name| name.starts_with(&disk));
        let mut holds: BTreeSet<String> =
            std::iter::once(disk.clone()).chain(parts).filter_map(|part| by.get(&part)).flatten().cloned().collect();
        if root_unseen {
            holds.insert("perhaps /".to_owned());
        }
        uses.entry(addr).or_default().push(HostUse::Disk { disk, holds: holds.into_iter().collect() });
    }
    Ok(uses)
}

/// What block devices hold.
struct Held {
    /// By the device's name: mount points, swap, and what is made of it.
    by: BTreeMap<String, BTreeSet<String>>,
    /// Whether the root file system is on a disk, and nothing shows on which.
    root_unseen: bool,
}

fn held(root: &Root, walked: &Walked) -> Result<Held, Bad> {
    let mut by: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut pools: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for device in root.list("/sys/class/block")? {
        let Some(number) = root.text_in(Some(walked), &format!("/sys/class/block/{device}/dev"))? else { continue };
        let notes = root.text_in(Some(walked), &format!("/run/udev/data/b{}", number.trim()))?.unwrap_or_default();
        let note =
            |key: &str| notes.lines().find_map(|line| line.strip_prefix("E:")?.strip_prefix(key)?.strip_prefix('='));
        let mut part_of = volumes(root, &device)?;
        match (note("ID_FS_TYPE"), note("ID_FS_LABEL")) {
            (Some("zfs_member"), Some(pool)) => {
                part_of.push(format!("pool {pool}"));
                pools.entry(pool.to_owned()).or_default().insert(device.clone());
            }
            (Some("LVM2_member"), _) if part_of.is_empty() => part_of.push("LVM".to_owned()),
            (Some("linux_raid_member"), _) if part_of.is_empty() => part_of.push("RAID".to_owned()),
            _ => {}
        }
        if !part_of.is_empty() {
            by.entry(device).or_default().extend(part_of);
        }
    }
    let swaps = root.text("/proc/swaps")?.unwrap_or_default();
    let swaps = swaps.lines().skip(1).filter_map(|line| line.split_whitespace().next());
    let swaps = swaps.map(|source| Mount { source: source.to_owned(), target: "swap".to_owned(), kind: String::new() });
    let mut root_unseen = false;
    for mount in mounts(root)?.into_iter().chain(swaps) {
        let pool = mount.source.split('/').next().unwrap_or_default();
        let holders = match pools.get(pool) {
            Some(members) if !mount.source.starts_with('/') => members.clone(),
            _ => below(root, &mount.source),
        };
        let seen = |device: &String| !device.is_empty() && root.has(&format!("/sys/class/block/{device}"));
        let seen = holders.iter().any(seen);
        root_unseen |= mount.target == "/" && mount.is_on_a_disk() && !seen;
        for device in holders {
            by.entry(device).or_default().insert(mount.target.clone());
        }
    }
    Ok(Held { by, root_unseen })
}

/// What is made of a device: mapped volumes and arrays, by their names.
fn volumes(root: &Root, device: &str) -> Result<Vec<String>, Bad> {
    let mut found = Vec::new();
    for above in root.list(&format!("/sys/class/block/{device}/holders"))? {
        let name = root.text(&format!("/sys/class/block/{above}/dm/name"))?.map(|name| name.trim().to_owned());
        found.push(name.unwrap_or(above));
    }
    Ok(found)
}

/// A line of the list of mounts.
struct Mount {
    source: String,
    target: String,
    kind: String,
}

impl Mount {
    /// Whether it is of a disk of this host, and not of a network or of memory.
    fn is_on_a_disk(&self) -> bool {
        let named = ["/dev/", "UUID=", "PARTUUID=", "LABEL=", "PARTLABEL="];
        self.kind == "zfs" || named.iter().any(|prefix| self.source.starts_with(prefix))
    }
}

/// What is mounted. What a mount namespace of this program adds doesn't count: process 1's is read first.
fn mounts(root: &Root) -> Result<Vec<Mount>, Bad> {
    let text = match root.text("/proc/1/mounts") {
        Ok(Some(text)) => text,
        _ => root.text("/proc/mounts")?.or(root.text("/etc/fstab")?).unwrap_or_default(),
    };
    let mount = |line: &str| {
        let mut words = line.split_whitespace().map(|word| word.replace("\\040", " "));
        Some(Mount { source: words.next()?, target: words.next()?, kind: words.next().unwrap_or_default() })
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
