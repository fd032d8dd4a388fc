//! Others at the same guests: another machine's switch, a person at the host, a guest that goes by itself.

use super::{
    tests::{calls, trouble, world},
    toy::{Fortune, Toy},
};
use crate::domain::{
    finding::FindingId,
    switch::{
        event::{Call, Outcome, What},
        plan::Verb,
        state::State,
    },
    testing::{LINUX, NAS, NOGPU, SHARED, WINDOWS, id},
};
use proptest::prelude::*;

/// A hand-over to Windows while others start and stop guests, so many milliseconds after its beginning.
fn among(running: &[u32], fortunes: &[Fortune], boots: Option<u64>, others: &[(u64, u32, bool)]) -> Toy {
    let fortunes = fortunes.iter().rev().copied().collect();
    let mut toy = Toy::new(Verb::Switch, "windowsvrstreaming", running, fortunes, boots);
    toy.others = others.iter().map(|(after, vmid, on)| (toy.now + after, *vmid, *on)).collect();
    toy.run(|_| {});
    toy
}

fn starts(toy: &Toy) -> Vec<u32> {
    let starts = calls(toy).into_iter().filter_map(|call| match call {
        Call::Start { vmid } => Some(vmid.get()),
        _ => None,
    });
    starts.collect()
}

fn notes(state: &State) -> Vec<&str> {
    state.steps.iter().flat_map(|step| &step.notes).map(String::as_str).collect()
}

#[test]
fn when_another_switch_takes_the_card_nothing_is_brought_back_beside_it() {
    let toy =
        among(&[LINUX, NOGPU, NAS], &[Fortune::Works(1_000), Fortune::Works(9_000)], None, &[(5_000, SHARED, true)]);
    let state = toy.state();
    assert_eq!((toy.outcome(), trouble(&toy)), (Some(Outcome::NotRolledBack), FindingId::GpuTaken));
    assert!(
        toy.is_running(SHARED) && !toy.is_running(NOGPU) && !toy.is_running(LINUX),
        "the other switch is the only one"
    );
    assert_eq!(starts(&toy), [0_u32; 0]);
    let message = state.trouble.clone().unwrap().message;
    assert_eq!(
        message,
        "nimsforestsharedgpu (VM 104) runs and holds 0000:01:00. It was started by else@pam!where, not by this operation."
    );
    assert_eq!(
        notes(&state),
        ["nimsforestsharedgpu (VM 104) was started meanwhile, not by this operation: linuxvrstreaming (VM 101) and \
          nimsforestnogpu (VM 103) stay stopped."]
    );
}

#[test]
fn a_mode_without_the_card_that_somebody_starts_beside_takes_nothing_over() {
    let fortunes = [Fortune::Works(1_000), Fortune::Fails(3_000)];
    let toy = among(&[LINUX], &fortunes, None, &[(2_000, NOGPU, true)]);
    assert_eq!(toy.outcome(), Some(Outcome::RolledBack));
    assert!(toy.is_running(LINUX) && toy.is_running(NOGPU));
}

#[test]
fn a_guest_that_somebody_starts_again_is_found_at_once_and_left_alone() {
    // The first start meets a leftover lock; before it is tried again, the old guest is back.
    let fortunes = [Fortune::Works(1_000), Fortune::Busy];
    let toy = among(&[LINUX], &fortunes, Some(1_000), &[(1_500, LINUX, true)]);
    assert_eq!((toy.outcome(), trouble(&toy)), (Some(Outcome::RolledBack), FindingId::GpuTaken));
    assert_eq!(starts(&toy), [WINDOWS], "it isn't sent again");
    assert!(toy.now - 1_000_000 < 5_000, "{} ms", toy.now - 1_000_000);
}

#[test]
fn a_guest_that_somebody_stops_right_after_its_start_is_seen_at_once() {
    let fortunes = [Fortune::Works(1_000), Fortune::Works(2_000)];
    let undisturbed = among(&[LINUX], &fortunes, Some(1), &[]);
    let start = Call::Start { vmid: id(WINDOWS) };
    let sent =
        undisturbed.journal.iter().find(|e| matches!(e.what, What::Calling { call, .. } if call == start)).unwrap();
    let up = sent.at.0 - 1_000_000 + 2_000;
    let toy = among(&[LINUX], &fortunes, None, &[(up + 1, WINDOWS, false)]);
    assert_eq!((toy.outcome(), trouble(&toy)), (Some(Outcome::RolledBack), FindingId::GuestDied));
    assert!(toy.is_running(LINUX) && toy.now - 1_000_000 < 12_000, "{} ms", toy.now - 1_000_000);
}

#[test]
fn what_others_stopped_is_not_brought_back() {
    // Another machine's shutdown holds the lock: ours is refused, and the guest goes all the same.
    let fortunes = [vec![Fortune::Busy; 3], vec![Fortune::Fails(1_000)]].concat();
    let toy = among(&[LINUX], &fortunes, None, &[(4_000, LINUX, false)]);
    assert_eq!((toy.outcome(), trouble(&toy)), (Some(Outcome::NotRolledBack), FindingId::GuestStartFailed));
    assert!(!toy.is_running(LINUX));
    assert!(calls(&toy).contains(&Call::Shutdown { vmid: id(LINUX), timeout: 60 }));
}

/// What others do to the guests meanwhile.
fn others() -> impl Strategy<Value = Vec<(u64, u32, bool)>> {
    let vmid = prop::sample::select(vec![LINUX, WINDOWS, NOGPU, SHARED]);
    prop::collection::vec((0..90_000_u64, vmid, any::<bool>()), 1..5)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 800, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_others_do_never_a_start_is_sent_while_somebody_runs_with_the_card(
        mut toy in world(),
        others in others(),
    ) {
        toy.others = others.into_iter().map(|(after, vmid, on)| (toy.now + after, vmid, on)).collect();
        toy.run(|_| {});
        let early: Vec<_> = toy.rash.iter().filter(|what| what.starts_with("start")).collect();
        prop_assert!(early.is_empty(), "{early:?} in {toy:?}");
        prop_assert!(toy.outcome().is_some());
    }
}
