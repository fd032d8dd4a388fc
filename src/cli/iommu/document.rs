//! The shape of `iommu --json`. What isn't known is null.

use crate::domain::{
    gpu::PciAddr,
    iommu::{Card, Device, HostUse, Inventory, Kind, Known, PciId, Power, Range, Role, Slot, Sriov, Verdict},
};
use serde::Serialize;
use std::collections::BTreeSet;

/// `iommu list`.
#[derive(Serialize)]
pub(super) struct List<'a> {
    iommu: Iommu<'a>,
    gpus: Vec<Gpu<'a>>,
    groups: Vec<Group<'a>>,
    /// Devices in no group.
    ungrouped: Vec<Function<'a>>,
}

/// `iommu show`.
#[derive(Serialize)]
pub(super) struct Show<'a> {
    iommu: Iommu<'a>,
    slot: SlotRow<'a>,
    gpu: Option<Gpu<'a>>,
    members: Vec<Function<'a>>,
}

#[derive(Serialize)]
struct Iommu<'a> {
    /// `kernel` or `api`: who told.
    source: &'static str,
    on: bool,
    units: Option<&'a [String]>,
}

#[derive(Serialize)]
struct Group<'a> {
    #[serde(rename = "group")]
    number: u32,
    translation: Option<&'a str>,
    devices: Vec<Function<'a>>,
}

#[derive(Serialize)]
struct SlotRow<'a> {
    #[serde(rename = "slot")]
    addr: PciAddr,
    verdict: Verdict,
    groups: BTreeSet<u32>,
    functions: Vec<PciAddr>,
    foreign: Vec<PciAddr>,
    bridges: Vec<PciAddr>,
    /// Go along, and nobody misses them.
    idle: Vec<PciAddr>,
    /// What the host would lose.
    losses: Vec<&'a HostUse>,
}

#[derive(Serialize)]
struct Gpu<'a> {
    address: PciAddr,
    name: String,
    id: PciId,
    subsystem: Option<PciId>,
    kind: Kind,
    role: Role,
    reason: &'a str,
    driver: Option<&'a str>,
    mapping: Option<String>,
    hostpci: Option<String>,
    #[serde(flatten)]
    slot: SlotRow<'a>,
}

#[derive(Serialize)]
struct Function<'a> {
    address: PciAddr,
    id: PciId,
    subsystem: Option<PciId>,
    class: String,
    kind: &'static str,
    vendor_name: Option<&'a str>,
    device_name: Option<&'a str>,
    group: Option<u32>,
    bridge: bool,
    parent: Option<PciAddr>,
    driver: Option<&'a str>,
    driver_override: Option<&'a str>,
    reset_methods: Option<&'a [String]>,
    boot_vga: Option<bool>,
    power: Option<&'a Power>,
    sriov: Option<Sriov>,
    memory: &'a [Range],
    uses: &'a [HostUse],
    /// Fields that are null because the source doesn't show them, and not because there is nothing.
    unknown: Vec<&'static str>,
}

/// The document of `iommu list`.
pub(super) fn list<'a>(inventory: &'a Inventory, cards: &'a [Card], gpus_only: bool) -> List<'a> {
    let wanted: BTreeSet<u32> = cards.iter().flat_map(|card| card.slot.groups.iter().copied()).collect();
    let groups = inventory.groups().into_iter().filter(|(group, _)| !gpus_only || wanted.contains(group));
    let loose = inventory.devices.iter().filter(|device| device.group.is_none() && !gpus_only);
    List {
        iommu: iommu(inventory),
        gpus: cards.iter().map(|card| gpu(inventory, card)).collect(),
        groups: groups.map(|(group, devices)| self::group(inventory, group, &devices)).collect(),
        ungrouped: loose.map(function).collect(),
    }
}

/// The document of `iommu show`.
pub(super) fn show<'a>(inventory: &'a Inventory, slot: &Slot, card: Option<&'a Card>) -> Show<'a> {
    let members = [&slot.functions, &slot.bridges, &slot.idle, &slot.foreign].into_iter().flatten();
    Show {
        iommu: iommu(inventory),
        slot: row(inventory, slot),
        gpu: card.map(|card| gpu(inventory, card)),
        members: members.filter_map(|addr| inventory.device(*addr)).map(function).collect(),
    }
}

fn iommu(inventory: &Inventory) -> Iommu<'_> {
    let source = if inventory.is_of_the_kernel() { "kernel" } else { "api" };
    Iommu { source, on: inventory.is_on(), units: inventory.units.get().map(Vec::as_slice) }
}

fn group<'a>(inventory: &'a Inventory, group: u32, devices: &[&'a Device]) -> Group<'a> {
    let translation = inventory.translation.get(&group).map(String::as_str);
    Group { number: group, translation, devices: devices.iter().copied().map(function).collect() }
}

fn row<'a>(inventory: &'a Inventory, slot: &Slot) -> SlotRow<'a> {
    let Slot { addr, functions, groups, foreign, bridges, idle, verdict } = slot.clone();
    SlotRow { addr, verdict, groups, functions, foreign, bridges, idle, losses: inventory.losses(slot) }
}

fn gpu<'a>(inventory: &'a Inventory, card: &'a Card) -> Gpu<'a> {
    let device = inventory.device(card.main);
    Gpu {
        address: card.main,
        name: device.map(Device::title).unwrap_or_default(),
        id: device.map(|device| device.id).unwrap_or_default(),
        subsystem: device.and_then(|device| device.subsystem),
        kind: card.kind,
        role: card.role,
        reason: &card.reason,
        driver: device.and_then(Device::bound_to),
        mapping: card.mapping(),
        hostpci: card.hostpci(),
        slot: row(inventory, &card.slot),
    }
}

fn function(device: &Device) -> Function<'_> {
    let text = |known: &'_ Known<Option<String>>| known.get().is_none();
    let unknown = [
        ("parent", device.parent.get().is_none()),
        ("driver", text(&device.driver)),
        ("driver_override", text(&device.driver_override)),
        ("reset_methods", device.reset.get().is_none()),
        ("boot_vga", device.boot_vga.get().is_none() && device.class.is_display()),
        ("power", device.power.get().is_none()),
    ];
    Function {
        address: device.addr,
        id: device.id,
        subsystem: device.subsystem,
        class: device.class.to_string(),
        kind: device.class.word(),
        vendor_name: device.names.vendor.as_deref(),
        device_name: device.names.device.as_deref(),
        group: device.group,
        bridge: device.bridge,
        parent: device.parent.get().copied().flatten(),
        driver: device.bound_to(),
        driver_override: device.driver_override.get().and_then(Option::as_deref),
        reset_methods: device.reset.get().map(Vec::as_slice),
        boot_vga: device.boot_vga.get().copied(),
        power: device.power.get(),
        sriov: device.sriov,
        memory: &device.memory,
        uses: &device.uses,
        unknown: unknown.into_iter().filter_map(|(name, unknown)| unknown.then_some(name)).collect(),
    }
}
