//! The PCI ID database of the system.

use super::root::Root;
use crate::domain::iommu::{PciId, PciNames};
use std::{collections::BTreeSet, fs, path::Path};

/// Debian's place (package `pci.ids`, which Proxmox depends on), Arch's and Fedora's (`hwdata`).
const PLACES: [&str; 3] = ["/usr/share/misc/pci.ids", "/usr/share/hwdata/pci.ids", "/usr/share/pci.ids"];

/// The names of these devices. `given` is a database that a person names; else the root's own is read, and where it has
/// none this machine's: names are the same everywhere.
pub(super) fn read(root: &Root, given: Option<&Path>, wanted: &BTreeSet<PciId>) -> PciNames {
    let given = given.and_then(|path| fs::read(path).ok());
    let from = |root: &Root| PLACES.iter().find_map(|place| fs::read(root.resolve(place).ok()?).ok());
    let bytes = given.or_else(|| from(root)).or_else(|| from(&Root::this_machine()));
    bytes.map_or_else(PciNames::default, |bytes| PciNames::read(&String::from_utf8_lossy(&bytes), wanted))
}
