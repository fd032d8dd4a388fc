//! The PCI ID database of the system.

use super::root::Root;
use crate::domain::iommu::{NamesReader, PciId, PciNames};
use std::{
    collections::BTreeSet,
    fs::File,
    io::{BufRead as _, BufReader},
    path::Path,
};

/// Debian's place (package `pci.ids`, which Proxmox depends on), Arch's and Fedora's (`hwdata`).
const PLACES: [&str; 3] = ["/usr/share/misc/pci.ids", "/usr/share/hwdata/pci.ids", "/usr/share/pci.ids"];

/// The names of these devices. `given` is a database that a person names; else the root's own is read, and where it has
/// none this machine's: names are the same everywhere.
pub(super) fn read(root: &Root, given: Option<&Path>, wanted: &BTreeSet<PciId>) -> PciNames {
    let given = given.and_then(|path| File::open(path).ok());
    let from = |root: &Root| PLACES.iter().find_map(|place| File::open(root.resolve(place).ok()?).ok());
    let file = given.or_else(|| from(root)).or_else(|| from(&Root::this_machine()));
    file.map(|file| lines(file, wanted)).unwrap_or_default()
}

/// Line by line: the whole is more than everything else that a dashboard keeps.
fn lines(file: File, wanted: &BTreeSet<PciId>) -> PciNames {
    let (mut file, mut line) = (BufReader::with_capacity(1 << 16, file), Vec::new());
    let mut names = NamesReader::of(wanted);
    while file.read_until(b'\n', &mut line).is_ok_and(|count| count > 0) {
        if !names.line(String::from_utf8_lossy(&line).trim_end_matches(['\n', '\r'])) {
            break;
        }
        line.clear();
    }
    names.names()
}
