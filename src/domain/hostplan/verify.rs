//! Whether a host came back from its reboot as planned.

use super::{Basis, is_ready, told::told_words};
use crate::domain::{gpu::PciAddr, iommu::Known, setup::Off};
use serde::Serialize;

/// One look at the host.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Check {
    /// What was looked at.
    pub name: &'static str,
    /// Whether it is as it has to be; none where that can't be seen.
    pub good: Option<bool>,
    /// What was seen.
    pub seen: String,
}

/// Looks at everything that a card needs on the running host. `pending` is the number of files that a plan would still
/// change; none if there is no plan.
#[must_use]
pub fn verify(basis: &Basis<'_>, slot: PciAddr, pending: Option<usize>) -> Vec<Check> {
    let check = |name, good, seen: String| Check { name, good, seen };
    let (inventory, setup) = (basis.inventory, basis.setup);
    let on = match setup.iommu_off(inventory) {
        None => (true, "on".to_owned()),
        Some(Off::Firmware) => (false, "off in the firmware".to_owned()),
        Some(Off::Kernel) => (false, "off in the kernel".to_owned()),
        Some(Off::Unknown) => (false, "off".to_owned()),
    };
    let verdict = inventory.handed(slot).map(|slot| slot.verdict);
    let clean = verdict.is_some_and(crate::domain::iommu::Verdict::is_clean);
    let mut checks = vec![
        check("IOMMU", Some(on.0), on.1),
        check("group", Some(clean), verdict.map(|verdict| verdict.word().to_owned()).unwrap_or_default()),
    ];
    for device in inventory.own(slot).into_iter().filter(|device| !device.bridge) {
        let (good, seen) = match &device.driver {
            Known::Unknown => (None, "driver not known".to_owned()),
            Known::Is(None) => (Some(true), "no driver".to_owned()),
            Known::Is(Some(driver)) => (Some(driver == "vfio-pci"), driver.clone()),
        };
        checks.push(check("driver", good, format!("{} {seen}", device.addr)));
    }
    for (word, there) in told_words(basis, setup.iommu_off(inventory) == Some(Off::Kernel)) {
        checks.push(check("command line", there, word));
    }
    let modules = ["vfio", "vfio_iommu_type1", "vfio_pci"];
    let missing: Vec<&str> = modules.into_iter().filter(|module| setup.has_module(module).is(&false)).collect();
    let known = setup.modules.get().map(|_| missing.is_empty());
    let seen = if missing.is_empty() { "loaded".to_owned() } else { format!("{} not loaded", missing.join(", ")) };
    checks.push(check("modules", known, seen));
    let framebuffers = setup.framebuffers_on(inventory, slot);
    let on_card =
        framebuffers.first().map_or_else(|| "not on the card".to_owned(), |f| format!("{} is on the card", f.owner));
    // vfio-pci takes it away by itself when it binds a VGA device, since Linux 6.0.
    checks.push(check("framebuffer", Some(framebuffers.is_empty() || is_ready(inventory, slot)), on_card));
    let seen = match pending {
        Some(0) => "as planned".to_owned(),
        Some(files) => format!("{files} to change; see `morpheus gpu plan`"),
        None => "there is no plan; see `morpheus gpu plan`".to_owned(),
    };
    checks.push(check("files", pending.map(|files| files == 0), seen));
    checks
}
