//! The host's PCI devices as the devices pane has them: rows, who takes them, what of them is copied.

use super::{Model, Needle, Pane, layer::Field};
use crate::domain::{
    finding::FindingId,
    gpu::{self, PciAddr},
    guest::{Guest, GuestKind},
    ids::Vmid,
    iommu::{Card, Device, Inventory, Kind, Role},
    switch::refusal::Refusal,
    text::safe,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Where in the devices pane the person is.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct DevicesView {
    /// The selected device; none stands for the card that is most likely meant.
    pub selected: Option<PciAddr>,
    /// The text that devices are narrowed to.
    pub filter: Field,
    /// Only graphics cards and what is in their groups.
    pub gpus_only: bool,
    /// Whether the selected device's details have the whole pane.
    pub alone: bool,
    /// First line of these details that is shown.
    pub scroll: u16,
    /// The pane whose guest led here.
    pub from: Option<Pane>,
}

/// A row of the devices pane.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum DeviceRow<'a> {
    /// A group's head; none for devices in no group.
    Group(Option<u32>),
    /// A device.
    Device(&'a Device),
}

/// How a guest is bound to a device.
#[derive(Clone, Copy, Debug)]
pub struct Hold<'a> {
    /// The guest.
    pub guest: &'a Guest,
    /// Whether it names the device, and doesn't only take it along with another one of its group.
    pub named: bool,
    /// Whether it has it now: it has a process.
    pub now: bool,
}

/// What guests take, as far as their configurations were read.
#[derive(Debug)]
pub struct Takers<'a> {
    guests: Vec<(&'a Guest, Vec<PciAddr>, BTreeSet<u32>)>,
    /// Running guests whose devices aren't known.
    pub unread: usize,
}

impl<'a> Takers<'a> {
    /// Guests that are bound to a device: who has it now first, then who names it.
    #[must_use]
    pub fn of(&self, device: &Device) -> Vec<Hold<'a>> {
        let hold = |(guest, functions, groups): &(&'a Guest, Vec<PciAddr>, BTreeSet<u32>)| {
            let named = functions.iter().any(|addr| addr.overlaps(device.addr));
            let along = !device.bridge && device.group.is_some_and(|group| groups.contains(&group));
            (named || along).then_some(Hold { guest, named, now: guest.power.holds_devices() })
        };
        let mut holds: Vec<Hold<'a>> = self.guests.iter().filter_map(hold).collect();
        holds.sort_by_key(|hold| (!hold.now, !hold.named, hold.guest.vmid));
        holds
    }
}

impl Model {
    /// The host's devices, if they were ever seen.
    #[must_use]
    pub const fn pci(&self) -> Option<&Inventory> {
        self.facts.pci.value.as_ref()
    }

    /// What guests take.
    #[must_use]
    pub fn takers(&self) -> Takers<'_> {
        let mut takers = Takers { guests: Vec::new(), unread: 0 };
        for guest in self.facts.guests() {
            match self.facts.claims(guest.vmid) {
                Some(claims) if claims.is_empty() => {}
                Some(claims) => {
                    let functions: Vec<PciAddr> = claims.iter().flat_map(gpu::functions).collect();
                    let taken = functions.iter().flat_map(|addr| self.functions_of(*addr));
                    let groups = taken.filter_map(|device| device.group).collect();
                    takers.guests.push((guest, functions, groups));
                }
                None if guest.power.holds_devices() => takers.unread += 1,
                None => {}
            }
        }
        takers
    }

    /// The functions that an address stands for.
    fn functions_of(&self, addr: PciAddr) -> impl Iterator<Item = &Device> {
        let slot = self.pci().into_iter().flat_map(move |pci| pci.functions(addr));
        slot.filter(move |device| device.addr.overlaps(addr))
    }

    /// How people call a guest here: by its mode, else by its name.
    #[must_use]
    pub fn called(&self, guest: &Guest) -> String {
        safe(self.setup.modes.of(guest.vmid).map_or(guest.name.as_str(), |mode| mode.name.as_str()))
    }

    /// Groups with those of their devices that are shown, then devices in no group.
    #[must_use]
    pub fn device_rows(&self) -> Vec<DeviceRow<'_>> {
        let Some(pci) = self.pci() else { return Vec::new() };
        let cards: Option<Vec<Card>> = self.ui.devices.gpus_only.then(|| pci.cards());
        let of_card = |device: &&Device| {
            cards.as_ref().is_none_or(|cards| {
                let own = |card: &Card| {
                    card.has(device.addr) || device.group.is_some_and(|group| card.slot.groups.contains(&group))
                };
                cards.iter().any(own)
            })
        };
        let takers = (!self.ui.devices.filter.text.is_empty()).then(|| self.takers());
        let fits = |device: &&Device| takers.as_ref().is_none_or(|takers| self.fits(device, takers));
        let mut shown: Vec<&Device> = pci.devices.iter().filter(of_card).filter(fits).collect();
        shown.sort_by_key(|device| (device.group.is_none(), device.group, device.addr));
        let mut rows = Vec::with_capacity(shown.len() * 2);
        let mut last = None;
        for device in shown {
            if last.replace(device.group) != Some(device.group) {
                rows.push(DeviceRow::Group(device.group));
            }
            rows.push(DeviceRow::Device(device));
        }
        rows
    }

    /// Whether the filter lets a device through: by address, numbers, kind, name, group, driver, use, or who takes it.
    fn fits(&self, device: &Device, takers: &Takers<'_>) -> bool {
        let group = device.group.map(|group| format!("group {group}")).unwrap_or_default();
        let driver = device.bound_to().unwrap_or_default();
        let (addr, id, kind, name) = (device.addr, device.id, device.class.word(), device.title());
        let own = format!("{addr} {id} {kind} {name} {group} {driver}");
        let uses = device.uses.iter().map(ToString::to_string);
        let guests = takers.of(device).into_iter().map(|hold| self.called(hold.guest));
        let text: Vec<String> = std::iter::once(own).chain(uses).chain(guests).collect();
        Needle::is_in(&self.ui.devices.filter.text, &text.join(" "))
    }

    /// The devices that are shown, in their order.
    #[must_use]
    pub fn shown_devices(&self) -> Vec<&Device> {
        let device = |row| if let DeviceRow::Device(device) = row { Some(device) } else { None };
        self.device_rows().into_iter().filter_map(device).collect()
    }

    /// The selected device: the one that was chosen, else a card for a guest, else the first.
    #[must_use]
    pub fn selected_device(&self) -> Option<&Device> {
        let pci = self.pci()?;
        let chosen = self.ui.devices.selected.and_then(|addr| pci.device(addr));
        chosen.or_else(|| {
            let cards = pci.cards();
            let card = cards.iter().find(|card| card.role == Role::Passthrough).or_else(|| cards.first());
            card.and_then(|card| pci.device(card.main)).or_else(|| pci.devices.first())
        })
    }

    /// The graphics card that a device belongs to.
    #[must_use]
    pub fn card_of(&self, device: &Device) -> Option<Card> {
        self.pci()?.card_of(device.addr)
    }

    /// The `hostpciN` line that gives a device's whole card to a VM, by the cluster's mapping of it if there is one.
    ///
    /// # Errors
    /// Why there is none.
    pub fn hostpci_line(&self, device: &Device) -> Result<String, Refusal> {
        let card = self.givable(device)?;
        if !card.slot.verdict.is_clean() {
            return Err(no(format!("{}: {}", card.slot.addr, card.slot.verdict.meaning())));
        }
        match self.mapping_of(&card) {
            Some(id) => Ok(format!("hostpci0: mapping={},pcie=1", safe(&id))),
            None => Err(no(format!("{} has no mapping.", card.slot.addr))),
        }
    }

    /// The entry of a mapping that names a device's whole card on this node.
    ///
    /// # Errors
    /// Why there is none.
    pub fn mapping_entry(&self, device: &Device) -> Result<String, Refusal> {
        let card = self.givable(device)?;
        let node = self.facts.node.as_ref().ok_or_else(|| no("The node isn't known yet."))?;
        let entry = self.pci().and_then(|pci| pci.map_entry(&card, node));
        entry.ok_or_else(|| no(format!("{}: {}", card.slot.addr, card.slot.verdict.meaning())))
    }

    /// The card of a device, where it is one that guests are given.
    fn givable(&self, device: &Device) -> Result<Card, Refusal> {
        let card = self.card_of(device).filter(|card| matches!(card.kind, Kind::Discrete | Kind::Virtual));
        let card = card.ok_or_else(|| no(format!("{} is no graphics card for a guest.", device.addr.slot())))?;
        let cut = self.pci().is_some_and(|pci| !pci.slices(&card.slot.functions).is_empty());
        if cut { Err(no(format!("{} is {}.", card.slot.addr, card.reason))) } else { Ok(card) }
    }

    /// The id of the cluster's mapping that has this card on this node, else the usual one.
    fn mapping_of(&self, card: &Card) -> Option<String> {
        let names = |mapping: &&gpu::Mapping| {
            let mut here = mapping.entries.iter().filter(|entry| Some(&entry.node) == self.facts.node.as_ref());
            here.any(|entry| entry.path.iter().any(|addr| addr.overlaps(card.main)))
        };
        let known = self.facts.mappings.value.iter().flatten().find(names);
        known.map(|mapping| mapping.id.clone()).or_else(|| card.mapping())
    }

    /// The first device that the guest on screen takes, a display before others.
    ///
    /// # Errors
    /// Why none can be shown.
    pub fn device_of_subject(&self) -> Result<PciAddr, Refusal> {
        let row = self.subject().ok_or_else(|| no("Nothing is selected."))?;
        let name = row.guest.map_or_else(|| format!("VM {}", row.vmid), |guest| self.called(guest));
        if self.pci().is_none() {
            return Err(no("The host's devices weren't seen yet."));
        }
        if row.guest.is_some_and(|guest| guest.kind == GuestKind::Lxc) {
            return Err(no(format!("{name} is a container: it takes no PCI device.")));
        }
        let claims = self.facts.claims(row.vmid);
        let claims = claims.ok_or_else(|| no(format!("The configuration of {name} wasn't read yet.")))?;
        let taken = claims.iter().flat_map(gpu::functions).flat_map(|addr| self.functions_of(addr));
        let first = taken.min_by_key(|device| (!device.class.is_display(), device.addr));
        first.map(|device| device.addr).ok_or_else(|| no(format!("{name} takes no device of the host.")))
    }

    /// The guest that the selected device leads to: the one that led here, else who has it or would take it.
    ///
    /// # Errors
    /// Nobody takes it.
    pub fn guest_of_device(&self) -> Result<Vmid, Refusal> {
        let device = self.selected_device().ok_or_else(|| no("Nothing is selected."))?;
        let takers = self.takers();
        let holds = takers.of(device);
        let came = self.ui.devices.from.and(self.subject()).map(|row| row.vmid);
        let back = holds.iter().find(|hold| Some(hold.guest.vmid) == came);
        let hold = back.or(holds.first()).ok_or_else(|| no(format!("No guest takes {}.", device.addr)))?;
        Ok(hold.guest.vmid)
    }
}

fn no(why: impl Into<String>) -> Refusal {
    Refusal::new(FindingId::DeviceUnknown, why)
}
