//! What to change on a host so that a card is ready for a guest: files before and after, commands, and a reboot.
//!
//! A plan is made from facts and the files' texts; nothing is read or written here. Files of our own carry a mark and
//! are written whole; others are changed word by word, and what can't be read for certain is refused, never guessed.

mod after;
mod binding;
mod choose;
mod entries;
mod mkinitcpio;
mod shell;
mod told;
mod verify;
mod words;

pub use after::applied_by;
pub use choose::{choose, last_display, shared, sliced, why};
pub use told::grub_words;
pub use verify::{Check, verify};

use super::{
    finding::FindingId,
    gpu::PciAddr,
    iommu::{Device, Inventory, Known},
    setup::{Loader, Off, Setup, VfioId},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The texts of the files that a plan may have to do with, by path. What isn't in here isn't there.
pub type Files = BTreeMap<String, String>;

/// The first words of every file that is ours.
pub const MARK: &str = "# Written by morpheus; `morpheus gpu rollback` takes it back.";
/// Parameters and order of modules.
pub const MODPROBE: &str = "/etc/modprobe.d/morpheus-vfio.conf";
/// Binding by address.
pub const RULES: &str = "/etc/udev/rules.d/10-morpheus-vfio.rules";
/// Modules that are loaded at boot.
pub const MODULES_LOAD: &str = "/etc/modules-load.d/morpheus-vfio.conf";
/// Modules in Arch's initial RAM disk.
pub const MKINITCPIO: &str = "/etc/mkinitcpio.conf.d/10-morpheus-vfio.conf";

/// What a plan is made from.
#[derive(Clone, Copy, Debug)]
pub struct Basis<'a> {
    /// The devices.
    pub inventory: &'a Inventory,
    /// The set-up.
    pub setup: &'a Setup,
    /// The files' texts.
    pub files: &'a Files,
    /// Whether `iommu=pt` is wanted: the host's own devices are left untranslated, which is faster.
    pub passthrough: bool,
}

/// How a card is kept for guests from the boot on.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// By vendor and device: no other device of the host has these.
    Ids(Vec<VfioId>),
    /// By address, because another device has the same ids.
    DriverOverride(Vec<PciAddr>),
}

/// A file as it is and as it is to be.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Edit {
    /// Where.
    pub path: String,
    /// Its text now; none if it isn't there.
    pub before: Option<String>,
    /// Its text then.
    pub after: String,
    /// What for.
    pub why: String,
}

impl Edit {
    /// The change as a unified diff.
    #[must_use]
    pub fn diff(&self) -> String {
        let from = if self.before.is_some() { format!("a{}", self.path) } else { "/dev/null".to_owned() };
        let diff = similar::TextDiff::from_lines(self.before.as_deref().unwrap_or_default(), &self.after);
        diff.unified_diff().header(&from, &format!("b{}", self.path)).to_string()
    }
}

/// A command to be run on the host once the files are written.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Run {
    /// The program and its arguments.
    pub argv: Vec<String>,
    /// What for.
    pub why: String,
}

/// What to change on a host.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct HostPlan {
    /// The card's address: its slot, or the function that is handed over by itself.
    pub card: PciAddr,
    /// What people call it.
    pub name: String,
    /// How it is kept for guests; none while the IOMMU has to be turned on first.
    pub strategy: Option<Strategy>,
    /// Whether it could be given to a guest now.
    pub ready: bool,
    /// What booted the host.
    pub loader: Known<Loader>,
    /// The files to write.
    pub edits: Vec<Edit>,
    /// The commands to run then.
    pub commands: Vec<Run>,
    /// What is good to know.
    pub notes: Vec<String>,
    /// Why the card's address has to be typed even to see this plan.
    pub risks: Vec<Risk>,
}

impl HostPlan {
    /// Whether there is anything to do.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        self.edits.is_empty()
    }

    /// Whether a file of this path is written.
    #[must_use]
    pub fn writes(&self, path: &str) -> bool {
        self.edits.iter().any(|edit| edit.path == path)
    }
}

/// Something that a person has to know before a card's address is typed.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Risk {
    /// The kind of fault.
    pub finding: FindingId,
    /// This case, in words.
    pub message: String,
}

/// Why there is no plan.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Blocked {
    /// The kind of fault.
    pub finding: FindingId,
    /// This case, in words.
    pub message: String,
    /// What could be done.
    pub ways: Vec<String>,
}

impl Blocked {
    fn new(finding: FindingId, message: impl Into<String>) -> Self {
        Self { finding, message: message.into(), ways: Vec::new() }
    }

    fn or(mut self, way: impl Into<String>) -> Self {
        self.ways.push(way.into());
        self
    }
}

/// Whether every function that is handed over with an address could be given to a guest now: held by vfio-pci, or by nothing. A driver that isn't
/// known makes it not ready.
#[must_use]
pub fn is_ready(inventory: &Inventory, slot: PciAddr) -> bool {
    let free =
        |device: &Device| device.driver.get().is_some_and(|held| held.as_deref().is_none_or(|by| by == "vfio-pci"));
    let clean = inventory.handed(slot).is_some_and(|slot| slot.verdict.is_clean());
    clean && inventory.own(slot).into_iter().filter(|device| !device.bridge).all(free)
}

/// Whether a slot can be given to a guest at all. What it gives is what a person has to know before more than looking.
///
/// # Errors
/// It can't be passed through.
pub fn examine(basis: &Basis<'_>, slot: PciAddr) -> Result<Vec<Risk>, Blocked> {
    choose::refuse(basis, slot)?;
    Ok(choose::risks(basis, slot))
}

/// The plan for a slot that [`choose`] found.
///
/// # Errors
/// The card can't be passed through, or a file can't be changed for certain.
pub fn plan(basis: &Basis<'_>, slot: PciAddr) -> Result<HostPlan, Blocked> {
    let Basis { inventory, setup, .. } = *basis;
    let risks = examine(basis, slot)?;
    let name = inventory.card_of(slot).map(|card| card.main);
    let main = name.and_then(|main| inventory.device(main)).or_else(|| inventory.own(slot).first().copied());
    let mut plan = HostPlan {
        card: inventory.handed(slot).map_or(slot, |slot| slot.addr),
        name: main.map(Device::title).unwrap_or_default(),
        strategy: None,
        ready: is_ready(inventory, slot),
        loader: setup.boot.loader,
        edits: Vec::new(),
        commands: Vec::new(),
        notes: Vec::new(),
        risks,
    };
    let off = setup.iommu_off(inventory) == Some(Off::Kernel);
    let mut bound = false;
    if off {
        plan.notes.push(
            "The IOMMU has to be turned on first. Plan again after the reboot: only then the groups are seen."
                .to_owned(),
        );
    } else {
        bound = binding::plan(basis, slot, &mut plan)?;
    }
    let told = told::plan(basis, &mut plan, off)?;
    after::plan(basis, &mut plan, bound, told);
    choose::notes(basis, slot, &mut plan);
    Ok(plan)
}

/// Adds an edit if the file isn't as it is to be.
fn put(plan: &mut HostPlan, files: &Files, path: &str, after: String, why: &str) -> bool {
    let before = files.get(path).cloned();
    if before.as_deref() == Some(after.as_str()) {
        return false;
    }
    plan.edits.retain(|edit| edit.path != path);
    plan.edits.push(Edit { path: path.to_owned(), before, after, why: why.to_owned() });
    true
}

/// A file's text as the plan has it so far.
fn current<'a>(plan: &'a HostPlan, files: &'a Files, path: &str) -> Option<&'a str> {
    let planned = plan.edits.iter().find(|edit| edit.path == path).map(|edit| edit.after.as_str());
    planned.or_else(|| files.get(path).map(String::as_str))
}

/// Adds one of our own files. One of that name that somebody else wrote is left alone.
fn put_own(plan: &mut HostPlan, files: &Files, path: &str, lines: &[String], why: &str) -> Result<bool, Blocked> {
    if files.get(path).is_some_and(|text| !text.starts_with(MARK)) {
        let message = format!("{path} is there and isn't a file of morpheus.");
        let way = format!("Look at {path}; remove it if nothing needs it, then plan again.");
        return Err(Blocked::new(FindingId::SetupForeignFile, message).or(way));
    }
    let text = format!("{MARK}\n{}\n", lines.join("\n"));
    Ok(put(plan, files, path, text, why))
}

#[cfg(test)]
#[path = "hostplan_tests.rs"]
mod tests;
