//! What is wrong with the resource mappings that a guest's configuration names. Proxmox compares them with the hardware
//! at every start: what would fail then is known beforehand.

use super::Situation;
use crate::domain::{
    facts::Part,
    finding::FindingId,
    gpu::MappingCheck,
    ids::Vmid,
    switch::{plan::Party, refusal::Refusal},
    text,
};

/// A mapping that a start would fail with, or of which nobody can tell.
pub(super) struct Flaw {
    finding: FindingId,
    /// The mapping's id, safe for a terminal.
    id: String,
    /// What is wrong, as the rest of a sentence about the mapping.
    why: String,
    ways_out: Vec<String>,
}

impl Situation<'_> {
    /// The first flaw among the mappings of a guest.
    pub(super) fn flaw(&self, vmid: Vmid) -> Option<Flaw> {
        self.facts.config(vmid)?.mappings().find_map(|id| self.flaw_of(id))
    }

    fn flaw_of(&self, id: &str) -> Option<Flaw> {
        let shown = text::safe(id);
        let flaw =
            |finding, why: String, ways_out: Vec<String>| Some(Flaw { finding, id: shown.clone(), why, ways_out });
        let Some(listed) = self.facts.mappings.fresh() else {
            let trouble = self.facts.mappings.error.as_ref();
            let why = trouble.map_or("mappings weren't read", |trouble| trouble.parts().0);
            let finding = trouble.map_or(FindingId::GpuHolderUnknown, |trouble| trouble.finding);
            let grant = trouble.map(|trouble| trouble.parts().1).unwrap_or_default();
            return flaw(finding, format!("can't be read: {why}"), grant.into_iter().map(str::to_owned).collect());
        };
        let node = self.facts.node.as_ref().map_or("this node", |node| node.as_str());
        let Some(mapping) = listed.iter().find(|mapping| mapping.id == id) else {
            let list = "`morpheus gpu map list` shows those that are there.".to_owned();
            if self.facts.mapping_rights.get(id).and_then(Part::fresh) == Some(&true) {
                let create = format!("Make it anew: morpheus gpu map create ADDR --id {shown}");
                return flaw(FindingId::VmMappingMissing, "isn't there any more".to_owned(), vec![create, list]);
            }
            let why = "isn't there, or the token may not see it".to_owned();
            let grant = "Grant Mapping.Audit on /mapping/pci to the token.".to_owned();
            return flaw(FindingId::GpuHolderUnknown, why, vec![grant, list]);
        };
        let repair = format!("Write it anew: morpheus gpu map repair {shown}");
        if let Some(check) = mapping.checks.iter().find(|check| check.error) {
            let why = format!("no longer fits the hardware of {node}: {}", words(check));
            return flaw(FindingId::GpuMappingStale, why, vec![format!("{}.", check.advice(&shown))]);
        }
        if !mapping.entries.iter().any(|entry| entry.node.as_str() == node) {
            return if mapping.entries.is_empty() {
                flaw(FindingId::GpuHolderUnknown, "has an entry that can't be understood".to_owned(), vec![repair])
            } else {
                let why = format!("has no entry for {node}");
                flaw(FindingId::VmMappingMissing, why, vec![format!("{repair} ADDR")])
            };
        }
        None
    }
}

impl Flaw {
    /// Why a guest can't be started.
    pub(super) fn refuse(self, party: &Party) -> Refusal {
        let Self { finding, id, why, ways_out } = self;
        let message =
            format!("The PCI mapping '{id}' of {party} {why}. {party} can't be started; nothing was stopped.");
        let refusal = Refusal::new(finding, message).in_brief(format!("mapping {id} {}", brief(finding)));
        ways_out.into_iter().fold(refusal, Refusal::or)
    }

    /// Why a guest that is stopped now couldn't be brought back.
    pub(super) fn warning(self, party: &Party) -> (FindingId, String) {
        let Self { finding, id, why, .. } = self;
        (finding, format!("The PCI mapping '{id}' of {party} {why}. {party} couldn't be started again."))
    }

    /// Why nobody can tell what a running guest holds.
    pub(super) fn holder(self) -> (String, Vec<String>) {
        (format!("its PCI mapping '{}' {}", self.id, self.why), self.ways_out)
    }
}

fn brief(finding: FindingId) -> &'static str {
    match finding {
        FindingId::GpuMappingStale => "doesn't fit",
        FindingId::VmMappingMissing => "isn't there",
        _ => "can't be read",
    }
}

/// `Invalid configuration: 'iommugroup' does not match ...`, without what every check begins with.
fn words(check: &MappingCheck) -> String {
    text::safe(check.message.strip_prefix("Invalid configuration: ").unwrap_or(&check.message))
}
