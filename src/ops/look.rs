//! Looking at the host: every question, each part with its own failure, and never more than was asked for.

use super::Host;
use crate::{
    domain::{
        facts::{Facts, Part, Trouble},
        guest::{Guest, GuestConfig, GuestKind, Power},
        ids::{Millis, NodeName, Vmid},
        load::{HostStatus, Measured, Reading},
        switch::{machine::Wants, plan::Intent},
    },
    pve,
};
use futures_util::{StreamExt, future::join_all, stream};
use std::{collections::BTreeSet, future::Future};

/// How many questions run side by side.
pub(super) const ABREAST: usize = 6;

fn part<T>(answer: Result<T, pve::Error>, at: Millis) -> Part<T> {
    match answer {
        Ok(value) => Part::good(value, at),
        Err(error) => Part::failed(error.trouble()),
    }
}

impl Host {
    fn now(&self) -> Millis {
        self.clock().now()
    }

    /// The node's VMs: one request (two the first time, if the node isn't named).
    pub async fn list(&self) -> Facts {
        let at = self.now();
        match self.node().await {
            Err(error) => unreachable(&error),
            Ok(node) => {
                let qemu = part(self.client().qemu_list(&node, false).await, at);
                Facts { node: Some(node), traffic: self.count(&qemu), qemu, ..Facts::default() }
            }
        }
    }

    /// The node's VMs, and the configurations of those whose mode leaves its claim on the GPU to them: one request for
    /// each such mode beyond [`Host::list`].
    pub async fn list_with_claims(&self) -> Facts {
        let mut facts = self.list().await;
        let undecided =
            self.modes().0.iter().filter(|mode| mode.gpu_mode.is_none() && facts.guest(mode.vmid).is_some());
        for config in join_all(undecided.map(|mode| self.config(mode.vmid))).await {
            facts.configs.extend(config.configs);
        }
        facts
    }

    /// The node's two lists, VMs and containers: what a refresh of the dashboard costs. One after the other, so that
    /// one connection is enough.
    pub async fn poll(&self) -> Facts {
        let at = self.now();
        match self.node().await {
            Err(error) => unreachable(&error),
            Ok(node) => {
                let qemu = self.client().qemu_list(&node, false).await;
                if let Err(error @ (pve::Error::Unreachable(_) | pve::Error::Timeout(_))) = &qemu {
                    return unreachable(error);
                }
                let lxc = self.client().lxc_list(&node).await;
                let sees_all = Box::pin(self.sees_all(&qemu, &lxc)).await;
                let (qemu, lxc) = (part(qemu, at), part(lxc, at));
                Facts { node: Some(node), sees_all, traffic: self.count(&qemu), qemu, lxc, ..Facts::default() }
            }
        }
    }

    /// Whether there would be guests that aren't listed: one request, only where none is.
    async fn sees_all(
        &self,
        qemu: &Result<Vec<Guest>, pve::Error>,
        lxc: &Result<Vec<Guest>, pve::Error>,
    ) -> Option<bool> {
        let (Ok(qemu), Ok(lxc)) = (qemu, lxc) else { return None };
        if !qemu.is_empty() || !lxc.is_empty() {
            return None;
        }
        let held = self.client().permissions(Some("/vms")).await.ok()?;
        Some(held.get("/vms")?.contains("VM.Audit"))
    }

    /// What lies around the guests and seldom changes: mappings and devices, and memory and running tasks of now. Four
    /// requests in a row, for when a dashboard opens and for once in a while.
    pub async fn surroundings(&self) -> Facts {
        let (at, client) = (self.now(), self.client());
        match self.node().await {
            Err(_) => Facts::default(),
            Ok(node) => {
                let mappings = client.mappings(&node).await;
                let status = client.node_status(&node).await;
                let tasks = client.tasks_active(&node).await;
                let pci = self.pci_now(&node).await;
                Facts {
                    node: Some(node),
                    cpu: status.as_ref().ok().and_then(|status| status.cpu),
                    mappings: part(mappings, at),
                    memory: part(status.as_ref().map(|status| status.memory).map_err(Clone::clone), at),
                    host: part(status, at),
                    tasks: part(tasks, at),
                    pci: part(pci, at),
                    ..Facts::default()
                }
            }
        }
    }

    /// What the host says of itself: one request.
    pub async fn status(&self) -> Part<HostStatus> {
        let at = self.now();
        match self.node().await {
            Ok(node) => part(self.client().node_status(&node).await, at),
            Err(error) => Part::failed(error.trouble()),
        }
    }

    /// The last hour of the host or of a guest, as the host recorded it: one request.
    ///
    /// # Errors
    /// The host didn't answer, or our credentials may not see it.
    pub async fn history(&self, of: Measured, kind: GuestKind) -> Result<Vec<Reading>, Trouble> {
        let node = self.node().await.map_err(|error| error.trouble())?;
        let rows = match of {
            Measured::Host => self.client().node_history(&node).await,
            Measured::Guest(vmid) => self.client().guest_history(&node, vmid, kind).await,
        };
        rows.map_err(|error| error.trouble())
    }

    /// A VM's configuration: one request.
    pub async fn config(&self, vmid: Vmid) -> Facts {
        self.config_of(vmid, GuestKind::Qemu).await
    }

    /// A guest's configuration: one request.
    pub async fn config_of(&self, vmid: Vmid, kind: GuestKind) -> Facts {
        let at = self.now();
        let answer = match self.node().await {
            Ok(node) => self.read_config(&node, vmid, kind).await,
            Err(error) => Err(error),
        };
        Facts { configs: [(vmid, part(answer, at))].into(), ..Facts::default() }
    }

    async fn read_config(&self, node: &NodeName, vmid: Vmid, kind: GuestKind) -> Result<GuestConfig, pve::Error> {
        match kind {
            GuestKind::Qemu => self.client().qemu_config(node, vmid, true).await,
            GuestKind::Lxc => self.client().lxc_config(node, vmid).await,
        }
    }

    /// Everything that a plan depends on, afresh: lists, exact states and configurations of the modes' guests and of
    /// all that run, mappings, memory, running tasks, and whether those that would be stopped hear us.
    pub async fn look(&self, intent: Option<&Intent>) -> Facts {
        let node = match self.node().await {
            Ok(node) => node,
            Err(error) => return unreachable(&error),
        };
        let mut facts = self.basics(&node).await;
        self.closely(&node, intent, &mut facts).await;
        if facts.guests().any(|guest| guest.lock.is_some()) {
            self.tasks_now(&node, &mut facts).await;
        }
        facts
    }

    /// The running tasks again, after the locks were read: one without a task was left behind.
    async fn tasks_now(&self, node: &NodeName, facts: &mut Facts) {
        let tasks = self.client().tasks_active(node).await;
        facts.tasks = part(tasks, self.now());
    }

    /// Exact states of these guests, as far as they run: the list tells a paused one from a running one by nothing.
    pub async fn exactly(&self, vmids: impl IntoIterator<Item = Vmid>, facts: &mut Facts) {
        let Some(node) = facts.node.clone() else { return };
        let vmids: Vec<Vmid> = vmids.into_iter().filter(|vmid| facts.power(*vmid) == Power::Running).collect();
        let (at, client) = (self.now(), self.client());
        let asked = vmids.into_iter().map(|vmid| {
            let node = &node;
            async move { (vmid, client.qemu_status(node, vmid).await) }
        });
        for (vmid, status) in join_all(asked).await {
            put_status(facts, vmid, status, at);
        }
    }

    /// What stands behind the locks of guests: the host's status, which tells whether others' tasks are seen, and the
    /// tasks.
    pub async fn behind_locks(&self, facts: &mut Facts) {
        let Some(node) = facts.node.clone() else { return };
        let at = self.now();
        facts.host = part(self.client().node_status(&node).await, at);
        self.tasks_now(&node, facts).await;
    }

    async fn basics(&self, node: &NodeName) -> Facts {
        let (at, client) = (self.now(), self.client());
        let (_, qemu, lxc, mappings, status, tasks, pci) = tokio::join!(
            client.release(),
            client.qemu_list(node, false),
            client.lxc_list(node),
            client.mappings(node),
            client.node_status(node),
            client.tasks_active(node),
            self.pci(node),
        );
        let sees_all = Box::pin(self.sees_all(&qemu, &lxc)).await;
        let qemu = part(qemu, at);
        Facts {
            node: Some(node.clone()),
            sees_all,
            version: client.known_version().map(|version| Part::good(version.to_owned(), at)).unwrap_or_default(),
            cpu: status.as_ref().ok().and_then(|status| status.cpu),
            traffic: self.count(&qemu),
            qemu,
            lxc: part(lxc, at),
            mappings: part(mappings, at),
            memory: part(status.as_ref().map(|status| status.memory).map_err(Clone::clone), at),
            host: part(status, at),
            tasks: part(tasks, at),
            pci: part(pci, at),
            ..Facts::default()
        }
    }

    async fn closely(&self, node: &NodeName, intent: Option<&Intent>, facts: &mut Facts) {
        let listed: Vec<&Guest> = facts.qemu.value.iter().flatten().collect();
        let running = listed.iter().filter(|g| g.power.holds_devices()).map(|g| g.vmid);
        let is_listed = |vmid: &Vmid| listed.iter().any(|guest| guest.vmid == *vmid);
        let named = intent.and_then(|intent| intent.restore.clone()).unwrap_or_default();
        let touched: BTreeSet<Vmid> = named.stop.into_iter().chain(named.start).collect();
        let modes = self.modes().0.iter().map(|mode| mode.vmid).chain(touched.iter().copied()).filter(is_listed);
        let vmids: BTreeSet<Vmid> = running.chain(modes).collect();
        let templates: BTreeSet<Vmid> = listed.iter().filter(|g| g.template).map(|g| g.vmid).collect();
        let (at, client) = (self.now(), self.client());
        let ours = |vmid: Vmid| self.modes().of(vmid).is_some() || touched.contains(&vmid);
        let asked = vmids.difference(&templates).copied().map(|vmid| {
            let right = when(ours(vmid), client.power_right(vmid));
            let (config, status) = (client.qemu_config(node, vmid, true), client.qemu_status(node, vmid));
            async move {
                let (config, status, right) = tokio::join!(config, status, right);
                (vmid, config, status, right)
            }
        });
        let answers: Vec<_> = stream::iter(asked).buffer_unordered(ABREAST).collect().await;
        for (vmid, config, status, right) in answers {
            facts.configs.insert(vmid, part(config, at));
            facts.rights.extend(right.map(|right| (vmid, part(right, at))));
            put_status(facts, vmid, status, at);
        }
        self.devices_of_running(node, facts).await;
        self.rights_on_holders(facts).await;
        self.missing_mappings(facts).await;
        let heard: Vec<Vmid> =
            vmids.into_iter().filter(|v| self.modes().of(*v).is_some() && facts.power(*v) == Power::Running).collect();
        let known = &*facts;
        let answers = join_all(heard.into_iter().map(|vmid| self.hears(vmid, known))).await;
        facts.agents.extend(answers);
    }

    /// A guest in no mode can be in the way of one, and be stopped for it: whether we may do that is asked of those
    /// that hold a device, or might.
    async fn rights_on_holders(&self, facts: &mut Facts) {
        let holds = |guest: &&Guest| {
            guest.power.holds_devices() && facts.claims(guest.vmid).is_none_or(|claims| !claims.is_empty())
        };
        let holders = facts.qemu.value.iter().flatten().filter(holds).map(|guest| guest.vmid);
        let unasked: Vec<Vmid> = holders.filter(|vmid| !facts.rights.contains_key(vmid)).collect();
        let at = self.now();
        let asked = unasked.into_iter().map(|vmid| async move { (vmid, self.client().power_right(vmid).await) });
        let answers: Vec<_> = stream::iter(asked).buffer_unordered(ABREAST).collect().await;
        facts.rights.extend(answers.into_iter().map(|(vmid, answer)| (vmid, part(answer, at))));
    }

    /// A mapping that a guest names and the list doesn't have is gone, or may not be seen: which of these is asked.
    async fn missing_mappings(&self, facts: &mut Facts) {
        let at = self.now();
        let rights = facts.missing_mappings().into_iter().map(|id| async move {
            let right = part(self.client().sees_mapping(&id).await, at);
            (id, right)
        });
        facts.mapping_rights.extend(join_all(rights).await);
    }

    /// Looks for what a running operation waits for.
    pub(super) async fn observe(&self, wants: &Wants, facts: &mut Facts) {
        let node = match self.node().await {
            Ok(node) => node,
            Err(error) => return facts.qemu = Part::failed(error.trouble()),
        };
        let (at, client) = (self.now(), self.client());
        // Without a list there is nothing to put an exact state into.
        let holders = wants.holders || facts.qemu.fresh().is_none();
        let (list, containers, tasks, mappings) = tokio::join!(
            when(holders, client.qemu_list(&node, false)),
            when(holders, client.lxc_list(&node)),
            when(wants.tasks, client.tasks_active(&node)),
            when(holders, client.mappings(&node)),
        );
        let statuses = wants.status.iter().map(|vmid| async { (*vmid, client.qemu_status(&node, *vmid).await) });
        let statuses = join_all(statuses).await;
        if let Some(list) = list {
            replace(&mut facts.qemu, part(list, at));
        }
        if let Some(containers) = containers {
            replace(&mut facts.lxc, part(containers, at));
        }
        if let Some(tasks) = tasks {
            replace(&mut facts.tasks, part(tasks, at));
        }
        if let Some(mappings) = mappings {
            replace(&mut facts.mappings, part(mappings, at));
        }
        for (vmid, status) in statuses {
            put_status(facts, vmid, status, at);
        }
        if let Some(vmid) = wants.starter {
            let starter = client.who_started(&node, vmid).await;
            facts.starters.insert(vmid, part(starter, at));
        }
        if holders {
            self.devices_of_running(&node, facts).await;
        }
        for vmid in wants.address.iter().chain(&wants.services).copied() {
            if facts.power(vmid) != Power::Running {
                continue;
            }
            let answer = match wants.services {
                Some(_) => self.services(vmid, facts).await,
                None => self.address(vmid, facts).await,
            };
            facts.agents.insert(vmid, answer);
        }
    }

    /// Configurations of guests that run now and whose devices aren't known yet.
    async fn devices_of_running(&self, node: &NodeName, facts: &mut Facts) {
        let running = facts.guests().filter(|guest| guest.power.holds_devices() && !guest.template);
        let unread = running.filter(|guest| facts.config(guest.vmid).is_none());
        let unread: Vec<(Vmid, GuestKind)> = unread.map(|guest| (guest.vmid, guest.kind)).collect();
        let at = self.now();
        let asked =
            unread.into_iter().map(|(vmid, kind)| async move { (vmid, self.read_config(node, vmid, kind).await) });
        let answers: Vec<_> = stream::iter(asked).buffer_unordered(ABREAST).collect().await;
        facts.configs.extend(answers.into_iter().map(|(vmid, answer)| (vmid, part(answer, at))));
    }
}

async fn when<T>(wanted: bool, question: impl Future<Output = T>) -> Option<T> {
    if wanted { Some(question.await) } else { None }
}

/// In an operation an old answer is no answer: the newest attempt counts.
fn replace<T>(part: &mut Part<T>, newer: Part<T>) {
    *part = newer;
}

/// Puts an exact state into the list; a failed look makes the state unknown.
fn put_status(facts: &mut Facts, vmid: Vmid, answer: Result<Guest, pve::Error>, at: Millis) {
    if let Ok(guest) = &answer {
        facts.traffic.count(guest, at);
    }
    let Some(guests) = facts.qemu.value.as_mut() else { return };
    let place = guests.iter_mut().find(|guest| guest.vmid == vmid);
    match (place, answer) {
        (Some(place), Ok(guest)) => *place = guest,
        (Some(place), Err(_)) => place.power = Power::Unknown,
        (None, Ok(guest)) => guests.push(guest),
        (None, Err(_)) => {}
    }
    facts.qemu.seen = facts.qemu.seen.max(Some(at));
}

fn unreachable(error: &pve::Error) -> Facts {
    Facts { qemu: Part::failed(error.trouble()), lxc: Part::failed(error.trouble()), ..Facts::default() }
}
