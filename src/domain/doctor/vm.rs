//! The configuration of each VM that has a device passed through.

use super::{Api, Finding, Report, Settings, and, settings::Line};
use crate::domain::{
    finding::FindingId,
    gpu::{PciAddr, PciSource},
    guest::Guest,
    ids::{NodeName, Vmid},
    iommu::Inventory,
    mapping::{MappingFile, property},
    release::{Feature, Release},
};

/// VMs that have a device passed through, with their configurations.
pub(super) fn with_devices(api: &Api) -> impl Iterator<Item = (&Guest, &Settings)> {
    let guests = api.guests.seen().into_iter().flatten().filter(|guest| !guest.template);
    let known = guests.filter_map(|guest| Some((guest, api.settings.get(&guest.vmid)?.seen()?)));
    known.filter(|(_, settings)| !settings.hostpci().is_empty())
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
        for line in settings.hostpci() {
            vm.line(&line, report);
        }
    }
}

struct Vm<'a> {
    vmid: Vmid,
    subject: String,
    settings: &'a Settings,
    node: &'a NodeName,
    release: Release,
    mappings: Option<&'a Vec<MappingFile>>,
    inventory: Option<&'a Inventory>,
}

impl Vm<'_> {
    fn finding(&self, id: FindingId, evidence: impl Into<String>) -> Finding {
        Finding::new(id, &self.subject, evidence)
    }

    /// What a key is set to, in words.
    fn says(&self, key: &str) -> String {
        self.settings.get(key).map_or_else(|| format!("{key} isn't set"), |value| format!("{key}: {value}"))
    }

    fn set(&self, option: &str) -> String {
        format!("on the host: qm set {} {option}", self.vmid)
    }

    fn machine(&self, report: &mut Report) {
        let lines = self.settings.hostpci();
        let express: Vec<String> = lines.iter().filter(|line| line.pcie).map(|line| line.key.clone()).collect();
        if self.settings.is_q35() {
            let plain = lines.iter().filter(|line| !line.pcie && !line.slice);
            let plain: Vec<String> = plain.map(|line| self.says(&line.key)).collect();
            if !plain.is_empty() {
                report.add(self.finding(FindingId::VmNotPcie, and(&plain)));
            }
        } else if express.is_empty() {
            report.add(self.finding(FindingId::VmNotQ35, self.says("machine")).fix(self.set("--machine q35")));
        } else {
            let words = format!("{}, and {} has pcie=1", self.says("machine"), and(&express));
            report.add(self.finding(FindingId::VmPcieNeedsQ35, words).fix(self.set("--machine q35")));
        }
    }

    fn firmware(&self, report: &mut Report) {
        if self.settings.get("bios") != Some("ovmf") {
            return report.add(self.finding(FindingId::VmNotUefi, self.says("bios")));
        }
        let kind = self.settings.property("efidisk0", "efitype", false);
        if kind != Some("4m") {
            report.add(self.finding(FindingId::VmEfiDisk, self.says("efidisk0")));
        }
        let keys = self.settings.property("efidisk0", "pre-enrolled-keys", false) == Some("1");
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
        if self.settings.property("agent", "enabled", true) != Some("1") {
            let finding = self.finding(FindingId::VmAgentOff, self.says("agent")).fix(self.set("--agent 1"));
            report.add(finding.fix("in the guest: install qemu-guest-agent"));
        }
    }

    fn line(&self, line: &Line, report: &mut Report) {
        match &line.source {
            PciSource::Raw(addrs) => {
                report.add(self.raw(line, addrs));
                for addr in addrs {
                    self.address(line, *addr, addrs, report);
                }
            }
            PciSource::Mapping(id) => {
                let Some(mappings) = self.mappings else {
                    let why = "the mappings can't be seen";
                    return report.unseen(format!("whether the mapping {id} of VM {} is there", self.vmid), why);
                };
                let Some(mapping) = mappings.iter().find(|mapping| mapping.id == *id) else {
                    let words = format!("{}; there is no such mapping", self.says(&line.key));
                    return report.add(self.missing(id, words));
                };
                if mapping.of(self.node).next().is_none() {
                    let words = format!("{}; the mapping has no entry for {}", self.says(&line.key), self.node);
                    return report.add(self.missing(id, words));
                }
                let paths = mapping.of(self.node).filter_map(|entry| property(entry, "path"));
                for path in paths {
                    let addrs: Vec<PciAddr> = path.split(';').filter_map(|addr| addr.parse().ok()).collect();
                    for addr in &addrs {
                        self.part(*addr, &addrs, &format!("mapping {id}"), report);
                    }
                }
            }
        }
    }

    /// Where a mapping has the same card, the command that puts it into the address's place.
    fn raw(&self, line: &Line, addrs: &[PciAddr]) -> Finding {
        let finding = self.finding(FindingId::VmRaw, self.says(&line.key));
        let slot = |entry: &str| property(entry, "path").and_then(|path| path.parse::<PciAddr>().ok());
        let same = |entry: &str| slot(entry).is_some_and(|slot| addrs.iter().all(|addr| addr.slot() == slot));
        let mapping = self.mappings.into_iter().flatten().find(|mapping| mapping.of(self.node).any(same));
        let Some(mapping) = mapping else { return finding };
        let value = self.settings.get(&line.key).unwrap_or_default();
        let rest: String = value.split(',').skip(1).map(|part| format!(",{part}")).collect::<Vec<_>>().concat();
        let option = format!("--{} mapping={}{rest}", line.key, mapping.id);
        finding.fix(format!("once, as root {}", self.set(&option)))
    }

    fn missing(&self, id: &str, words: String) -> Finding {
        self.finding(FindingId::VmMappingMissing, words)
            .fix(format!("`morpheus gpu map create ADDR --id {id}` makes it"))
    }

    fn address(&self, line: &Line, addr: PciAddr, all: &[PciAddr], report: &mut Report) {
        let there = |inventory: &Inventory| inventory.devices.iter().any(|device| device.addr.overlaps(addr));
        if self.inventory.is_some_and(|inventory| !there(inventory)) {
            let words = format!("{}; there is no device at {addr}", self.says(&line.key));
            return report.add(self.finding(FindingId::VmDeviceMissing, words));
        }
        self.part(addr, all, &line.key, report);
    }

    /// Function 0 without its sisters is a part of a card. Other functions alone are virtual ones, or meant so.
    fn part(&self, addr: PciAddr, all: &[PciAddr], place: &str, report: &mut Report) {
        if addr.function != Some(0) {
            return;
        }
        let left = self.inventory.map(|inventory| {
            let sisters = inventory.functions(addr).filter(|device| device.physical.is_none());
            let left = sisters.filter(|device| !all.iter().any(|named| named.overlaps(device.addr)));
            left.map(|device| device.addr.to_string()).collect::<Vec<_>>()
        });
        let words = match left {
            Some(left) if left.is_empty() => return,
            Some(left) => format!("{place} names {addr} and leaves {} behind", and(&left)),
            None => format!("{place} names {addr}"),
        };
        report.add(self.finding(FindingId::VmSingleFunction, words));
    }
}
