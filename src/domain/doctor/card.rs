//! Cards that a guest is to have: their groups first; the rest only where they can be handed over at all.

use super::{Finding, Report, and, kernel::NO_IOMMU};
use crate::domain::{
    finding::FindingId,
    hostplan,
    iommu::{Card, Device, Inventory, Kind, Role, Verdict},
    setup::{Family, GivenIds, Setup},
};
use std::collections::BTreeSet;

/// AMD's chips that don't come back from a bus reset: first and last device id, and their name (the list of the kernel
/// module vendor-reset).
const RESET_BUGS: [(u16, u16, &str); 11] = [
    (0x67c0, 0x67df, "Polaris 10"),
    (0x67e0, 0x67ff, "Polaris 11"),
    (0x6980, 0x699f, "Polaris 12"),
    (0x694c, 0x694f, "Vega M"),
    (0x6860, 0x687f, "Vega 10"),
    (0x69a0, 0x69af, "Vega 12"),
    (0x66a0, 0x66af, "Vega 20"),
    (0x6fdf, 0x6fdf, "Polaris 20"),
    (0x7310, 0x731f, "Navi 10"),
    (0x7340, 0x734f, "Navi 14"),
    (0x7360, 0x7362, "Navi 12"),
];

const AMD: u16 = 0x1002;
const CONTROLLER_3D: u32 = 0x0302;

/// What is looked at.
struct Look<'a> {
    inventory: &'a Inventory,
    /// None where only the API was asked: the host is one of Proxmox then.
    setup: Option<&'a Setup>,
}

/// Checks every card that a guest may have.
pub(super) fn examine(inventory: &Inventory, setup: Option<&Setup>, report: &mut Report) {
    let look = Look { inventory, setup };
    let cards = inventory.cards();
    let given: Vec<&Card> = cards.iter().filter(|card| card.role == Role::Passthrough).collect();
    let slices = cards.iter().any(|card| card.role == Role::Slice);
    if given.is_empty() && !slices {
        let displays: Vec<String> =
            cards.iter().map(|card| format!("{} ({})", card.slot.addr, card.kind.word())).collect();
        let words = if displays.is_empty() { "there is no display at all".to_owned() } else { and(&displays) };
        let integrated = cards.iter().filter(|card| card.kind == Kind::Integrated);
        let finding = Finding::of_host(FindingId::GpuNoCard, words);
        report.add(integrated.fold(finding, |finding, card| finding.fix(hostplan::why(inventory, card))));
    }
    if setup.is_none() && !inventory.devices.is_empty() && !inventory.is_on() {
        let words = format!("Proxmox lists every device without an IOMMU group; {NO_IOMMU}");
        report.add(Finding::of_host(FindingId::IommuOff, words));
    }
    for card in given {
        match card.slot.verdict {
            // Said of the host as a whole.
            Verdict::NoIommu => {}
            Verdict::Dirty => look.dirty(card, report),
            Verdict::Clean | Verdict::CleanWithBridge | Verdict::Split => look.usable(card, report),
        }
    }
}

impl Look<'_> {
    fn subject(&self, card: &Card) -> String {
        let title = self.inventory.device(card.main).map(Device::title).unwrap_or_default();
        format!("{} {title}", card.slot.addr)
    }

    fn functions<'a>(&'a self, card: &'a Card) -> impl Iterator<Item = &'a Device> {
        card.slot.functions.iter().filter_map(|addr| self.inventory.device(*addr))
    }

    fn is_proxmox(&self) -> bool {
        self.setup.is_none_or(|setup| setup.family == Family::Proxmox)
    }

    fn dirty(&self, card: &Card, report: &mut Report) {
        let subject = self.subject(card);
        let groups: Vec<String> = card.slot.groups.iter().map(u32::to_string).collect();
        let named = |device: &Device| format!("{} ({})", device.addr, device.title());
        let foreign: Vec<String> =
            card.slot.foreign.iter().filter_map(|addr| self.inventory.device(*addr)).map(named).collect();
        let words = format!("group {} also holds {}", groups.join(" and "), and(&foreign));
        report.add(Finding::new(FindingId::IommuDirtyGroup, &subject, words));
        if self.is_proxmox() {
            let losses: Vec<String> = self.inventory.losses(&card.slot).iter().map(ToString::to_string).collect();
            let words = match (losses.is_empty(), self.inventory.is_of_the_kernel()) {
                (false, _) => format!("the host would lose {}", and(&losses)),
                (true, true) => format!("the host would lose {}", and(&foreign)),
                (true, false) => format!("the host would lose {}; what it uses them for, only it shows", and(&foreign)),
            };
            report.add(Finding::new(FindingId::IommuWholeGroup, &subject, words));
        }
        report.add(Finding::new(FindingId::IommuOtherSlot, &subject, self.behind(card)));
        if self.knows_acs_override() {
            let words = "this kernel knows pcie_acs_override; it weakens the isolation of all guests";
            report.add(Finding::new(FindingId::IommuAcsPossible, &subject, words));
        }
    }

    /// The bridge that the slot is wired to.
    fn behind(&self, card: &Card) -> String {
        let parent = self.inventory.device(card.main).and_then(|device| device.parent.get().copied().flatten());
        match parent.and_then(|parent| self.inventory.device(parent)) {
            Some(bridge) => format!("it is behind {} ({})", bridge.addr, bridge.title()),
            None => "which bridge it is behind isn't shown".to_owned(),
        }
    }

    /// Proxmox's kernel has the patch, and so have those of `CachyOS` and linux-zen; who has set it has nothing to gain.
    fn knows_acs_override(&self) -> bool {
        let Some(setup) = self.setup else { return true };
        let release = setup.kernel.get().map(|kernel| kernel.text.as_str()).unwrap_or_default();
        let patched =
            setup.family == Family::Proxmox || ["cachyos", "zen", "acs"].iter().any(|name| release.contains(name));
        let active = setup.cmdline.get().is_some_and(|line| line.last("pcie_acs_override").is_some());
        patched && !active
    }

    fn usable(&self, card: &Card, report: &mut Report) {
        let subject = self.subject(card);
        let here = self.functions(card).filter(|device| device.addr.slot() == card.main.slot());
        if here.filter_map(|device| device.group).collect::<BTreeSet<_>>().len() > 1 {
            let groups: Vec<String> = card.slot.groups.iter().map(u32::to_string).collect();
            report.add(Finding::new(FindingId::IommuSplit, &subject, format!("groups {}", and(&groups))));
        }
        let elsewhere = self.functions(card).filter(|device| device.addr.slot() != card.main.slot());
        let elsewhere: Vec<String> = elsewhere.map(|device| format!("{} ({})", device.addr, device.title())).collect();
        if !elsewhere.is_empty() {
            let words = format!("on the same board: {}", and(&elsewhere));
            report.add(Finding::new(FindingId::GpuSeveralSlots, &subject, words));
        }
        self.twins(card, &subject, report);
        if self.inventory.is_of_the_kernel() {
            self.driver(card, &subject, report);
            self.reset(card, &subject, report);
            self.display(card, &subject, report);
        }
        let main = self.inventory.device(card.main);
        if main.is_some_and(|device| device.class.kind() == CONTROLLER_3D) {
            report.add(Finding::new(FindingId::GpuNoOutputs, &subject, "its class is 3D controller (0302)"));
        }
    }

    fn twins(&self, card: &Card, subject: &str, report: &mut Report) {
        let given = self.setup.map(Setup::vfio_ids).unwrap_or_default();
        for list in &given {
            let taken = self.twins_that(card, |device| list.takes(device));
            if self.functions(card).any(|device| list.takes(device)) && !taken.is_empty() {
                let GivenIds { file, line, items, .. } = list;
                let words = format!("{file} line {line} names {}, the ids of {} too", items.join(","), and(&taken));
                report.add(Finding::new(FindingId::GpuDuplicateIds, subject, words));
            }
        }
        let twins = self.twins_that(card, |_| true);
        let own: Vec<&Device> = self.functions(card).collect();
        // Whom the host's start gave to vfio-pci alone, Proxmox has nothing to tell it about.
        let held = own.iter().all(|device| device.bound_to() == Some("vfio-pci"));
        let apart = held && given.last().is_some_and(|list| list.takes_only(&own, &self.inventory.devices));
        if self.is_proxmox() && !twins.is_empty() && !apart {
            report.add(Finding::new(FindingId::GpuTwin, subject, format!("the same ids: {}", and(&twins))));
        }
    }

    /// Devices that aren't the card's, have one of its ids, and are such.
    fn twins_that(&self, card: &Card, such: impl Fn(&Device) -> bool) -> Vec<String> {
        let twins = self.inventory.twins(&card.slot.functions);
        let twins = twins.into_iter().filter_map(|addr| self.inventory.device(addr));
        let named = |device: &Device| {
            format!("{}{}", device.addr, if device.boot_vga.is(&true) { " (the host's own screen)" } else { "" })
        };
        twins.filter(|device| such(device)).map(named).collect()
    }

    fn driver(&self, card: &Card, subject: &str, report: &mut Report) {
        let native = self.functions(card).filter_map(|device| {
            let driver = device.bound_to().filter(|driver| *driver != "vfio-pci")?;
            Some(format!("{driver} holds {}", device.addr))
        });
        let native: Vec<String> = native.collect();
        if !native.is_empty() {
            report.add(Finding::new(FindingId::GpuNativeDriver, subject, and(&native)));
        }
    }

    fn reset(&self, card: &Card, subject: &str, report: &mut Report) {
        let Some(main) = self.inventory.device(card.main) else { return };
        if let Some(power) = main.power.get().filter(|power| power.state == "D3cold") {
            let words = format!("{} is in {} ({})", main.addr, power.state, power.runtime);
            report.add(Finding::new(FindingId::GpuPowerCut, subject, words));
        }
        let Some(methods) = main.reset.get() else {
            return report.unseen(format!("how {} can be reset", card.slot.addr), "the kernel doesn't show it");
        };
        let bug = RESET_BUGS.iter().find(|(first, last, _)| (*first..=*last).contains(&main.id.device));
        let words = if methods.is_empty() {
            "it has no reset method".to_owned()
        } else {
            format!("its reset methods: {}", methods.join(" "))
        };
        match (bug.filter(|_| main.id.vendor == AMD), methods.as_slice()) {
            (Some((.., chip)), methods) if !methods.iter().any(|method| method == "device_specific") => {
                report.add(Finding::new(FindingId::GpuResetBug, subject, format!("{chip}; {words}")));
            }
            (_, []) => report.add(Finding::new(FindingId::GpuNoReset, subject, words)),
            (_, [only]) if only == "bus" && card.slot.functions.len() > 1 => {
                report.add(Finding::new(FindingId::GpuBusReset, subject, words));
            }
            _ => {}
        }
    }

    fn display(&self, card: &Card, subject: &str, report: &mut Report) {
        let main = self.inventory.device(card.main);
        if main.is_some_and(|device| device.boot_vga.is(&true)) {
            let others = self.inventory.cards().iter().any(|other| other.main != card.main);
            let ways = self.setup.map(|setup| setup.ways_in).unwrap_or_default();
            let way = if ways.any() { "" } else { "; and no other way into the host was seen" };
            let words =
                if others { "the host booted on it, and has another display" } else { "it is the host's only display" };
            report.add(Finding::new(FindingId::GpuBootDisplay, subject, format!("{words}{way}")));
        }
        let on = self.setup.map(|setup| setup.framebuffers_on(self.inventory, card.slot.addr)).unwrap_or_default();
        let owners: Vec<String> = on.iter().map(|framebuffer| framebuffer.owner.clone()).collect();
        if !owners.is_empty() {
            let words = format!("/proc/iomem shows {} in its memory", and(&owners));
            report.add(Finding::new(FindingId::GpuFramebuffer, subject, words));
        }
    }
}
