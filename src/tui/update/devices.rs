//! The devices pane: from a guest to its devices and back, which of them are shown.

use super::{nav, reach, say};
use crate::{
    domain::gpu::PciAddr,
    tui::{
        effect::Effect,
        model::{Model, Pane, layer::Field},
        msg::Level,
    },
};

/// From the guest on screen to what it takes.
pub(super) fn of_guest(model: &mut Model) -> Vec<Effect> {
    match model.device_of_subject() {
        Ok(addr) => {
            let from = Some(model.ui.pane).filter(|pane| *pane != Pane::Devices).or(model.ui.devices.from);
            nav::focus(model, Pane::Devices);
            model.ui.devices.from = from;
            model.ui.devices.alone = false;
            show(model, addr);
            Vec::new()
        }
        Err(refusal) => say::toast(model, Level::Info, refusal.message),
    }
}

/// From a device to the guest that takes it: where one came from, or its row.
pub(super) fn guest(model: &mut Model) -> Vec<Effect> {
    let vmid = match model.guest_of_device() {
        Ok(vmid) => vmid,
        Err(refusal) => return say::toast(model, Level::Info, refusal.message),
    };
    let came = model.subject().is_some_and(|row| row.vmid == vmid);
    if let Some(pane) = model.ui.devices.from.take().filter(|_| came) {
        nav::focus(model, pane);
        return Vec::new();
    }
    nav::focus(model, Pane::Guests);
    model.ui.guest = Some(vmid);
    if !model.shown_guests().iter().any(|guest| guest.vmid == vmid) {
        model.ui.filter = Field::default();
    }
    Vec::new()
}

/// All devices, or only cards with what is in their groups.
pub(super) fn gpus_only(model: &mut Model) -> Vec<Effect> {
    model.ui.devices.gpus_only = !model.ui.devices.gpus_only;
    stay_in_sight(model);
    Vec::new()
}

/// The details over the whole pane, and back.
pub(super) fn alone(model: &mut Model) -> Vec<Effect> {
    model.ui.devices.alone = !model.ui.devices.alone;
    model.ui.devices.scroll = 0;
    Vec::new()
}

/// What names a device in a VM's configuration; the address of what isn't to be given to one.
pub(super) fn text(model: &Model) -> Option<String> {
    let device = model.selected_device()?;
    Some(model.hostpci_line(device).unwrap_or_else(|_| device.addr.to_string()))
}

/// What names a card in the cluster's mappings.
pub(super) fn copy_mapping(model: &mut Model) -> Vec<Effect> {
    match model.selected_device().map(|device| model.mapping_entry(device)) {
        Some(Ok(entry)) => reach::copy(model, entry),
        Some(Err(refusal)) => say::toast(model, Level::Info, refusal.message),
        None => say::toast(model, Level::Warn, "Nothing is selected."),
    }
}

/// Selects a device; what would hide it goes away.
pub(super) fn show(model: &mut Model, addr: PciAddr) {
    select(model, addr);
    for narrow in [false, true] {
        if model.shown_devices().iter().any(|device| device.addr == addr) {
            return;
        }
        if narrow {
            model.ui.devices.gpus_only = false;
        } else {
            model.ui.devices.filter = Field::default();
        }
    }
}

/// Selects a device.
pub(super) fn select(model: &mut Model, addr: PciAddr) {
    if model.ui.devices.selected != Some(addr) {
        model.ui.devices.scroll = 0;
    }
    model.ui.devices.selected = Some(addr);
}

/// A selected device that isn't shown any more gives way to the first one.
pub(super) fn stay_in_sight(model: &mut Model) {
    let selected = model.selected_device().map(|device| device.addr);
    let shown = model.shown_devices();
    let first = shown.first().map(|device| device.addr);
    if !shown.iter().any(|device| Some(device.addr) == selected)
        && let Some(first) = first
    {
        select(model, first);
    }
}
