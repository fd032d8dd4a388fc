//! What is wrong with a host that is to lend its card to guests: every check on what could be looked at, and what
//! couldn't be looked at, with the reason. Not looked at is never taken for fine.

mod card;
mod hostpci;
mod kernel;
mod memory;
mod modules;
mod node;
mod settings;
mod share;
mod unread;
mod vm;

pub use settings::Settings;

use super::{
    backup::BackupJob,
    facts::{HostMemory, MissingRight},
    finding::{FindingId, Severity},
    guest::Guest,
    ids::{NodeName, Vmid},
    iommu::{Inventory, Known},
    mapping::MappingFile,
    release::Release,
    setup::{CommandLine, Loader, Setup},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Something that was looked at, or why it couldn't be.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Looked<T> {
    /// This was seen.
    At(T),
    /// It wasn't looked at, for this reason.
    Not(String),
}

impl<T> Looked<T> {
    /// What was seen.
    pub const fn seen(&self) -> Option<&T> {
        match self {
            Self::At(value) => Some(value),
            Self::Not(_) => None,
        }
    }
}

/// Everything that was looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct Evidence {
    /// The host's own file system and kernel.
    pub machine: Looked<Machine>,
    /// What Proxmox says of the host and its guests.
    pub api: Looked<Api>,
}

/// The half that only the host itself shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Machine {
    /// Its devices.
    pub inventory: Inventory,
    /// How it is set up.
    pub setup: Setup,
    /// The rest.
    pub condition: Condition,
}

/// What else the host's kernel and files show.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Condition {
    /// Kernel options in files of boot loaders, whether they started the host or not.
    pub boot_files: Vec<BootFile>,
    /// Whether interrupts are remapped.
    pub remapping: Known<bool>,
    /// Network interfaces with hardware, and whether each may wake the host; empty where nothing says.
    pub wake: BTreeMap<String, bool>,
}

/// A file with kernel options.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BootFile {
    /// The loader that reads it.
    pub loader: Loader,
    /// Where it is.
    pub path: String,
    /// The options.
    pub line: CommandLine,
    /// Lines with more of them, which nobody reads.
    pub unread: Vec<String>,
}

/// The half that Proxmox's API shows.
#[derive(Clone, Debug, PartialEq)]
pub struct Api {
    /// The node.
    pub node: NodeName,
    /// Its version of Proxmox VE.
    pub release: Release,
    /// VMs that the credentials may see.
    pub guests: Looked<Vec<Guest>>,
    /// Their configurations.
    pub settings: BTreeMap<Vmid, Looked<Settings>>,
    /// Containers, and the device nodes of graphics cards that each has.
    pub containers: Looked<Vec<(Guest, Looked<Vec<String>>)>>,
    /// Mappings, compared with the hardware.
    pub mappings: Looked<Vec<MappingFile>>,
    /// Backup jobs.
    pub backups: Looked<Vec<BackupJob>>,
    /// Privileges that the credentials lack.
    pub lacking: Looked<Vec<MissingRight>>,
    /// Memory.
    pub memory: Looked<HostMemory>,
    /// Devices, where the host's own kernel wasn't looked at.
    pub inventory: Looked<Inventory>,
}

/// A fault or a risk of this host.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Finding {
    /// Its kind.
    pub id: FindingId,
    /// What it is about: `host`, a card, a VM, a mapping.
    pub subject: String,
    /// What was seen.
    pub evidence: String,
    /// What to do here, one thing a line; empty where the kind's own advice is all.
    pub fix: Vec<String>,
}

impl Finding {
    fn new(id: FindingId, subject: impl Into<String>, evidence: impl Into<String>) -> Self {
        Self { id, subject: subject.into(), evidence: evidence.into(), fix: Vec::new() }
    }

    fn of_host(id: FindingId, evidence: impl Into<String>) -> Self {
        Self::new(id, "host", evidence)
    }

    fn fix(mut self, line: impl Into<String>) -> Self {
        self.fix.push(line.into());
        self
    }
}

/// Something that wasn't looked at.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Unseen {
    /// What.
    pub what: String,
    /// Why.
    pub why: String,
}

/// What was found.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Report {
    /// What is wrong, what blocks first.
    pub findings: Vec<Finding>,
    /// What nobody looked at.
    pub unseen: Vec<Unseen>,
}

impl Report {
    /// Whether something doesn't work as it is.
    #[must_use]
    pub fn blocks(&self) -> bool {
        self.count(Severity::Error) > 0
    }

    /// How many findings are of this severity.
    #[must_use]
    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.id.severity() == severity).count()
    }

    fn add(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    fn unseen(&mut self, what: impl Into<String>, why: impl Into<String>) {
        self.unseen.push(Unseen { what: what.into(), why: why.into() });
    }

    /// What was seen of something; else it is noted that it wasn't.
    fn look<'a, T>(&mut self, what: &str, looked: &'a Looked<T>) -> Option<&'a T> {
        if let Looked::Not(why) = looked {
            self.unseen(what, why);
        }
        looked.seen()
    }
}

/// What only the host itself shows, in words.
const OF_THE_HOST: &str = "drivers, resets, power and use of devices, firmware, kernel options, wake-on-LAN, sleep";

/// Carries out every check.
#[must_use]
pub fn examine(evidence: &Evidence) -> Report {
    let mut report = Report::default();
    let machine = report.look(OF_THE_HOST, &evidence.machine);
    if let Some(machine) = machine {
        kernel::examine(machine, &mut report);
        modules::examine(machine, &mut report);
    }
    let api = report.look("guests, mappings, backup jobs, privileges, memory", &evidence.api);
    let inventory = match (machine, api) {
        (Some(machine), _) => Some(&machine.inventory),
        (None, Some(api)) => report.look("devices and their IOMMU groups", &api.inventory),
        (None, None) => None,
    };
    if let Some(inventory) = inventory {
        card::examine(inventory, machine.map(|machine| &machine.setup), &mut report);
    }
    if let Some(api) = api {
        node::examine(api, &mut report);
        vm::examine(api, inventory, &mut report);
        share::examine(api, inventory, &mut report);
        memory::examine(api, &mut report);
    }
    report.findings.sort_by(|a, b| {
        let order = |finding: &Finding| (std::cmp::Reverse(finding.id.severity()), finding.id);
        order(a).cmp(&order(b)).then_with(|| a.subject.cmp(&b.subject))
    });
    report
}

/// `a`, `a and b`, `a, b and c`.
fn and(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [only] => only.clone(),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    }
}

#[cfg(test)]
#[path = "doctor/machine_tests.rs"]
mod machine_tests;
#[cfg(test)]
#[path = "doctor/tests.rs"]
mod tests;
