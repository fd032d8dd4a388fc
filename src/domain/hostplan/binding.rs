//! Keeping a card for guests from the boot on: by ids where no other device has them, else by address.

use super::{
    Basis, Blocked, Files, HostPlan, MARK, MKINITCPIO, MODPROBE, MODULES_LOAD, RULES, Strategy, current, mkinitcpio,
    put, put_own,
};
use crate::domain::{
    finding::FindingId,
    gpu::PciAddr,
    iommu::{Device, Inventory, PciId},
    setup::{Directive, Initramfs, Order, Setup, same_module},
};
use std::collections::BTreeSet;

const VFIO: &str = "vfio-pci";

/// Plans the binding; whether anything of it is written.
pub(super) fn plan(basis: &Basis<'_>, slot: PciAddr, plan: &mut HostPlan) -> Result<bool, Blocked> {
    let Basis { inventory, setup, files, .. } = *basis;
    let twins = inventory.twins(slot);
    let own: Vec<&Device> = inventory.functions(slot).collect();
    let ids = unique(own.iter().map(|device| device.id));
    let strategy = if twins.is_empty() {
        Strategy::Ids(ids.clone())
    } else {
        Strategy::DriverOverride(own.iter().map(|device| device.addr).collect())
    };
    plan.strategy = Some(strategy.clone());
    forbidden(setup)?;
    if plan.ready && kept(basis, &own, &twins) {
        return Ok(false);
    }
    let mut changed = false;
    match &strategy {
        Strategy::Ids(_) => {
            let ids = add_ids(basis, plan, &ids)?;
            changed |= modprobe(basis, slot, plan, &ids)?;
        }
        Strategy::DriverOverride(addresses) => {
            let shared: Vec<PciId> =
                ids.into_iter().filter(|id| twins.iter().any(|twin| is(inventory, *twin, *id))).collect();
            changed |= drop_ids(basis, plan, &shared)?;
            let lines = rules(files, inventory, slot, addresses);
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

fn unique(ids: impl Iterator<Item = PciId>) -> Vec<PciId> {
    let mut seen = BTreeSet::new();
    ids.filter(|id| seen.insert(*id)).collect()
}

fn is(inventory: &Inventory, addr: PciAddr, id: PciId) -> bool {
    inventory.device(addr).is_some_and(|device| device.id == id)
}

/// Whether what holds the card now holds it after the next boot too, and twins that the host uses are left alone.
fn kept(basis: &Basis<'_>, own: &[&Device], twins: &[PciAddr]) -> bool {
    let told = basis.setup.vfio_ids();
    let ids: BTreeSet<PciId> = told.last().map(|(.., ids)| ids.iter().copied().collect()).unwrap_or_default();
    let held = |device: &&Device| device.bound_to() == Some(VFIO);
    let free_twins = twins.iter().filter_map(|twin| basis.inventory.device(*twin)).all(|twin| held(&twin));
    let by_id = free_twins && own.iter().all(|device| ids.contains(&device.id));
    let by_address = own.iter().all(|device| ruled(basis.files, device.addr));
    own.iter().all(held) && (by_id || by_address)
}

/// Nothing binds if vfio-pci is never loaded.
fn forbidden(setup: &Setup) -> Result<(), Blocked> {
    let barred = setup.modprobe.iter().find(|directive| match &directive.order {
        Order::Install { module, command } => same_module(module, VFIO) && is_nothing(command),
        _ => false,
    });
    let Some(Directive { file, line, .. }) = barred else { return Ok(()) };
    let message = format!("{file}:{line} keeps vfio-pci from being loaded at all.");
    Err(Blocked::new(FindingId::SetupFileUnclear, message)
        .or(format!("Remove line {line} of {file}, then plan again.")))
}

fn is_nothing(command: &str) -> bool {
    matches!(
        command.split_whitespace().next(),
        Some("/bin/false" | "/bin/true" | "/usr/bin/false" | "/usr/bin/true" | ":" | "false" | "true")
    )
}

/// Lines of other people's files that give ids to vfio-pci.
fn foreign_ids(setup: &Setup) -> impl DoubleEndedIterator<Item = (&Directive, &str)> {
    setup.modprobe.iter().filter(|directive| directive.file != MODPROBE).filter_map(|directive| {
        match &directive.order {
            Order::Options { module, values } if same_module(module, VFIO) => {
                values.iter().rev().find_map(|value| value.strip_prefix("ids=")).map(|value| (directive, value))
            }
            _ => None,
        }
    })
}

/// The ids that our own file gives. Where somebody else's line gives ids, the card's are added there: of two lines the
/// module takes the last one only.
fn add_ids(basis: &Basis<'_>, plan: &mut HostPlan, ids: &[PciId]) -> Result<Vec<PciId>, Blocked> {
    let Some((directive, value)) = foreign_ids(basis.setup).next_back() else {
        let own = basis.setup.modprobe.iter().filter(|directive| directive.file == MODPROBE);
        let before = own.filter_map(|directive| match &directive.order {
            Order::Options { values, .. } => values.iter().find_map(|value| value.strip_prefix("ids=")),
            _ => None,
        });
        let there = |id: &PciId| basis.inventory.devices.iter().any(|device| device.id == *id);
        let before = before.flat_map(|value| value.split(',')).filter_map(|id| id.parse().ok()).filter(there);
        return Ok(unique(before.chain(ids.iter().copied())));
    };
    let has: Vec<String> = value.split(',').map(str::to_ascii_lowercase).collect();
    let missing = ids.iter().map(ToString::to_string).filter(|id| !has.contains(id));
    let after: Vec<String> = value.split(',').map(str::to_owned).chain(missing).collect();
    rewrite(basis.files, plan, directive, value, &after)?;
    Ok(Vec::new())
}

/// Takes ids that a twin has too out of other people's lines.
fn drop_ids(basis: &Basis<'_>, plan: &mut HostPlan, shared: &[PciId]) -> Result<bool, Blocked> {
    let shared: Vec<String> = shared.iter().map(ToString::to_string).collect();
    let mut changed = false;
    for (directive, value) in foreign_ids(basis.setup) {
        let keep = |id: &&str| !shared.iter().any(|shared| id.to_ascii_lowercase().starts_with(shared));
        let after: Vec<String> = value.split(',').filter(keep).map(str::to_owned).collect();
        changed |= rewrite(basis.files, plan, directive, value, &after)?;
    }
    Ok(changed)
}

/// Another value of `ids=` in a line that somebody else wrote. Without ids the word goes, and a line without words.
fn rewrite(
    files: &Files,
    plan: &mut HostPlan,
    directive: &Directive,
    value: &str,
    ids: &[String],
) -> Result<bool, Blocked> {
    let Directive { file, line, .. } = directive;
    if ids.join(",") == value {
        return Ok(false);
    }
    let unclear = || {
        let message = format!("{file}:{line} gives vfio-pci the wrong ids, and can't be changed for certain.");
        Blocked::new(FindingId::SetupFileUnclear, message)
            .or(format!("Change line {line} of {file} by hand, then plan again."))
    };
    let text = current(plan, files, file).filter(|_| file.starts_with("/etc/")).ok_or_else(unclear)?;
    let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
    let old = lines.get_mut(line - 1).ok_or_else(unclear)?;
    let word = format!("ids={value}");
    if old.matches(&word).count() != 1 || old.contains(['\\', '"']) {
        return Err(unclear());
    }
    *old = if ids.is_empty() { without(old, &word) } else { old.replace(&word, &format!("ids={}", ids.join(","))) };
    let text: String = lines.concat();
    let why = if ids.len() < value.split(',').count() {
        "doesn't take the twin from the host any more"
    } else {
        "takes the card too"
    };
    Ok(put(plan, files, file, text, why))
}

/// An options line without a word; empty if nothing else is said.
fn without(line: &str, word: &str) -> String {
    let rest: Vec<&str> = line.split_whitespace().filter(|other| *other != word).collect();
    if rest.len() > 2 { format!("{}\n", rest.join(" ")) } else { String::new() }
}

/// Our own file: ids, and that vfio-pci is loaded before the drivers that would take the card.
fn modprobe(basis: &Basis<'_>, slot: PciAddr, plan: &mut HostPlan, ids: &[PciId]) -> Result<bool, Blocked> {
    let mut lines = Vec::new();
    if !ids.is_empty() {
        let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
        lines.push(format!("options vfio-pci ids={}", ids.join(",")));
    }
    let own = basis.setup.modprobe.iter().filter(|directive| directive.file == MODPROBE);
    let before = own.filter_map(|directive| match &directive.order {
        Order::Softdep { module, .. } => Some(module.clone()),
        _ => None,
    });
    let wanted = basis.inventory.functions(slot).flat_map(drivers);
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
fn rules(files: &Files, inventory: &Inventory, slot: PciAddr, addresses: &[PciAddr]) -> Vec<String> {
    let others: Files =
        files.iter().filter(|(path, _)| path.as_str() != RULES).map(|(p, t)| (p.clone(), t.clone())).collect();
    let ours = files.get(RULES).filter(|text| text.starts_with(MARK));
    let own = inventory.devices.iter().map(|device| device.addr).filter(|addr| addr.slot() != slot.slot());
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
