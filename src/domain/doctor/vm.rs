//! The configuration of each VM that has a device passed through.

use super::{Api, Finding, Report, Settings, and, settings::is_true};
use crate::domain::{
    finding::FindingId,
    guest::Guest,
    ids::{NodeName, Vmid},
    iommu::Inventory,
    mapping::MappingFile,
    release::{Feature, Release},
};

/// VMs that have a device passed through, with their configurations.
pub(super) fn with_devices(api: &Api) -> impl Iterator<Item = (&Guest, &Settings)> {
    let guests = api.guests.seen().into_iter().flatten().filter(|guest| !guest.template);
    let known = guests.filter_map(|guest| Some((guest, api.settings.get(&guest.vmid)?.seen()?)));
    known.filter(|(_, settings)| !settings.hostpci().is_empty() || !settings.by_args().is_empty())
}

/// How a VM is called in a report.
pub(super) fn name(guest: &Guest) -> String {
    format!("VM {} ({})", guest.vmid, guest.name)
}

/// Checks each VM by itself.
pub(super) fn examine(api: &Api, inventory: Option<&Inventory>, report: &mut Report) {
    for (vmid, settings) in &api.settings {
        report.look(&format!("the configuration of VM {vmid}"), settings);
    }
    // Whoever may not see mappings gets an empty list and no error.
    let may_see = api.lacking.seen().is_some_and(|all| !all.iter().any(|right| right.path.starts_with("/mapping")));
    let mappings = api.mappings.seen().filter(|_| may_see);
    for (guest, settings) in with_devices(api) {
        let release = api.release;
        let vm = Vm { vmid: guest.vmid, subject: name(guest), settings, node: &api.node, release, mappings, inventory };
        vm.machine(report);
        vm.firmware(report);
        vm.rest(report);
        vm.devices(report);
        if !settings.by_args().is_empty() {
            report.add(vm.finding(FindingId::VmArgs, vm.says("args")));
        }
    }
}

pub(super) struct Vm<'a> {
    pub(super) vmid: Vmid,
    subject: String,
    pub(super) settings: &'a Settings,
    pub(super) node: &'a NodeName,
    release: Release,
    pub(super) mappings: Option<&'a Vec<MappingFile>>,
    pub(super) inventory: Option<&'a Inventory>,
}

impl Vm<'_> {
    pub(super) fn finding(&self, id: FindingId, evidence: impl Into<String>) -> Finding {
        Finding::new(id, &self.subject, evidence)
    }

    /// What a key is set to, in words.
    pub(super) fn says(&self, key: &str) -> String {
        self.settings.get(key).map_or_else(|| format!("{key} isn't set"), |value| format!("{key}: {value}"))
    }

    pub(super) fn set(&self, option: &str) -> String {
        format!("on the host: qm set {} {option}", self.vmid)
    }

    fn machine(&self, report: &mut Report) {
        let lines = self.settings.hostpci();
        let express: Vec<String> = lines.iter().filter(|line| line.pcie).map(|line| line.key.clone()).collect();
        let legacy = lines.iter().any(|line| line.legacy);
        if self.settings.is_q35() {
            let plain = lines.iter().filter(|line| !line.pcie && !line.slice && !line.legacy);
            let plain: Vec<String> = plain.map(|line| self.says(&line.key)).collect();
            if !plain.is_empty() {
                report.add(self.finding(FindingId::VmNotPcie, and(&plain)));
            }
        } else if express.is_empty() && legacy {
            // This mode needs the old machine type.
        } else if express.is_empty() {
            report.add(self.finding(FindingId::VmNotQ35, self.says("machine")).fix(self.set("--machine q35")));
        } else {
            let words = format!("{}, and {} has pcie=1", self.says("machine"), and(&express));
            report.add(self.finding(FindingId::VmPcieNeedsQ35, words).fix(self.set("--machine q35")));
        }
    }

    fn firmware(&self, report: &mut Report) {
        if self.settings.get("bios") != Some("ovmf") {
            // A processor's graphics as the only ones come from the old firmware's time, and start with it.
            if self.settings.hostpci().iter().any(|line| line.legacy) {
                return;
            }
            return report.add(self.finding(FindingId::VmNotUefi, self.says("bios")));
        }
        let kind = self.settings.property("efidisk0", "efitype", false);
        if kind != Some("4m") {
            report.add(self.finding(FindingId::VmEfiDisk, self.says("efidisk0")));
        }
        let keys = self.settings.has("efidisk0", "pre-enrolled-keys");
        let new = self.settings.property("efidisk0", "ms-cert", false).is_some_and(|cert| cert.starts_with("2023"));
        // Before there is a mark, nothing tells which certificates are on the disk.
        if self.settings.is_windows() && keys && !new && self.release.has(Feature::CertificateMark) {
            report.add(self.finding(FindingId::VmMsCert, self.says("efidisk0")));
        }
    }

    fn rest(&self, report: &mut Report) {
        if self.settings.property("cpu", "cputype", true) != Some("host") {
            report.add(self.finding(FindingId::VmCpu, self.says("cpu")).fix(self.set("--cpu host")));
        }
        if self.settings.get("balloon") != Some("0") {
            report.add(self.finding(FindingId::VmBalloon, self.says("balloon")).fix(self.set("--balloon 0")));
        }
        if !self.settings.property("agent", "enabled", true).is_some_and(is_true) {
            let finding = self.finding(FindingId::VmAgentOff, self.says("agent")).fix(self.set("--agent 1"));
            report.add(finding.fix("in the guest: install qemu-guest-agent"));
        }
    }
}
