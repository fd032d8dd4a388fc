//! PCI devices and their IOMMU groups: what can be passed through, what comes along, and what the host would lose.
//!
//! A group is the smallest thing that can be handed over: when a VM starts, Proxmox binds *every* member of the group
//! that isn't a bridge to `vfio-pci`, and never looks what it is to the host (pve-common `SysFSTools.pm:370-399`).

mod board;
mod card;
mod device;
mod known;
mod names;
mod slot;
mod written;

pub use card::{Card, Kind, Part, Role};
pub use device::{Class, Device, HostUse, PciId, Power, Range, Sriov};
pub use known::Known;
pub use names::{Names, NamesReader, PciNames};
pub use slot::{Slot, Verdict};

use super::gpu::PciAddr;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// All PCI functions of a host, and what its kernel says of IOMMU groups.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(from = "written::Written")]
pub struct Inventory {
    /// Every function, by address.
    pub devices: Vec<Device>,
    /// The IOMMUs in use, such as `dmar0` or `ivhd0`; empty where the kernel uses none (`/sys/class/iommu`).
    pub units: Known<Vec<String>>,
    /// How each group's DMA is translated: `DMA`, `DMA-FQ`, `identity`.
    pub translation: BTreeMap<u32, String>,
}

impl Inventory {
    /// Takes the devices in any order. Where the kernel wasn't asked, which displays are virtual functions is told by
    /// their ids and places.
    #[must_use]
    pub fn new(mut devices: Vec<Device>, units: Known<Vec<String>>, translation: BTreeMap<u32, String>) -> Self {
        devices.sort_by_key(|device| device.addr);
        if units.get().is_none() {
            board::tell_slices(&mut devices);
        }
        Self { devices, units, translation }
    }

    /// Whether the host's own kernel was asked. The API knows no drivers, no reset methods, no power states and not which
    /// display the host booted on (pve-manager `API2/Hardware/PCI.pm:111-133`).
    #[must_use]
    pub const fn is_of_the_kernel(&self) -> bool {
        self.units.get().is_some()
    }

    /// One function.
    #[must_use]
    pub fn device(&self, addr: PciAddr) -> Option<&Device> {
        let at = self.devices.binary_search_by_key(&addr, |device| device.addr).ok()?;
        self.devices.get(at)
    }

    /// The functions of a slot, virtual ones among them.
    pub fn functions(&self, slot: PciAddr) -> impl Iterator<Item = &Device> {
        let from = self.devices.partition_point(|device| device.addr.slot() < slot.slot());
        let rest = self.devices.get(from..).unwrap_or_default();
        rest.iter().take_while(move |device| device.addr.slot() == slot.slot())
    }

    /// The devices by group, those without one not among them.
    #[must_use]
    pub fn groups(&self) -> BTreeMap<u32, Vec<&Device>> {
        let mut groups: BTreeMap<u32, Vec<&Device>> = BTreeMap::new();
        for device in &self.devices {
            if let Some(group) = device.group {
                groups.entry(group).or_default().push(device);
            }
        }
        groups
    }

    /// Whether devices are in groups, so that they can be passed through. What the list of IOMMUs says counts first;
    /// the API doesn't have it.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.units.get().map_or_else(|| self.devices.iter().any(|device| device.group.is_some()), |u| !u.is_empty())
    }

    /// Other functions with the same vendor and device id as one of these: whoever binds by id takes these too.
    #[must_use]
    pub fn twins(&self, own: &[PciAddr]) -> Vec<PciAddr> {
        let ids: Vec<PciId> = own.iter().filter_map(|addr| self.device(*addr)).map(|device| device.id).collect();
        let others = self.devices.iter().filter(|device| !own.contains(&device.addr));
        others.filter(|device| ids.contains(&device.id)).map(|device| device.addr).collect()
    }

    /// The virtual functions of these functions.
    #[must_use]
    pub fn slices(&self, own: &[PciAddr]) -> Vec<PciAddr> {
        let of = |device: &&Device| device.physical.is_some_and(|physical| own.contains(&physical));
        self.devices.iter().filter(of).map(|device| device.addr).collect()
    }
}

#[cfg(test)]
#[path = "iommu_tests.rs"]
mod tests;
