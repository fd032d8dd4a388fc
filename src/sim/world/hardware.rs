//! The node, its PCI devices, resource mappings and storages.

use crate::domain::gpu::PciAddr;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The node.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct NodeSpec {
    /// Its name.
    pub name: String,
    /// CPU model.
    pub cpu_model: String,
    /// CPU threads.
    pub cpus: u64,
    /// CPU use of host and guests at rest, 0 to 1.
    #[serde(default)]
    pub cpu: f64,
    /// Memory.
    pub memory: MemorySpec,
    /// Root file system, bytes.
    pub rootfs: u64,
    /// Used of it, bytes.
    pub rootfs_used: u64,
    /// Seconds since the host's own start when the simulation begins.
    #[serde(default = "day")]
    pub uptime: u64,
    /// Full version, such as `9.2.11`.
    pub version: String,
    /// Build id.
    pub repoid: String,
    /// Kernel release.
    pub kernel: String,
    /// Whether it booted by UEFI.
    #[serde(default = "super::yes")]
    pub efi: bool,
    /// Whether the IOMMU is on.
    #[serde(default = "super::yes")]
    pub iommu: bool,
    /// Its own settings, such as `wakeonlan`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub config: BTreeMap<String, String>,
    /// Bridges.
    #[serde(default = "vmbr0")]
    pub bridges: Vec<String>,
}

fn vmbr0() -> Vec<String> {
    vec!["vmbr0".to_owned()]
}

const fn day() -> u64 {
    86_400
}

/// The host's memory, bytes.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct MemorySpec {
    /// All of it.
    pub total: u64,
    /// What the host itself uses.
    pub used: u64,
}

/// A PCI device as `hardware/pci` lists it.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct PciSpec {
    /// Address with a function.
    pub id: PciAddr,
    /// Class such as `0x030000`.
    pub class: String,
    /// Vendor id such as `0x10de`.
    pub vendor: String,
    /// Device id.
    pub device: String,
    /// Vendor's name.
    #[serde(default)]
    pub vendor_name: Option<String>,
    /// Device's name, where the host's table knows it.
    #[serde(default)]
    pub device_name: Option<String>,
    /// Subsystem vendor id.
    #[serde(default)]
    pub subsystem_vendor: Option<String>,
    /// Subsystem device id.
    #[serde(default)]
    pub subsystem_device: Option<String>,
    /// Subsystem vendor's name.
    #[serde(default)]
    pub subsystem_vendor_name: Option<String>,
    /// IOMMU group; -1 without an IOMMU.
    #[serde(default = "none")]
    pub iommugroup: i64,
    /// Whether it can be divided into mediated devices.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub mdev: bool,
}

const fn none() -> i64 {
    -1
}

/// A USB device as `hardware/usb` lists it.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct UsbSpec {
    /// Number of its bus.
    pub busnum: u32,
    /// Number on the bus.
    pub devnum: u32,
    /// Port of the hub that it is in.
    pub port: u32,
    /// How many hubs are before it.
    pub level: u32,
    /// Class.
    pub class: u32,
    /// Vendor id such as `2833`.
    pub vendid: String,
    /// Product id.
    pub prodid: String,
    /// Mbit/s.
    pub speed: String,
    /// Where it is plugged in, such as `3`.
    pub usbpath: String,
    /// Manufacturer's name.
    pub manufacturer: String,
    /// Product's name.
    pub product: String,
}

/// A resource mapping.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct MappingSpec {
    /// A few words.
    #[serde(default)]
    pub description: Option<String>,
    /// Whether mediated devices of it are given.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub mdev: bool,
    /// Entries such as `node=pve,path=0000:01:00,id=10de:2684,iommugroup=12`.
    pub map: Vec<String>,
}

impl StorageSpec {
    /// Whether disks take room only as they are written.
    pub(crate) fn is_thin(&self) -> bool {
        matches!(self.kind.as_str(), "lvmthin" | "zfspool" | "rbd")
    }
}

/// What an address gives to a host that downloads.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct WebSpec {
    /// Bytes.
    pub size: u64,
    /// SHA-256 of what comes; absent: it is whatever is expected.
    pub sha256: Option<String>,
    /// Seconds that it takes.
    pub seconds: Option<f64>,
    /// Whether there is nothing at this address.
    pub missing: bool,
    /// Why it can't be fetched, in wget's last words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fails: Option<String>,
}

/// A storage.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct StorageSpec {
    /// Plugin, such as `dir` or `lvmthin`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Content types.
    pub content: Vec<String>,
    /// Size, bytes.
    pub total: u64,
    /// Used, bytes.
    pub used: u64,
    /// Whether other nodes see it too.
    #[serde(default)]
    pub shared: bool,
    /// Images in it with their sizes in bytes, such as `iso/virtio-win.iso`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub volumes: BTreeMap<String, u64>,
}
