//! Who holds which PCI function: `/run/qemu-server/pci-id-reservations` and what starts make of it
//! (qemu-server `QemuServer/PCI.pm:440-620, 805-872`).

use super::world::{GuestSpec, World};
use crate::domain::{
    gpu::{HostPci, PciAddr, PciSource},
    ids::NodeName,
};
use std::collections::BTreeMap;
use tokio::time::Instant;

/// How a function is held.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Held {
    /// A start is on its way.
    Starting,
    /// By a process.
    Running,
    /// By a process that is gone; cleaned up then.
    Until(Instant),
}

/// Functions that are held.
#[derive(Debug, Default)]
pub(crate) struct Reservations(BTreeMap<PciAddr, Vec<(u32, Held)>>);

impl Reservations {
    /// The first function of `wanted` that another guest holds, with the holder and whether it is only being started.
    pub(crate) fn holder(&self, vmid: u32, wanted: &[PciAddr]) -> Option<(PciAddr, u32, bool)> {
        wanted.iter().find_map(|addr| {
            let holders = self.0.get(addr)?;
            holders.iter().find(|(holder, _)| *holder != vmid).map(|(h, held)| (*addr, *h, *held == Held::Starting))
        })
    }

    /// Takes functions for a start.
    pub(crate) fn reserve(&mut self, vmid: u32, functions: &[PciAddr]) {
        self.set(vmid, functions, Held::Starting);
    }

    /// A process has them now.
    pub(crate) fn hold(&mut self, vmid: u32, functions: &[PciAddr]) {
        self.set(vmid, functions, Held::Running);
    }

    /// The process is gone; the entries stay until `until`.
    pub(crate) fn release(&mut self, vmid: u32, until: Instant) {
        for (holder, held) in self.0.values_mut().flatten() {
            if *holder == vmid {
                *held = Held::Until(until);
            }
        }
    }

    /// A start came to nothing.
    pub(crate) fn drop_start(&mut self, vmid: u32) {
        for holders in self.0.values_mut() {
            holders.retain(|(holder, held)| (*holder, *held) != (vmid, Held::Starting));
        }
    }

    /// Removes what ran out.
    pub(crate) fn settle(&mut self, now: Instant) {
        for holders in self.0.values_mut() {
            holders.retain(|(_, held)| !matches!(held, Held::Until(until) if *until <= now));
        }
    }

    fn set(&mut self, vmid: u32, functions: &[PciAddr], how: Held) {
        for addr in functions {
            let holders = self.0.entry(*addr).or_default();
            holders.retain(|(holder, _)| *holder != vmid);
            holders.push((vmid, how));
        }
    }
}

/// The functions that a start would take: per device a list of alternatives.
///
/// # Errors
/// The words with which a start fails: no such mapping, no such device, no IOMMU.
pub(crate) fn wanted(world: &World, spec: &GuestSpec) -> Result<Vec<Vec<Vec<PciAddr>>>, String> {
    let mut devices = Vec::new();
    for index in 0..16_u8 {
        let Some(text) = spec.text(&format!("hostpci{index}")) else { continue };
        let entry = HostPci::parse(index, &text)?;
        if entry.mdev.is_some() {
            continue;
        }
        let alternatives = match &entry.source {
            PciSource::Raw(addrs) => vec![addrs.clone()],
            PciSource::Mapping(id) => mapped(world, id)?,
        };
        let alternatives: Result<Vec<_>, String> = alternatives.iter().map(|addrs| functions(world, addrs)).collect();
        devices.push(alternatives?);
    }
    if !devices.is_empty() && !world.node.iommu {
        return Err("cannot prepare PCI pass-through, IOMMU not present".to_owned());
    }
    Ok(devices)
}

/// The first alternative of each device, for guests that run from the beginning.
pub(crate) fn first_choice(world: &World, spec: &GuestSpec) -> Vec<PciAddr> {
    let devices = wanted(world, spec).unwrap_or_default();
    devices.into_iter().filter_map(|alternatives| alternatives.into_iter().next()).flatten().collect()
}

fn mapped(world: &World, id: &str) -> Result<Vec<Vec<PciAddr>>, String> {
    let missing = || format!("PCI device mapping not found for '{id}'");
    let mapping = world.mappings.get(id).ok_or_else(missing)?;
    let entries: Vec<Vec<PciAddr>> = mapping.map.iter().filter_map(|entry| path_on(world, entry)).collect();
    if entries.is_empty() { Err(missing()) } else { Ok(entries) }
}

fn path_on(world: &World, entry: &str) -> Option<Vec<PciAddr>> {
    let field = |name: &str| entry.split(',').find_map(|part| part.strip_prefix(name)?.strip_prefix('='));
    let here = NodeName::from(field("node")?).as_str() == world.node.name;
    here.then(|| field("path").into_iter().flat_map(|path| path.split(';')).filter_map(|a| a.parse().ok()).collect())
}

/// Every function that the addresses stand for: a slot means all of its functions.
fn functions(world: &World, addrs: &[PciAddr]) -> Result<Vec<PciAddr>, String> {
    let mut found = Vec::new();
    for addr in addrs {
        let before = found.len();
        found.extend(world.pci.iter().map(|device| device.id).filter(|id| id.overlaps(*addr)));
        if found.len() == before {
            return Err(format!("no PCI device found for '{addr}'"));
        }
    }
    Ok(found)
}
