use super::toy::{Fortune, Toy};
use crate::domain::{
    finding::FindingId,
    ids::{Millis, Upid},
    switch::{
        event::{Answer, Call, Outcome, What},
        plan::{Fallback, Rung, StepAction, Verb},
        state::Fate,
    },
    testing::{LINUX, NAS, NOGPU, SHARED, WINDOWS, id},
};
use proptest::prelude::*;

fn hand_over(mut fortunes: Vec<Fortune>, boots: Option<u64>) -> Toy {
    fortunes.reverse();
    let mut toy = Toy::new(Verb::Switch, "windowsvrstreaming", &[LINUX, NAS], fortunes, boots);
    toy.run(|_| {});
    toy
}

pub(super) fn trouble(toy: &Toy) -> FindingId {
    toy.state().trouble.unwrap().finding
}

#[test]
fn a_hand_over_ends_in_the_target_with_its_address_and_services() {
    let toy = hand_over(vec![Fortune::Works(8_000), Fortune::Works(15_000)], Some(10_000));
    assert_eq!(toy.outcome(), Some(Outcome::Done));
    assert!(toy.is_running(WINDOWS) && !toy.is_running(LINUX) && toy.is_running(NAS));
    assert!(toy.state().address().is_some() && toy.state().services().len() == 1);
}

#[test]
fn a_guest_that_does_not_hear_is_stopped_hard_as_the_plan_said() {
    let toy = hand_over(vec![Fortune::Fails(0), Fortune::Works(500), Fortune::Works(2_000)], Some(1_000));
    assert_eq!(toy.outcome(), Some(Outcome::Done));
    assert!(toy.now - 1_000_000 >= 60_000, "it got its time first");
}

#[test]
fn a_guest_that_may_be_in_use_is_not_stopped_hard_with_nobody_to_ask() {
    let deaf = || {
        let fortunes = vec![Fortune::Works(2_000), Fortune::Works(500), Fortune::Fails(0)];
        Toy::new(Verb::Switch, "windowsvrstreaming", &[LINUX, NAS], fortunes, Some(1_000))
    };
    let hard = |toy: &Toy| calls(toy).iter().any(|call| matches!(call, Call::Stop { .. }));
    let mut streaming = deaf();
    streaming.facts.traffic.saw(id(LINUX), 30_000_000, Millis(1_000_000));
    let mut unmeasured = deaf();
    unmeasured.facts.traffic.forget(id(LINUX));
    for mut toy in [streaming.clone(), unmeasured] {
        toy.run(|_| {});
        assert_eq!((toy.outcome(), trouble(&toy)), (Some(Outcome::RolledBack), FindingId::GuestInUse));
        let message = toy.state().trouble.unwrap().message;
        assert!(message.contains("--confirm linuxvrstreaming, or --force"), "{message}");
        assert!(!hard(&toy) && toy.is_running(LINUX));
    }
    for named in [false, true] {
        let mut toy = streaming.clone();
        let What::Planned { plan, .. } = &mut toy.journal[0].what else { unreachable!() };
        if named {
            plan.rung = Rung::TypeName { names: vec!["linuxvrstreaming".into()], because: vec![] };
        } else {
            plan.steps[0].action = StepAction::Shutdown { fallback: Fallback::Stop };
        }
        toy.run(|_| {});
        assert!(hard(&toy) && toy.outcome() == Some(Outcome::Done), "a person said so");
    }
}

#[test]
fn a_start_that_fails_brings_the_old_mode_back() {
    let toy = hand_over(vec![Fortune::Works(8_000), Fortune::Fails(1_000)], Some(1_000));
    assert_eq!((toy.outcome(), trouble(&toy)), (Some(Outcome::RolledBack), FindingId::GuestStartFailed));
    assert!(toy.is_running(LINUX) && !toy.is_running(WINDOWS));
}

/// Switched off in the guest, as some distributions have it: neither a failure of the guest nor "ok".
#[test]
fn a_guest_whose_agent_refuses_to_tell_is_left_running_and_its_words_are_noted() {
    let words = "Command guest-x has been disabled: the command is not allowed";
    let refusing = |commands: &[&str]| {
        let mut toy = Toy::new(Verb::Switch, "windowsvrstreaming", &[LINUX, NAS], vec![], Some(10_000));
        toy.refused = commands.iter().map(|command| ((*command).to_owned(), words.to_owned())).collect();
        toy.run(|_| {});
        assert_eq!(toy.outcome(), Some(Outcome::Done), "{toy:?}");
        assert!(toy.is_running(WINDOWS) && !toy.is_running(LINUX));
        toy
    };
    let blind = refusing(&["network-get-interfaces"]);
    let state = blind.state();
    let network = state.steps.iter().find(|step| step.step.action == StepAction::Network).unwrap();
    assert!(network.is_unseen() && state.address().is_none());
    assert_eq!(
        network.notes,
        [format!("The address of windowsvrstreaming (VM 102) can't be seen: its agent says '{words}'.")]
    );
    assert!(network.elapsed(Millis(0)).unwrap() < 12_000, "it isn't waited for once the agent has said so");
    let mute = refusing(&["exec"]);
    let services = mute.state().steps.into_iter().find(|step| step.step.action == StepAction::Services).unwrap();
    assert!(services.is_unseen() && services.elapsed(Millis(0)).unwrap() < 2_000);
    assert!(mute.state().services_unknown().is_some());
    let told = refusing(&[]);
    assert!(told.state().steps.iter().all(|step| !step.is_unseen()) && told.state().services_unknown().is_none());
}

#[test]
fn what_the_log_of_a_failed_start_says_is_told_with_its_meaning() {
    let mut toy = Toy::new(Verb::Switch, "windowsvrstreaming", &[LINUX], vec![], None);
    toy.log = vec!["kvm: vfio 0000:01:00.0: group 13 is not viable".to_owned()];
    let fortunes = vec![Fortune::Works(1_000), Fortune::Fails(1_000), Fortune::Works(1_000)];
    toy.run_with(fortunes);
    let trouble = toy.state().trouble.unwrap();
    assert_eq!(trouble.finding, FindingId::IommuDirtyGroup);
    assert_eq!(
        trouble.message,
        "windowsvrstreaming (VM 102) didn't start: a driver of the host still has another device of the card's IOMMU \
         group. Proxmox said: start failed: QEMU exited with code 1; its log: kvm: vfio 0000:01:00.0: group 13 is not \
         viable"
    );
    // Journals of before have no log.
    let line = r#"{"event":"task_ended","step":0,"upid":"UPID:x","exit":"OK","ok":true}"#;
    assert!(matches!(serde_json::from_str(line), Ok(What::TaskEnded { log, .. }) if log.is_empty()));
}

#[test]
fn a_guest_without_an_address_is_taken_down_again() {
    let toy = hand_over(vec![], None);
    assert_eq!((toy.outcome(), trouble(&toy)), (Some(Outcome::RolledBack), FindingId::GuestNoAddress));
    assert!(toy.is_running(LINUX) && !toy.is_running(WINDOWS));
}

#[test]
fn a_leftover_lock_at_the_start_passes() {
    let toy = hand_over(vec![Fortune::Works(100), Fortune::Busy, Fortune::Busy], Some(1_000));
    assert_eq!(toy.outcome(), Some(Outcome::Done));
    let forever = hand_over([vec![Fortune::Works(100)], vec![Fortune::Busy; 20]].concat(), Some(1_000));
    assert_eq!(trouble(&forever), FindingId::PveLocked);
}

#[test]
fn an_effect_that_comes_after_its_task_is_waited_for() {
    let toy = hand_over(vec![Fortune::Later(20_000), Fortune::Later(20_000)], Some(1_000));
    assert_eq!(toy.outcome(), Some(Outcome::Done));
}

#[test]
fn a_refused_shutdown_changes_nothing_and_says_so() {
    let toy = hand_over(vec![Fortune::Refused], Some(1_000));
    assert_eq!(toy.outcome(), Some(Outcome::RolledBack));
    assert!(toy.is_running(LINUX));
}

#[test]
fn without_rollback_what_was_done_stays_and_is_called_so() {
    let mut toy =
        Toy::new(Verb::Switch, "windowsvrstreaming", &[LINUX], vec![Fortune::Fails(1), Fortune::Works(1)], None);
    let What::Planned { plan, .. } = &mut toy.journal[0].what else { unreachable!() };
    plan.intent.options.rollback = false;
    toy.run(|_| {});
    assert_eq!(toy.outcome(), Some(Outcome::NotRolledBack));
    assert!(!toy.is_running(LINUX));
}

/// Runs with the fallback `ask` and this answer to the first question.
fn asked(answer: Option<Answer>, fortunes: Vec<Fortune>) -> Toy {
    let mut toy = Toy::new(Verb::Switch, "windowsvrstreaming", &[LINUX], fortunes, Some(1_000));
    let What::Planned { plan, .. } = &mut toy.journal[0].what else { unreachable!() };
    plan.intent.options.fallback = Fallback::Ask;
    for step in &mut plan.steps {
        if let StepAction::Shutdown { fallback } = &mut step.action {
            *fallback = Fallback::Ask;
        }
    }
    if let Some(answer) = answer {
        let mut open = None;
        toy.clone().run(|moment| {
            if open.is_none() && moment.state().question().is_some() {
                open = Some(moment.clone());
            }
        });
        toy = open.unwrap();
        let step = toy.state().question().unwrap().0;
        toy.write(What::Answered { step, answer });
    }
    toy.run(|_| {});
    toy
}

#[test]
fn a_person_decides_about_a_guest_that_does_not_hear() {
    let stop = asked(Some(Answer::Stop), vec![Fortune::Works(1), Fortune::Works(1), Fortune::Fails(0)]);
    assert_eq!(stop.outcome(), Some(Outcome::Done));
    let wait = asked(Some(Answer::Wait), vec![Fortune::Works(1), Fortune::Works(1), Fortune::Fails(0)]);
    assert_eq!(wait.outcome(), Some(Outcome::Done));
    let abort = asked(Some(Answer::Abort), vec![Fortune::Fails(0)]);
    assert_eq!((abort.outcome(), abort.is_running(LINUX)), (Some(Outcome::RolledBack), true));
    let nobody = asked(None, vec![Fortune::Fails(0)]);
    assert_eq!((nobody.outcome(), trouble(&nobody)), (Some(Outcome::RolledBack), FindingId::OpUnanswered));
}

#[test]
fn a_cancel_while_only_waiting_leaves_the_target_running_and_an_undo_does_not() {
    for (go_back, windows) in [(false, true), (true, false)] {
        let mut toy = Toy::new(Verb::Switch, "windowsvrstreaming", &[LINUX], vec![], None);
        let mut waiting = None;
        toy.clone().run(|t| {
            let network =
                t.state().current().is_some_and(|s| s.step.title() == "Waiting for network" && s.begun.is_some());
            if network && waiting.is_none() {
                waiting = Some(t.clone());
            }
        });
        toy = waiting.unwrap();
        toy.write(What::CancelRequested { go_back });
        toy.run(|_| {});
        assert_eq!((toy.outcome(), toy.is_running(WINDOWS)), (Some(Outcome::Cancelled), windows));
        assert_eq!(toy.is_running(LINUX), !windows);
    }
}

#[test]
fn the_end_of_an_overruled_task_is_not_taken_for_the_end_of_the_next() {
    let mut toy = Toy::new(Verb::Switch, "windowsvrstreaming", &[LINUX], vec![], None);
    let vmid = id(LINUX);
    let called = |name: &str| What::Called { step: 0, upid: Some(Upid::from(name)) };
    for what in [
        What::StepBegun { step: 0 },
        What::Calling { step: 0, call: Call::Shutdown { vmid, timeout: 60 } },
        called("UPID:first"),
        What::Calling { step: 0, call: Call::Stop { vmid, overrule: true, off: false } },
        called("UPID:second"),
        What::TaskEnded {
            step: 0,
            upid: "UPID:first".into(),
            exit: "received interrupt".into(),
            ok: false,
            log: vec![],
        },
    ] {
        toy.write(what);
    }
    let calls = toy.state().steps[0].calls.clone();
    assert!(matches!(calls[0].fate, Fate::Failed { .. }));
    assert_eq!(calls[1].fate, Fate::Task(Some("UPID:second".into())));
}

/// A hand-over from a guest of a forest, with what becomes of its being told.
fn leaving(drains: Vec<Fortune>, mut fortunes: Vec<Fortune>) -> Toy {
    fortunes.reverse();
    let mut toy = Toy::in_forest(Verb::Switch, "windowsvrstreaming", &[LINUX], drains, fortunes, Some(1_000));
    toy.run(|_| {});
    toy
}

pub(super) fn calls(toy: &Toy) -> Vec<Call> {
    toy.state().steps.iter().flat_map(|step| step.calls.iter().map(|call| call.call)).collect()
}

#[test]
fn a_guest_leaves_its_forest_before_it_is_shut_down() {
    let toy = leaving(vec![], vec![]);
    assert_eq!(toy.outcome(), Some(Outcome::Done));
    let leave = Call::Drain { vmid: id(LINUX), leave: true, seconds: 45 };
    assert_eq!(calls(&toy)[..2], [leave, Call::Shutdown { vmid: id(LINUX), timeout: 60 }]);
    assert!(toy.state().steps[0].notes.is_empty());
}

#[test]
fn a_guest_that_cannot_leave_is_shut_down_all_the_same_and_that_is_noted() {
    for (fortune, note) in [
        (Fortune::Refused, "linuxvrstreaming (VM 101) couldn't be told to leave: no."),
        (Fortune::Fails(0), "linuxvrstreaming (VM 101) didn't leave within 45 s; it is shut down all the same."),
        (Fortune::RequestLost, "linuxvrstreaming (VM 101) didn't leave within 45 s; it is shut down all the same."),
    ] {
        let toy = leaving(vec![fortune; 4], vec![]);
        assert_eq!(toy.outcome(), Some(Outcome::Done), "{fortune:?}");
        assert_eq!(toy.state().steps[0].notes, [note], "{fortune:?}");
    }
}

#[test]
fn a_guest_that_stays_after_all_joins_again() {
    let toy = leaving(vec![], vec![Fortune::Refused]);
    assert_eq!(toy.outcome(), Some(Outcome::RolledBack));
    assert!(toy.is_running(LINUX) && !toy.is_without_forest(LINUX));
    assert_eq!(calls(&toy).last(), Some(&Call::Drain { vmid: id(LINUX), leave: false, seconds: 45 }));
    // Last in, first out: it leaves, and can't be told to come back.
    let lost = leaving(vec![Fortune::Refused, Fortune::Works(0)], vec![Fortune::Refused]);
    assert_eq!((lost.outcome(), lost.is_without_forest(LINUX)), (Some(Outcome::NotRolledBack), true));
}

fn fortune() -> impl Strategy<Value = Fortune> {
    prop_oneof![
        4 => (1..70_000_u64).prop_map(Fortune::Works),
        1 => (1..30_000_u64).prop_map(Fortune::Later),
        1 => (1..5_000_u64).prop_map(Fortune::Fails),
        1 => Just(Fortune::Busy),
        1 => Just(Fortune::Refused),
        1 => (1..20_000_u64).prop_map(Fortune::AnswerLost),
        1 => Just(Fortune::RequestLost),
        1 => (1..20_000_u64).prop_map(Fortune::Crash),
    ]
}

pub(super) fn world() -> impl Strategy<Value = Toy> {
    let modes = prop::sample::select(vec![
        ("linuxvrstreaming", LINUX),
        ("windowsvrstreaming", WINDOWS),
        ("nimsforestnogpu", NOGPU),
        ("nimsforestsharedgpu", SHARED),
    ]);
    let verb = prop::sample::select(vec![Verb::Switch, Verb::Switch, Verb::Stop]);
    let holder = prop::sample::select(vec![LINUX, WINDOWS, SHARED]);
    let fortunes = || prop::collection::vec(fortune(), 0..8);
    let boots = prop::option::of(1..30_000_u64);
    (modes, verb, holder, any::<bool>(), fortunes(), boots, prop::option::of(fortunes())).prop_map(
        |((mode, _), verb, holder, beside, fortunes, boots, drains)| {
            let running = if beside { vec![holder, NOGPU, NAS] } else { vec![holder, NAS] };
            match drains {
                None => Toy::new(verb, mode, &running, fortunes, boots),
                Some(drains) => Toy::in_forest(verb, mode, &running, drains, fortunes, boots),
            }
        },
    )
}

/// What the outcome promises, against the truth.
fn honest(toy: &mut Toy) -> Result<(), TestCaseError> {
    prop_assert!(toy.rash.is_empty(), "{:?} in {toy:?}", toy.rash);
    let outcome = toy.outcome();
    let plan = toy.plan();
    let late = toy.journal.iter().any(|e| matches!(&e.what, What::CallFailed { outcome_unknown: true, .. }));
    match outcome {
        Some(Outcome::Done) => {
            for started in plan.starts() {
                prop_assert!(toy.is_running(started.vmid.get()), "{started} isn't running");
            }
            for stopped in plan.stops() {
                prop_assert!(!toy.is_running(stopped.vmid.get()), "{stopped} is running");
            }
        }
        Some(Outcome::RolledBack) if !late => {
            for guest in &plan.basis {
                prop_assert!(!toy.is_without_forest(guest.party.vmid.get()), "{} left for good: {toy:?}", guest.party);
                let before = guest.power.holds_devices();
                prop_assert_eq!(toy.is_running(guest.party.vmid.get()), before, "{} in {:?}", guest.party, toy);
            }
        }
        Some(Outcome::RolledBack | Outcome::NotRolledBack | Outcome::Cancelled) => {}
        other => prop_assert!(false, "ended as {other:?}"),
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_operation_ends_and_never_starts_before_the_device_is_free(mut toy in world()) {
        toy.run(|_| {});
        honest(&mut toy)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 120, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn after_a_crash_at_any_line_resume_and_undo_reach_a_safe_state(mut toy in world()) {
        let mut moments = vec![];
        toy.run(|t| moments.push(t.clone()));
        for moment in moments {
            let mut resumed = moment.clone();
            resumed.run(|_| {});
            honest(&mut resumed)?;
            let mut undone = moment;
            if undone.outcome().is_none() {
                undone.write(What::CancelRequested { go_back: true });
                undone.run(|_| {});
                honest(&mut undone)?;
            }
            undone.settle();
        }
    }
}
