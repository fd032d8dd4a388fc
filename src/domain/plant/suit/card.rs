//! The card: whether it can be handed to a guest, under which mapping, and whether another guest has it.

use super::{Answers, Key, Problem, Site, unseen};
use crate::domain::{
    doctor::Looked,
    finding::FindingId,
    gpu::{HostPci, PciAddr, PciSource},
    hostplan,
    ids::Vmid,
    iommu::{Card, Kind, Part, Role, Verdict},
    mapping::MappingFile,
    plant::site::SiteGuest,
    text,
};

pub(super) fn problems(answers: &Answers, site: &Site) -> Vec<Problem> {
    let card = answers.gpu.card;
    let hardware = hardware(card, site);
    hardware.into_iter().chain(mappings(answers, site)).chain(holders(answers, site)).collect()
}

fn hardware(slot: PciAddr, site: &Site) -> Vec<Problem> {
    let key = Some(Key::GpuCard);
    let inventory = match &site.inventory {
        Looked::At(inventory) => inventory,
        Looked::Not(why) => return vec![unseen(key, "which devices the host has", why)],
    };
    let cards = inventory.cards();
    let Some(card) = cards.iter().find(|card| card.slot.addr == slot) else {
        let problem = Problem::new(key, FindingId::PlantSite, format!("There is no graphics card at {slot}."));
        let given = |card: &&Card| card.role == Role::Passthrough && card.slot.verdict.is_clean();
        let fitting = cards.iter().filter(given).map(|card| format!("{}: {}", Key::GpuCard, card.slot.addr));
        let mut ways: Vec<String> = fitting.collect();
        if ways.is_empty() {
            ways = cards.iter().map(|card| hostplan::why(inventory, card)).collect();
        }
        return vec![ways.into_iter().fold(problem, Problem::or)];
    };
    let blocked = |message: String| Problem::new(key, FindingId::PlantCard, message);
    let group = format!("`morpheus iommu show {slot}` shows the whole group.");
    match (card.slot.verdict, card.kind) {
        _ if !inventory.slices(&card.slot.functions).is_empty() => {
            vec![blocked(format!("{slot} is {}: it can't be given as a whole.", card.reason))]
        }
        (Verdict::Dirty, _) => vec![blocked(format!("{slot} {}.", hostplan::shared(inventory, &card.slot))).or(group)],
        (Verdict::NoIommu, _) => {
            let problem = blocked(format!("{slot} is in no IOMMU group."));
            vec![problem.or("`morpheus doctor` on the host says why, and `morpheus gpu plan` what to change.")]
        }
        (_, Kind::Management | Kind::Emulated | Kind::Virtual) => {
            vec![blocked(format!("{slot} is no card of its own: {}.", card.kind.word())).or(group)]
        }
        _ => Vec::new(),
    }
}

/// The mappings of all of the card's parts.
fn mappings(answers: &Answers, site: &Site) -> Vec<Problem> {
    let gpu = &answers.gpu;
    let further = site.parts(gpu.card, &gpu.mapping).into_iter().skip(1);
    mapping(answers, site).into_iter().chain(further.filter_map(|part| of_part(&part, site))).collect()
}

fn of_part(part: &Part, site: &Site) -> Option<Problem> {
    let Part { id, path } = part;
    let mapping = site.mapping(id)?;
    if !site.named(mapping).iter().any(|named| named.overlaps(*path)) {
        let message = format!("Mapping {id} names another device on {}, not the card's part at {path}.", site.node);
        let problem = Problem::new(Some(Key::GpuMapping), FindingId::PlantSite, message);
        return Some(
            problem.or(format!("Use another name for {}; those of its parts begin with it.", Key::GpuMapping)),
        );
    }
    stale(mapping)
}

/// A mapping with which a start would fail.
fn stale(mapping: &MappingFile) -> Option<Problem> {
    let stale = mapping.checks.iter().find(|check| check.error)?;
    let id = &mapping.id;
    let message = format!("Mapping {id} doesn't fit the hardware: {}", text::safe(stale.message.trim()));
    let problem = Problem::new(Some(Key::GpuMapping), FindingId::PlantSite, message);
    Some(problem.or(format!("{}.", stale.advice(id))))
}

fn mapping(answers: &Answers, site: &Site) -> Option<Problem> {
    let (id, card) = (&answers.gpu.mapping, answers.gpu.card);
    let key = Some(Key::GpuMapping);
    let mapping = site.mapping(id)?;
    if !site.maps(mapping, card) {
        let what = if mapping.of(&site.node).next().is_some() { "names another device" } else { "has no entry" };
        let problem = Problem::new(key, FindingId::PlantSite, format!("Mapping {id} {what} on {}.", site.node));
        return Some(match site.mapping_of(card) {
            Some(right) => problem.or(format!("{}: {}", Key::GpuMapping, right.id)),
            None => problem.or(format!("Use another name for {}; it is made.", Key::GpuMapping)),
        });
    }
    let besides = site.besides(mapping);
    if !besides.is_empty() {
        let name = |addr: &PciAddr| {
            let device = site.inventory.seen().and_then(|inventory| inventory.device(*addr));
            device.map_or_else(|| addr.to_string(), |device| format!("{addr} ({})", text::safe(&device.title())))
        };
        let list: Vec<String> = besides.iter().map(name).collect();
        let message = format!("Mapping {id} names more than the card: the host would lose {}.", list.join(", "));
        let problem = Problem::new(key, FindingId::PlantCard, message);
        return Some(problem.or(format!("Use another name for {}; it is made.", Key::GpuMapping)));
    }
    stale(mapping)
}

/// Running guests that have the card and aren't among those that are planted: those are shut down in their turn.
fn holders(answers: &Answers, site: &Site) -> Vec<Problem> {
    let own = |vmid: Vmid, guest: &SiteGuest| {
        let windows = answers.windows.as_ref().map(|windows| windows.machine.vmid);
        guest.is_ours() && (vmid == answers.linux.machine.vmid || Some(vmid) == windows)
    };
    let others = site.guests.seen().into_iter().flatten();
    let others = others.filter(|(vmid, guest)| guest.running && guest.node == site.node && !own(**vmid, guest));
    let key = Some(Key::GpuCard);
    let addr = answers.gpu.card;
    let card = site.card(addr).map_or_else(|| vec![addr], |card| card.slot.functions);
    let found = others.filter_map(|(vmid, guest)| {
        let who = format!("VM {vmid} \"{}\"", text::safe(&guest.name));
        match (&guest.settings, guest.container) {
            (Looked::Not(why), false) => Some(unseen(key, &format!("whether {who} has the card"), why)),
            (Looked::At(_), false) if holds(guest, &card, site) => {
                let problem = Problem::new(key, FindingId::PlantCardBusy, format!("{who} runs and has the card."));
                Some(
                    problem
                        .or(format!("Shut it down first: `morpheus mode stop`, or `qm shutdown {vmid}` on the host.")),
                )
            }
            _ => None,
        }
    });
    found.collect()
}

/// Whether a guest's `hostpciN` lines name a function of the card, directly or by a mapping. One that can't be understood
/// may.
fn holds(guest: &SiteGuest, card: &[PciAddr], site: &Site) -> bool {
    let own = |addrs: &[PciAddr]| addrs.iter().any(|addr| card.iter().any(|own| own.overlaps(*addr)));
    let Some(settings) = guest.settings.seen() else { return true };
    let lines = settings.0.iter().filter_map(|(key, value)| Some((key.strip_prefix("hostpci")?, value)));
    lines.into_iter().any(|(index, value)| {
        match HostPci::parse(index.parse().unwrap_or_default(), value).map(|line| line.source) {
            Ok(PciSource::Raw(addrs)) => own(&addrs),
            Ok(PciSource::Mapping(id)) => site.mapping(&id).is_none_or(|mapping| own(&site.named(mapping))),
            Err(_) => true,
        }
    })
}
