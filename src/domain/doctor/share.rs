//! VMs that want the same card at the same time.

use super::{
    Api, Finding, Report, Settings, and,
    vm::{name, with_devices},
};
use crate::domain::{
    finding::FindingId,
    gpu::{self, Claim, PciAddr, PciSource},
    guest::Guest,
    held,
    iommu::Inventory,
    mapping::property,
};
use std::collections::{BTreeMap, BTreeSet};

/// Checks what happens at the host's start and in backups.
pub(super) fn examine(api: &Api, inventory: Option<&Inventory>, report: &mut Report) {
    let mut sharing: BTreeMap<PciAddr, Vec<(&Guest, &Settings)>> = BTreeMap::new();
    for (guest, settings) in with_devices(api) {
        for slot in slots(api, settings) {
            sharing.entry(slot).or_default().push((guest, settings));
        }
    }
    containers(api, inventory, &sharing, report);
    sharing.retain(|_, guests| guests.len() > 1);
    for (slot, guests) in &sharing {
        let started: Vec<String> =
            guests.iter().filter(|(_, settings)| settings.is_on("onboot")).map(|(guest, _)| name(guest)).collect();
        if started.len() > 1 {
            let words = format!("{} have onboot: 1", and(&started));
            report.add(Finding::new(FindingId::VmOnboot, slot.to_string(), words));
        }
    }
    let jobs = match report.look("backup jobs", &api.backups) {
        Some(jobs) if !sharing.is_empty() => jobs,
        _ => return,
    };
    for job in jobs {
        for (slot, guests) in &sharing {
            let known: Option<Vec<bool>> = guests.iter().map(|(guest, _)| job.covers(guest.vmid, &api.node)).collect();
            let Some(known) = known else {
                report.unseen(format!("whom the backup job {} covers", job.id), "it names a pool");
                break;
            };
            let covered: Vec<String> =
                guests.iter().zip(known).filter(|(_, covered)| *covered).map(|((guest, _), _)| name(guest)).collect();
            if covered.len() > 1 {
                let when = job.schedule.as_ref().map(|when| format!(" ({when})")).unwrap_or_default();
                let words = format!("job {}{when} covers {}", job.id, and(&covered));
                report.add(Finding::new(FindingId::VmBackup, slot.to_string(), words));
            }
        }
    }
}

/// Containers with device nodes that may be of a card which VMs take.
fn containers(
    api: &Api,
    inventory: Option<&Inventory>,
    sharing: &BTreeMap<PciAddr, Vec<(&Guest, &Settings)>>,
    report: &mut Report,
) {
    for (container, nodes) in report.look("containers", &api.containers).into_iter().flatten() {
        let Some(nodes) = report.look(&format!("the configuration of CT {}", container.vmid), nodes) else { continue };
        let claims = held::by_nodes(nodes, inventory, &[]);
        let own = |slot: &PciAddr| match claims.as_slice() {
            [] => false,
            [Claim::Unreserved { functions, .. }] => functions.iter().any(|addr| addr.slot() == *slot),
            _ => true,
        };
        for (slot, guests) in sharing.iter().filter(|(slot, _)| own(slot)) {
            let names: Vec<String> = guests.iter().map(|(guest, _)| name(guest)).collect();
            let words = format!("it has {}, and {} can have the card at {slot}", and(nodes), and(&names));
            let subject = format!("CT {} ({})", container.vmid, container.name);
            report.add(Finding::new(FindingId::GpuContainerNodes, subject, words));
        }
    }
}

/// The slots that a VM takes as a whole. Further functions are devices of their own: virtual ones most often.
fn slots(api: &Api, settings: &Settings) -> BTreeSet<PciAddr> {
    let mut found: BTreeSet<PciAddr> = settings.by_args().iter().flat_map(gpu::functions).map(PciAddr::slot).collect();
    for line in settings.hostpci().into_iter().filter(|line| !line.slice) {
        match line.source {
            PciSource::Raw(addrs) => found.extend(addrs.into_iter().map(shared)),
            PciSource::Mapping(id) => {
                let mapping = api.mappings.seen().and_then(|all| all.iter().find(|mapping| mapping.id == id));
                let entries: Vec<&str> = mapping.into_iter().flat_map(|mapping| mapping.of(&api.node)).collect();
                // Of several cards a free one is taken.
                if let [only] = entries.as_slice() {
                    let addrs = property(only, "path").into_iter().flat_map(|path| path.split(';'));
                    found.extend(addrs.filter_map(|addr| addr.parse::<PciAddr>().ok()).map(shared));
                }
            }
        }
    }
    found
}

const fn shared(addr: PciAddr) -> PciAddr {
    if matches!(addr.function, None | Some(0)) { addr.slot() } else { addr }
}
