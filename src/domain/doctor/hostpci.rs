//! All `hostpciN` lines of a VM together: what they take, what they leave behind, and what Proxmox refuses.

use super::{Finding, Report, and, settings::Line, vm::Vm};
use crate::domain::{
    finding::FindingId,
    gpu::{PciAddr, PciSource},
    iommu::{Card, Device, Inventory, Kind, Role},
    mapping::{MappingFile, paths},
};
use std::collections::BTreeSet;

/// A line with what it takes.
struct Taking {
    line: Line,
    /// Its functions; none where that isn't known, or where it takes one of several devices.
    functions: Option<Vec<PciAddr>>,
}

impl Vm<'_> {
    /// Checks the lines.
    pub(super) fn devices(&self, report: &mut Report) {
        let takings: Vec<Taking> =
            self.settings.hostpci().into_iter().map(|line| Taking { functions: self.functions(&line), line }).collect();
        for taking in &takings {
            self.source(taking, report);
            self.mediated(taking, report);
        }
        self.twice(&takings, report);
        self.legacy(&takings, report);
        let whole: Vec<&Taking> = takings.iter().filter(|taking| !taking.line.slice).collect();
        self.parts(&whole, report);
        self.strangers(&whole, report);
        self.addresses(&takings, report);
    }

    /// The functions that an address stands for, as Proxmox reads it: all that begin with it.
    fn stands_for(&self, addr: PciAddr) -> Option<Vec<PciAddr>> {
        let functions = self.inventory?.functions(addr).map(|device| device.addr);
        Some(functions.filter(|function| function.overlaps(addr)).collect())
    }

    fn functions(&self, line: &Line) -> Option<Vec<PciAddr>> {
        let addrs = match &line.source {
            PciSource::Raw(addrs) => addrs.clone(),
            PciSource::Mapping(id) => self.only_entry(self.mapping(id)?)?,
        };
        addrs.into_iter().map(|addr| self.stands_for(addr)).collect::<Option<Vec<_>>>().map(|all| all.concat())
    }

    fn mapping(&self, id: &str) -> Option<&MappingFile> {
        self.mappings?.iter().find(|mapping| mapping.id == id)
    }

    /// What a mapping names on the node, if it is one device only: of several a free one is taken.
    fn only_entry(&self, mapping: &MappingFile) -> Option<Vec<PciAddr>> {
        let mut entries = mapping.of(self.node);
        let first = entries.next().and_then(paths);
        first.filter(|_| entries.next().is_none())
    }

    /// Whether what a line names is there.
    fn source(&self, taking: &Taking, report: &mut Report) {
        let line = &taking.line;
        match &line.source {
            PciSource::Raw(addrs) => {
                let gone = |addr: &&PciAddr| self.stands_for(**addr).is_some_and(|functions| functions.is_empty());
                for addr in addrs.iter().filter(gone) {
                    let words = format!("{}; there is no device at {addr}", self.says(&line.key));
                    report.add(self.finding(FindingId::VmDeviceMissing, words));
                }
            }
            PciSource::Mapping(id) => {
                let Some(mappings) = self.mappings else {
                    let why = "the mappings can't be seen";
                    return report.unseen(format!("whether the mapping {id} of VM {} is there", self.vmid), why);
                };
                let missing = match mappings.iter().find(|mapping| mapping.id == *id) {
                    None => "there is no such mapping".to_owned(),
                    Some(mapping) if mapping.of(self.node).next().is_none() => {
                        format!("the mapping has no entry for {}", self.node)
                    }
                    Some(_) => return,
                };
                let finding = self.finding(FindingId::VmMappingMissing, format!("{}; {missing}", self.says(&line.key)));
                report.add(finding.fix(format!("`morpheus gpu map create ADDR --id {id}` makes it")));
            }
        }
    }

    /// A mediated device is cut from one function.
    fn mediated(&self, taking: &Taking, report: &mut Report) {
        let Taking { line, functions: Some(functions) } = taking else { return };
        let (true, [first, _, ..]) = (line.slice, functions.as_slice()) else { return };
        let all: Vec<String> = functions.iter().map(ToString::to_string).collect();
        let words = format!("{}; that is {}", self.says(&line.key), and(&all));
        let finding = self.finding(FindingId::VmMdevFunctions, words);
        report.add(match &line.source {
            PciSource::Raw(_) => finding.fix(format!("name {first} alone")),
            PciSource::Mapping(id) => finding.fix(format!("let the mapping {id} name {first} alone")),
        });
    }

    fn twice(&self, takings: &[Taking], report: &mut Report) {
        let mut seen: Vec<(PciAddr, &str)> = Vec::new();
        for Taking { line, functions } in takings.iter().filter(|taking| !taking.line.slice) {
            for addr in functions.iter().flatten() {
                if let Some((_, other)) = seen.iter().find(|(known, _)| known == addr) {
                    let words = format!("{other} and {} both take {addr}", line.key);
                    report.add(self.finding(FindingId::VmDeviceTwice, words));
                    break;
                }
                seen.push((*addr, &line.key));
            }
        }
    }

    /// What Proxmox wants of a VM whose only graphics are the processor's (qemu-server `QemuServer/PCI.pm`,
    /// `parse_hostpci_devices`).
    fn legacy(&self, takings: &[Taking], report: &mut Report) {
        let legacy: Vec<&Taking> = takings.iter().filter(|taking| taking.line.legacy).collect();
        let Some(Taking { line, functions }) = legacy.first() else { return };
        let off =
            self.settings.property(&line.key, "rombar", false).is_some_and(|word| !super::settings::is_true(word));
        let functions = functions.as_deref().unwrap_or_default();
        let elsewhere = functions.first().is_some_and(|addr| (addr.device, addr.function) != (2, Some(0)));
        let wrong = [
            (legacy.len() > 1, "several lines have legacy-igd=1"),
            (self.settings.is_q35(), "the machine type is q35"),
            (self.settings.get("vga") != Some("none"), "vga isn't none"),
            (off, "rombar is off"),
            (self.settings.has(&line.key, "x-vga"), "x-vga is on"),
            (line.slice, "mdev is set"),
            (functions.len() > 1, "the address stands for several functions"),
            (elsewhere, "the address isn't 00:02.0"),
        ];
        let wrong: Vec<String> =
            wrong.iter().filter(|(wrong, _)| *wrong).map(|(_, words)| (*words).to_owned()).collect();
        if !wrong.is_empty() {
            let words = format!("{}; but {}", self.says(&line.key), and(&wrong));
            report.add(self.finding(FindingId::VmLegacyIgd, words));
        }
    }

    /// A display without the other functions of its slot that belong to the card is a part of it. What is in other slots
    /// is reset by itself, and virtual functions are devices of their own.
    fn parts(&self, whole: &[&Taking], report: &mut Report) {
        let Some(inventory) = self.inventory else { return };
        let taken: BTreeSet<PciAddr> =
            whole.iter().flat_map(|taking| taking.functions.iter().flatten()).copied().collect();
        let cards = inventory.cards();
        for card in cards.iter().filter(|card| card.kind != Kind::Virtual && taken.contains(&card.main)) {
            let own = card.slot.functions.iter().filter(|addr| addr.slot() == card.main.slot());
            let left: Vec<String> = own.filter(|addr| !taken.contains(addr)).map(ToString::to_string).collect();
            let has = |taking: &&&Taking| taking.functions.iter().flatten().any(|addr| *addr == card.main);
            let Some(taking) = whole.iter().find(has).filter(|_| !left.is_empty()) else { continue };
            let place = match &taking.line.source {
                PciSource::Raw(_) => taking.line.key.clone(),
                PciSource::Mapping(id) => format!("mapping {id}"),
            };
            let words = format!("{place} names {} and leaves {} behind", card.main, and(&left));
            let finding = self.finding(FindingId::VmSingleFunction, words);
            report.add(finding.fix(format!("name {} in its place", whole_card(inventory, card))));
        }
    }

    /// What goes along with a card and isn't the card's: a processor's other devices, where a whole slot is named for
    /// its graphics; and what shares a group with what is taken. Of cards for guests the latter is said of the card.
    fn strangers(&self, whole: &[&Taking], report: &mut Report) {
        let Some(inventory) = self.inventory else { return };
        let cards = inventory.cards();
        let named = |addr: &PciAddr| {
            let title = inventory.device(*addr).map(Device::title).unwrap_or_default();
            format!("{addr} ({title})")
        };
        let taken: BTreeSet<PciAddr> =
            whole.iter().flat_map(|taking| taking.functions.iter().flatten()).copied().collect();
        for taking in whole {
            let functions = taking.functions.as_deref().unwrap_or_default();
            let card = cards.iter().find(|card| card.kind == Kind::Integrated && functions.contains(&card.main));
            let Some(card) = card else { continue };
            let others: Vec<String> = functions.iter().filter(|addr| !card.has(**addr)).map(named).collect();
            if others.is_empty() {
                continue;
            }
            let words = format!("{} also takes {}", self.says(&taking.line.key), and(&others));
            let finding = self.finding(FindingId::IommuWholeGroup, words);
            report.add(match &taking.line.source {
                PciSource::Raw(_) => finding.fix(format!("name {} in its place", whole_card(inventory, card))),
                PciSource::Mapping(_) => finding.fix(format!(
                    "`morpheus gpu map create {}` makes mappings of the card alone; name these in its place",
                    card.slot.addr
                )),
            });
        }
        let said = |addr: &PciAddr| {
            let of = |card: &&Card| card.has(*addr);
            cards.iter().find(of).is_some_and(|card| card.role == Role::Passthrough)
        };
        let own: Vec<PciAddr> = taken.iter().filter(|addr| !said(addr)).copied().collect();
        let foreign = own.first().map(|first| inventory.together(*first, &own).foreign).unwrap_or_default();
        let others: Vec<String> = foreign.iter().filter(|addr| !taken.contains(addr)).map(named).collect();
        if !others.is_empty() {
            let words = format!("in one group with what it has passed through: {}", and(&others));
            report.add(self.finding(FindingId::IommuWholeGroup, words));
        }
    }

    /// Lines that name addresses. Where a mapping that fits has the same device, the command that puts it into their
    /// place; a mapping is named once.
    fn addresses(&self, takings: &[Taking], report: &mut Report) {
        let raw = |taking: &&Taking| matches!(taking.line.source, PciSource::Raw(_));
        let mut open: Vec<&Taking> = takings.iter().filter(raw).collect();
        let used = |id: &str| self.settings.names_mapping(id);
        let fitting = self.mappings.into_iter().flatten().filter(|mapping| !mapping.is_stale());
        for mapping in fitting.filter(|mapping| !used(&mapping.id)) {
            let Some(functions) = self.mapped(mapping) else { continue };
            let of = |taking: &&&Taking| {
                let taken = taking.functions.as_deref().unwrap_or_default();
                taking.line.slice == mapping.mdev
                    && !taken.is_empty()
                    && taken.iter().all(|addr| functions.contains(addr))
            };
            let replaced: Vec<&Taking> = open.iter().filter(of).copied().collect();
            let replaced = if mapping.mdev { replaced.into_iter().take(1).collect() } else { replaced };
            let taken: Vec<PciAddr> =
                replaced.iter().flat_map(|taking| taking.functions.iter().flatten()).copied().collect();
            let all = functions.iter().all(|addr| taken.contains(addr));
            let card = self.inventory.and_then(|inventory| inventory.card_of(*functions.first()?));
            // A card of which the display is named may be named whole, but nothing beside it.
            let most = card.as_ref().is_some_and(|card| taken.contains(&card.main));
            let beside = card.is_some_and(|card| functions.iter().any(|addr| !card.has(*addr)));
            if replaced.is_empty() || beside || !(all || most) {
                continue;
            }
            open.retain(|taking| replaced.iter().all(|other| other.line.key != taking.line.key));
            report.add(self.replace(&replaced, mapping));
        }
        for taking in open {
            let finding = self.finding(FindingId::VmRaw, self.says(&taking.line.key));
            report.add(match self.how_to_map(taking) {
                Some(way) => finding.fix(way),
                None => finding,
            });
        }
    }

    /// How a mapping of a line's device is made: by us for a card that can be given, else in Proxmox' own dialog.
    fn how_to_map(&self, taking: &Taking) -> Option<String> {
        let (inventory, first) = (self.inventory?, *taking.functions.as_ref()?.first()?);
        let is_it = |mapping: &&MappingFile| self.mapped(mapping).is_some_and(|of| of.contains(&first));
        let stale = self.mappings.into_iter().flatten().find(is_it);
        if let Some((id, check)) = stale.and_then(|of| Some((&of.id, of.checks.iter().find(|check| check.error)?))) {
            return Some(format!("{}; then name {id} in its place", check.advice(id)));
        }
        // Of a card's audio in the display's slot there is no mapping; of one in a slot of its own there is.
        let named = |card: &Card| inventory.parts(card).iter().any(|part| part.path.overlaps(first));
        let starts = |card: &Card| card.main == first || (first.slot() != card.main.slot() && named(card));
        let card = inventory.card_of(first).filter(|card| starts(card) && !taking.line.slice);
        let cut = card.as_ref().is_some_and(|card| !inventory.slices(&card.slot.functions).is_empty());
        Some(match card.filter(|_| !cut) {
            Some(card) => {
                format!("`morpheus gpu map create {}` makes a mapping, which a token may set", card.slot.addr)
            }
            None => "Datacenter > Resource Mappings makes a mapping of it, which a token may set".to_owned(),
        })
    }

    fn mapped(&self, mapping: &MappingFile) -> Option<Vec<PciAddr>> {
        let addrs = self.only_entry(mapping)?;
        let all = addrs.into_iter().map(|addr| self.stands_for(addr)).collect::<Option<Vec<_>>>()?.concat();
        Some(all).filter(|all| !all.is_empty())
    }

    /// The mapping in place of these lines, with the options of the first one.
    fn replace(&self, lines: &[&Taking], mapping: &MappingFile) -> Finding {
        let said: Vec<String> = lines.iter().map(|taking| self.says(&taking.line.key)).collect();
        let finding = self.finding(FindingId::VmRaw, and(&said));
        let Some((first, others)) = lines.split_first() else { return finding };
        let value = self.settings.get(&first.line.key).unwrap_or_default();
        let rest = value.split(',').filter(|part| part.contains('=') && !part.starts_with("host="));
        let rest = std::iter::once("").chain(rest).collect::<Vec<_>>().join(",");
        let gone: Vec<&str> = others.iter().map(|taking| taking.line.key.as_str()).collect();
        let gone = if gone.is_empty() { String::new() } else { format!(" --delete {}", gone.join(",")) };
        let option = format!("--{} mapping={}{rest}{gone}", first.line.key, mapping.id);
        finding.fix(format!("once, as root {}", self.set(&option)))
    }
}

/// The addresses that name all of a card: its slot where all of that is the card's.
fn whole_card(inventory: &Inventory, card: &Card) -> String {
    let parts = inventory.parts(card);
    parts.iter().map(|part| part.path.to_string()).collect::<Vec<_>>().join(";")
}
