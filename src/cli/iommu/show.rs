//! `iommu show`: one card or device.

use super::{
    document,
    list::{state, write_gaps},
};
use crate::{
    cli::{failure::Failure, json, shell::Shell},
    domain::{
        finding::FindingId,
        gpu::PciAddr,
        iommu::{Card, Device, Inventory, Kind, Slot, Verdict},
        text::{counted, safe},
    },
};
use std::io;

/// Writes what is known of a card or slot and its groups. An address with a function shows all that is handed over with
/// that function.
pub(super) fn write(shell: &mut Shell<'_>, inventory: &Inventory, addr: &str) -> Result<(), Failure> {
    let slot = find(inventory, addr)?;
    let cards = inventory.cards();
    let card = cards.iter().find(|card| card.slot == slot);
    if shell.json() {
        return Ok(json::document(shell.out, json::IOMMU_SLOT, &document::show(inventory, &slot, card))?);
    }
    let main = card.map_or_else(|| slot.functions.first().copied(), |card| Some(card.main));
    let title = main.and_then(|main| inventory.device(main)).map(Device::title).unwrap_or_default();
    writeln!(shell.out, "{}  {}\n", slot.addr, safe(&title))?;
    let groups: Vec<String> = slot.groups.iter().map(u32::to_string).collect();
    let groups = if groups.is_empty() { "in no group".to_owned() } else { format!("group {}", groups.join(", ")) };
    writeln!(shell.out, "Verdict:  {} ({groups})", slot.verdict)?;
    writeln!(shell.out, "          {}", slot.verdict.meaning())?;
    if slot.verdict == Verdict::NoIommu {
        writeln!(shell.out, "          {}", state(inventory))?;
    }
    if let Some(card) = card {
        write_card(shell, inventory, card)?;
    }
    let slices = inventory.slices(&slot.functions);
    if !slices.is_empty() {
        let slices: Vec<String> = slices.iter().map(ToString::to_string).collect();
        writeln!(shell.out, "Slices:   {}", slices.join(", "))?;
    }
    write_members(shell, inventory, "Functions", &slot.functions)?;
    write_members(shell, inventory, "Also in its groups, taken along", &slot.foreign)?;
    write_members(shell, inventory, "Also in its groups, without a driver: the host loses nothing", &slot.idle)?;
    write_members(shell, inventory, "Bridges in its groups, left to the host", &slot.bridges)?;
    if !inventory.is_of_the_kernel() {
        writeln!(shell.out)?;
        write_gaps(shell, inventory)?;
    }
    Ok(())
}

fn write_card(shell: &mut Shell<'_>, inventory: &Inventory, card: &Card) -> io::Result<()> {
    writeln!(shell.out, "Use:      {}", card.reason)?;
    let losses: Vec<String> = inventory.losses(&card.slot).iter().map(ToString::to_string).collect();
    if !losses.is_empty() {
        writeln!(shell.out, "Losses:   the host would lose {}", safe(&losses.join(", ")))?;
    }
    let twins = inventory.twins(&card.slot.functions);
    if !twins.is_empty() && card.kind != Kind::Virtual {
        let twins: Vec<String> = twins.iter().map(ToString::to_string).collect();
        writeln!(shell.out, "Twins:    {} have the same ids; bind by address, never by id", twins.join(", "))?;
    }
    let whole = card.slot.verdict.is_clean() && card.index.is_some();
    if whole && inventory.slices(&card.slot.functions).is_empty() {
        let parts = inventory.parts(card);
        for (at, part) in parts.iter().enumerate() {
            let of = if parts.len() > 1 { format!("   # {}", part.path) } else { String::new() };
            writeln!(shell.out, "hostpci{at}: {}{of}", part.hostpci())?;
        }
    }
    Ok(())
}

fn write_members(shell: &mut Shell<'_>, inventory: &Inventory, heading: &str, members: &[PciAddr]) -> io::Result<()> {
    if members.is_empty() {
        return Ok(());
    }
    writeln!(shell.out, "\n{heading}")?;
    let devices = members.iter().filter_map(|addr| inventory.device(*addr));
    devices.into_iter().try_for_each(|device| write_device(shell, device))
}

fn write_device(shell: &mut Shell<'_>, device: &Device) -> io::Result<()> {
    writeln!(shell.out, "  {}  {}  {}", device.addr, device.id, safe(&device.title()))?;
    let mut facts = vec![device.class.word().to_owned()];
    facts.push(match device.driver.get() {
        None => "driver unknown".to_owned(),
        Some(None) => "no driver".to_owned(),
        Some(Some(driver)) => format!("driver {driver}"),
    });
    if let Some(Some(only)) = device.driver_override.get() {
        facts.push(format!("only for {only}"));
    }
    if !device.bridge {
        facts.push(match device.reset.get().map(Vec::as_slice) {
            None => "reset methods unknown".to_owned(),
            Some([]) => "no reset of its own".to_owned(),
            Some(methods) => format!("reset by {}", methods.join(", ")),
        });
    }
    facts.extend(device.power.get().map(|power| format!("{} ({})", power.state, power.runtime)));
    if device.boot_vga.is(&true) {
        facts.push("the host booted on it".to_owned());
    }
    if let Some(sriov) = device.sriov {
        facts.push(format!("{} of {}", sriov.present, counted(usize::from(sriov.possible), "virtual function")));
    }
    writeln!(shell.out, "                {}", safe(&facts.join("; ")))?;
    let uses: Vec<String> = device.uses.iter().map(ToString::to_string).collect();
    if uses.is_empty() {
        Ok(())
    } else {
        writeln!(shell.out, "                host uses it: {}", safe(&uses.join(", ")))
    }
}

fn find(inventory: &Inventory, text: &str) -> Result<Slot, Failure> {
    let addr: PciAddr = text.trim().parse().map_err(|bad| Failure::new(FindingId::UsageBad, format!("{bad}")))?;
    let there = addr.function.is_none() || inventory.device(addr).is_some();
    let slot = inventory.handed(addr).filter(|_| there);
    let missing = || Failure::new(FindingId::DeviceUnknown, format!("This host has no PCI device at {addr}."));
    slot.ok_or_else(missing)
}
