//! Hand-overs without faults, and with the one fault that each test is about.

use crate::harness::{MODES, Machine, VMIDS, scenario, starting_in, switch};
use morpheus::domain::{
    finding::FindingId,
    switch::{
        event::{Call, Outcome},
        plan::{Fallback, Intent, Rung, Verb},
        state::Phase,
    },
};
use std::time::Duration;

#[tokio::test(start_paused = true)]
async fn all_twelve_ordered_pairs_end_where_the_rules_say() {
    for from in VMIDS {
        for (to, mode) in VMIDS.into_iter().zip(MODES).filter(|(to, _)| *to != from) {
            let machine = Machine::new(starting_in(from));
            let result = machine.run(&switch(mode)).await;
            let refused = to == 104 && from < 103;
            if refused {
                assert_eq!(result.unwrap_err().finding, FindingId::ModeConflict, "{from} -> {to}");
                assert_eq!(machine.running(), [from]);
            } else {
                assert_eq!(result.unwrap().0, Outcome::Done, "{from} -> {to}");
                assert_eq!(machine.running(), [to]);
            }
            assert!(machine.sim.violations().is_empty());
            assert!(machine.sim.refused_starts().is_empty(), "started before the device was free");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_switch_adds_little_to_the_guests_own_time() {
    // PowerShell takes 1.2 s in the simulated Windows to say anything, a shell in Linux 0.2 s: the guest's own time too.
    for (from, to, mode, shell) in [(102, 101, "linuxvrstreaming", 0.2), (101, 102, "windowsvrstreaming", 1.2)] {
        let machine = Machine::new(starting_in(from));
        let begun = machine.clock.now();
        let (outcome, state) = machine.run(&switch(mode)).await.unwrap();
        assert_eq!(outcome, Outcome::Done);
        let timing = |vmid| &machine.sim.world().guests[&vmid].timing;
        let down = timing(from).shutdown + timing(from).cleanup;
        // A look that began just before the services came up is in vain, and takes the shell's time once more.
        // Before the plan, what a guest sends is read twice, a second apart.
        let own = 1.0 + down + timing(to).start + timing(to).services + 2.0 * shell;
        let took = Duration::from_millis(machine.clock.now().since(begun));
        let steps: Vec<_> = state.steps.iter().map(|s| (s.step.title(), s.elapsed(s.ended.unwrap()))).collect();
        assert!(took.as_secs_f64() <= own + 0.3, "{took:?}, own {own} s: {steps:?}");
        assert!(state.address().is_some());
        assert_eq!(state.finished.unwrap().gpu.as_deref(), Some("NVIDIA GeForce RTX 4090"));
    }
}

#[tokio::test(start_paused = true)]
async fn looking_and_planning_sends_no_writing_request() {
    let machine = Machine::new(starting_in(101));
    let plan = machine.plan(&switch("windowsvrstreaming")).await.unwrap();
    assert_eq!(plan.rung, Rung::Confirm);
    assert_eq!(machine.sim.counts().writes, 0);
}

#[tokio::test(start_paused = true)]
async fn listing_modes_costs_two_requests() {
    let machine = Machine::new(starting_in(101));
    machine.host.list().await;
    assert_eq!(machine.sim.counts().total(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_guest_that_ignores_everything_is_stopped_hard_after_its_time() {
    let deaf = scenario("world: { guests: { \"101\": { ignores_acpi: true, ignores_agent: true } } }");
    let machine = Machine::new(deaf.clone());
    let (outcome, state) = machine.run(&switch("windowsvrstreaming")).await.unwrap();
    assert_eq!(outcome, Outcome::Done);
    assert!(state.steps[0].calls.iter().any(|call| matches!(call.call, Call::Stop { .. })));
    assert!(state.steps[0].elapsed(machine.clock.now()).unwrap() >= 60_000);

    let machine = Machine::new(deaf);
    let mut gentle = switch("windowsvrstreaming");
    gentle.options.fallback = Fallback::Fail;
    let (outcome, state) = machine.run(&gentle).await.unwrap();
    assert_eq!((outcome, state.trouble.unwrap().finding), (Outcome::RolledBack, FindingId::GuestStuck));
    assert_eq!(machine.running(), [101]);
}

#[tokio::test(start_paused = true)]
async fn a_start_that_fails_is_told_in_proxmox_words_and_rolled_back() {
    let broken =
        "faults: [{ on: \"task qmstart 102\", then: { task: { error: \"start failed: QEMU exited with code 1\" } } }]";
    let machine = Machine::new(scenario(broken));
    let (outcome, state) = machine.run(&switch("windowsvrstreaming")).await.unwrap();
    let trouble = state.trouble.unwrap();
    assert_eq!((outcome, trouble.finding), (Outcome::RolledBack, FindingId::GuestStartFailed));
    assert!(trouble.message.contains("QEMU exited with code 1"), "{trouble:?}");
    assert_eq!(machine.running(), [101]);
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_never_comes_up_takes_the_target_down_again() {
    let machine = Machine::new(scenario("world: { guests: { \"102\": { agent: null } } }"));
    let (outcome, state) = machine.run(&switch("windowsvrstreaming")).await.unwrap();
    assert_eq!((outcome, state.trouble.unwrap().finding), (Outcome::RolledBack, FindingId::GuestNoAddress));
    assert_eq!(machine.running(), [101]);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_stays_down_is_a_warning_not_a_failure() {
    let machine = Machine::new(scenario("world: { guests: { \"102\": { serves: { process: [] } } } }"));
    let (outcome, state) = machine.run(&switch("windowsvrstreaming")).await.unwrap();
    assert_eq!(outcome, Outcome::Done);
    assert_eq!(state.services_down().collect::<Vec<_>>(), ["Steam Link"]);
}

#[tokio::test(start_paused = true)]
async fn what_changed_since_the_plan_is_told_and_nothing_is_done() {
    let machine = Machine::new(scenario("events: [{ at: 20, vmid: 101, do: power_off }]"));
    let plan = machine.plan(&switch("windowsvrstreaming")).await.unwrap();
    let id = machine.store.create(&plan, &machine.host.id(), machine.clock.now()).await.unwrap();
    tokio::time::sleep(Duration::from_secs(30)).await;
    let (outcome, state) = machine.go_on(&id).await;
    let trouble = state.trouble.unwrap();
    assert_eq!((outcome, trouble.finding), (Outcome::Refused, FindingId::PlanChanged));
    assert!(trouble.message.contains("linuxvrstreaming (VM 101) was running"), "{trouble:?}");
    assert_eq!(machine.sim.counts().writes, 0);
}

#[tokio::test(start_paused = true)]
async fn backups_locks_pauses_and_foreign_holders_are_refused_before_anything_is_touched() {
    let cases = [
        ("events: [{ at: 0, vmid: 101, do: { backup: 600 } }]", FindingId::GuestBackup),
        ("world: { guests: { \"101\": { lock: migrate } } }", FindingId::GuestLocked),
        ("world: { guests: { \"102\": { lock: snapshot } } }", FindingId::GuestLocked),
        ("world: { guests: { \"101\": { initial: paused } } }", FindingId::GuestPaused),
        ("events: [{ at: 0, vmid: 102, do: { backup: 600 } }]", FindingId::GuestBackup),
    ];
    for (yaml, finding) in cases {
        let machine = Machine::new(scenario(yaml));
        tokio::time::sleep(Duration::from_secs(5)).await;
        let refusal = machine.run(&switch("windowsvrstreaming")).await.unwrap_err();
        assert_eq!(refusal.finding, finding, "{yaml}: {refusal}");
        assert_eq!(machine.sim.counts().writes, 0);
    }
}

/// A guest of no mode holds the card, and is stopped with leave to do so.
const FOREIGN: &str = r#"
  guests:
    "101": { initial: stopped }
    "111": { initial: running, config: { hostpci0: "0000:01:00,pcie=1" } }
"#;

#[tokio::test(start_paused = true)]
async fn rights_on_a_guest_in_no_mode_are_asked_for_before_it_is_stopped() {
    let free = Intent { replace: true, ..switch("windowsvrstreaming") };
    let machine = Machine::new(scenario(&format!("world:{FOREIGN}")));
    let plan = machine.plan(&free).await.unwrap();
    assert_eq!(plan.stops().map(|party| party.vmid.get()).collect::<Vec<_>>(), [111]);

    let looker = r"
  roles: { Looker: [VM.Audit] }
  acl:
    - { path: /, who: morpheus@pam, role: MorpheusHost }
    - { path: /vms, who: morpheus@pam, role: MorpheusOperator }
    - { path: /mapping/pci, who: morpheus@pam, role: MorpheusMapping }
    - { path: /vms/111, who: morpheus@pam, role: Looker }
";
    let machine = Machine::new(scenario(&format!("world:{FOREIGN}{looker}")));
    let refusal = machine.run(&free).await.unwrap_err();
    assert_eq!(refusal.finding, FindingId::PveForbidden, "{refusal}");
    assert!(refusal.message.contains("VM.PowerMgmt on /vms/111"), "{refusal}");

    let deaf = "faults: [{ on: 'GET /access/permissions', then: { answer: { status: 596, reason: Broken pipe } } }]";
    let machine = Machine::new(scenario(&format!("world:{FOREIGN}{deaf}")));
    let refusal = machine.run(&free).await.unwrap_err();
    assert!(refusal.message.contains("unknown is never taken for granted"), "{refusal}");
    assert_eq!(machine.sim.counts().writes, 0);
}

#[tokio::test(start_paused = true)]
async fn an_undo_brings_the_old_mode_back() {
    let machine = Machine::new(starting_in(101));
    let (_, state) = machine.run(&switch("windowsvrstreaming")).await.unwrap();
    let intent = morpheus::domain::policy::undo_intent(&state, state.plan.intent.options).unwrap();
    assert_eq!(intent.verb, Verb::Restore);
    let (outcome, _) = machine.run(&intent).await.unwrap();
    assert_eq!((outcome, machine.running()), (Outcome::Done, vec![101]));
}

#[tokio::test(start_paused = true)]
async fn a_guest_under_ha_is_waited_for_past_its_task() {
    let machine = Machine::new(scenario("world: { guests: { \"101\": { ha: { delay: 8 } } } }"));
    let (outcome, state) = machine.run(&switch("windowsvrstreaming")).await.unwrap();
    assert_eq!(outcome, Outcome::Done, "{state:#?}");
    assert!(state.steps.iter().all(|step| step.phase == Phase::Done));
    assert!(state.plan.warnings.iter().any(|warning| warning.finding == FindingId::GuestHa));
}
