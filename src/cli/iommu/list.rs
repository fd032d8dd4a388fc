//! `iommu list`: cards with their verdicts, then the groups.

use super::document;
use crate::{
    cli::{failure::Failure, json, shell::Shell, table::table},
    domain::{
        iommu::{Card, Device, Inventory, Kind, Role, Verdict},
        text::{counted, safe},
    },
};
use std::{collections::BTreeSet, io};

/// Writes cards and groups; only the cards' own groups if that is asked for.
pub(super) fn write(shell: &mut Shell<'_>, inventory: &Inventory, gpus_only: bool) -> Result<(), Failure> {
    let cards = inventory.cards();
    if shell.json() {
        let list = document::list(inventory, &cards, gpus_only);
        return Ok(json::document(shell.out, json::IOMMU, &list)?);
    }
    writeln!(shell.out, "{}", state(inventory))?;
    write_gaps(shell, inventory)?;
    writeln!(shell.out)?;
    if cards.is_empty() {
        writeln!(shell.out, "No graphics card was found.")?;
    } else {
        cards_table(shell, inventory, &cards)?;
    }
    let wanted: BTreeSet<u32> = cards.iter().flat_map(|card| card.slot.groups.iter().copied()).collect();
    for (group, devices) in inventory.groups() {
        if !gpus_only || wanted.contains(&group) {
            let translation = inventory.translation.get(&group);
            let kind = translation.map(|kind| format!(" ({})", safe(kind))).unwrap_or_default();
            writeln!(shell.out, "\nGroup {group}{kind}")?;
            devices_table(shell, &devices)?;
        }
    }
    let loose: Vec<&Device> = inventory.devices.iter().filter(|device| device.group.is_none()).collect();
    let shown = if gpus_only { loose.into_iter().filter(|d| d.class.is_display()).collect() } else { loose };
    if !shown.is_empty() {
        writeln!(shell.out, "\nIn no group")?;
        devices_table(shell, &shown)?;
    }
    Ok(())
}

/// `IOMMU on (dmar0, dmar1): 19 devices in 12 groups.`
pub(super) fn state(inventory: &Inventory) -> String {
    let groups = inventory.groups().len();
    let devices = counted(inventory.devices.len(), "device");
    match inventory.units.get() {
        Some(units) if units.is_empty() => {
            format!("IOMMU off: {devices}, none can be passed through. `morpheus doctor` says why.")
        }
        Some(units) => format!("IOMMU on ({}): {devices} in {}.", units.join(", "), counted(groups, "group")),
        None if inventory.is_on() => format!("{devices} in {}.", counted(groups, "group")),
        None => format!("{devices}, none in an IOMMU group: none can be passed through."),
    }
}

/// What a source that isn't the host's own kernel leaves out.
pub(super) fn write_gaps(shell: &mut Shell<'_>, inventory: &Inventory) -> io::Result<()> {
    if inventory.is_of_the_kernel() {
        return Ok(());
    }
    writeln!(
        shell.out,
        "The API doesn't show drivers, reset methods, power states, what the host uses a device for, and"
    )?;
    writeln!(shell.out, "which display it booted on. `morpheus iommu` on the host itself does.")
}

fn cards_table(shell: &mut Shell<'_>, inventory: &Inventory, cards: &[Card]) -> io::Result<()> {
    let rows = cards.iter().map(|card| {
        let device = inventory.device(card.main);
        [
            card.slot.addr.to_string(),
            device.map(Device::title).unwrap_or_default(),
            card.slot.verdict.word().to_owned(),
            driver(device),
            match card.role {
                Role::Passthrough if card.slot.verdict.is_clean() => "for a guest".to_owned(),
                Role::Passthrough => "for a guest, but not as it is".to_owned(),
                Role::Slice => card.reason.clone(),
                Role::Host if matches!(card.kind, Kind::Discrete | Kind::Integrated) => {
                    format!("stays: {}", card.reason.split([',', ';']).next().unwrap_or_default())
                }
                Role::Host => format!("stays: {}", card.kind.word()),
            },
        ]
    });
    table(shell.out, [("SLOT", 0), ("CARD", 0), ("GROUP", 0), ("DRIVER", 0), ("USE", 0)], rows)?;
    for card in cards.iter().filter(|card| card.slot.verdict == Verdict::Dirty) {
        let losses = inventory.losses(&card.slot).iter().map(ToString::to_string).collect::<Vec<_>>();
        let takes = if losses.is_empty() { "devices that aren't its own".to_owned() } else { losses.join(", ") };
        writeln!(shell.out, "\n{}: a VM would take {} from the host.", card.slot.addr, safe(&takes))?;
    }
    Ok(())
}

fn devices_table(shell: &mut Shell<'_>, devices: &[&Device]) -> io::Result<()> {
    let rows = devices.iter().map(|device| {
        let uses: Vec<String> = device.uses.iter().map(ToString::to_string).collect();
        let title = if uses.is_empty() { device.title() } else { format!("{} [{}]", device.title(), uses.join(", ")) };
        [format!("  {}", device.addr), device.class.word().to_owned(), driver(Some(device)), title]
    });
    table(shell.out, [("  ADDRESS", 0), ("KIND", 22), ("DRIVER", 13), ("NAME", 0)], rows)
}

/// The driver in a word: `-` where none holds the device, `?` where that isn't known.
fn driver(device: Option<&Device>) -> String {
    let known = device.and_then(|device| device.driver.get());
    known.map_or_else(|| "?".to_owned(), |driver| driver.clone().unwrap_or_else(|| "-".to_owned()))
}
