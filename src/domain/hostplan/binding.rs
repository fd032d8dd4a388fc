//! Keeping a card for guests from the boot on: by ids where no other device has them, else by address.

use super::{
    Basis, Blocked, Files, HostPlan, MARK, MKINITCPIO, MODPROBE, MODULES_LOAD, RULES, Strategy, current, mkinitcpio,
    put, put_own,
};
use crate::domain::{
    finding::FindingId,
    gpu::PciAddr,
    iommu::{Device, Inventory},
    setup::{Directive, GivenIds, Initramfs, Order, Setup, VfioId, is_nothing, is_plain, list_in, same_module},
};
use std::collections::BTreeSet;

const VFIO: &str = "vfio-pci";

/// Plans the binding; whether anything of it is written.
pub(super) fn plan(basis: &Basis<'_>, slot: PciAddr, plan: &mut HostPlan) -> Result<bool, Blocked> {
    let Basis { inventory, setup, files, .. } = *basis;
    let own: Vec<&Device> = inventory.own(slot);
    let addresses: Vec<PciAddr> = own.iter().map(|device| device.addr).collect();
    let twins = inventory.twins(&addresses);
    let given = setup.vfio_ids().pop();
    let strategy = match given.filter(|given| given.takes_only(&own, &inventory.devices)) {
        _ if twins.is_empty() => Strategy::Ids(unique(own.iter().map(|device| device.id.into()))),
        // Somebody told the twins apart by their makers.
        Some(given) => Strategy::Ids(given.ids().filter(|id| own.iter().any(|device| id.takes(device))).collect()),
        None => Strategy::DriverOverride(addresses),
    };
    plan.strategy = Some(strategy.clone());
    forbidden(setup)?;
    if plan.ready && kept(basis, &own, &twins) {
        return Ok(false);
    }
    let mut changed = false;
    match &strategy {
        Strategy::Ids(ids) => {
            let ids = add_ids(basis, plan, &own, ids)?;
            changed |= modprobe(basis, &own, plan, &ids)?;
        }
        Strategy::DriverOverride(addresses) => {
            let twins: Vec<&Device> = twins.iter().filter_map(|twin| inventory.device(*twin)).collect();
            changed |= drop_ids(basis, plan, &twins)?;
            let lines = rules(files, inventory, addresses);
            if !lines.is_empty() {
                changed |= put_own(plan, files, RULES, &lines, "keeps the card's functions for vfio-pci, by address")?;
            }
        }
    }
    let missing =
        ["vfio", "vfio_iommu_type1", "vfio_pci"].into_iter().filter(|module| !loaded_by_others(setup, module));
    let lines: Vec<String> = missing.map(str::to_owned).collect();
    if !lines.is_empty() {
        changed |= put_own(plan, files, MODULES_LOAD, &lines, "loads VFIO's modules when the host starts")?;
    }
    if setup.initramfs.is(&Initramfs::Mkinitcpio) {
        let lines = mkinitcpio::lines(files, &strategy);
        if !lines.is_empty() {
            changed |=
                put_own(plan, files, MKINITCPIO, &lines, "puts VFIO before graphics drivers in the initial RAM disk")?;
        }
    }
    Ok(changed || plan.edits.iter().any(|edit| edit.path.starts_with("/etc/modprobe.d/")))
}

fn unique(ids: impl Iterator<Item = VfioId>) -> Vec<VfioId> {
    let mut seen = BTreeSet::new();
    ids.filter(|id| seen.insert(*id)).collect()
}

/// Whether what holds the card now holds it after the next boot too, and twins that the host uses are left alone.
fn kept(basis: &Basis<'_>, own: &[&Device], twins: &[PciAddr]) -> bool {
    let told = basis.setup.vfio_ids().pop();
    let held = |device: &&Device| device.bound_to() == Some(VFIO);
    let by_id = told.is_some_and(|told| {
        let mut taken = twins.iter().filter_map(|twin| basis.inventory.device(*twin)).filter(|twin| told.takes(twin));
        taken.all(|twin| held(&twin)) && own.iter().all(|device| told.takes(device))
    });
    let by_address = own.iter().all(|device| ruled(basis.files, device.addr));
    own.iter().all(held) && (by_id || by_address)
}

/// Nothing binds if vfio-pci is never loaded.
fn forbidden(setup: &Setup) -> Result<(), Blocked> {
    let Some(place) = setup.vfio_barred() else { return Ok(()) };
    let message = format!("{place} keeps vfio-pci from being loaded when the host starts.");
    Err(Blocked::new(FindingId::SetupFileUnclear, message).or(format!("Take that out of {place}, then plan again.")))
}

/// Lines of other people's files that give ids to vfio-pci.
fn foreign_ids(setup: &Setup) -> impl DoubleEndedIterator<Item = GivenIds<'_>> {
    setup.modprobe.iter().filter(|directive| directive.file != MODPROBE).filter_map(Directive::vfio_ids)
}

/// The ids that our own file gives. Where somebody else's line gives ids, the card's are added there: of two lines the
/// module takes the last one only.
fn add_ids(basis: &Basis<'_>, plan: &mut HostPlan, own: &[&Device], ids: &[VfioId]) -> Result<Vec<VfioId>, Blocked> {
    let Some(given) = foreign_ids(basis.setup).next_back() else {
        let ours = basis.setup.modprobe.iter().filter(|directive| directive.file == MODPROBE);
        let before = ours.filter_map(Directive::vfio_ids).flat_map(|given| given.ids().collect::<Vec<_>>());
        let there = |id: &VfioId| basis.inventory.devices.iter().any(|device| id.takes(device));
        return Ok(unique(before.filter(there).chain(ids.iter().copied())));
    };
    let listed = given.items.iter().chain(&given.cut);
    let items: Vec<String> = listed.clone().filter_map(|item| kept_item(basis.inventory, item)).collect();
    let told = |device: &&&Device| items.iter().any(|item| item.parse::<VfioId>().is_ok_and(|id| id.takes(device)));
    let missing = unique(own.iter().filter(|device| !told(device)).map(|device| device.id.into()));
    let senseless = listed.clone().any(|item| !is_plain(item));
    if !missing.is_empty() || !given.cut.is_empty() || senseless {
        let why = match (missing.is_empty(), senseless) {
            (_, true) => "takes what the kernel can't read out of the list",
            (true, _) => "a blank ended the list",
            (false, _) => "takes the card too",
        };
        let after: Vec<String> = items.into_iter().chain(missing.iter().map(ToString::to_string)).collect();
        rewrite(basis.files, plan, &given, &after, why)?;
    }
    Ok(Vec::new())
}

/// An item of somebody else's list as it stays: as it is, or as the kernel reads what it can of it. One that gives no
/// device goes, where it isn't written as an item has to be.
fn kept_item(inventory: &Inventory, item: &str) -> Option<String> {
    if is_plain(item) {
        return Some(item.to_owned());
    }
    let id: VfioId = item.parse().ok()?;
    inventory.devices.iter().any(|device| id.takes(device)).then(|| id.to_string())
}

/// Takes ids that a twin has too out of other people's lines.
fn drop_ids(basis: &Basis<'_>, plan: &mut HostPlan, twins: &[&Device]) -> Result<bool, Blocked> {
    let mut changed = false;
    for given in foreign_ids(basis.setup) {
        let hits = |item: &&str| item.parse::<VfioId>().is_ok_and(|id| twins.iter().any(|twin| id.takes(twin)));
        let items = given.items.iter().chain(&given.cut);
        let after: Vec<String> = items.filter(|item| !hits(item)).map(|item| (*item).to_owned()).collect();
        if after.len() < given.items.len() + given.cut.len() {
            changed |= rewrite(basis.files, plan, &given, &after, "doesn't take the twin from the host any more")?;
        }
    }
    Ok(changed)
}

/// Another list of ids in a line that somebody else wrote. Without ids the word goes, and a line without words.
fn rewrite(
    files: &Files,
    plan: &mut HostPlan,
    given: &GivenIds<'_>,
    ids: &[String],
    why: &str,
) -> Result<bool, Blocked> {
    let GivenIds { file, line, .. } = *given;
    let unclear = || {
        let message = format!("{file}:{line} gives vfio-pci the wrong ids, and can't be changed for certain.");
        Blocked::new(FindingId::SetupFileUnclear, message)
            .or(format!("Change line {line} of {file} by hand, then plan again."))
    };
    let text = current(plan, files, file).filter(|_| file.starts_with("/etc/")).ok_or_else(unclear)?;
    let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
    let old = lines.get_mut(line - 1).filter(|old| !old.contains('\\')).ok_or_else(unclear)?;
    let list = list_in(old).ok_or_else(unclear)?;
    if ids.is_empty() {
        old.replace_range(list, "");
        let rest: Vec<&str> = old.split_whitespace().collect();
        *old = if rest.len() > 2 { format!("{}\n", rest.join(" ")) } else { String::new() };
    } else {
        old.replace_range(list, &format!("ids={}", ids.join(",")));
    }
    Ok(put(plan, files, file, lines.concat(), why))
}

/// Our own file: ids, and that vfio-pci is loaded before the drivers that would take the card.
fn modprobe(basis: &Basis<'_>, own: &[&Device], plan: &mut HostPlan, ids: &[VfioId]) -> Result<bool, Blocked> {
    let mut lines = Vec::new();
    if !ids.is_empty() {
        let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
        lines.push(format!("options vfio-pci ids={}", ids.join(",")));
    }
    let ours = basis.setup.modprobe.iter().filter(|directive| directive.file == MODPROBE);
    let before = ours.filter_map(|directive| match &directive.order {
        Order::Softdep { module, .. } => Some(module.clone()),
        _ => None,
    });
    let wanted = own.iter().flat_map(|device| drivers(device));
    let mut seen = BTreeSet::new();
    let modules =
        before.chain(wanted).filter(|module| seen.insert(module.replace('-', "_")) && !waits(basis.setup, module));
    lines.extend(modules.map(|module| format!("softdep {module} pre: vfio-pci")));
    if lines.is_empty() {
        return Ok(false);
    }
    put_own(plan, basis.files, MODPROBE, &lines, "gives the card to vfio-pci before its own drivers see it")
}

/// Whether somebody else's line keeps a driver behind vfio-pci, or away.
fn waits(setup: &Setup, driver: &str) -> bool {
    setup.modprobe.iter().filter(|directive| directive.file != MODPROBE).any(|directive| match &directive.order {
        Order::Softdep { module, pre, .. } => {
            same_module(module, driver) && pre.iter().any(|other| same_module(other, VFIO))
        }
        Order::Blacklist { module } => same_module(module, driver),
        Order::Install { module, command } => same_module(module, driver) && is_nothing(command),
        _ => false,
    })
}

/// The modules that would take a function, by vendor and class.
fn drivers(device: &Device) -> Vec<String> {
    let usual: &[&str] = match (device.class.kind(), device.id.vendor) {
        (0x0300 | 0x0302 | 0x0380, 0x10de) => &["nouveau", "nvidia", "nvidiafb", "nvidia_drm"],
        (0x0300 | 0x0302 | 0x0380, 0x1002) => &["amdgpu", "radeon"],
        (0x0300 | 0x0302 | 0x0380, 0x8086) => &["i915", "xe"],
        (0x0401 | 0x0403, _) => &["snd_hda_intel"],
        (0x0c03, _) => &["xhci_pci", "xhci_hcd"],
        (0x0c80, 0x10de) => &["i2c_nvidia_gpu"],
        _ => &[],
    };
    let bound = device.bound_to().filter(|driver| usual.is_empty() && *driver != VFIO);
    usual.iter().map(|module| (*module).to_owned()).chain(bound.map(str::to_owned)).collect()
}

fn loaded_by_others(setup: &Setup, module: &str) -> bool {
    setup.load.iter().any(|load| load.file != MODULES_LOAD && same_module(&load.module, module))
}

/// Whether somebody else's udev rule keeps a function for vfio-pci.
fn ruled(files: &Files, addr: PciAddr) -> bool {
    let rules = files.iter().filter(|(path, _)| path.starts_with("/etc/udev/rules.d/"));
    rules.flat_map(|(_, text)| text.lines()).any(|line| rule_of(line, addr))
}

fn rule_of(line: &str, addr: PciAddr) -> bool {
    let code = line.trim_start();
    !code.starts_with('#') && code.contains(&format!("\"{addr}\"")) && code.contains("driver_override}=\"vfio-pci\"")
}

/// The rules for these functions, and those of our file for other devices that are still there. The kernel is asked to
/// look for a driver once more: vfio-pci may have been loaded before the rule was read.
fn rules(files: &Files, inventory: &Inventory, addresses: &[PciAddr]) -> Vec<String> {
    let others: Files =
        files.iter().filter(|(path, _)| path.as_str() != RULES).map(|(p, t)| (p.clone(), t.clone())).collect();
    let ours = files.get(RULES).filter(|text| text.starts_with(MARK));
    let own = inventory.devices.iter().map(|device| device.addr).filter(|addr| !addresses.contains(addr));
    let kept = own.filter(|addr| ours.is_some_and(|text| text.lines().any(|line| rule_of(line, *addr))));
    let wanted: BTreeSet<PciAddr> =
        kept.chain(addresses.iter().copied().filter(|addr| !ruled(&others, *addr))).collect();
    let line = |addr: &PciAddr| {
        format!(
            "ACTION==\"add\", SUBSYSTEM==\"pci\", KERNEL==\"{addr}\", ATTR{{driver_override}}=\"vfio-pci\", \
             RUN{{builtin}}+=\"kmod load vfio-pci\", RUN+=\"/bin/sh -c 'echo {addr} > /sys/bus/pci/drivers_probe'\""
        )
    };
    wanted.iter().map(line).collect()
}
