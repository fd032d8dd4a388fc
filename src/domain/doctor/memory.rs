//! Whether the largest VM with a device fits into the host.

use super::{
    Api, Finding, Report,
    vm::{name, with_devices},
};
use crate::domain::{finding::FindingId, text};

/// What the host needs for itself beside a VM that takes all of its memory at once, bytes.
const RESERVE: u64 = 2 << 30;

/// Checks the host's memory.
pub(super) fn examine(api: &Api, report: &mut Report) {
    let Some(memory) = report.look("the host's memory", &api.memory) else { return };
    let largest = with_devices(api).max_by_key(|(_, settings)| settings.memory_mib());
    let Some((guest, settings)) = largest else { return };
    let needed = settings.memory_mib() << 20;
    if needed + RESERVE > memory.total {
        let words = format!(
            "it takes {} at its start, the host has {} and needs {} itself",
            text::bytes(needed),
            text::bytes(memory.total),
            text::bytes(RESERVE)
        );
        report.add(Finding::new(FindingId::MemoryShort, name(guest), words));
    }
}
