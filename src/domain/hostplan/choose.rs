//! Which card is meant, and what speaks against it.

use super::{Basis, Blocked, HostPlan, Strategy};
use crate::domain::{
    finding::FindingId,
    gpu::PciAddr,
    iommu::{Card, Device, HostUse, Inventory, Kind, Role, Verdict},
    setup::{Initramfs, Loader, Off},
};

/// The slot that is meant: the named one, else the only candidate.
///
/// # Errors
/// There is no device at the address; there is no candidate, or several.
pub fn choose(inventory: &Inventory, given: Option<PciAddr>) -> Result<PciAddr, Blocked> {
    if let Some(addr) = given {
        let there = addr.function.map_or_else(|| inventory.slot(addr).is_some(), |_| inventory.device(addr).is_some());
        let missing = || Blocked::new(FindingId::DeviceUnknown, format!("There is no PCI device at {addr}."));
        return there.then(|| addr.slot()).ok_or_else(missing);
    }
    let cards = inventory.cards();
    let candidates: Vec<&Card> = cards.iter().filter(|card| card.role == Role::Passthrough).collect();
    match candidates.as_slice() {
        [only] => Ok(only.slot.addr),
        [] => {
            let message = "No graphics card of this host is one for a guest.";
            let blocked = Blocked::new(FindingId::SetupWhichCard, message);
            Err(blocked.or("`morpheus iommu` shows every card and why it stays with the host."))
        }
        several => {
            let blocked = Blocked::new(FindingId::SetupWhichCard, "There are several cards for a guest; name one.");
            Err(several.iter().fold(blocked, |blocked, card| {
                let title = inventory.device(card.main).map(Device::title).unwrap_or_default();
                blocked.or(format!("{}  {title}", card.slot.addr))
            }))
        }
    }
}

/// What can't be passed through, whoever confirms it.
pub(super) fn refuse(basis: &Basis<'_>, addr: PciAddr) -> Result<(), Blocked> {
    let inventory = basis.inventory;
    let unknown = || Blocked::new(FindingId::DeviceUnknown, format!("There is no PCI device at {addr}."));
    let slot = inventory.slot(addr).ok_or_else(unknown)?;
    let own: Vec<&Device> = inventory.functions(addr).collect();
    if let Some(bridge) = own.iter().find(|device| device.bridge) {
        let message = format!(
            "{} is a bridge: it stays with the host, and only what is behind it can be passed through.",
            bridge.addr
        );
        return Err(Blocked::new(FindingId::SetupVital, message));
    }
    if let Some((device, vital)) =
        own.iter().find_map(|device| Some((device, device.uses.iter().find(|u| u.is_vital())?)))
    {
        let message = format!("{} holds {vital}: without it the host can't run.", device.addr);
        return Err(Blocked::new(FindingId::SetupVital, message));
    }
    let kind = inventory.cards().iter().find(|card| card.slot.addr == slot.addr).map(|card| card.kind);
    if let Some(kind @ (Kind::Management | Kind::Virtual)) = kind {
        let message = format!("{} is no card of its own: {}.", slot.addr, kind.word());
        return Err(Blocked::new(FindingId::SetupWhichCard, message));
    }
    match (slot.verdict, basis.setup.iommu_off(inventory)) {
        (Verdict::Dirty, _) => {
            let members: Vec<String> = slot.foreign.iter().map(ToString::to_string).collect();
            let losses: Vec<String> = inventory.losses(&slot).iter().map(ToString::to_string).collect();
            let losses =
                if losses.is_empty() { String::new() } else { format!("; the host would lose {}", losses.join(", ")) };
            let message = format!("{} shares its IOMMU group with {}{losses}.", slot.addr, members.join(", "));
            Err(Blocked::new(FindingId::SetupGroupDirty, message))
        }
        (_, Some(Off::Firmware)) => {
            let message = "The firmware hides the IOMMU: there is no ACPI table DMAR or IVRS. No file of the host can change that.";
            let blocked = Blocked::new(FindingId::SetupNoIommu, message);
            Err(blocked.or("Switch VT-d (Intel) or AMD-Vi/IOMMU (AMD) on in the firmware's setup, then plan again."))
        }
        (_, Some(Off::Unknown)) => {
            let message =
                "The host has no IOMMU in use, and whether the firmware or the kernel is to blame can't be seen.";
            Err(Blocked::new(FindingId::SetupNoIommu, message))
        }
        (Verdict::NoIommu, None) => {
            let message = format!("A function of {} is in no IOMMU group.", slot.addr);
            Err(Blocked::new(FindingId::SetupNoIommu, message))
        }
        // What the kernel doesn't use can be turned on.
        _ => Ok(()),
    }
}

/// Whether a slot is the only display of the host.
#[must_use]
pub fn last_display(inventory: &Inventory, slot: PciAddr) -> bool {
    let cards = inventory.cards();
    let real = |card: &&Card| card.kind != Kind::Virtual;
    let (own, others): (Vec<&Card>, Vec<&Card>) =
        cards.iter().filter(real).partition(|card| card.slot.addr == slot.slot());
    !own.is_empty() && others.is_empty()
}

/// What a person has to know before more than looking.
pub(super) fn risks(basis: &Basis<'_>, slot: PciAddr) -> Vec<String> {
    let mut risks = Vec::new();
    if last_display(basis.inventory, slot) && !basis.setup.ways_in.any() {
        risks.push(
            "It is the host's only display, and neither an SSH server with a network nor Proxmox' web interface was found: \
             nobody could reach the host."
                .to_owned(),
        );
    }
    let ports = basis.inventory.functions(slot).flat_map(|device| &device.uses);
    for port in ports {
        if let HostUse::Network { interface, port_of: Some(bridge) } = port {
            risks.push(format!("{interface} is a port of {bridge}: the host and its guests would lose that network."));
        }
    }
    risks
}

/// What is good to know beside the changes.
pub(super) fn notes(basis: &Basis<'_>, slot: PciAddr, plan: &mut HostPlan) {
    let Basis { inventory, setup, files, .. } = *basis;
    let boots = inventory.functions(slot).any(|device| device.boot_vga.is(&true));
    if last_display(inventory, slot) {
        plan.notes.push(
            "It is the host's only display: its screen goes dark once the card is bound. Reach the host by network."
                .to_owned(),
        );
    } else if boots {
        plan.notes.push(
            "The host booted on this card: choose another display as the first one in the firmware's setup.".to_owned(),
        );
    }
    let grub = setup.boot.loader.is(&Loader::Grub);
    if grub && files.contains_key("/etc/kernel/cmdline") {
        plan.notes.push("GRUB booted this host: /etc/kernel/cmdline is there, but isn't read.".to_owned());
    }
    if setup.cmdline.get().is_some_and(|line| line.has("amd_iommu=on")) {
        plan.notes
            .push("amd_iommu=on does nothing (the kernel knows no such value); it is left where it is.".to_owned());
    }
    if matches!(plan.strategy, Some(Strategy::DriverOverride(_))) && plan.writes(super::RULES) {
        let twins: Vec<String> = inventory.twins(slot).iter().map(ToString::to_string).collect();
        plan.notes.push(format!("Bound by address: {} have the same ids.", twins.join(", ")));
        if setup.initramfs.is(&Initramfs::Tools) {
            plan.notes.push("Debian's initial RAM disk doesn't take own udev rules: a graphics driver in it would be first. `morpheus gpu verify` shows it after the reboot.".to_owned());
        }
    }
    if !plan.edits.is_empty() && setup.initramfs.is(&Initramfs::Mkinitcpio) && !super::mkinitcpio::takes_modprobe(files)
    {
        plan.notes.push("HOOKS in /etc/mkinitcpio.conf lacks modconf: /etc/modprobe.d isn't seen before the root file system is there.".to_owned());
    }
    if setup.cmdline.get().is_some_and(|line| line.values("pcie_acs_override").next().is_some()) {
        plan.notes
            .push("pcie_acs_override is set: groups look cleaner than the hardware keeps devices apart.".to_owned());
    }
}
