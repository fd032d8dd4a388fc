//! `vr.linux` and `vr.windows`: the VR guests, and the modes that they are.

use super::{
    error::Place,
    modes::{self, Draft},
    reader::{Reader, Section},
    services,
    types::VrGuest,
};
use crate::domain::{
    gpu::PciAddr,
    ids::ModeName,
    mode::{GpuMode, Mode, Os},
    service::{Forest, ServiceCheck},
};

/// A VR guest and where it was said.
pub(super) struct Found {
    pub(super) word: &'static str,
    pub(super) os: Os,
    pub(super) guest: VrGuest,
    /// Services as listed; none if nothing is listed.
    services: Option<Vec<ServiceCheck>>,
    pub(super) place: Place,
    pub(super) vmid_place: Place,
    pub(super) key: String,
    order: u64,
}

/// Reads one guest: `word` is `linux` or `windows`, `variable` the one that comes before its vmid.
pub(super) fn read(
    reader: &mut Reader<'_>,
    vr: &Section<'_>,
    (word, os, variable): (&'static str, Os, &str),
    card: Card,
    forest: Forest<'_>,
) -> Option<Found> {
    let there = vr.get(word).is_some();
    let section = reader.subsection(vr, word);
    let from_variable = reader.variable(variable);
    if !there && from_variable.is_none() {
        return None;
    }
    let place = from_variable.as_ref().filter(|_| !there).map(|said| said.place.clone());
    let place = place.unwrap_or_else(|| reader.place(section.at));
    let (vmid, vmid_place) = if let Some(said) = from_variable {
        (modes::vmid(reader, &said), said.place)
    } else {
        let field = section.get("vmid");
        let at = field.as_ref().map_or(section.at, |field| field.node.at);
        (modes::needed_vmid(reader, field, section.at, &section.key), reader.place(at))
    };
    let name = section.get("name").and_then(|field| reader.scalar(&field, "a text"));
    let own_card = section.get("gpu_pci").and_then(|field| modes::pci(reader, &field));
    let services = section.get("services").and_then(|field| services::read(reader, &field, Some(os), forest));
    let order = if there { section.at.line } else { u64::MAX };
    let guest = VrGuest {
        name: name.map(|said| said.text.trim().to_owned()).filter(|name| !name.is_empty()),
        memory: number(reader, &section, "memory", (16, 16_777_216, "MiB")),
        cores: number(reader, &section, "cores", (1, 1024, "")).and_then(|cores| u32::try_from(cores).ok()),
        disk_size: number(reader, &section, "disk_size", (1, 1_048_576, "GiB")),
        gpu_pci: if card.first { card.addr } else { own_card.or(card.addr) },
        vmid: vmid?,
    };
    Some(Found { word, os, guest, services, place, vmid_place, key: section.key, order })
}

/// The card that is said for both guests.
#[derive(Clone, Copy)]
pub(super) struct Card {
    addr: Option<PciAddr>,
    /// It comes before what the guests say themselves.
    first: bool,
}

/// `PROXMOX_GPU_PCI`, which comes before a guest's own, or `vr.gpu_pci`, which fills in for it.
pub(super) fn card(reader: &mut Reader<'_>, vr: &Section<'_>) -> Card {
    match reader.variable("PROXMOX_GPU_PCI") {
        Some(said) => Card { addr: modes::pci_said(reader, &said), first: true },
        None => Card { addr: vr.get("gpu_pci").and_then(|field| modes::pci(reader, &field)), first: false },
    }
}

fn number(
    reader: &mut Reader<'_>,
    section: &Section<'_>,
    name: &str,
    (least, most, unit): (u64, u64, &str),
) -> Option<u64> {
    let field = section.get(name)?;
    let said = reader.scalar(&field, "a number")?;
    reader.number(&said, least..=most, unit)
}

/// Adds the guest to the modes: to the mode with the same vmid, else as a mode of its own.
pub(super) fn merge(drafts: &mut Vec<Draft>, found: &Found) {
    let guest = &found.guest;
    if let Some(draft) = drafts.iter_mut().find(|draft| draft.mode.vmid == guest.vmid) {
        let mode = &mut draft.mode;
        mode.gpu_mode = mode.gpu_mode.or(Some(GpuMode::Exclusive));
        mode.os = mode.os.or(Some(found.os));
        mode.gpu_pci = mode.gpu_pci.or(guest.gpu_pci);
        draft.is_vr = true;
        draft.services = draft.services.take().or_else(|| found.services.clone());
        return;
    }
    let system = match found.os {
        Os::Linux => "Linux",
        Os::Windows => "Windows",
    };
    let mode = Mode {
        name: ModeName(found.word.to_owned()),
        aliases: Vec::new(),
        vmid: guest.vmid,
        description: format!("VR on {system}"),
        gpu_mode: Some(GpuMode::Exclusive),
        conflicts_with: Vec::new(),
        os: Some(found.os),
        vr_software: None,
        services: Vec::new(),
        gpu_pci: guest.gpu_pci,
    };
    drafts.push(Draft {
        mode,
        place: found.place.clone(),
        vmid_place: found.vmid_place.clone(),
        key: found.key.clone(),
        order: found.order,
        aliases: Vec::new(),
        conflicts: Vec::new(),
        services: found.services.clone(),
        is_vr: true,
    });
}
