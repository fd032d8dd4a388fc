//! From an intent and fresh facts to a plan, or to the reason why there is none.

mod checks;
mod difference;
mod mappings;
mod risk;

pub use difference::difference;

use super::{
    plan::{BasisGuest, Fallback, Intent, Options, Party, Plan, Step, StepAction, Verb},
    refusal::Refusal,
};
use crate::domain::{
    facts::Facts,
    finding::FindingId,
    gpu::{self, Claim, Clash},
    guest::{Guest, GuestKind, Power},
    ids::Vmid,
    mode::{Mode, ModeSet},
    text,
};
use std::collections::{BTreeMap, BTreeSet};

/// Seconds that a device gets to become free after its holder was seen stopped.
pub(crate) const RELEASE_SECONDS: u64 = 30;
/// Seconds that services get after the guest's address was seen.
pub(crate) const SERVICES_SECONDS: u64 = 60;

/// What the plan is computed from.
pub(super) struct Situation<'a> {
    pub(super) intent: &'a Intent,
    pub(super) modes: &'a ModeSet,
    pub(super) facts: &'a Facts,
    /// Whether the facts are all that a plan depends on. Else what wasn't asked for yet is no reason against it.
    pub(super) complete: bool,
}

/// What has to happen, before it is put into steps.
#[derive(Default)]
pub(super) struct Work {
    pub(super) stops: Vec<Vmid>,
    pub(super) starts: Vec<Vmid>,
}

/// Computes the plan for an intent. A plan without steps means that everything is as wanted already.
///
/// # Errors
/// The intent can't be carried out safely; the refusal says why and what could be done instead. What isn't known
/// counts against it: an unreadable state is never taken for stopped, an unreadable device never for free.
pub fn plan(intent: &Intent, modes: &ModeSet, facts: &Facts) -> Result<Plan, Refusal> {
    from(&Situation { intent, modes, facts, complete: true })
}

/// The plan as far as it can be foreseen from what was seen in passing: rights are only asked for when somebody wants
/// the plan.
///
/// # Errors
/// As [`plan`]. That there is none doesn't mean that the plan won't be refused.
pub fn outlook(intent: &Intent, modes: &ModeSet, facts: &Facts) -> Result<Plan, Refusal> {
    from(&Situation { intent, modes, facts, complete: false })
}

fn from(situation: &Situation<'_>) -> Result<Plan, Refusal> {
    let (intent, facts) = (situation.intent, situation.facts);
    if facts.qemu.fresh().is_none() {
        let trouble = facts.qemu.error.as_ref();
        let why = trouble.map_or("nothing is known of the host's guests yet", |t| t.message.as_str());
        let finding = trouble.map_or(FindingId::GuestStateUnknown, |t| t.finding);
        return Err(Refusal::new(finding, format!("The state of the guests can't be read: {why}")));
    }
    let work = match intent.verb {
        Verb::Switch | Verb::Start => situation.work_to_run()?,
        Verb::Stop => situation.work_to_stop()?,
        Verb::Restore => situation.work_to_restore()?,
    };
    situation.check(&work)?;
    Ok(situation.assemble(&work))
}

impl<'a> Situation<'a> {
    fn target(&self) -> Result<&'a Mode, Refusal> {
        let name = self.intent.mode.as_ref().map_or("", |name| name.as_str());
        self.modes.find(name).ok_or_else(|| unknown_mode(name, self.modes))
    }

    /// For switch and start: what to stop and start so that the target runs.
    fn work_to_run(&self) -> Result<Work, Refusal> {
        let target = self.target()?;
        self.exists(target)?;
        let alone = self.intent.verb == Verb::Switch && !self.intent.keep;
        if !alone && self.facts.power(target.vmid) == Power::Running {
            return Ok(Work::default());
        }
        let running: Vec<&Mode> = self.modes.running(self.facts).filter(|mode| mode.vmid != target.vmid).collect();
        let mut stops = Vec::new();
        for mode in running {
            let conflict = self.conflict(target, mode, alone);
            match conflict {
                Some(reason) if !self.intent.replace => return Err(self.refuse_conflict(target, mode, &reason)),
                Some(_) => stops.push(mode.vmid),
                None if alone => stops.push(mode.vmid),
                None => {}
            }
        }
        let starts = match self.facts.power(target.vmid) {
            Power::Stopped => vec![target.vmid],
            Power::Shutdown => {
                stops.push(target.vmid);
                vec![target.vmid]
            }
            Power::Running | Power::Paused | Power::Suspended | Power::Prelaunch | Power::Unknown => vec![],
        };
        if !starts.is_empty() {
            self.free_devices(target.vmid, &mut stops)?;
        }
        Ok(Work { stops, starts })
    }

    fn work_to_stop(&self) -> Result<Work, Refusal> {
        let target = self.target()?;
        self.exists(target)?;
        let held = self.facts.power(target.vmid).holds_devices();
        Ok(Work { stops: if held { vec![target.vmid] } else { vec![] }, starts: vec![] })
    }

    fn work_to_restore(&self) -> Result<Work, Refusal> {
        let restore = self.intent.restore.clone().unwrap_or_default();
        let holds = |vmid: &Vmid| self.facts.power(*vmid).holds_devices();
        let mut stops: Vec<Vmid> = restore.stop.into_iter().filter(holds).collect();
        let starts: Vec<Vmid> = restore.start.into_iter().filter(|vmid| !holds(vmid)).collect();
        for vmid in &starts {
            self.free_devices(*vmid, &mut stops)?;
        }
        Ok(Work { stops, starts })
    }

    fn exists(&self, mode: &Mode) -> Result<(), Refusal> {
        let guest = self.facts.guest(mode.vmid).filter(|guest| guest.kind == GuestKind::Qemu).ok_or_else(|| {
            let message = format!("Mode {} names VM {}, which the host doesn't list.", mode.name, mode.vmid);
            let refusal = Refusal::new(FindingId::GuestMissing, message)
                .in_brief(format!("VM {} isn't listed", mode.vmid))
                .or("Correct the vmid in the configuration, or grant VM.Audit on it to the token.");
            match self.facts.guests().next() {
                Some(_) => refusal,
                None if self.facts.sees_all == Some(true) => {
                    refusal.or("The host has no guest yet: `morpheus plant nimsforest vr` makes some.")
                }
                None => refusal
                    .or("No guest at all is listed: a token with privilege separation has no rights of its \
                                    own until it gets them (morpheus explain pve.forbidden)."),
            }
        })?;
        if guest.template {
            let message = format!("VM {} of mode {} is a template; Proxmox never starts one.", mode.vmid, mode.name);
            return Err(Refusal::new(FindingId::GuestTemplate, message));
        }
        Ok(())
    }

    /// Why `other` may not run when `target` starts. A switch asks the target's own list only: that the other modes
    /// are stopped is what a switch is. Side by side, lists count in both directions and so do devices.
    fn conflict(&self, target: &Mode, other: &Mode, alone: bool) -> Option<String> {
        if target.conflicts_with.contains(&other.name) {
            return Some(format!("{} lists {} in conflicts_with", target.name, other.name));
        }
        if alone {
            return None;
        }
        if other.conflicts_with.contains(&target.name) {
            return Some(format!("{} lists {} in conflicts_with", other.name, target.name));
        }
        let wanted = self.facts.claims(target.vmid)?;
        let held = self.facts.claims(other.vmid)?;
        let clash = gpu::clash(&wanted, &BTreeMap::from([(other.vmid, held)]), &self.facts.ties())?;
        Some(match clash.1 {
            Clash::Function(addr) => format!("both use {addr}"),
            Clash::Group { group, wanted, held } => {
                format!("{wanted} and {held} are of one IOMMU group ({group}), which only one VM can have")
            }
            Clash::Sliced { physical, slice, .. } => {
                format!("{slice} is a virtual function of {physical}, and ends when a VM takes {physical}")
            }
            Clash::Unknown(what) => format!("whether both use one device isn't known ({what} can't be read)"),
        })
    }

    fn refuse_conflict(&self, target: &Mode, other: &Mode, reason: &str) -> Refusal {
        let message =
            format!("{} can't run while {} (VM {}) is running: {reason}.", target.name, other.name, other.vmid);
        let verb = if self.intent.verb == Verb::Start { "start" } else { "switch" };
        Refusal::new(FindingId::ModeConflict, message)
            .in_brief(format!("conflicts with {}", other.name))
            .or(format!("Stop it first: morpheus mode stop {}", other.name))
            .or(format!("Have it stopped: morpheus mode {verb} {} --replace", target.name))
    }

    /// Guests that hold what `vmid` needs, beyond those in `stops`: stopped too with `replace`, else a refusal.
    fn free_devices(&self, vmid: Vmid, stops: &mut Vec<Vmid>) -> Result<(), Refusal> {
        let wanted = self.claims_of_target(vmid)?;
        if wanted.is_empty() {
            return Ok(());
        }
        let mut holders = self.claims_of_running(stops, vmid)?;
        let ties = self.facts.ties();
        while let Some((holder, clash)) = gpu::clash(&wanted, &holders, &ties) {
            let (party, target) = (self.party(holder), self.party(vmid));
            let needs = match clash {
                Clash::Function(addr) => format!("holds {addr}, which {target} needs"),
                Clash::Group { group, wanted, held } => {
                    format!(
                        "holds {held} of IOMMU group {group}, which only one VM can have and {target} needs for {wanted}"
                    )
                }
                Clash::Sliced { physical, slice, held } if held == slice => {
                    format!("holds {slice}, a virtual function of {physical}, which {target} needs: it would end")
                }
                Clash::Sliced { physical, slice, .. } => {
                    format!("holds {physical}, and {target} needs {slice}, a virtual function of it")
                }
                Clash::Unknown(what) => return Err(self.clash_unknown(&party, &what)),
            };
            if party.container {
                return Err(refuse_container(&party, &needs));
            }
            if !self.intent.replace {
                return Err(refuse_holder(&party, &target, &needs));
            }
            stops.push(holder);
            holders.remove(&holder);
        }
        Ok(())
    }

    fn claims_of_target(&self, vmid: Vmid) -> Result<Vec<Claim>, Refusal> {
        let party = self.party(vmid);
        let claims = self.facts.claims(vmid).ok_or_else(|| {
            let trouble = self.facts.configs.get(&vmid).and_then(|part| part.error.as_ref());
            let why = trouble.map_or("not read", |t| t.message.as_str());
            let finding = trouble.map_or(FindingId::GpuHolderUnknown, |t| t.finding);
            let message = format!("The configuration of {party} can't be read ({why}), so its devices are unknown.");
            Refusal::new(finding, message)
        })?;
        if claims.iter().any(|claim| matches!(claim, Claim::Unknown(_))) {
            return Err(match self.flaw(vmid) {
                Some(flaw) => flaw.refuse(&party),
                None => holder_unknown(&party, "one of its hostpci or args entries can't be resolved to a device"),
            });
        }
        match self.flaw(vmid) {
            Some(flaw) => Err(flaw.refuse(&party)),
            None => Ok(claims),
        }
    }

    fn claims_of_running(&self, stops: &[Vmid], target: Vmid) -> Result<BTreeMap<Vmid, Vec<Claim>>, Refusal> {
        if let Some(trouble) = &self.facts.lxc.error {
            let message =
                format!("The host's containers can't be listed, and one may hold the card: {}", trouble.parts().0);
            return Err(Refusal::new(trouble.finding, message));
        }
        let others = self.facts.guests();
        let others = others.filter(|g| g.power.holds_devices() && g.vmid != target && !stops.contains(&g.vmid));
        others
            .map(|guest| {
                let claims = self.facts.claims(guest.vmid);
                let unread = || holder_unknown(&self.party(guest.vmid), "its configuration can't be read");
                Ok((guest.vmid, claims.ok_or_else(unread)?))
            })
            .collect()
    }

    /// Why nobody can tell whether a running guest holds what another one needs.
    fn clash_unknown(&self, party: &Party, what: &str) -> Refusal {
        if party.container {
            let message = format!(
                "{party} is running and has {}: which card that is can't be seen from here. Unknown is never taken for free.",
                text::safe(what)
            );
            return Refusal::new(FindingId::GpuHolderUnknown, message)
                .in_brief(format!("devices of CT {} unknown", party.vmid))
                .or("Run morpheus on the host itself, as root: there it sees which driver has which card.")
                .or(format!("Shut it down: pct shutdown {}", party.vmid));
        }
        match self.flaw(party.vmid).map(mappings::Flaw::holder) {
            Some((why, ways_out)) => ways_out.into_iter().fold(unknown_holder(party, &why), Refusal::or),
            None => holder_unknown(party, &format!("{} can't be resolved to a device", text::safe(what))),
        }
    }

    pub(super) fn party(&self, vmid: Vmid) -> Party {
        party(vmid, self.modes, self.facts)
    }

    fn assemble(&self, work: &Work) -> Plan {
        let running = self.modes.running(self.facts);
        let target = match self.intent.verb {
            Verb::Switch | Verb::Start => self.target().ok().map(|mode| self.party(mode.vmid)),
            Verb::Stop => None,
            Verb::Restore => work.starts.first().map(|vmid| self.party(*vmid)),
        };
        let from: Vec<Party> = running
            .filter(|mode| Some(mode.vmid) != target.as_ref().map(|t| t.vmid) || self.intent.verb == Verb::Stop)
            .map(|mode| self.party(mode.vmid))
            .collect();
        let steps = self.steps(work);
        let loses_gpu = self.losers(work);
        let (warnings, rung) = self.risks(work, target.as_ref());
        let basis = self.basis(work);
        Plan { intent: self.intent.clone(), from, target, steps, loses_gpu, warnings, rung, basis }
    }

    fn steps(&self, work: &Work) -> Vec<Step> {
        let mut steps = Steps::default();
        let options = &self.intent.options;
        for vmid in &work.stops {
            let power = self.facts.power(*vmid);
            let off = power == Power::Shutdown;
            if off || self.intent.force && power != Power::Running {
                steps.push(StepAction::HardStop { off }, self.party(*vmid), 60);
            } else {
                if self.drains(*vmid) {
                    steps.push(StepAction::Drain, self.party(*vmid), options.drain_timeout);
                }
                let action = StepAction::Shutdown { fallback: options.fallback };
                steps.push(action, self.party(*vmid), options.shutdown_timeout);
            }
        }
        let again = self.intent.verb == Verb::Restore;
        for vmid in &work.starts {
            let functions: BTreeSet<_> =
                self.facts.claims(*vmid).unwrap_or_default().iter().flat_map(gpu::functions).collect();
            if !work.stops.is_empty() && !functions.is_empty() {
                let functions = functions.into_iter().collect();
                steps.push(StepAction::Release { functions }, self.party(*vmid), RELEASE_SECONDS);
            }
            let start = StepAction::Start { again, resumes: is_hibernated(self.facts, *vmid) };
            steps.push(start, self.party(*vmid), self.start_seconds(*vmid));
            if !options.wait_for_network || !self.facts.config(*vmid).is_some_and(|config| config.agent) {
                continue;
            }
            steps.push(StepAction::Network, self.party(*vmid), options.startup_timeout);
            if self.modes.of(*vmid).is_some_and(|mode| !mode.services.is_empty()) {
                steps.push(StepAction::Services, self.party(*vmid), SERVICES_SECONDS);
            }
        }
        steps.0
    }

    /// Whether the guest is told before it is shut down: others notice when a service of it goes.
    fn drains(&self, vmid: Vmid) -> bool {
        drains(self.modes, self.facts, &self.intent.options, vmid)
    }

    /// Proxmox's own start timeout is 30 s, or the memory in GiB if more, four times that with passed-through devices
    /// (qemu-server `Helpers.pm:264-298`). Ours must be longer.
    fn start_seconds(&self, vmid: Vmid) -> u64 {
        let Some(config) = self.facts.config(vmid) else { return 180 };
        let base = (config.memory_mib / 1024).max(30);
        let base = if config.hostpci.is_empty() { base } else { base * 4 };
        base + 60
    }

    /// Guests that hold a function of the card which a started guest gets, or which are stopped with a GPU of theirs.
    fn losers(&self, work: &Work) -> Vec<Party> {
        let has_gpu = |vmid: &&Vmid| self.facts.claims(**vmid).is_some_and(|claims| !claims.is_empty());
        work.stops.iter().filter(has_gpu).map(|vmid| self.party(*vmid)).collect()
    }

    fn basis(&self, work: &Work) -> Vec<BasisGuest> {
        let running = self.facts.qemu.value.iter().flatten().filter(|g| g.power.holds_devices()).map(|g| g.vmid);
        let named: BTreeSet<Vmid> = work.stops.iter().chain(&work.starts).copied().chain(running).collect();
        let basis = |vmid: Vmid| BasisGuest {
            party: self.party(vmid),
            power: self.facts.power(vmid),
            lock: self.facts.guest(vmid).and_then(|guest| guest.lock.clone()),
            up_since: self.facts.up_since(vmid),
            devices: self.facts.claims(vmid).map_or_else(
                || vec!["unknown".to_owned()],
                |claims| claims.iter().flat_map(gpu::functions).map(|f| f.to_string()).collect(),
            ),
        };
        named.into_iter().map(basis).collect()
    }
}

#[derive(Default)]
struct Steps(Vec<Step>);

impl Steps {
    fn push(&mut self, action: StepAction, party: Party, deadline: u64) {
        let id = u16::try_from(self.0.len()).unwrap_or(u16::MAX);
        self.0.push(Step { id, action, party, deadline });
    }
}

/// Whether a running guest has NATS or `NimsForest` and an agent that can tell them.
pub(super) fn drains(modes: &ModeSet, facts: &Facts, options: &Options, vmid: Vmid) -> bool {
    options.drain_timeout > 0
        && facts.power(vmid) == Power::Running
        && modes.of(vmid).is_some_and(Mode::is_of_forest)
        && facts.config(vmid).is_some_and(|config| config.agent)
}

/// Whether a start would resume the guest from disk.
pub(super) fn is_hibernated(facts: &Facts, vmid: Vmid) -> bool {
    facts.guest(vmid).is_some_and(Guest::is_hibernated)
}

/// Names a guest for people.
#[must_use]
pub fn party(vmid: Vmid, modes: &ModeSet, facts: &Facts) -> Party {
    let guest = facts.guest(vmid);
    Party {
        vmid,
        mode: modes.of(vmid).map(|mode| mode.name.clone()),
        name: guest.map(|guest| guest.name.clone()).unwrap_or_default(),
        container: guest.is_some_and(|guest| guest.kind == GuestKind::Lxc),
    }
}

/// The refusal of a name that is no mode, with the nearest one.
#[must_use]
pub fn unknown_mode(name: &str, modes: &ModeSet) -> Refusal {
    let refusal = Refusal::new(FindingId::ModeUnknown, format!("There is no mode '{}'.", text::safe(name)));
    match modes.nearest(name) {
        Some(near) => refusal.or(format!("Did you mean {near}?")),
        None => refusal.or("morpheus mode list shows the names."),
    }
}

fn refuse_holder(holder: &Party, target: &Party, needs: &str) -> Refusal {
    let finding = if holder.mode.is_some() { FindingId::ModeConflict } else { FindingId::GpuHeldByForeign };
    let refusal = Refusal::new(finding, format!("{holder} is running and {needs}."));
    let who = holder.mode.as_ref().map_or_else(|| text::safe(&holder.name), ToString::to_string);
    let refusal = refusal.in_brief(format!("{who} (VM {}) holds its GPU", holder.vmid));
    let refusal = refusal.or(format!("Shut VM {} down yourself, then try again.", holder.vmid));
    match &target.mode {
        Some(mode) => refusal.or(format!("Have it shut down: morpheus mode switch {mode} --replace")),
        None => refusal,
    }
}

/// morpheus stops no containers: what is in them it doesn't know.
fn refuse_container(holder: &Party, needs: &str) -> Refusal {
    let message = format!("{holder} is running and {needs}.");
    Refusal::new(FindingId::GpuHeldByContainer, message)
        .in_brief(format!("{} (CT {}) holds its GPU", text::safe(&holder.name), holder.vmid))
        .or(format!("Shut it down, then try again: pct shutdown {}", holder.vmid))
}

fn unknown_holder(party: &Party, why: &str) -> Refusal {
    let message = format!("Nobody can tell which devices {party} holds: {why}. Unknown is never taken for free.");
    let kind = if party.container { "CT" } else { "VM" };
    Refusal::new(FindingId::GpuHolderUnknown, message).in_brief(format!("devices of {kind} {} unknown", party.vmid))
}

fn holder_unknown(party: &Party, why: &str) -> Refusal {
    unknown_holder(party, why).or("Grant VM.Audit on the VM and Mapping.Audit on /mapping/pci to the token.")
}

/// What follows when a guest doesn't shut down, in words for a plan.
#[must_use]
pub const fn fallback_words(fallback: Fallback) -> &'static str {
    match fallback {
        Fallback::Ask => "you are asked whether to wait, stop it hard, or give up",
        Fallback::StopIdle => "it is stopped hard unless it is in use by then: unsaved work is lost",
        Fallback::Stop => "it is stopped hard, which pulls the plug: unsaved work is lost",
        Fallback::Fail => "the operation gives up and leaves it running",
    }
}

#[cfg(test)]
#[path = "planner/held_tests.rs"]
mod held_tests;
#[cfg(test)]
#[path = "planner_tests.rs"]
mod tests;
