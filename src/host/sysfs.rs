//! PCI devices and IOMMU groups as the kernel shows them (`Documentation/ABI/testing/sysfs-bus-pci`,
//! `sysfs-kernel-iommu_groups`).

use super::{
    disks, names,
    root::{Bad, Root, Walked, absent, entries},
};
use crate::domain::{
    gpu::PciAddr,
    iommu::{Class, Device, HostUse, Inventory, Known, PciId, Power, Range, Sriov},
};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, openat, readlinkat, statat};
use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsString,
    fs::File,
    io::{self, Read as _},
    os::{fd::OwnedFd, unix::ffi::OsStringExt as _},
    path::{Path, PathBuf},
};

const DEVICES: &str = "/sys/bus/pci/devices";
const GROUPS: &str = "/sys/kernel/iommu_groups";
const UNITS: &str = "/sys/class/iommu";

/// Everything that the kernel says of PCI devices. Attributes that would wake a sleeping device aren't read.
///
/// # Errors
/// There is no PCI bus, or a file that is there can't be read.
pub fn inventory(root: &Root, pci_ids: Option<&Path>) -> Result<Inventory, Bad> {
    let listed = root.list(DEVICES)?;
    if listed.is_empty() {
        let source = io::Error::new(io::ErrorKind::NotFound, "no PCI devices are listed there");
        return Err(Bad { path: DEVICES.to_owned(), source });
    }
    let walked = Walked::default();
    let uses = disks::uses(root, &walked)?;
    let mut devices = Vec::new();
    for name in &listed {
        let Ok(addr) = name.parse::<PciAddr>() else { continue };
        let path = format!("{DEVICES}/{name}");
        let read = root.resolve_in(Some(&walked), &path).and_then(|at| device(root, addr, &at, &uses));
        devices.extend(read.map_err(|source| Bad { path, source })?);
    }
    let wanted: BTreeSet<PciId> = devices.iter().map(|device| device.id).collect();
    let names = names::read(root, pci_ids, &wanted);
    for device in &mut devices {
        device.names = names.of(device.id);
    }
    Ok(Inventory::new(devices, Known::Is(root.list(UNITS)?), translation(root)?))
}

/// How each group's DMA is translated.
fn translation(root: &Root) -> Result<BTreeMap<u32, String>, Bad> {
    let mut types = BTreeMap::new();
    let bad = |source| Bad { path: GROUPS.to_owned(), source };
    let Some(dir) = root.resolve(GROUPS).and_then(|at| absent(open(&at))).map_err(bad)? else { return Ok(types) };
    for group in root.list(GROUPS)? {
        if let (Ok(number), Some(kind)) = (group.parse(), attribute(&dir, &format!("{group}/type")).map_err(bad)?) {
            types.insert(number, kind);
        }
    }
    Ok(types)
}

/// One device. None where the kernel doesn't say what it is: it went away while it was being looked at.
fn device(root: &Root, addr: PciAddr, at: &Path, uses: &BTreeMap<PciAddr, Vec<HostUse>>) -> io::Result<Option<Device>> {
    let Some(dir) = absent(open(at))? else { return Ok(None) };
    let attribute = |name: &str| attribute(&dir, name);
    let told = attribute("uevent")?.as_deref().and_then(told);
    let Some(Identity { id, class, subsystem }) = told.map_or_else(|| asked(&dir), |told| Ok(Some(told)))? else {
        return Ok(None);
    };
    let bus = statat(&dir, "pci_bus", AtFlags::empty());
    let bridge = bus.is_ok_and(|found| FileType::from_raw_mode(found.st_mode).is_dir());
    let mut found = Device {
        subsystem: subsystem.filter(|subsystem| subsystem.vendor != 0),
        group: link(&dir, "iommu_group")?.and_then(|group| group.parse().ok()),
        bridge,
        parent: Known::Is(parent(&root.inside(at))),
        driver: Known::Is(link(&dir, "driver")?),
        driver_override: Known::Is(attribute("driver_override")?.filter(|text| !text.is_empty() && text != "(null)")),
        physical: link(&dir, "physfn")?.and_then(|addr| addr.parse().ok()),
        uses: uses.get(&addr).cloned().unwrap_or_default(),
        ..Device::bare(addr, id, class)
    };
    if !bridge {
        let methods = attribute("reset_method")?.unwrap_or_default();
        found.reset = Known::Is(methods.split_whitespace().map(str::to_owned).collect());
        found.power = power(&dir)?.into();
        found.sriov = sriov(&dir)?;
    }
    if class.is_display() {
        found.boot_vga = attribute("boot_vga")?.map(|text| text == "1").into();
        found.memory = attribute("resource")?.map(|text| memory(&text)).unwrap_or_default();
    }
    Ok(Some(found))
}

/// What a device is.
struct Identity {
    id: PciId,
    class: Class,
    subsystem: Option<PciId>,
}

/// What a device is as udev is told, all in one file: a large host's devices are read in half the time
/// (`pci_uevent` of `drivers/pci/pci-driver.c`).
fn told(text: &str) -> Option<Identity> {
    let field = |key: &str| text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
    Some(Identity {
        id: field("PCI_ID")?.parse().ok()?,
        class: Class::read(field("PCI_CLASS")?)?,
        subsystem: field("PCI_SUBSYS_ID").and_then(|id| id.parse().ok()),
    })
}

/// The same from a file for each field; none where they aren't there.
fn asked(at: &OwnedFd) -> io::Result<Option<Identity>> {
    let number = |name: &str| Ok::<_, io::Error>(attribute(at, name)?.and_then(|text| hex(&text)));
    let pair = |vendor, device| Ok::<_, io::Error>(number(vendor)?.zip(number(device)?));
    let id = |(vendor, device)| PciId { vendor, device };
    let class = attribute(at, "class")?.and_then(|text| Class::read(&text));
    let Some((own, class)) = pair("vendor", "device")?.zip(class) else { return Ok(None) };
    let subsystem = pair("subsystem_vendor", "subsystem_device")?.map(id);
    Ok(Some(Identity { id: id(own), class, subsystem }))
}

/// A device's attribute without the line's end. A device that doesn't answer gives an error of its own (`EIO`, `ENODEV`);
/// that is no reason not to show the others.
fn attribute(at: &OwnedFd, name: &str) -> io::Result<Option<String>> {
    match absent(read(at, name)) {
        Ok(bytes) => Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).trim().to_owned())),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Err(error),
        Err(_) => Ok(None),
    }
}

/// A directory: what is in it is then found by its name alone, and not by the whole way to it.
fn open(at: &Path) -> io::Result<OwnedFd> {
    File::open(at).map(OwnedFd::from)
}

/// A file that is a page at most, as attributes are: one call where a file of unknown length takes three.
fn read(at: &OwnedFd, name: &str) -> io::Result<Vec<u8>> {
    let mut file = File::from(openat(at, name, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty())?);
    let mut page = [0; 4096];
    let mut bytes = Vec::new();
    loop {
        let count = file.read(&mut page)?;
        bytes.extend_from_slice(page.get(..count).unwrap_or_default());
        if count < page.len() {
            return Ok(bytes);
        }
    }
}

/// The name of what a link leads to.
fn link(at: &OwnedFd, name: &str) -> io::Result<Option<String>> {
    let target = match readlinkat(at, name, Vec::new()).map_err(io::Error::from) {
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => None,
        other => absent(other)?,
    };
    let path = target.map(|target| PathBuf::from(OsString::from_vec(target.into_bytes())));
    Ok(path.and_then(|path| Some(path.file_name()?.to_string_lossy().into_owned())))
}

/// The bridge above: the directory that a device's directory is in.
fn parent(at: &Path) -> Option<PciAddr> {
    at.parent()?.file_name()?.to_str()?.parse().ok()
}

fn hex(text: &str) -> Option<u16> {
    u16::from_str_radix(text.trim_start_matches("0x"), 16).ok()
}

fn power(at: &OwnedFd) -> io::Result<Option<Power>> {
    let state = attribute(at, "power_state")?;
    let runtime = attribute(at, "power/runtime_status")?;
    let cold = attribute(at, "d3cold_allowed")?.map(|text| text == "1").into();
    Ok(state.zip(runtime).map(|(state, runtime)| Power { state, runtime, cold }))
}

fn sriov(at: &OwnedFd) -> io::Result<Option<Sriov>> {
    let count = |name| Ok::<_, io::Error>(attribute(at, name)?.and_then(|text| text.parse().ok()));
    let Some(possible) = count("sriov_totalvfs")?.filter(|possible| *possible > 0) else { return Ok(None) };
    Ok(Some(Sriov { present: count("sriov_numvfs")?.unwrap_or(0), possible }))
}

/// The memory ranges of `resource`: lines of `first last flags`; the flag 0x200 is memory (`include/linux/ioport.h`).
fn memory(text: &str) -> Vec<Range> {
    let number = |text: &str| u64::from_str_radix(text.trim_start_matches("0x"), 16).ok();
    let range = |line: &str| {
        let mut parts = line.split_whitespace().map(number);
        let (first, last, flags) = (parts.next()??, parts.next()??, parts.next()??);
        (flags & 0x200 != 0 && last > first).then_some(Range { first, last })
    };
    text.lines().filter_map(range).collect()
}

/// Where the device directory of a class's member is, such as `/sys/class/net/enp4s0`, and the innermost PCI function
/// above it.
pub(super) fn pci_above(root: &Root, walked: &Walked, path: &str) -> Option<(PathBuf, PciAddr)> {
    let at = root.resolve_in(Some(walked), path).ok()?;
    let names = at.ancestors().filter_map(|part| part.file_name()?.to_str());
    let addr = names.filter(|name| name.contains('.')).find_map(|name| name.parse::<PciAddr>().ok())?;
    Some((at, addr))
}

/// The names in a directory of the root, or none where it can't be listed.
pub(super) fn names_in(at: &Path) -> Vec<String> {
    entries(at).unwrap_or_default()
}
