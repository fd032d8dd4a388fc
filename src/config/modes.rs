//! `proxmox.modes.*`: modes as they stand in the file, before names are resolved.

use super::{
    error::Place,
    node::At,
    reader::{Field, Reader, Said, Section},
    services,
};
use crate::domain::{
    gpu::PciAddr,
    ids::{ModeName, Vmid},
    mode::{GpuMode, Mode, Os},
    service::{Forest, ServiceCheck},
};

pub(super) const VMID: &str = "a number from 100 to 999999999";
pub(super) const PCI: &str = "a PCI address such as 0000:01:00 or 0000:01:00.0";
const NAME: &str = "a name of letters, digits, '-', '_' and '.' that begins with a letter";
const NAMES: &str = "a list of names such as [linux, vr]";
const MODES: &str = "a list of modes such as [linuxvrstreaming]";
const VR_SOFTWARE: [(&str, &str); 6] = [
    ("wivrn", "wivrn"),
    ("steam-link", "steam-link"),
    ("steamvr", "steamvr"),
    ("virtual-desktop", "virtual-desktop"),
    ("steamlink", "steam-link"),
    ("virtualdesktop", "virtual-desktop"),
];
/// Words of the command line after `morpheus mode`, which no mode can be called.
const RESERVED: [&str; 7] = ["help", "history", "list", "start", "status", "stop", "switch"];

/// A mode on its way into the set.
pub(super) struct Draft {
    /// The mode but for aliases, conflicts and services.
    pub(super) mode: Mode,
    /// Where its name stands.
    pub(super) place: Place,
    /// Where its vmid stands.
    pub(super) vmid_place: Place,
    /// The path of its key.
    pub(super) key: String,
    /// Line of the file by which modes are ordered.
    pub(super) order: u64,
    pub(super) aliases: Vec<Said>,
    pub(super) conflicts: Vec<Said>,
    /// Services as listed; none if nothing is listed.
    pub(super) services: Option<Vec<ServiceCheck>>,
    /// It comes from `vr`, or `vr` names the same guest.
    pub(super) is_vr: bool,
}

/// Reads every mode of the section, in the file's order.
pub(super) fn read(reader: &mut Reader<'_>, section: &Section<'_>, forest: Forest<'_>) -> Vec<Draft> {
    let fields: Vec<(&str, Field<'_>)> = section.fields().collect();
    fields.into_iter().filter_map(|(name, field)| one(reader, name, field, forest)).collect()
}

fn one(reader: &mut Reader<'_>, name: &str, field: Field<'_>, forest: Forest<'_>) -> Option<Draft> {
    let (place, at) = (reader.place(field.at), field.at);
    let named = check_name(reader, name, place.clone(), &field.key);
    let section = reader.section(field)?;
    let vmid = section.get("vmid");
    let vmid_place = reader.place(vmid.as_ref().map_or(at, |field| field.node.at));
    let vmid = needed_vmid(reader, vmid, at, &section.key);
    let conflicts = section.get("conflicts_with").map(|field| reader.texts(&field, MODES));
    let aliases = section.get("aliases").map(|field| reader.texts(&field, NAMES)).unwrap_or_default();
    let fine =
        |alias: &Said, reader: &mut Reader<'_>| check_name(reader, alias.text.trim(), alias.place.clone(), &alias.key);
    let aliases = aliases.into_iter().filter(|alias| fine(alias, reader)).collect();
    let os = section.get("os").and_then(|field| {
        let words = [("linux", Os::Linux), ("windows", Os::Windows)];
        reader.scalar(&field, "linux or windows").and_then(|said| reader.word(&said, &words))
    });
    let os = os.or_else(|| guess_os(name));
    let mode = Mode {
        name: ModeName(name.to_owned()),
        aliases: Vec::new(),
        vmid: vmid?,
        description: description(reader, &section),
        gpu_mode: gpu_mode(reader, &section),
        conflicts_with: Vec::new(),
        os,
        vr_software: vr_software(reader, &section),
        services: Vec::new(),
        gpu_pci: section.get("gpu_pci").and_then(|field| pci(reader, &field)),
    };
    let services = section.get("services").and_then(|field| services::read(reader, &field, os, forest));
    let (key, order) = (section.key, at.line);
    let conflicts = conflicts.unwrap_or_default();
    named.then_some(Draft { mode, place, vmid_place, key, order, aliases, conflicts, services, is_vr: false })
}

/// Whether a name can be typed after `morpheus mode`.
fn check_name(reader: &mut Reader<'_>, name: &str, place: Place, key: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    let letter = name.bytes().next().is_some_and(|b| b.is_ascii_alphabetic());
    let message = if !letter || !name.bytes().all(plain) || name.len() > 64 {
        format!("'{}' is not allowed; use {NAME}", super::shown::value(name))
    } else if RESERVED.iter().any(|word| word.eq_ignore_ascii_case(name)) {
        format!("'{name}' is a command of `morpheus mode`; use another name, such as {name}-mode")
    } else {
        return true;
    };
    reader.problem(place, key, message);
    false
}

fn description(reader: &mut Reader<'_>, section: &Section<'_>) -> String {
    let said = section.get("description").and_then(|field| reader.scalar(&field, "a text"));
    said.map(|said| said.text.trim().to_owned()).unwrap_or_default()
}

/// The vmid of a mode or a VR guest, which must be there.
pub(super) fn needed_vmid(reader: &mut Reader<'_>, field: Option<Field<'_>>, at: At, section: &str) -> Option<Vmid> {
    let Some(field) = field else {
        let place = reader.place(at);
        reader.problem(place, format!("{section}.vmid"), format!("the vmid is missing; use {VMID}"));
        return None;
    };
    let said = reader.scalar(&field, VMID)?;
    vmid(reader, &said)
}

/// A vmid within what Proxmox accepts.
pub(super) fn vmid(reader: &mut Reader<'_>, said: &Said) -> Option<Vmid> {
    let found = said.text.trim().parse::<Vmid>().ok();
    if found.is_none() {
        reader.refuse_number(said, VMID);
    }
    found
}

/// A PCI address of the file.
pub(super) fn pci(reader: &mut Reader<'_>, field: &Field<'_>) -> Option<PciAddr> {
    let said = reader.scalar(field, PCI)?;
    pci_said(reader, &said)
}

/// A PCI address from wherever.
pub(super) fn pci_said(reader: &mut Reader<'_>, said: &Said) -> Option<PciAddr> {
    let found = said.text.trim().parse().ok();
    if found.is_none() {
        reader.refuse(said, PCI, None);
    }
    found
}

fn gpu_mode(reader: &mut Reader<'_>, section: &Section<'_>) -> Option<GpuMode> {
    let words = GpuMode::ALL.map(|mode| (mode.word(), mode));
    let mode = section
        .get("gpu_mode")
        .map(|field| reader.scalar(&field, "exclusive, shared or none").and_then(|said| reader.word(&said, &words)));
    let older = section.get("gpu_passthrough").map(|field| {
        let said = reader.scalar(&field, "true or false")?;
        Some(if reader.boolean(&said)? { GpuMode::Exclusive } else { GpuMode::None })
    });
    mode.or(older).flatten()
}

fn vr_software(reader: &mut Reader<'_>, section: &Section<'_>) -> Option<String> {
    let field = section.get("vr_software")?;
    let said = reader.scalar(&field, "wivrn, steam-link, steamvr or virtual-desktop")?;
    let known = VR_SOFTWARE.iter().find(|(word, _)| said.text.trim().eq_ignore_ascii_case(word));
    match known {
        Some((_, word)) => Some((*word).to_owned()),
        None => reader.word(&said, VR_SOFTWARE.get(..4).unwrap_or_default()).map(str::to_owned),
    }
}

/// The operating system that a mode's name begins with.
fn guess_os(name: &str) -> Option<Os> {
    let name = name.to_ascii_lowercase();
    if name.starts_with("linux") {
        return Some(Os::Linux);
    }
    name.starts_with("windows").then_some(Os::Windows)
}
