//! The host's version, privileges of the credentials, and mappings that no longer fit.

use super::{Api, Finding, Report, and};
use crate::domain::finding::FindingId;
use std::collections::BTreeSet;

/// Checks version, privileges and mappings.
pub(super) fn examine(api: &Api, report: &mut Report) {
    report.findings.extend(api.release.too_old().map(|words| Finding::of_host(FindingId::PveVersion, words)));
    report.look("the list of VMs", &api.guests);
    for right in report.look("the credentials' privileges", &api.lacking).into_iter().flatten() {
        // A token may well see no more than the modes' VMs.
        if right.path == "/vms" {
            let why = format!("{} lacks {} on {}", right.who, and(&right.privileges), right.path);
            report.unseen("VMs that the credentials may not see", why);
            continue;
        }
        let words = format!("it lacks {} on {}", and(&right.privileges), right.path);
        let finding = Finding::new(FindingId::PveForbidden, &right.who, words);
        report.add(right.grant.iter().fold(finding, Finding::fix));
        if right.path.starts_with("/mapping") {
            report.unseen("mappings", format!("{} lacks {} on {}", right.who, and(&right.privileges), right.path));
        }
    }
    for mapping in report.look("mappings", &api.mappings).into_iter().flatten().filter(|mapping| mapping.is_stale()) {
        let wrong = || mapping.checks.iter().filter(|check| check.error);
        let words = wrong().map(|check| check.message.clone()).collect::<Vec<_>>().join("; ");
        let finding = Finding::new(FindingId::GpuMappingStale, format!("mapping {}", mapping.id), words);
        let advice: BTreeSet<String> = wrong().map(|check| check.advice(&mapping.id)).collect();
        report.add(advice.into_iter().fold(finding, Finding::fix));
    }
}
