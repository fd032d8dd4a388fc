//! What modprobe is told: ids for vfio-pci, blacklists.

use super::{Finding, Machine, Report, unread};
use crate::domain::{
    finding::FindingId,
    iommu::{Device, Role},
    setup::{CommandLine, GivenIds, Order, Setup, same_module},
};

/// Drivers of displays by their vendor.
const DRIVERS: [(u16, &[&str]); 3] = [
    (0x10de, &["nouveau", "nvidia", "nvidia_drm", "nvidiafb"]),
    (0x1002, &["amdgpu", "radeon"]),
    (0x8086, &["i915", "xe"]),
];

/// Checks what modules are told.
pub(super) fn examine(machine: &Machine, report: &mut Report) {
    for given in machine.setup.vfio_ids() {
        let GivenIds { file, line, items, cut } = &given;
        for id in given.ids().filter(|id| !machine.inventory.devices.iter().any(|device| id.takes(device))) {
            let words = format!("{file} line {line} names {id}");
            report.add(Finding::of_host(FindingId::GpuIdsUnknown, words));
        }
        if !cut.is_empty() {
            let words = format!("{file} line {line}: a blank ends the list before {}", cut.join(","));
            let whole: Vec<&str> = items.iter().chain(cut).copied().collect();
            let finding = Finding::of_host(FindingId::GpuIdsCut, words);
            report.add(finding.fix(format!("write ids={}", whole.join(","))));
        }
    }
    unread::examine(machine, report);
    for (place, module) in blacklist(&machine.setup) {
        for device in kept(machine).filter(|device| needs(device, &module)) {
            let subject = format!("{} {}", device.addr, device.title());
            let words = format!("{place} blacklists {module}, and the host has no other driver for this card");
            report.add(Finding::new(FindingId::GpuBlacklist, subject, words));
        }
    }
}

/// Modules that are blacklisted, and where it says so.
fn blacklist(setup: &Setup) -> Vec<(String, String)> {
    let written = setup.modprobe.iter().filter_map(|directive| {
        let Order::Blacklist { module } = &directive.order else { return None };
        Some((format!("{} line {}", directive.file, directive.line), module.clone()))
    });
    let line = setup.cmdline.get();
    let told = line.into_iter().flat_map(|line| ["modprobe.blacklist", "module_blacklist"].map(|key| (line, key)));
    let told = told.flat_map(|(line, key)| line.values(key).flat_map(|value| value.split(',')).collect::<Vec<_>>());
    written.chain(told.map(|module| ("/proc/cmdline".to_owned(), module.to_owned()))).collect()
}

/// Displays that stay with the host.
fn kept(machine: &Machine) -> impl Iterator<Item = &Device> {
    let cards = machine.inventory.cards().into_iter().filter(|card| card.role == Role::Host);
    cards.filter_map(|card| machine.inventory.device(card.main))
}

/// Whether a display has no driver without this module: it has this one or none. Who runs NVIDIA's own driver
/// blacklists nouveau with good reason.
fn needs(device: &Device, module: &str) -> bool {
    let drives = DRIVERS.iter().find(|(vendor, _)| *vendor == device.id.vendor);
    let drives = drives.is_some_and(|(_, names)| names.iter().any(|name| same_module(name, module)));
    let bound =
        device.driver.get().is_some_and(|driver| driver.as_deref().is_none_or(|name| same_module(name, module)));
    drives && bound
}

/// What an option of a module is set to, and where.
pub(super) fn option(setup: &Setup, module: &str, name: &str) -> Vec<(String, String)> {
    let prefix = format!("{name}=");
    let written = setup.modprobe.iter().filter_map(|directive| {
        let Order::Options { module: of, values } = &directive.order else { return None };
        let value = values.iter().rev().find_map(|value| value.strip_prefix(&prefix))?;
        same_module(of, module).then(|| (format!("{} line {}", directive.file, directive.line), value.to_owned()))
    });
    let key = format!("{module}.{name}");
    let told = setup.cmdline.get().into_iter().flat_map(CommandLine::tokens);
    let told = told.filter_map(|word| word.strip_prefix(&key)?.strip_prefix('='));
    written.chain(told.map(|value| ("/proc/cmdline".to_owned(), value.to_owned()))).collect()
}
