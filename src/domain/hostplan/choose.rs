//! Which card is meant, and what speaks against it.

use super::{Basis, Blocked, HostPlan, Risk, Strategy};
use crate::domain::{
    finding::FindingId,
    gpu::PciAddr,
    iommu::{Card, Device, HostUse, Inventory, Kind, Role, Slot, Verdict},
    setup::{Initramfs, Loader, Off},
    text::counted,
};

/// The card that is meant: the one of the named address, else the only candidate. Gives its address, or that of what is
/// handed over by itself.
///
/// # Errors
/// There is no device at the address; there is no candidate, or several.
pub fn choose(inventory: &Inventory, given: Option<PciAddr>) -> Result<PciAddr, Blocked> {
    if let Some(addr) = given {
        let there = addr.function.is_none() || inventory.device(addr).is_some();
        let handed = inventory.handed(addr).filter(|_| there).map(|slot| slot.addr);
        return handed
            .ok_or_else(|| Blocked::new(FindingId::DeviceUnknown, format!("There is no PCI device at {addr}.")));
    }
    let cards = inventory.cards();
    let candidates: Vec<&Card> = cards.iter().filter(|card| card.role == Role::Passthrough).collect();
    match candidates.as_slice() {
        [only] => Ok(only.slot.addr),
        [] => {
            let message = "No graphics card of this host is one for a guest.";
            let blocked = Blocked::new(FindingId::SetupWhichCard, message);
            Err(cards.iter().fold(blocked, |blocked, card| blocked.or(why(inventory, card))))
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

/// Why a card isn't for a guest as it is, or how it is got for one: a line for each card where none is.
#[must_use]
pub fn why(inventory: &Inventory, card: &Card) -> String {
    let title = inventory.device(card.main).map(Device::title).unwrap_or_default();
    let addr = card.slot.addr;
    let how = match (card.kind, card.slot.verdict) {
        (_, Verdict::Dirty) => format!("it {}", shared(inventory, &card.slot)),
        (Kind::Integrated | Kind::Discrete, _) if !inventory.slices(&card.slot.functions).is_empty() => {
            "a guest may have one of its virtual functions".to_owned()
        }
        (_, Verdict::NoIommu) => "it is in no IOMMU group; `morpheus doctor` says why".to_owned(),
        (Kind::Integrated, _) => {
            format!(
                "it can be given, and the host's own screen goes dark then: morpheus gpu plan {addr} --confirm {addr}"
            )
        }
        (Kind::Virtual, _) => format!("it can be given as it is: morpheus gpu map create {addr}"),
        (Kind::Discrete, _) => format!("it can be given: morpheus gpu plan {addr}"),
        (Kind::Management | Kind::Emulated, _) => "it stays with the host".to_owned(),
    };
    format!("{addr}  {title} ({}): {how}", card.reason)
}

/// What is in the way of a card that shares its group: `shares its IOMMU group with ...`.
#[must_use]
pub fn shared(inventory: &Inventory, slot: &Slot) -> String {
    let named = |addr: &PciAddr| {
        let title = inventory.device(*addr).map(Device::title).unwrap_or_default();
        format!("{addr} ({title})")
    };
    let members: Vec<String> = slot.foreign.iter().map(named).collect();
    let losses: Vec<String> = inventory.losses(slot).iter().map(ToString::to_string).collect();
    let losses = if losses.is_empty() { String::new() } else { format!("; the host would lose {}", losses.join(", ")) };
    format!("shares its IOMMU group with {}{losses}", members.join(", "))
}

/// What can't be passed through, whoever confirms it.
pub(super) fn refuse(basis: &Basis<'_>, addr: PciAddr) -> Result<(), Blocked> {
    let inventory = basis.inventory;
    let unknown = || Blocked::new(FindingId::DeviceUnknown, format!("There is no PCI device at {addr}."));
    let slot = inventory.handed(addr).ok_or_else(unknown)?;
    let own: Vec<&Device> = inventory.own(addr);
    let card = inventory.card_of(slot.addr);
    sliced(inventory, &slot)?;
    if let Some(message) = vital(inventory, &own, card.as_ref()) {
        return Err(Blocked::new(FindingId::SetupVital, message));
    }
    let kind = card.map(|card| card.kind);
    if let Some(kind @ (Kind::Management | Kind::Emulated)) = kind {
        let message = format!("{} is no card of its own: {}.", slot.addr, kind.word());
        return Err(Blocked::new(FindingId::SetupWhichCard, message));
    }
    match (slot.verdict, basis.setup.iommu_off(inventory)) {
        (Verdict::Dirty, _) => {
            let message = format!("{} {}.", slot.addr, shared(inventory, &slot));
            let blocked = Blocked::new(FindingId::SetupGroupDirty, message);
            Err(match kind {
                Some(Kind::Integrated) => blocked
                    .or("The processor's graphics can't be moved to another slot, and its \
                     other devices stay with the host: a graphics card of its own is needed for a guest."),
                _ => blocked,
            })
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

/// Slices, and what is cut into slices: whoever binds one by its id takes the others and the device that they are of, and
/// that ends all of them.
///
/// # Errors
/// It is one or the other.
pub fn sliced(inventory: &Inventory, slot: &Slot) -> Result<(), Blocked> {
    let of = slot.functions.iter().find_map(|addr| Some((*addr, inventory.device(*addr)?.physical?)));
    if let Some((slice, of)) = of {
        let message = format!("{slice} is a virtual function of {of}: nothing on the host has to be changed for it.");
        return Err(Blocked::new(FindingId::SetupSliced, message).or(format!(
            "`morpheus gpu map create {slice}` names it for VMs; Proxmox gives it to vfio-pci when one starts."
        )));
    }
    let slices = inventory.slices(&slot.functions);
    let Some(first) = slices.first() else { return Ok(()) };
    let count = counted(slices.len(), "virtual function");
    let message = format!("{} has {count}, {first} the first: binding it would end them, in guests too.", slot.addr);
    let blocked = Blocked::new(FindingId::SetupSliced, message);
    Err(blocked
        .or(format!("`morpheus gpu map create {first}` names one of them for VMs."))
        .or("To give the whole device, stop the guests that have some and write 0 to its sriov_numvfs first."
            .to_owned()))
}

/// Why the host itself needs one of these functions.
fn vital(inventory: &Inventory, own: &[&Device], card: Option<&Card>) -> Option<String> {
    if let Some(bridge) = own.iter().find(|device| device.bridge) {
        let words = "is a bridge: it stays with the host, and only what is behind it can be passed through";
        return Some(format!("{} {words}.", bridge.addr));
    }
    if let Some((device, vital)) =
        own.iter().find_map(|device| Some((device, device.uses.iter().find(|u| u.is_vital())?)))
    {
        return Some(format!("{} holds {vital}: without it the host can't run.", device.addr));
    }
    if card.is_some() {
        return None;
    }
    if let Some(device) = own.iter().find(|device| is_of_the_board(device)) {
        let word = device.class.word();
        return Some(format!(
            "{} is a part of the processor or the board ({word}): it stays with the host.",
            device.addr
        ));
    }
    let graphics = |device: &&&Device| {
        inventory.functions(device.addr).any(|other| other.class.is_display() && other.addr != device.addr)
    };
    let beside = own.iter().find(graphics)?;
    let title = beside.title();
    Some(format!("{} ({title}) is a device of the processor beside its graphics: it stays with the host.", beside.addr))
}

/// What no host can do without, or no guest can do anything with, by its class: host and ISA bridges, memory
/// controllers, `SMBus`, IOMMUs, dummy functions, and the processor's security engine.
fn is_of_the_board(device: &Device) -> bool {
    let maker = matches!(device.id.vendor, 0x1022 | 0x8086);
    match device.class.kind() {
        0x0600 | 0x0601 | 0x0806 | 0x0c05 => true,
        0x0500 | 0x0580 | 0x1080 | 0x1180 | 0x1300 => maker,
        _ => false,
    }
}

/// Whether a card is the only display of the host.
#[must_use]
pub fn last_display(inventory: &Inventory, slot: PciAddr) -> bool {
    let cards = inventory.cards();
    let real = |card: &&Card| card.kind != Kind::Virtual;
    let (own, others): (Vec<&Card>, Vec<&Card>) = cards.iter().filter(real).partition(|card| card.has(slot));
    !own.is_empty() && others.is_empty()
}

/// What a person has to know before more than looking.
pub(super) fn risks(basis: &Basis<'_>, slot: PciAddr) -> Vec<Risk> {
    let inventory = basis.inventory;
    let mut risks = Vec::new();
    let mut risk = |finding, message: String| risks.push(Risk { finding, message });
    let last = last_display(inventory, slot);
    if inventory.card_of(slot).is_some_and(|card| card.kind == Kind::Integrated) {
        let screen = if last { "the host's only screen" } else { "the host's screen on it" };
        risk(
            FindingId::SetupIntegrated,
            format!("These are the processor's own graphics: {screen} goes dark, and stays so when no guest has them."),
        );
    }
    if last && !basis.setup.ways_in.any() {
        risk(
            FindingId::SetupLastDisplay,
            "It is the host's only display, and neither an SSH server with a network nor Proxmox' web interface was found: \
             nobody could reach the host."
                .to_owned(),
        );
    }
    let usb = |device: &&Device| device.class.kind() == 0x0c03 && inventory.is_built_in(device);
    for device in inventory.own(slot).into_iter().filter(usb).filter(|device| device.bound_to() != Some("vfio-pci")) {
        let losing = "the host would lose what is plugged into its ports, its keyboard or a disk perhaps.";
        risk(FindingId::SetupVital, format!("{} is a {} of the board: {losing}", device.addr, device.class.word()));
    }
    for used in inventory.own(slot).into_iter().flat_map(|device| &device.uses).filter(|used| used.is_needed()) {
        let (finding, words) = match used {
            HostUse::Network { interface, port_of: Some(bridge), .. } => (
                FindingId::SetupLastDisplay,
                format!("{interface} is a port of {bridge}: the host and its guests would lose that network."),
            ),
            HostUse::Network { interface, .. } => (
                FindingId::SetupLastDisplay,
                format!("{interface} has an address of the host: the host would lose that network."),
            ),
            HostUse::Disk { disk, holds } => (
                FindingId::SetupVital,
                format!("{disk} is in use ({}): the host and its guests would lose it.", holds.join(", ")),
            ),
        };
        risk(finding, words);
    }
    risks
}

/// What is good to know beside the changes.
pub(super) fn notes(basis: &Basis<'_>, slot: PciAddr, plan: &mut HostPlan) {
    let Basis { inventory, setup, files, .. } = *basis;
    let own = inventory.own(slot);
    let boots = own.iter().any(|device| device.boot_vga.is(&true));
    let elsewhere: Vec<String> = own
        .iter()
        .filter(|device| device.addr.slot() != slot.slot())
        .map(|device| format!("{} ({})", device.addr, device.title()))
        .collect();
    if !elsewhere.is_empty() {
        plan.notes.push(format!("Also on the card, to be given to the same guest: {}.", elsewhere.join(", ")));
    }
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
        let own: Vec<PciAddr> = own.iter().map(|device| device.addr).collect();
        let twins: Vec<String> = inventory.twins(&own).iter().map(ToString::to_string).collect();
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
