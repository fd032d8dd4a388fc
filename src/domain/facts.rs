//! Everything that looks at the host have brought home, each part with its age and its failure.

use super::{
    finding::FindingId,
    gpu::{Claim, Mapping, PciAddr, Ties, claims, functions},
    guest::{AgentFacts, Guest, GuestConfig, Power},
    held,
    ids::{Millis, NodeName, Upid, Vmid},
    iommu::Inventory,
    load::HostStatus,
    traffic::Traffic,
};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// A value that was asked for: what is known, since when, and what went wrong the last time. A failure never blanks
/// an older good value.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Part<T> {
    /// The last good answer.
    pub value: Option<T>,
    /// When it was good.
    pub seen: Option<Millis>,
    /// Why the newest attempt failed; none after a good one.
    pub error: Option<Trouble>,
}

impl<T> Default for Part<T> {
    fn default() -> Self {
        Self { value: None, seen: None, error: None }
    }
}

/// What went wrong, with an id for `morpheus explain`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Trouble {
    /// The kind of trouble.
    pub finding: FindingId,
    /// This case of it, in words; holds no secret. A missing privilege is followed by the shell lines that grant it.
    pub message: String,
}

impl Trouble {
    /// The message, and the shell lines after it that grant a missing privilege on the host, to be run all.
    #[must_use]
    pub fn parts(&self) -> (&str, Vec<&str>) {
        match self.message.split_once('\n') {
            Some((words, lines)) if self.finding == FindingId::PveForbidden => (words, lines.lines().collect()),
            _ => (&self.message, Vec::new()),
        }
    }
}

impl fmt::Display for Trouble {
    /// The message with the finding's id, then the shell lines.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (words, lines) = self.parts();
        write!(f, "{words} ({})", self.finding)?;
        lines.iter().try_for_each(|line| write!(f, "\n{line}"))
    }
}

impl<T> Part<T> {
    /// A good answer.
    pub const fn good(value: T, at: Millis) -> Self {
        Self { value: Some(value), seen: Some(at), error: None }
    }

    /// No answer.
    #[must_use]
    pub const fn failed(trouble: Trouble) -> Self {
        Self { value: None, seen: None, error: Some(trouble) }
    }

    /// Takes a newer attempt in; a failed one leaves the value and its age.
    pub fn merge(&mut self, newer: Self) {
        if newer.value.is_some() {
            *self = newer;
        } else if newer.error.is_some() {
            self.error = newer.error;
        }
    }

    /// The value, only if the newest attempt was good.
    pub const fn fresh(&self) -> Option<&T> {
        match (&self.value, &self.error) {
            (Some(value), None) => Some(value),
            _ => None,
        }
    }
}

/// Host memory, bytes.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct HostMemory {
    /// Installed.
    pub total: u64,
    /// What the kernel could give to a new process (`MemAvailable`).
    pub available: u64,
}

/// Whether our credentials may start and stop a guest.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct PowerRight {
    /// Whether they have `VM.PowerMgmt` on it.
    pub granted: bool,
    /// Who we are: `user@realm!token`, or `user@realm`.
    pub who: String,
    /// Shell lines that grant it on the host; empty if it is granted.
    pub grant: Vec<String>,
}

/// Privileges that our credentials lack on one path.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct MissingRight {
    /// Who we are: `user@realm!token`, or `user@realm`.
    pub who: String,
    /// Where, such as `/vms/101`.
    pub path: String,
    /// Which.
    pub privileges: Vec<String>,
    /// Shell lines that grant them on the host.
    pub grant: Vec<String>,
}

/// A task that the host is running now, anybody's.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct RunningTask {
    /// Its identity.
    pub upid: Upid,
    /// Worker type: `qmstart`, `vzdump` ...
    pub kind: String,
    /// The guest that it works on, where it names one.
    pub vmid: Option<Vmid>,
    /// Who started it.
    pub user: String,
}

/// All that is known of one node.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default)]
pub struct Facts {
    /// The node; none until it was found out.
    pub node: Option<NodeName>,
    /// Proxmox VE's version, such as `9.2.11`.
    pub version: Part<String>,
    /// Whether our credentials may see every guest (VM.Audit on `/vms`); asked for where no guest is listed. Lists leave
    /// out what may not be seen.
    #[serde(default)]
    pub sees_all: Option<bool>,
    /// VMs, by number.
    pub qemu: Part<Vec<Guest>>,
    /// Containers, by number.
    pub lxc: Part<Vec<Guest>>,
    /// Configurations of guests that were read.
    pub configs: BTreeMap<Vmid, Part<GuestConfig>>,
    /// Resource mappings of the cluster.
    pub mappings: Part<Vec<Mapping>>,
    /// Whether our credentials may see a mapping that a guest names and the list doesn't have.
    pub mapping_rights: BTreeMap<String, Part<bool>>,
    /// PCI devices of the node.
    pub pci: Part<Inventory>,
    /// Host memory.
    pub memory: Part<HostMemory>,
    /// Host CPU use, fraction 0 to 1.
    pub cpu: Option<f64>,
    /// What the host says of itself.
    #[serde(default)]
    pub host: Part<HostStatus>,
    /// Tasks running now.
    pub tasks: Part<Vec<RunningTask>>,
    /// Who started a guest the last time, `user@realm!token`, where that was asked; none where no task tells it that
    /// our credentials may see.
    pub starters: BTreeMap<Vmid, Part<Option<String>>>,
    /// What guests say about themselves.
    pub agents: BTreeMap<Vmid, Part<AgentFacts>>,
    /// Whether we may start and stop a guest, for the modes' guests.
    pub rights: BTreeMap<Vmid, Part<PowerRight>>,
    /// What guests send.
    pub traffic: Traffic,
}

impl Facts {
    /// What to say where no guest is listed.
    #[must_use]
    pub const fn no_guest(&self) -> &'static str {
        match self.sees_all {
            Some(true) => "No guest yet.",
            Some(false) => "No guest can be seen: VM.Audit on /vms is missing; privilege separation? (pve.forbidden)",
            None => "No guest is listed; some may be hidden.",
        }
    }

    /// The guest with this number, VM or container.
    #[must_use]
    pub fn guest(&self, vmid: Vmid) -> Option<&Guest> {
        self.guests().find(|guest| guest.vmid == vmid)
    }

    /// All guests, VMs first.
    pub fn guests(&self) -> impl Iterator<Item = &Guest> {
        self.qemu.value.iter().flatten().chain(self.lxc.value.iter().flatten())
    }

    /// The power state of a guest, [`Power::Unknown`] where it isn't listed or the list is not fresh.
    #[must_use]
    pub fn power(&self, vmid: Vmid) -> Power {
        match self.qemu.fresh() {
            Some(_) => self.guest(vmid).map_or(Power::Unknown, |guest| guest.power),
            None => Power::Unknown,
        }
    }

    /// Since when a guest has been running, as the host counts.
    #[must_use]
    pub fn up_since(&self, vmid: Vmid) -> Option<Millis> {
        let guest = self.guest(vmid).filter(|guest| guest.power.holds_devices() && guest.power != Power::Unknown)?;
        let up = guest.uptime.filter(|up| *up > 0)?.saturating_mul(1_000);
        Some(Millis(self.qemu.seen?.0.saturating_sub(up)))
    }

    /// The configuration of a VM if the newest look at it was good.
    #[must_use]
    pub fn config(&self, vmid: Vmid) -> Option<&GuestConfig> {
        self.configs.get(&vmid)?.fresh()
    }

    /// Mappings that configurations name and the list, if it is known, doesn't have.
    #[must_use]
    pub fn missing_mappings(&self) -> BTreeSet<String> {
        let Some(listed) = self.mappings.fresh() else { return BTreeSet::new() };
        let named = self.configs.values().filter_map(Part::fresh).flat_map(GuestConfig::mappings);
        named.filter(|id| listed.iter().all(|mapping| mapping.id != *id)).map(str::to_owned).collect()
    }

    /// What a guest takes from the host; none where its configuration isn't known.
    #[must_use]
    pub fn claims(&self, vmid: Vmid) -> Option<Vec<Claim>> {
        let config = self.config(vmid)?;
        let mut found = self.claims_of(config);
        if !config.device_nodes.is_empty() {
            found.extend(held::by_nodes(&config.device_nodes, self.pci.value.as_ref(), &self.held_by_vms()));
        }
        Some(found)
    }

    fn claims_of(&self, config: &GuestConfig) -> Vec<Claim> {
        let node = self.node.clone().unwrap_or_else(|| NodeName::from(""));
        let mut found = claims(&config.hostpci, self.mappings.fresh().map(Vec::as_slice), &node);
        found.extend(config.hostpci_unread.iter().cloned().map(Claim::Unknown));
        found.extend(config.args.as_deref().map(held::by_args).unwrap_or_default());
        found
    }

    /// What running VMs hold for sure: no driver of the host has that.
    fn held_by_vms(&self) -> Vec<PciAddr> {
        let running = self.qemu.value.iter().flatten().filter(|guest| guest.power == Power::Running);
        let claims = running.filter_map(|guest| self.config(guest.vmid)).flat_map(|config| self.claims_of(config));
        claims.flat_map(|claim| if let Claim::OneOf(_) = claim { Vec::new() } else { functions(&claim) }).collect()
    }

    /// How the node's devices hang together, as far as they were seen. Which functions are virtual the API doesn't say;
    /// of displays their ids and places tell.
    #[must_use]
    pub fn ties(&self) -> Ties {
        let devices = || self.pci.value.iter().flat_map(|pci| &pci.devices);
        Ties {
            groups: devices().filter_map(|device| Some((device.addr, device.group?))).collect(),
            physical: devices().filter_map(|device| Some((device.addr, device.physical?))).collect(),
        }
    }

    /// Whether the list of running tasks is of now and holds everybody's. Without Sys.Audit on the node, which its
    /// status needs too, only one's own are in it, and nothing says so.
    #[must_use]
    pub fn sees_all_tasks(&self) -> bool {
        let audits = self.memory.fresh().is_some() || self.host.fresh().is_some();
        audits && self.tasks.fresh().is_some() && self.tasks.seen >= self.qemu.seen
    }

    /// The agent's last answers.
    #[must_use]
    pub fn agent(&self, vmid: Vmid) -> Option<&AgentFacts> {
        self.agents.get(&vmid)?.value.as_ref()
    }

    /// Takes a newer look in, part by part: what it doesn't have stays as it was.
    pub fn merge(&mut self, newer: Self) {
        let Self {
            node,
            version,
            sees_all,
            qemu,
            lxc,
            configs,
            mappings,
            mapping_rights,
            pci,
            memory,
            cpu,
            host,
            tasks,
            starters,
            agents,
            rights,
            traffic,
        } = newer;
        self.node = node.or_else(|| self.node.take());
        self.version.merge(version);
        self.sees_all = sees_all.or(self.sees_all);
        if let (Some(guests), Some(at)) = (&qemu.value, qemu.seen) {
            for guest in guests {
                self.traffic.count(guest, at);
            }
        }
        self.traffic.merge(traffic);
        self.qemu.merge(qemu);
        self.lxc.merge(lxc);
        self.mappings.merge(mappings);
        self.pci.merge(pci);
        self.memory.merge(memory);
        self.cpu = cpu.or(self.cpu);
        self.host.merge(host);
        self.tasks.merge(tasks);
        for (vmid, config) in configs {
            self.configs.entry(vmid).or_default().merge(config);
        }
        for (vmid, starter) in starters {
            self.starters.entry(vmid).or_default().merge(starter);
        }
        for (id, right) in mapping_rights {
            self.mapping_rights.entry(id).or_default().merge(right);
        }
        for (vmid, right) in rights {
            self.rights.entry(vmid).or_default().merge(right);
        }
        for (vmid, agent) in agents {
            self.agents.entry(vmid).or_default().merge(agent);
        }
    }
}
