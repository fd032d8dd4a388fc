//! Who holds which PCI function: `/run/qemu-server/pci-id-reservations` and what starts make of it
//! (qemu-server `QemuServer/PCI.pm:440-620, 805-872`).

use super::world::{GuestSpec, MappingSpec, UsbSpec, World};
use crate::domain::gpu::{HostPci, PciAddr, PciSource};
use std::collections::BTreeMap;
use tokio::time::Instant;

/// Resource mappings by id.
pub(crate) type Mappings = BTreeMap<String, MappingSpec>;

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
pub(crate) fn wanted(world: &World, mappings: &Mappings, spec: &GuestSpec) -> Result<Vec<Vec<Vec<PciAddr>>>, String> {
    let mut devices = Vec::new();
    for index in 0..16_u8 {
        let Some(text) = spec.text(&format!("hostpci{index}")) else { continue };
        let entry = HostPci::parse(index, &text)?;
        let alternatives = match &entry.source {
            PciSource::Raw(addrs) => vec![addrs.clone()],
            PciSource::Mapping(id) => mapped(world, mappings, id)?,
        };
        if entry.mdev.is_some() {
            continue;
        }
        let alternatives: Result<Vec<_>, String> = alternatives.iter().map(|addrs| functions(world, addrs)).collect();
        devices.push(alternatives?);
    }
    if !devices.is_empty() && !world.node.iommu {
        return Err("cannot prepare PCI pass-through, IOMMU not present".to_owned());
    }
    Ok(devices)
}

/// Compares the USB mappings that a guest names with the hardware.
///
/// # Errors
/// The words with which a start fails.
pub(crate) fn check_usb(world: &World, mappings: &Mappings, spec: &GuestSpec) -> Result<(), String> {
    for index in 0..14_u8 {
        let text = spec.text(&format!("usb{index}")).unwrap_or_default();
        let Some(id) = field(&text, "mapping") else { continue };
        let missing = || format!("USB device mapping not found for '{id}'");
        let mapping = mappings.get(id).ok_or_else(missing)?;
        let mut here = mapping.map.iter().filter(|entry| is_on(world, entry)).peekable();
        here.peek().ok_or_else(missing)?;
        for entry in here {
            let invalid = |why| format!("USB Mapping invalid (hardware probably changed): {why}\n");
            check_usb_entry(world, id, entry).map_err(invalid)?;
        }
    }
    Ok(())
}

/// The first alternative of each device, for guests that run from the beginning.
pub(crate) fn first_choice(world: &World, mappings: &Mappings, spec: &GuestSpec) -> Vec<PciAddr> {
    let devices = wanted(world, mappings, spec).unwrap_or_default();
    devices.into_iter().filter_map(|alternatives| alternatives.into_iter().next()).flatten().collect()
}

fn mapped(world: &World, mappings: &Mappings, id: &str) -> Result<Vec<Vec<PciAddr>>, String> {
    let missing = || format!("PCI device mapping not found for '{id}'");
    let mapping = mappings.get(id).ok_or_else(missing)?;
    for entry in mapping.map.iter().filter(|entry| is_on(world, entry)) {
        let invalid = |why| format!("PCI device mapping invalid (hardware probably changed): {why}\n");
        check_entry(world, id, entry, mapping.mdev).map_err(invalid)?;
    }
    let entries: Vec<Vec<PciAddr>> = mapping.map.iter().filter_map(|entry| path_on(world, entry)).collect();
    if entries.is_empty() { Err(missing()) } else { Ok(entries) }
}

/// The value of a property of an entry.
fn field<'a>(entry: &'a str, name: &str) -> Option<&'a str> {
    entry.split(',').find_map(|part| part.strip_prefix(name)?.strip_prefix('='))
}

/// Whether an entry speaks of this node.
pub(crate) fn is_on(world: &World, entry: &str) -> bool {
    field(entry, "node") == Some(world.node.name.as_str())
}

fn path_on(world: &World, entry: &str) -> Option<Vec<PciAddr>> {
    let paths = || field(entry, "path").into_iter().flat_map(|path| path.split(';'));
    is_on(world, entry).then(|| paths().filter_map(|addr| addr.parse().ok()).collect())
}

/// Compares an entry with the hardware, as every start does (pve-guest-common `Mapping/PCI.pm:144-204`).
///
/// # Errors
/// The host's words for the first difference.
pub(crate) fn check_entry(world: &World, id: &str, entry: &str, mdev: bool) -> Result<(), String> {
    let path = field(entry, "path").unwrap_or_default();
    for (place, path) in path.split(';').enumerate() {
        let path = if path.contains('.') { path.to_owned() } else { format!("{path}.0") };
        let device = world.pci.iter().find(|device| device.id.to_string() == path);
        let device = device.ok_or_else(|| format!("pci device '{path}' not found"))?;
        let pair = |vendor: &str, device: &str| format!("{vendor}:{device}").replace("0x", "");
        let subsystem = device.subsystem_vendor.as_deref().zip(device.subsystem_device.as_deref());
        let group = (device.iommugroup >= 0).then(|| device.iommugroup.to_string());
        let expected = [
            ("id", Some(pair(&device.vendor, &device.device))),
            ("iommugroup", group),
            ("subsystem-id", subsystem.map(|(vendor, device)| pair(vendor, device))),
        ];
        for (name, expected) in expected.into_iter().filter(|(name, _)| place == 0 || *name != "iommugroup") {
            match (expected, field(entry, name)) {
                (Some(_), None) => return Err(format!("missing expected property '{name}' for device '{path}'")),
                (None, Some(_)) => return Err(format!("unexpected property '{name}' configured for device '{path}'")),
                (Some(expected), Some(given)) if expected != given.replace("0x", "") => {
                    return Err(format!("'{name}' does not match for '{id}' ({expected} != {given})"));
                }
                _ => {}
            }
        }
        if device.mdev != mdev {
            return Err(format!("'mdev' does not match for '{id}' ({} != {})", u8::from(device.mdev), u8::from(mdev)));
        }
    }
    Ok(())
}

/// Compares an entry of a USB mapping with the hardware (pve-guest-common `Mapping/USB.pm`).
///
/// # Errors
/// The host's words for a device that isn't there.
pub(crate) fn check_usb_entry(world: &World, id: &str, entry: &str) -> Result<(), String> {
    let wanted = field(entry, "id").unwrap_or_default();
    let pair = |device: &UsbSpec| format!("{}:{}", device.vendid, device.prodid);
    let Some(path) = field(entry, "path") else {
        let there = world.usb.iter().any(|device| pair(device) == wanted);
        return if there { Ok(()) } else { Err(format!("usb device '{wanted}' not found")) };
    };
    let at = |device: &&UsbSpec| format!("{}-{}", device.busnum, device.usbpath) == path;
    let device = world.usb.iter().find(at).ok_or_else(|| format!("usb device '{path}' not found"))?;
    if pair(device) == wanted {
        return Ok(());
    }
    Err(format!("'id' does not match for '{id}' ({} != {wanted})", pair(device)))
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
