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

#[test]
fn locks_backups_pauses_and_tasks_are_seen() {
    type Change = fn(&mut crate::domain::guest::Guest);
    let cases: [(Change, FindingId); 4] = [
        (|g| g.lock = Some("backup".into()), FindingId::GuestBackup),
        (|g| g.power = Power::Prelaunch, FindingId::GuestBackup),
        (|g| g.lock = Some("migrate".into()), FindingId::GuestLocked),
        (|g| g.power = Power::Paused, FindingId::GuestPaused),
    ];
    for (how, finding) in cases {
        let mut seen = facts(&[LINUX]);
        change(&mut seen, LINUX, how);
        assert_eq!(refused(plan(&intent(Verb::Switch, "windowsvrstreaming"), &modes(), &seen)), finding);
    }
    let mut busy = facts(&[LINUX]);
    let task = RunningTask {
        upid: Upid::from("UPID:x"),
        kind: "qmsnapshot".into(),
        vmid: Some(id(LINUX)),
        user: "root@pam".into(),
    };
    busy.tasks = Part::good(vec![task], Millis(1));
    assert_eq!(refused(plan(&intent(Verb::Switch, "windowsvrstreaming"), &modes(), &busy)), FindingId::GuestBusyTask);
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
fn a_silent_agent_or_a_stream_asks_for_the_name() {
    let mut deaf = facts(&[LINUX]);
    deaf.agents.get_mut(&id(LINUX)).unwrap().value.as_mut().unwrap().agent = AgentState::NotRunning;
    let mut streaming = facts(&[LINUX]);
    streaming.sending.insert(id(LINUX), 10_000_000);
    for seen in [deaf, streaming] {
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
