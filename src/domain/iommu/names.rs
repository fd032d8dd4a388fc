//! Names of PCI devices: from the PCI ID database (<https://pci-ids.ucw.cz>), from the API, or from a small table.

use super::PciId;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What a device is called.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Names {
    /// Its vendor: `NVIDIA Corporation`.
    pub vendor: Option<String>,
    /// The device: `AD102 [GeForce RTX 4090]`.
    pub device: Option<String>,
}

impl Names {
    /// The name that people know; none where the device has none.
    #[must_use]
    pub fn title(&self) -> Option<String> {
        match (&self.vendor, &self.device) {
            (_, None) => None,
            (None, Some(device)) => Some(device.clone()),
            (Some(vendor), Some(device)) => Some(trade_name(&format!("{vendor} {device}"))),
        }
    }

    /// Takes the vendor off the beginning of a whole name, where it is one of those that people call by a shorter name.
    #[must_use]
    pub fn read(whole: &str) -> Self {
        let known = VENDORS.iter().find_map(|(vendor, _)| Some((*vendor, whole.strip_prefix(vendor)?.trim())));
        match known {
            Some((vendor, device)) => Self { vendor: Some(vendor.to_owned()), device: Some(device.to_owned()) },
            None => Self { vendor: None, device: Some(whole.to_owned()) },
        }
    }

    /// Fills the gaps with another source's names.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self { vendor: self.vendor.or(other.vendor), device: self.device.or(other.device) }
    }
}

/// A vendor's name in the database, and as people say it.
const VENDORS: [(&str, &str); 5] = [
    ("NVIDIA Corporation", "NVIDIA"),
    ("Advanced Micro Devices, Inc. [AMD/ATI]", "AMD"),
    ("Advanced Micro Devices, Inc. [AMD]", "AMD"),
    ("Intel Corporation", "Intel"),
    ("ASPEED Technology, Inc.", "ASPEED"),
];

/// The name that people know: `NVIDIA GeForce RTX 4090` for `NVIDIA Corporation AD102 [GeForce RTX 4090]`. The database
/// puts a card's trade name into brackets, and a vendor's short name too.
fn trade_name(name: &str) -> String {
    let known = VENDORS.iter().find_map(|(long, short)| Some((*short, name.strip_prefix(long)?.trim())));
    let Some((vendor, device)) = known else { return name.to_owned() };
    let bracketed = device.strip_suffix(']').and_then(|device| device.rsplit_once('[')).map(|(_, inside)| inside);
    format!("{vendor} {}", bracketed.unwrap_or(device)).trim_end().to_owned()
}

/// Names of the devices that were asked for.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct PciNames {
    vendors: BTreeMap<u16, String>,
    devices: BTreeMap<PciId, String>,
}

/// Reads the database's text line by line, keeping only what is wanted. Its lines are `10de  NVIDIA Corporation`, then
/// one with a tab for each device; with two tabs for a subsystem; classes at the end, after `C `.
#[derive(Debug)]
pub struct NamesReader<'a> {
    wanted: &'a BTreeSet<PciId>,
    vendors: BTreeSet<u16>,
    vendor: Option<u16>,
    names: PciNames,
}

impl<'a> NamesReader<'a> {
    /// Begins with the database's first line.
    #[must_use]
    pub fn of(wanted: &'a BTreeSet<PciId>) -> Self {
        let vendors = wanted.iter().map(|id| id.vendor).collect();
        Self { wanted, vendors, vendor: None, names: PciNames::default() }
    }

    /// Takes a line in, without its end. Says whether a name can still follow.
    pub fn line(&mut self, line: &str) -> bool {
        if line.starts_with("C ") {
            return false;
        }
        if line.starts_with("\t\t") || line.starts_with('#') {
            return true;
        }
        if let Some(device) = line.strip_prefix('\t') {
            let Some((vendor, (device, name))) = self.vendor.and_then(|vendor| Some((vendor, entry(device)?))) else {
                return true;
            };
            let id = PciId { vendor, device };
            if self.wanted.contains(&id) {
                self.names.devices.insert(id, name.to_owned());
            }
        } else if let Some((number, name)) = entry(line) {
            self.vendor = self.vendors.contains(&number).then_some(number);
            if self.vendor.is_some() {
                self.names.vendors.insert(number, name.to_owned());
            }
        }
        true
    }

    /// What was found.
    #[must_use]
    pub fn names(self) -> PciNames {
        self.names
    }
}

impl PciNames {
    /// What the database calls a device; its gaps are filled from a small table of vendors and cards.
    #[must_use]
    pub fn of(&self, id: PciId) -> Names {
        let known = Names { vendor: self.vendors.get(&id.vendor).cloned(), device: self.devices.get(&id).cloned() };
        known.or(built_in(id))
    }
}

/// `2684  AD102 [GeForce RTX 4090]`.
fn entry(line: &str) -> Option<(u16, &str)> {
    let (number, name) = line.split_once("  ")?;
    Some((u16::from_str_radix(number, 16).ok()?, name.trim()))
}

/// Vendors and the cards that are passed through most, for a host without a database or with one older than the card.
fn built_in(id: PciId) -> Names {
    let vendor = BUILT_IN_VENDORS.iter().find(|(number, _)| *number == id.vendor).map(|(_, name)| (*name).to_owned());
    let device = BUILT_IN.iter().find(|(vendor, device, _)| (*vendor, *device) == (id.vendor, id.device));
    Names { vendor, device: device.map(|(.., name)| (*name).to_owned()) }
}

const BUILT_IN_VENDORS: [(u16, &str); 14] = [
    (0x1002, "Advanced Micro Devices, Inc. [AMD/ATI]"),
    (0x1022, "Advanced Micro Devices, Inc. [AMD]"),
    (0x102b, "Matrox Electronics Systems Ltd."),
    (0x10de, "NVIDIA Corporation"),
    (0x10ec, "Realtek Semiconductor Co., Ltd."),
    (0x1234, "QEMU"),
    (0x144d, "Samsung Electronics Co Ltd"),
    (0x14e4, "Broadcom Inc. and subsidiaries"),
    (0x15b7, "Sandisk Corp"),
    (0x1a03, "ASPEED Technology, Inc."),
    (0x1af4, "Red Hat, Inc."),
    (0x1b21, "ASMedia Technology Inc."),
    (0x1b36, "Red Hat, Inc."),
    (0x8086, "Intel Corporation"),
];

const BUILT_IN: [(u16, u16, &str); 40] = [
    (0x1002, 0x67df, "Ellesmere [Radeon RX 470/480/570/580]"),
    (0x1002, 0x687f, "Vega 10 XL/XT [Radeon RX Vega 56/64]"),
    (0x1002, 0x731f, "Navi 10 [Radeon RX 5600/5700]"),
    (0x1002, 0x7340, "Navi 14 [Radeon RX 5500]"),
    (0x1002, 0x73bf, "Navi 21 [Radeon RX 6800/6900 XT]"),
    (0x1002, 0x73df, "Navi 22 [Radeon RX 6700/6750 XT]"),
    (0x1002, 0x73ff, "Navi 23 [Radeon RX 6600]"),
    (0x1002, 0x743f, "Navi 24 [Radeon RX 6400/6500 XT]"),
    (0x1002, 0x744c, "Navi 31 [Radeon RX 7900]"),
    (0x1002, 0x747e, "Navi 32 [Radeon RX 7700/7800 XT]"),
    (0x1002, 0x7480, "Navi 33 [Radeon RX 7600]"),
    (0x1002, 0x7550, "Navi 48 [Radeon RX 9070]"),
    (0x1002, 0x7590, "Navi 44 [Radeon RX 9060 XT]"),
    (0x10de, 0x1b06, "GP102 [GeForce GTX 1080 Ti]"),
    (0x10de, 0x1b80, "GP104 [GeForce GTX 1080]"),
    (0x10de, 0x1b81, "GP104 [GeForce GTX 1070]"),
    (0x10de, 0x1c03, "GP106 [GeForce GTX 1060 6GB]"),
    (0x10de, 0x1e07, "TU102 [GeForce RTX 2080 Ti]"),
    (0x10de, 0x1e84, "TU104 [GeForce RTX 2070 SUPER]"),
    (0x10de, 0x1f08, "TU106 [GeForce RTX 2060]"),
    (0x10de, 0x2204, "GA102 [GeForce RTX 3090]"),
    (0x10de, 0x2206, "GA102 [GeForce RTX 3080]"),
    (0x10de, 0x2208, "GA102 [GeForce RTX 3080 Ti]"),
    (0x10de, 0x2484, "GA104 [GeForce RTX 3070]"),
    (0x10de, 0x2486, "GA104 [GeForce RTX 3060 Ti]"),
    (0x10de, 0x2503, "GA106 [GeForce RTX 3060]"),
    (0x10de, 0x2684, "AD102 [GeForce RTX 4090]"),
    (0x10de, 0x2702, "AD103 [GeForce RTX 4080 SUPER]"),
    (0x10de, 0x2704, "AD103 [GeForce RTX 4080]"),
    (0x10de, 0x2705, "AD103 [GeForce RTX 4070 Ti SUPER]"),
    (0x10de, 0x2782, "AD104 [GeForce RTX 4070 Ti]"),
    (0x10de, 0x2786, "AD104 [GeForce RTX 4070]"),
    (0x10de, 0x2803, "AD106 [GeForce RTX 4060 Ti]"),
    (0x10de, 0x2882, "AD107 [GeForce RTX 4060]"),
    (0x10de, 0x2b85, "GB202 [GeForce RTX 5090]"),
    (0x10de, 0x2c02, "GB203 [GeForce RTX 5080]"),
    (0x10de, 0x2c05, "GB203 [GeForce RTX 5070 Ti]"),
    (0x10de, 0x2f04, "GB205 [GeForce RTX 5070]"),
    (0x8086, 0x56a0, "DG2 [Arc A770]"),
    (0x8086, 0xe20b, "Battlemage G21 [Arc B580]"),
];
