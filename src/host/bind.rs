//! Giving a slot to vfio-pci now, and back to its drivers: by `driver_override`, address by address, so that no twin goes
//! along (kernel `Documentation/ABI/testing/sysfs-bus-pci`).

use super::root::{Bad, Root, absent, bad};
use crate::{
    domain::{gpu::PciAddr, ids::Vmid, iommu::Inventory},
    files::{self, Kept, Place},
};
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
};

/// Where what was before is kept: until the next boot, as what it is about.
const PLACE: &str = "/run/morpheus/bind";
const RESERVED: &str = "/run/qemu-server/pci-id-reservations";
const VFIO: &str = "vfio-pci";

/// A function as it was before it was bound.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Former {
    /// Which.
    pub addr: PciAddr,
    /// The driver that held it; none if none did.
    pub driver: Option<String>,
    /// The only driver that might take it, where somebody had said so.
    pub only: Option<String>,
}

/// One write to a file of the kernel.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Write {
    /// Where.
    pub path: String,
    /// What; an empty line takes a former value away.
    pub text: String,
}

/// The functions of a card as they are now, bridges left out.
#[must_use]
pub fn former(inventory: &Inventory, slot: PciAddr) -> Vec<Former> {
    let devices = inventory.own(slot).into_iter().filter(|device| !device.bridge);
    let former = devices.map(|device| Former {
        addr: device.addr,
        driver: device.bound_to().map(str::to_owned),
        only: device.driver_override.get().cloned().flatten(),
    });
    former.collect()
}

/// The writes that give these functions to vfio-pci.
#[must_use]
pub fn taking(now: &[Former]) -> Vec<Write> {
    let open = now.iter().filter(|former| former.driver.as_deref() != Some(VFIO));
    open.flat_map(|former| writes(former.addr, Some(VFIO), former.driver.is_some())).collect()
}

/// The writes that give functions back. `now` are the same functions as they are.
#[must_use]
pub fn giving_back(before: &[Former], now: &[Former]) -> Vec<Write> {
    let changed = before.iter().filter_map(|former| {
        let now = now.iter().find(|now| now.addr == former.addr)?;
        (now != former).then_some((former, now.driver.is_some() && now.driver != former.driver))
    });
    changed.flat_map(|(former, held)| writes(former.addr, former.only.as_deref(), held)).collect()
}

/// What isn't as it was to become, in words: `before` none for a card that was given to vfio-pci, else what it was. A
/// function that had no driver may have found one.
#[must_use]
pub fn unmoved(before: Option<&[Former]>, now: &[Former]) -> Vec<String> {
    let wrong = now.iter().filter(|now| {
        let is_vfio = now.driver.as_deref() == Some(VFIO);
        let Some(before) = before else { return !is_vfio };
        let had = before.iter().find(|former| former.addr == now.addr).and_then(|former| former.driver.as_deref());
        now.driver.as_deref() != had && (is_vfio || now.driver.is_none())
    });
    let words = |now: &Former| match &now.driver {
        Some(driver) => format!("{} is still with {driver}", now.addr),
        None => format!("no driver took {}", now.addr),
    };
    wrong.map(words).collect()
}

/// Says who may take a function, takes it from its driver, and has the kernel look for one.
fn writes(addr: PciAddr, only: Option<&str>, held: bool) -> Vec<Write> {
    let device = format!("/sys/bus/pci/devices/{addr}");
    let write = |path: String, text: &str| Write { path, text: format!("{text}\n") };
    let mut writes = vec![write(format!("{device}/driver_override"), only.unwrap_or_default())];
    if held {
        writes.push(write(format!("{device}/driver/unbind"), &addr.to_string()));
    }
    writes.push(write("/sys/bus/pci/drivers_probe".to_owned(), &addr.to_string()));
    writes
}

/// Does one write. The file has to be there: the kernel makes it, nobody else.
///
/// # Errors
/// It isn't there, or the kernel refuses.
pub fn write(root: &Root, write: &Write) -> Result<(), Bad> {
    let done = root.resolve(&write.path).and_then(|at| {
        OpenOptions::new().write(true).truncate(!root.is_this_machine()).open(at)?.write_all(write.text.as_bytes())
    });
    done.map_err(|error| bad(&write.path, error))
}

/// What a slot was before it was bound; none if it wasn't, or the host was started since.
///
/// # Errors
/// It can't be read.
pub fn recorded(root: &Root, slot: PciAddr) -> Result<Option<Vec<Former>>, Bad> {
    let path = place(slot);
    let text = root.whole_text(&path)?;
    let read = text.map(|text| serde_json::from_str(&text)).transpose();
    read.map_err(|error| bad(&path, io::Error::new(io::ErrorKind::InvalidData, error)))
}

/// Keeps what a slot was before it is bound. What is kept already stays: it is older.
///
/// # Errors
/// It can't be written.
pub fn record(root: &Root, slot: PciAddr, former: &[Former]) -> Result<(), Bad> {
    let path = place(slot);
    if root.has(&path) {
        return Ok(());
    }
    let written = root.resolve(&path).and_then(|at| {
        files::make_dir(at.parent().unwrap_or(root.path()))?;
        Place::exact(&at)?.replace(&serde_json::to_vec(former)?, &Kept::fresh(0o644))
    });
    written.map_err(|error| bad(&path, error))
}

/// Forgets what a slot was: it is so again.
///
/// # Errors
/// It can't be removed.
pub fn forget(root: &Root, slot: PciAddr) -> Result<(), Bad> {
    let path = place(slot);
    let removed = root.resolve(&path).and_then(fs::remove_file);
    absent(removed).map(|_| ()).map_err(|error| bad(&path, error))
}

fn place(slot: PciAddr) -> String {
    format!("{PLACE}/{slot}.json")
}

/// The VM that has one of these functions or is being started with it, by Proxmox' own list: lines of
/// `ADDRESS VMID time:T|pid:P` (qemu-server `PCI.pm:805-872`). A line of a process that is gone is a leftover; one
/// without a process is taken for a start that is on its way.
///
/// # Errors
/// The list can't be read.
pub fn holder(root: &Root, own: &[PciAddr]) -> Result<Option<Vmid>, Bad> {
    let text = root.text(RESERVED)?.unwrap_or_default();
    let holder = |line: &str| {
        let mut words = line.split_whitespace();
        let addr: PciAddr = words.next()?.parse().ok()?;
        let vmid: Vmid = words.next()?.parse().ok()?;
        let gone = words.next()?.strip_prefix("pid:").is_some_and(|pid| !root.has(&format!("/proc/{pid}")));
        (own.iter().any(|own| own.overlaps(addr)) && !gone).then_some(vmid)
    };
    Ok(text.lines().find_map(holder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_driver_that_didnt_change_is_named() {
        let now = |driver: Option<&str>| {
            let addr: PciAddr = "0000:01:00.0".parse().unwrap();
            vec![Former { addr, driver: driver.map(str::to_owned), only: None }]
        };
        assert_eq!(unmoved(None, &now(Some(VFIO))), [""; 0]);
        assert_eq!(unmoved(None, &now(Some("nvidia"))), ["0000:01:00.0 is still with nvidia"]);
        assert_eq!(unmoved(None, &now(None)), ["no driver took 0000:01:00.0"]);
        let before = now(Some("nvidia"));
        assert_eq!(unmoved(Some(&before), &now(Some("nvidia"))), [""; 0]);
        assert_eq!(unmoved(Some(&before), &now(Some("nouveau"))), [""; 0], "given back, if to another one");
        assert_eq!(unmoved(Some(&before), &now(Some(VFIO))), ["0000:01:00.0 is still with vfio-pci"]);
        assert_eq!(unmoved(Some(&before), &now(None)), ["no driver took 0000:01:00.0"]);
        assert_eq!(unmoved(Some(&now(None)), &now(None)), [""; 0]);
        assert_eq!(unmoved(Some(&now(None)), &now(Some("amdgpu"))), [""; 0]);
        assert_eq!(unmoved(Some(&now(Some(VFIO))), &now(Some(VFIO))), [""; 0], "it was so before");
    }

    #[test]
    fn who_has_a_card_or_is_about_to_is_known_from_the_list() {
        let dir = tempfile::tempdir().unwrap();
        let root = Root::at(dir.path()).unwrap();
        fs::create_dir_all(dir.path().join("run/qemu-server")).unwrap();
        fs::create_dir_all(dir.path().join("proc/4711")).unwrap();
        let text = "0000:01:00.0 101 pid:4711\n0000:02:00.0 102 pid:4712\n0000:03:00.0 103 time:1764000000\n";
        fs::write(dir.path().join("run/qemu-server/pci-id-reservations"), text).unwrap();
        let by = |slot: &str| holder(&root, &[slot.parse().unwrap()]).unwrap().map(Vmid::get);
        assert_eq!([by("01:00"), by("02:00"), by("03:00"), by("04:00")], [Some(101), None, Some(103), None]);
    }
}
