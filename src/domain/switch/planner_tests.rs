use super::*;
use crate::domain::{
    facts::{HostMemory, Part, PowerRight, RunningTask, Trouble},
    guest::AgentState,
    ids::{Millis, Upid},
    switch::plan::{Restore, Rung},
    testing::*,
};

fn steps(plan: &Plan) -> Vec<String> {
    plan.steps.iter().map(Step::title).collect()
}

fn switch(mode: &str, running: &[u32]) -> Result<Plan, Refusal> {
    plan(&intent(Verb::Switch, mode), &modes(), &facts(running))
}

fn refused(result: Result<Plan, Refusal>) -> FindingId {
    result.unwrap_err().finding
}

#[test]
fn a_hand_over_stops_waits_starts_and_looks() {
    let plan = switch("windowsvrstreaming", &[LINUX, NAS]).unwrap();
    assert_eq!(plan.title(), "Switching linuxvrstreaming -> windowsvrstreaming");
    assert_eq!(
        steps(&plan),
        [
            "Shutting down linuxvrstreaming (VM 101)",
            "Waiting for the GPU to be free",
            "Starting windowsvrstreaming (VM 102)",
            "Waiting for network",
            "Checking services",
        ]
    );
    assert_eq!(plan.loses_gpu.len(), 1);
    assert_eq!(plan.rung, Rung::Confirm);
    assert!(plan.steps.iter().zip(0..).all(|(step, id)| step.id == id));
}

#[test]
fn a_switch_stops_every_other_mode_whether_it_holds_the_gpu_or_not() {
    let plan = switch("windowsvrstreaming", &[LINUX, NOGPU]).unwrap();
    assert_eq!(plan.stops().map(|p| p.vmid.get()).collect::<Vec<_>>(), [LINUX, NOGPU]);
}

#[test]
fn already_there_is_an_empty_plan() {
    assert!(switch("linuxvrstreaming", &[LINUX, NAS]).unwrap().is_already_there());
    let beside = plan(&intent(Verb::Start, "linuxvrstreaming"), &modes(), &facts(&[LINUX, NOGPU])).unwrap();
    assert!(beside.is_already_there());
}

#[test]
fn a_running_target_among_others_only_stops_the_others() {
    let plan = switch("linuxvrstreaming", &[LINUX, NOGPU]).unwrap();
    assert_eq!(steps(&plan), ["Shutting down nimsforestnogpu (VM 103)"]);
}

#[test]
fn a_listed_conflict_is_refused_with_alternatives_and_replaced_when_said() {
    let refusal = switch("nimsforestsharedgpu", &[LINUX]).unwrap_err();
    assert_eq!(refusal.finding, FindingId::ModeConflict);
    assert!(refusal.message.contains("conflicts_with"), "{refusal}");
    assert_eq!(refusal.alternatives.len(), 2);
    let mut replacing = intent(Verb::Switch, "nimsforestsharedgpu");
    replacing.replace = true;
    assert_eq!(plan(&replacing, &modes(), &facts(&[LINUX])).unwrap().stops().count(), 1);
    assert!(switch("linuxvrstreaming", &[SHARED]).is_ok(), "the other direction is a normal hand-over");
}

#[test]
fn side_by_side_a_conflict_counts_in_both_directions_and_so_do_devices() {
    let start = |mode, running: &[u32]| plan(&intent(Verb::Start, mode), &modes(), &facts(running));
    assert!(start("nimsforestnogpu", &[LINUX]).unwrap().stops().next().is_none());
    assert_eq!(refused(start("linuxvrstreaming", &[SHARED])), FindingId::ModeConflict);
    assert_eq!(refused(start("windowsvrstreaming", &[LINUX])), FindingId::ModeConflict);
    let mut keeping = intent(Verb::Switch, "windowsvrstreaming");
    (keeping.keep, keeping.replace) = (true, true);
    let plan = plan(&keeping, &modes(), &facts(&[LINUX, NOGPU])).unwrap();
    assert_eq!(plan.stops().map(|p| p.vmid.get()).collect::<Vec<_>>(), [LINUX]);
}

#[test]
fn a_foreign_holder_is_named_and_never_stopped_silently() {
    let refusal = switch("linuxvrstreaming", &[FOREIGN]).unwrap_err();
    assert_eq!(refusal.finding, FindingId::GpuHeldByForeign);
    assert!(refusal.message.contains("VM 111"), "{refusal}");
    let mut replacing = intent(Verb::Switch, "linuxvrstreaming");
    replacing.replace = true;
    let plan = plan(&replacing, &modes(), &facts(&[FOREIGN])).unwrap();
    assert!(matches!(&plan.rung, Rung::TypeName { names, .. } if names == &["vm111", "linuxvrstreaming"]));
}

#[test]
fn what_is_not_known_refuses() {
    let mut unread = facts(&[NAS]);
    unread.configs.remove(&id(NAS));
    assert_eq!(
        refused(plan(&intent(Verb::Switch, "linuxvrstreaming"), &modes(), &unread)),
        FindingId::GpuHolderUnknown
    );
    let mut unknown = facts(&[LINUX]);
    change(&mut unknown, LINUX, |guest| guest.power = Power::Unknown);
    assert_eq!(
        refused(plan(&intent(Verb::Switch, "nimsforestnogpu"), &modes(), &unknown)),
        FindingId::GuestStateUnknown
    );
    let mut stale = facts(&[LINUX]);
    stale.qemu.error = Some(Trouble { finding: FindingId::PveTimeout, message: "no answer within 10 s".into() });
    assert_eq!(refused(plan(&intent(Verb::Switch, "nimsforestnogpu"), &modes(), &stale)), FindingId::PveTimeout);
}

fn task(kind: &str, vmid: Option<u32>) -> RunningTask {
    RunningTask { upid: Upid::from("UPID:x"), kind: kind.into(), vmid: vmid.map(id), user: "root@pam".into() }
}

fn running_task(facts: &mut Facts, kind: &str, vmid: Option<u32>) {
    facts.tasks = Part::good(vec![task(kind, vmid)], facts.qemu.seen.unwrap());
}

#[test]
fn locks_backups_pauses_and_tasks_are_seen() {
    let switch = |seen: &Facts| plan(&intent(Verb::Switch, "windowsvrstreaming"), &modes(), seen);
    let locked = |lock: &str| {
        let mut seen = facts(&[LINUX]);
        change(&mut seen, LINUX, |g| g.lock = Some(lock.into()));
        seen
    };
    // A backup of several guests names none of them.
    for vmid in [Some(LINUX), None] {
        let mut backup = locked("backup");
        running_task(&mut backup, "vzdump", vmid);
        assert_eq!(refused(switch(&backup)), FindingId::GuestBackup);
    }
    let mut prelaunch = facts(&[LINUX]);
    change(&mut prelaunch, LINUX, |g| g.power = Power::Prelaunch);
    assert_eq!(refused(switch(&prelaunch)), FindingId::GuestPaused, "no backup runs");
    running_task(&mut prelaunch, "vzdump", None);
    assert_eq!(refused(switch(&prelaunch)), FindingId::GuestBackup);
    let mut paused = facts(&[LINUX]);
    change(&mut paused, LINUX, |g| g.power = Power::Paused);
    assert_eq!(refused(switch(&paused)), FindingId::GuestPaused);
    let mut snapshot = locked("snapshot");
    running_task(&mut snapshot, "qmsnapshot", Some(LINUX));
    let refusal = switch(&snapshot).unwrap_err();
    assert_eq!(refusal.finding, FindingId::GuestLocked);
    assert!(refusal.message.contains("qmsnapshot by root@pam works on it"), "{refusal}");
    let mut busy = facts(&[LINUX]);
    running_task(&mut busy, "qmsnapshot", Some(LINUX));
    assert_eq!(refused(switch(&busy)), FindingId::GuestBusyTask);
}

#[test]
fn a_lock_that_no_task_works_behind_was_left_behind_and_is_named_with_its_way_out() {
    for lock in ["backup", "clone", "create", "migrate", "rollback", "snapshot", "snapshot-delete", "suspending"] {
        let mut seen = facts(&[LINUX]);
        change(&mut seen, WINDOWS, |g| g.lock = Some(lock.into()));
        let switch = |seen: &Facts| switch_to(seen).unwrap_err();
        running_task(&mut seen, "vzdump", Some(NAS));
        let refusal = switch(&seen);
        assert_eq!(refusal.finding, FindingId::GuestLocked, "{lock}");
        assert!(refusal.message.contains(&format!("is locked: {lock}. No task works on it")), "{refusal}");
        assert!(refusal.alternatives[0].ends_with("qm unlock 102"), "{refusal:?}");
        // A token without Sys.Audit on the node sees its own tasks only; a list from before says nothing either.
        let mut blind = seen.clone();
        blind.memory = Part::default();
        let mut old = seen.clone();
        old.tasks.seen = Some(Millis(1));
        for unsure in [blind, old] {
            let refusal = switch(&unsure);
            assert!(!refusal.message.contains("No task"), "{refusal}");
            assert!(refusal.alternatives[0].starts_with("Wait"), "{refusal:?}");
            assert!(refusal.alternatives[1].contains("qm unlock 102"), "{refusal:?}");
        }
    }
}

fn switch_to(seen: &Facts) -> Result<Plan, Refusal> {
    plan(&intent(Verb::Switch, "windowsvrstreaming"), &modes(), seen)
}

#[test]
fn a_hibernated_guest_is_resumed_by_its_start() {
    let mut seen = facts(&[LINUX]);
    change(&mut seen, WINDOWS, |g| g.lock = Some("suspended".into()));
    let plan = switch_to(&seen).unwrap();
    assert!(steps(&plan).contains(&"Resuming windowsvrstreaming (VM 102)".to_owned()), "{plan:?}");
    assert!(plan.warnings.iter().any(|warning| warning.finding == FindingId::GuestHibernated));
    assert!(difference(&plan, &switch("windowsvrstreaming", &[LINUX])).is_some(), "it isn't any more");
    let mut other = facts(&[LINUX]);
    change(&mut other, SHARED, |g| g.lock = Some("suspended".into()));
    assert!(switch_to(&other).unwrap().stops().all(|party| party.vmid == id(LINUX)), "it holds nothing");
    let stop = super::plan(&intent(Verb::Stop, "windowsvrstreaming"), &modes(), &seen).unwrap();
    assert!(stop.is_already_there());
}

#[test]
fn what_is_left_of_a_guest_that_powered_off_is_ended_without_force_or_a_name() {
    let mut seen = facts(&[LINUX]);
    change(&mut seen, LINUX, |g| g.power = Power::Shutdown);
    let plan = switch_to(&seen).unwrap();
    assert_eq!(plan.steps[0].action, StepAction::HardStop { off: true });
    assert_eq!(plan.rung, Rung::Confirm);
    let mut target = facts(&[]);
    change(&mut target, WINDOWS, |g| g.power = Power::Shutdown);
    let titles = steps(&switch_to(&target).unwrap());
    assert_eq!(titles[0], "Ending what is left of windowsvrstreaming (VM 102)");
    assert!(titles.contains(&"Starting windowsvrstreaming (VM 102)".to_owned()), "{titles:?}");
}

#[test]
fn functions_of_one_group_are_not_planned_side_by_side() {
    let mut seen = facts(&[FOREIGN]);
    let other = seen.configs.get_mut(&id(FOREIGN)).unwrap().value.as_mut().unwrap();
    other.hostpci = vec![crate::domain::gpu::HostPci::parse(0, "0000:02:00.0").unwrap()];
    assert!(switch_to(&seen).is_ok(), "another device, as far as is known");
    seen.pci = Part::good(inventory(&[("0000:01:00.0", 12), ("0000:02:00.0", 12)]), Millis(1));
    let refusal = switch_to(&seen).unwrap_err();
    assert_eq!(refusal.finding, FindingId::GpuHeldByForeign);
    assert!(refusal.message.contains("holds 0000:02:00.0 of IOMMU group 12"), "{refusal}");
    let mut replacing = intent(Verb::Switch, "windowsvrstreaming");
    replacing.replace = true;
    assert_eq!(plan(&replacing, &modes(), &seen).unwrap().stops().map(|p| p.vmid.get()).collect::<Vec<_>>(), [FOREIGN]);
}

#[test]
fn a_device_and_its_virtual_functions_are_not_planned_side_by_side() {
    let holds = |addr: &str, physical: &str, slice: &str| {
        let mut seen = facts(&[FOREIGN]);
        let other = seen.configs.get_mut(&id(FOREIGN)).unwrap().value.as_mut().unwrap();
        other.hostpci = vec![crate::domain::gpu::HostPci::parse(0, addr).unwrap()];
        let mut pci = inventory(&[(physical, 12), (slice, 13)]);
        let slice = pci.devices.iter_mut().find(|device| device.addr == slice.parse().unwrap()).unwrap();
        slice.physical = Some(physical.parse().unwrap());
        seen.pci = Part::good(pci, Millis(1));
        seen
    };
    // The target has the card at 01:00, then one that is a slice itself.
    let lost = switch_to(&holds("0000:02:02.0", "0000:01:00.0", "0000:02:02.0")).unwrap_err();
    assert_eq!(lost.finding, FindingId::GpuHeldByForeign);
    assert!(lost.message.contains("holds 0000:02:02.0, a virtual function of 0000:01:00.0, which"), "{lost}");
    let gone = holds("0000:02:00.0", "0000:02:00.0", "0000:01:00.0");
    let refusal = switch_to(&gone).unwrap_err();
    assert!(refusal.message.contains("holds 0000:02:00.0, and windowsvrstreaming"), "{refusal}");
    let mut replacing = intent(Verb::Switch, "windowsvrstreaming");
    replacing.replace = true;
    let plan = plan(&replacing, &modes(), &gone).unwrap();
    assert_eq!(plan.stops().map(|party| party.vmid.get()).collect::<Vec<_>>(), [FOREIGN]);
}

fn inventory(groups: &[(&str, u32)]) -> crate::domain::iommu::Inventory {
    use crate::domain::iommu::{Class, Device, Inventory, PciId};
    let device = |(addr, group): &(&str, u32)| Device {
        group: Some(*group),
        ..Device::bare(addr.parse().unwrap(), PciId { vendor: 0x10de, device: 0x2684 }, Class(0x03_00_00))
    };
    Inventory::new(
        groups.iter().map(device).collect(),
        crate::domain::iommu::Known::Unknown,
        std::collections::BTreeMap::new(),
    )
}

#[test]
fn a_paused_guest_is_stopped_hard_only_by_force_and_by_name() {
    let mut seen = facts(&[LINUX]);
    change(&mut seen, LINUX, |guest| guest.power = Power::Paused);
    let mut forced = intent(Verb::Switch, "windowsvrstreaming");
    forced.force = true;
    let plan = plan(&forced, &modes(), &seen).unwrap();
    assert_eq!(plan.steps[0].action, StepAction::HardStop { off: false });
    assert!(matches!(plan.rung, Rung::TypeName { .. }));
}

#[test]
fn too_little_memory_is_found_before_anything_is_stopped() {
    let mut short = facts(&[NAS]);
    short.memory = Part::good(HostMemory { total: 64 * GIB, available: 16 * GIB }, Millis(1));
    let refusal = plan(&intent(Verb::Start, "linuxvrstreaming"), &modes(), &short).unwrap_err();
    assert_eq!(refusal.finding, FindingId::MemoryShort);
    assert!(refusal.alternatives[0].contains("VM 110"), "{refusal:?}");
    assert!(switch("windowsvrstreaming", &[LINUX]).is_ok(), "what is stopped gives its memory back");
}

#[test]
fn a_silent_agent_a_stream_or_an_unknown_use_asks_for_the_name() {
    let mut deaf = facts(&[LINUX]);
    deaf.agents.get_mut(&id(LINUX)).unwrap().value.as_mut().unwrap().agent = AgentState::NotRunning;
    let mut streaming = facts(&[LINUX]);
    streaming.traffic.saw(id(LINUX), 10_000_000, Millis(1_000_000));
    let mut unmeasured = facts(&[LINUX]);
    unmeasured.traffic.forget(id(LINUX));
    for seen in [deaf, streaming, unmeasured] {
        let plan = plan(&intent(Verb::Switch, "windowsvrstreaming"), &modes(), &seen).unwrap();
        assert!(matches!(&plan.rung, Rung::TypeName { names, .. } if names[0] == "linuxvrstreaming"));
    }
}

#[test]
fn a_missing_right_is_found_before_anything_is_stopped() {
    let mut denied = facts(&[LINUX]);
    let grant = vec!["pveum acl modify /vms/102 ...".to_owned()];
    let right = PowerRight { granted: false, who: "m@pam!t".into(), grant };
    denied.rights.insert(id(WINDOWS), Part::good(right, Millis(1)));
    let refusal = plan(&intent(Verb::Switch, "windowsvrstreaming"), &modes(), &denied).unwrap_err();
    assert_eq!(refusal.finding, FindingId::PveForbidden);
    assert!(refusal.message.contains("m@pam!t lacks VM.PowerMgmt on /vms/102"), "{refusal}");
    assert_eq!(refusal.alternatives, ["pveum acl modify /vms/102 ..."]);
    assert!(plan(&intent(Verb::Switch, "nimsforestnogpu"), &modes(), &denied).is_ok(), "it isn't touched there");
}

#[test]
fn a_right_that_is_not_known_is_not_a_granted_one() {
    let (mut silent, mut unasked) = (facts(&[LINUX]), facts(&[LINUX]));
    let trouble = Trouble { finding: FindingId::PveTimeout, message: "no answer within 10 s".into() };
    silent.rights.insert(id(WINDOWS), Part::failed(trouble));
    unasked.rights.remove(&id(LINUX));
    for (facts, finding, why) in [
        (silent, FindingId::PveTimeout, "isn't known (no answer within 10 s)"),
        (unasked, FindingId::PveForbidden, "isn't known (it wasn't asked for)"),
    ] {
        let refusal = plan(&intent(Verb::Switch, "windowsvrstreaming"), &modes(), &facts).unwrap_err();
        assert_eq!(refusal.finding, finding);
        assert!(refusal.message.contains(why), "{refusal}");
    }
}

#[test]
fn what_nobody_asked_for_yet_is_left_to_the_plan() {
    let mut seen = facts(&[LINUX]);
    seen.rights.clear();
    let intent = intent(Verb::Switch, "windowsvrstreaming");
    assert!(outlook(&intent, &modes(), &seen).is_ok());
    let trouble = Trouble { finding: FindingId::PveTimeout, message: "no answer within 10 s".into() };
    seen.rights.insert(id(WINDOWS), Part::failed(trouble));
    assert_eq!(outlook(&intent, &modes(), &seen).unwrap_err().finding, FindingId::PveTimeout);
}

#[test]
fn names_that_are_no_modes_are_helped() {
    let refusal = switch("linuxvrstraming", &[]).unwrap_err();
    assert_eq!(refusal.alternatives, ["Did you mean linuxvrstreaming?"]);
}

#[test]
fn going_back_does_only_what_is_still_needed() {
    let mut back = intent(Verb::Restore, "");
    back.mode = None;
    back.restore = Some(Restore { stop: vec![id(WINDOWS), id(NOGPU)], start: vec![id(LINUX)] });
    let plan = plan(&back, &modes(), &facts(&[WINDOWS])).unwrap();
    assert_eq!(plan.stops().map(|p| p.vmid.get()).collect::<Vec<_>>(), [WINDOWS]);
    assert_eq!(plan.starts().map(|p| p.vmid.get()).collect::<Vec<_>>(), [LINUX]);
    assert_eq!(refused(super::plan(&back, &modes(), &facts(&[WINDOWS, FOREIGN]))), FindingId::GpuHeldByForeign);
}

#[test]
fn a_changed_world_is_told_in_words() {
    let confirmed = switch("windowsvrstreaming", &[LINUX]).unwrap();
    assert_eq!(difference(&confirmed, &switch("windowsvrstreaming", &[LINUX])), None);
    assert_eq!(difference(&confirmed, &switch("windowsvrstreaming", &[LINUX, NAS])), None, "nothing else is done");
    let lines = difference(&confirmed, &switch("windowsvrstreaming", &[])).unwrap();
    assert_eq!(lines, ["linuxvrstreaming (VM 101) was running, and isn't any more."]);
    let refused = difference(&confirmed, &switch("windowsvrstreaming", &[LINUX, FOREIGN])).unwrap();
    assert!(refused[0].contains("VM 111"), "{refused:?}");
}
