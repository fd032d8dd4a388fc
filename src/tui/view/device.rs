//! Everything that is known of a PCI device, and in a word or two who has it.

use super::words::{beside, lines};
use crate::{
    domain::{
        iommu::{Card, Device, Inventory, Kind, Slot},
        text::{counted, safe},
    },
    tui::{
        model::{Hold, Model, Takers},
        theme::{Role, Theme},
    },
};
use ratatui::text::Line;

/// Who has a device, or would take it, in a few words: a guest first, then the host.
pub(super) fn used_by(model: &Model, device: &Device, takers: &Takers<'_>) -> (String, Role) {
    let holds = takers.of(device);
    let uses: Vec<String> = device.uses.iter().map(|used| safe(&used.to_string())).collect();
    match holds.first() {
        Some(hold) if hold.now || hold.named => taken(model, hold, holds.len() - 1),
        _ if !uses.is_empty() => (format!("host: {}", uses.join(", ")), Role::Text),
        Some(hold) => taken(model, hold, holds.len() - 1),
        None => (String::new(), Role::Text),
    }
}

fn taken(model: &Model, hold: &Hold<'_>, others: usize) -> (String, Role) {
    let name = model.called(hold.guest);
    let more = if others > 0 { format!(" +{others}") } else { String::new() };
    match (hold.now, hold.named) {
        (true, true) => (format!("{name}, runs{more}"), Role::Good),
        (true, false) => (format!("{name}, along{more}"), Role::Warn),
        (false, true) => (format!("for {name}{more}"), Role::Text),
        (false, false) => (format!("goes with {name}{more}"), Role::Warn),
    }
}

/// How it can be reset; nothing for bridges, which nobody resets.
pub(super) fn reset(device: &Device) -> String {
    match device.reset.get().map(Vec::as_slice) {
        None => String::new(),
        Some([]) => "none".to_owned(),
        Some(methods) => methods.join(" "),
    }
}

/// A device with its slot.
pub(super) struct Details<'a> {
    pub(super) model: &'a Model,
    pub(super) pci: &'a Inventory,
    pub(super) device: &'a Device,
    pub(super) takers: &'a Takers<'a>,
    pub(super) columns: u16,
    pub(super) theme: &'a Theme,
}

impl<'a> Details<'a> {
    /// What matters most first: where there is little room the rest is cut.
    pub(super) fn lines(&self) -> Vec<Line<'a>> {
        let device = self.device;
        let card = self.model.card_of(device);
        let mut all = lines(&device.title(), self.columns, Role::Strong, self.theme);
        let what = format!("{}, {}", device.addr, device.class.word());
        all.extend(self.pair("Device", &what, Role::Text));
        all.extend(self.group(card.as_ref()));
        all.extend(self.guests());
        all.extend(self.kernel());
        all.extend(self.card(card.as_ref()));
        let card = device.subsystem.map(|id| format!(", subsystem {id}")).unwrap_or_default();
        all.extend(self.pair("Ids", &format!("{}{card}", device.id), Role::Text));
        if let Some(sriov) = device.sriov {
            let text = format!("{} of {}", sriov.present, counted(usize::from(sriov.possible), "virtual function"));
            all.extend(self.pair("SR-IOV", &text, Role::Text));
        }
        if let Some(physical) = device.physical {
            all.extend(self.pair("Slice of", &physical.to_string(), Role::Text));
        }
        all
    }

    fn pair(&self, label: &str, text: &str, role: Role) -> Vec<Line<'a>> {
        beside(label, 9, text, role, self.columns, self.theme)
    }

    /// Its slot's verdict, and who would come along.
    fn group(&self, card: Option<&Card>) -> Vec<Line<'a>> {
        let Some(slot) = self.pci.handed(self.device.addr) else { return Vec::new() };
        let group = self.device.group.map_or_else(|| "none".to_owned(), |group| group.to_string());
        if self.device.bridge {
            return self.pair("Group", &format!("{group}. A bridge stays with the host."), Role::Text);
        }
        let meaning = card.map(|_| format!(". {}", slot.verdict.meaning())).unwrap_or_default();
        let role = match (card, slot.verdict.is_clean()) {
            (Some(_), true) => Role::Good,
            (Some(_), false) => Role::Bad,
            (None, _) => Role::Text,
        };
        let mut all = self.pair("Group", &format!("{group}, {}{meaning}", slot.verdict), role);
        all.extend(self.along(&slot, card.is_some()));
        all
    }

    /// Devices of other slots that a VM would take.
    fn along(&self, slot: &Slot, is_card: bool) -> Vec<Line<'a>> {
        let others = slot.foreign.iter().filter_map(|addr| self.pci.device(*addr));
        let words: Vec<String> = others
            .map(|other| {
                let uses: Vec<String> = other.uses.iter().map(ToString::to_string).collect();
                let uses = if uses.is_empty() { String::new() } else { format!(" [{}]", uses.join(", ")) };
                format!("{} {}{uses}", other.addr, other.class.word())
            })
            .collect();
        if words.is_empty() {
            return Vec::new();
        }
        self.pair("Takes", &words.join(", "), if is_card { Role::Bad } else { Role::Text })
    }

    /// The guests that are bound to it, each with its mode and what the mode does with a GPU; then the host.
    fn guests(&self) -> Vec<Line<'a>> {
        let mut all = Vec::new();
        for hold in self.takers.of(self.device) {
            let mode = self.model.setup.modes.of(hold.guest.vmid);
            let gpu = mode.and_then(|mode| mode.gpu(&self.model.facts)).map(|gpu| format!(", {}", gpu.word()));
            let mode = mode.map(|mode| format!(", mode {}{}", mode.name, gpu.unwrap_or_default()));
            let how = match (hold.now, hold.named) {
                (true, true) => "has it",
                (true, false) => "has it along with its group",
                (false, true) => "takes it when it starts",
                (false, false) => "would take it along with its group",
            };
            let (name, mode) = (&hold.guest.name, mode.unwrap_or_default());
            let role = if hold.now && hold.named { Role::Good } else { Role::Text };
            let label = if all.is_empty() { "Guest" } else { "" };
            all.extend(self.pair(label, &format!("VM {} {name}{mode}: {how}", hold.guest.vmid), role));
        }
        if !self.device.uses.is_empty() {
            let uses: Vec<String> = self.device.uses.iter().map(ToString::to_string).collect();
            all.extend(self.pair("Host", &uses.join(", "), Role::Text));
        }
        all
    }

    /// What only the host's own kernel tells.
    fn kernel(&self) -> Vec<Line<'a>> {
        let device = self.device;
        if !self.pci.is_of_the_kernel() {
            return self.pair("Driver", "driver, reset and power are only visible on the host", Role::Muted);
        }
        let only = device.driver_override.get().and_then(Option::as_deref);
        let only = only.map(|only| format!(", and only {only} may have it")).unwrap_or_default();
        let driver = format!("{}{only}", device.bound_to().unwrap_or("none"));
        let mut all = self.pair("Driver", &driver, Role::Text);
        match device.reset.get().map(Vec::as_slice) {
            None => {}
            Some([]) => all.extend(self.pair("Reset", "none of its own", Role::Warn)),
            Some(methods) => all.extend(self.pair("Reset", &methods.join(", "), Role::Text)),
        }
        if let Some(power) = device.power.get() {
            all.extend(self.pair("Power", &format!("{}, {}", power.state, power.runtime), Role::Text));
        }
        if device.boot_vga.is(&true) {
            all.extend(self.pair("Boot", "the host booted on this display", Role::Text));
        }
        all
    }

    /// What the card is for, and what names it to Proxmox.
    fn card(&self, card: Option<&Card>) -> Vec<Line<'a>> {
        let Some(card) = card else { return Vec::new() };
        let mut all = Vec::new();
        match self.model.hostpci_line(self.device) {
            Ok(line) => {
                let (label, text) = line.split_once(": ").unwrap_or(("", &line));
                all.extend(self.pair(label, text, Role::Strong));
            }
            Err(_) if card.kind != Kind::Discrete => {
                all.extend(self.pair("Use", &format!("stays: {}", card.reason), Role::Text));
            }
            Err(_) => {}
        }
        if let Ok(entry) = self.model.mapping_entry(self.device) {
            all.extend(self.pair("Mapping", &entry, Role::Text));
        }
        for part in self.pci.parts(card).iter().skip(1).filter(|_| card.kind == Kind::Discrete) {
            all.extend(self.pair("With", &format!("{}, by a mapping of its own ({})", part.path, part.id), Role::Text));
        }
        let twins: Vec<String> = self.pci.twins(&card.slot.functions).iter().map(ToString::to_string).collect();
        if !twins.is_empty() && card.kind != Kind::Virtual {
            let text = format!("{} have the same ids: bind by address, not by id", twins.join(", "));
            all.extend(self.pair("Twins", &text, Role::Warn));
        }
        all
    }
}
