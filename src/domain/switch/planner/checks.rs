//! Reasons against touching a guest right now: locks, backups, other people's tasks, states that can't be handled,
//! too little memory.

use super::{Situation, Work};
use crate::domain::{
    finding::FindingId,
    guest::{Guest, Power},
    ids::Vmid,
    lock::{self, Locker},
    switch::refusal::Refusal,
    text,
};

impl Situation<'_> {
    pub(super) fn check(&self, work: &Work) -> Result<(), Refusal> {
        for vmid in work.stops.iter().chain(&work.starts) {
            self.check_state(*vmid)?;
            self.check_right(*vmid)?;
            self.check_lock(*vmid)?;
            self.check_tasks(*vmid)?;
        }
        self.check_target_state(work)?;
        for vmid in &work.stops {
            self.check_can_be_asked(*vmid)?;
        }
        self.check_memory(work)
    }

    fn guest(&self, vmid: Vmid) -> Option<&Guest> {
        self.facts.guest(vmid)
    }

    fn check_state(&self, vmid: Vmid) -> Result<(), Refusal> {
        if self.facts.power(vmid) != Power::Unknown {
            return Ok(());
        }
        let message =
            format!("The state of {} can't be read, and unknown is never taken for stopped.", self.party(vmid));
        Err(Refusal::new(FindingId::GuestStateUnknown, message))
    }

    /// A missing right is found before anything is stopped, not when the target can't be started.
    fn check_right(&self, vmid: Vmid) -> Result<(), Refusal> {
        let asked = self.facts.rights.get(&vmid);
        let right = match asked.and_then(|asked| asked.fresh()) {
            Some(right) if right.granted => return Ok(()),
            Some(right) => right,
            None if asked.is_none() && !self.complete => return Ok(()),
            None => return Err(self.right_unknown(vmid)),
        };
        let message = format!(
            "{} lacks VM.PowerMgmt on /vms/{vmid}, which has to be granted on the host: {} can neither be started nor stopped.",
            right.who,
            self.party(vmid)
        );
        let brief = format!("the token may not start or stop VM {vmid}");
        let refusal = Refusal::new(FindingId::PveForbidden, message).in_brief(brief);
        Err(right.grant.iter().fold(refusal, Refusal::or))
    }

    /// Whoever doesn't know whether it may start the target stops nothing for it.
    fn right_unknown(&self, vmid: Vmid) -> Refusal {
        let trouble = self.facts.rights.get(&vmid).and_then(|asked| asked.error.as_ref());
        let why = trouble.map_or("it wasn't asked for", |trouble| trouble.message.as_str());
        let message = format!(
            "Whether {} may be started and stopped isn't known ({why}), and unknown is never taken for granted.",
            self.party(vmid)
        );
        let finding = trouble.map_or(FindingId::PveForbidden, |trouble| trouble.finding);
        Refusal::new(finding, message).in_brief(format!("rights on VM {vmid} unknown")).or("Try again in a moment.")
    }

    /// A hibernated guest may be started; every other lock keeps Proxmox from both.
    fn check_lock(&self, vmid: Vmid) -> Result<(), Refusal> {
        let Some(guest) = self.guest(vmid).filter(|guest| !guest.is_hibernated()) else { return Ok(()) };
        let prelaunch = guest.power == Power::Prelaunch;
        // A stopped guest is started for its backup, with its devices; or its CPUs are kept from running (freeze).
        let lock = guest.lock.as_deref().or(prelaunch.then_some("backup"));
        let Some(lock) = lock else { return Ok(()) };
        let (party, name) = (self.party(vmid), text::safe(lock));
        let backup = lock == "backup";
        let refusal = match lock::locker(self.facts, vmid, lock) {
            Locker::Task(_) if backup => {
                Refusal::new(FindingId::GuestBackup, format!("A backup of {party} is running."))
                    .in_brief(format!("backup of VM {vmid} runs"))
                    .or("Wait for it to finish, then try again.")
            }
            Locker::Task(task) => {
                let (kind, user) = (text::safe(&task.kind), text::safe(&task.user));
                let message = format!("{party} is locked: {name} ({kind} by {user} works on it).");
                Refusal::new(FindingId::GuestLocked, message).or("Wait for it to finish, then try again.")
            }
            Locker::Nobody | Locker::Unseen if guest.lock.is_none() => {
                let message = format!("{party} is in prelaunch: QEMU runs and holds its devices, its CPUs don't.");
                Refusal::new(FindingId::GuestPaused, message)
                    .in_brief(format!("VM {vmid} is in prelaunch"))
                    .or("Wait, if a backup of it runs.")
                    .or(format!("Else let it go on, on the host: qm resume {vmid}"))
            }
            Locker::Nobody => {
                let message = format!("{party} is locked: {name}. No task works on it: the lock was left behind.");
                let refusal = Refusal::new(FindingId::GuestLocked, message);
                let refusal = refusal.or(lock::unlock(vmid, lock));
                if prelaunch {
                    refusal.or(format!("End the QEMU process that the backup left behind, too: qm stop {vmid}"))
                } else {
                    refusal
                }
            }
            Locker::Unseen => {
                let (finding, message) = if backup {
                    (FindingId::GuestBackup, format!("A backup of {party} is running, or left its lock behind."))
                } else {
                    (FindingId::GuestLocked, format!("{party} is locked: {name}."))
                };
                Refusal::new(finding, message)
                    .or("Wait until the task that locked it is finished.")
                    .or(format!("If no task works on it any more (Tasks on the host): {}", lock::unlock(vmid, lock)))
            }
        };
        Err(if refusal.brief.is_some() { refusal } else { refusal.in_brief(format!("VM {vmid} is locked: {name}")) })
    }

    fn check_tasks(&self, vmid: Vmid) -> Result<(), Refusal> {
        let tasks = self.facts.tasks.fresh().into_iter().flatten();
        let Some(task) = tasks.into_iter().find(|task| task.vmid == Some(vmid) && lock::acts(&task.kind)) else {
            return Ok(());
        };
        let message =
            format!("A task is running on {}: {} by {}.", self.party(vmid), task.kind, text::safe(&task.user));
        let brief = format!("VM {vmid} has a task: {}", task.kind);
        Err(Refusal::new(FindingId::GuestBusyTask, message)
            .in_brief(brief)
            .or("Wait for it to finish, then try again."))
    }

    /// A target that is neither stopped nor running can't be made to run by a start.
    fn check_target_state(&self, work: &Work) -> Result<(), Refusal> {
        let Some(target) = self.intent.mode.as_ref().and_then(|name| self.modes.find(name.as_str())) else {
            return Ok(());
        };
        let stopping = work.stops.contains(&target.vmid);
        match self.facts.power(target.vmid) {
            Power::Stopped | Power::Running | Power::Shutdown => Ok(()),
            Power::Unknown => self.check_state(target.vmid),
            Power::Prelaunch => self.check_lock(target.vmid),
            Power::Paused | Power::Suspended if stopping => Ok(()),
            state @ (Power::Paused | Power::Suspended) => {
                let message = format!("{} is {state}: it holds its devices but doesn't run.", self.party(target.vmid));
                Err(Refusal::new(FindingId::GuestPaused, message)
                    .in_brief(format!("VM {} is {state}", target.vmid))
                    .or(format!("Resume it on the host: qm resume {}", target.vmid)))
            }
        }
    }

    fn check_can_be_asked(&self, vmid: Vmid) -> Result<(), Refusal> {
        let power = self.facts.power(vmid);
        if !matches!(power, Power::Paused | Power::Suspended) || self.intent.force {
            return Ok(());
        }
        let message = format!("{} is {power} and can't be asked to shut down.", self.party(vmid));
        Err(Refusal::new(FindingId::GuestPaused, message)
            .in_brief(format!("VM {vmid} is {power}"))
            .or(format!("Resume it on the host: qm resume {vmid}"))
            .or("Stop it hard with --force: unsaved work in it is lost."))
    }

    /// With a passed-through device all of a guest's memory is taken at its start, and a stopped guest gives its back.
    fn check_memory(&self, work: &Work) -> Result<(), Refusal> {
        let Some(memory) = self.facts.memory.fresh() else { return Ok(()) };
        let need: u64 = work.starts.iter().filter_map(|v| self.facts.config(*v)).map(|c| c.memory_mib << 20).sum();
        let freed: u64 = work.stops.iter().filter_map(|vmid| self.guest(*vmid)).map(|guest| self.resident(guest)).sum();
        let have = memory.available.saturating_add(freed);
        if need <= have {
            return Ok(());
        }
        let party = work.starts.first().map(|vmid| self.party(*vmid).to_string()).unwrap_or_default();
        let message = format!(
            "{party} needs {} of memory, but the host would have only {}.",
            text::bytes(need),
            text::bytes(have)
        );
        let matters = (need - have) / 4;
        let mut others: Vec<&Guest> = self.facts.qemu.value.iter().flatten().collect();
        others.retain(|g| !work.stops.contains(&g.vmid) && self.resident(g) >= matters.max(1));
        others.sort_by_key(|g| std::cmp::Reverse(self.resident(g)));
        let brief = format!("needs {}, {} would be free", text::bytes(need), text::bytes(have));
        let refusal = Refusal::new(FindingId::MemoryShort, message).in_brief(brief);
        Err(others.into_iter().take(3).fold(refusal, |refusal, guest| {
            let (party, size) = (self.party(guest.vmid), text::bytes(self.resident(guest)));
            refusal.or(format!("Stop {party}, which uses {size}."))
        }))
    }

    /// Memory that a guest keeps from others, bytes.
    fn resident(&self, guest: &Guest) -> u64 {
        let pinned = self.facts.claims(guest.vmid).is_some_and(|claims| !claims.is_empty());
        let memory = if pinned { guest.maxmem.or(guest.mem) } else { guest.mem };
        memory.filter(|_| guest.power.holds_devices()).unwrap_or(0)
    }
}
