//! Locks of guests: who works behind one, and those that a dead task left behind.
//!
//! A lock is a line of the guest's configuration (pve-guest-common `AbstractConfig.pm`, qemu-server `QemuConfig.pm`:
//! backup, clone, create, migrate, rollback, snapshot, snapshot-delete, suspending, suspended). The task that set it
//! takes it off; one that dies leaves it behind, and only root's `qm unlock` removes it then. While there is one, a
//! start, a stop of a running guest and every change are refused; `suspended` alone lets a start through.

use super::{
    facts::{Facts, RunningTask},
    guest::{Guest, HIBERNATED},
    ids::Vmid,
    text,
};

/// Who works behind a guest's lock.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Locker<'a> {
    /// This task.
    Task(&'a RunningTask),
    /// Nobody: its task is gone and left it behind.
    Nobody,
    /// Tasks of others can't be seen, or weren't asked for since.
    Unseen,
}

/// Who works behind this lock of a guest.
#[must_use]
pub fn locker<'a>(facts: &'a Facts, vmid: Vmid, lock: &str) -> Locker<'a> {
    let tasks = facts.tasks.value.iter().flatten();
    match tasks.into_iter().find(|task| may_hold(task, vmid, lock)) {
        Some(task) => Locker::Task(task),
        None if facts.sees_all_tasks() => Locker::Nobody,
        None => Locker::Unseen,
    }
}

/// A backup of several guests names none of them, and a clone's task names the guest that is copied.
fn may_hold(task: &RunningTask, vmid: Vmid, lock: &str) -> bool {
    match lock {
        _ if task.vmid == Some(vmid) => acts(&task.kind),
        "backup" => task.kind == "vzdump" && task.vmid.is_none(),
        "clone" => task.kind == "qmclone",
        "create" | "migrate" | "rollback" | "snapshot" | "snapshot-delete" | "suspending" => false,
        _ => task.vmid.is_none(),
    }
}

/// Task kinds that change a guest; looking at its console doesn't.
pub(crate) fn acts(kind: &str) -> bool {
    !matches!(kind, "vncproxy" | "spiceproxy" | "termproxy" | "vncshell" | "spiceshell")
}

/// What to do on the host about a lock that was left behind.
#[must_use]
pub fn unlock(vmid: Vmid, lock: &str) -> String {
    let first = match lock {
        "clone" | "create" | "migrate" | "rollback" => "See whether its disks are whole, then take the lock off",
        _ => "Take the lock off",
    };
    format!("{first} on the host: qm unlock {vmid}")
}

/// A guest's lock in words.
#[must_use]
pub fn words(facts: &Facts, guest: &Guest) -> Option<String> {
    let lock = guest.lock.as_deref()?;
    let name = text::safe(lock);
    Some(match locker(facts, guest.vmid, lock) {
        _ if lock == HIBERNATED => format!("{name} (hibernated: its start resumes it)"),
        Locker::Task(task) => format!("{name} ({} by {} works on it)", text::safe(&task.kind), text::safe(&task.user)),
        Locker::Nobody => format!("{name}, left behind: no task works on it (qm unlock {})", guest.vmid),
        Locker::Unseen => name,
    })
}
