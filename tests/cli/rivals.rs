//! Two who want to switch at once.

use crate::{
    rig::{Rig, Said, finish},
    runner::{self, kill},
};
use morpheus::{
    domain::{
        journal::Told as _,
        switch::{event::Outcome, state::State},
    },
    ops::Store,
    sim::Violation,
};
use std::{fs, process::Child};

#[test]
fn of_two_from_one_machine_one_wins_and_the_other_is_told_which() {
    let rig = Rig::new();
    rig.hold("qmshutdown");
    let first = rig.start("mode windowsvrstreaming --yes");
    let second = rig.start("mode nimsforestnogpu --yes");
    let (first, second) = one_is_refused(&rig, first, second);
    let mut codes = [first.code, second.code];
    codes.sort_unstable();
    assert_eq!(codes, [Some(0), Some(3)], "{first:?} {second:?}");
    let loser = if first.code == Some(3) { &first } else { &second };
    assert!(loser.err.contains("op attach") || loser.err.contains("changed since"), "{loser:?}");
    assert_eq!(rig.running().len(), 1);
    assert!(rig.sim.violations().is_empty(), "{:?}", rig.sim.violations());
}

#[test]
fn a_second_operation_is_refused_by_the_name_of_the_first() {
    let rig = Rig::new();
    rig.hold("qmshutdown");
    rig.ok("mode windowsvrstreaming --yes --detach");
    assert!(rig.wait_until(|rig| rig.counts().writes > 0));
    let id = rig.json("op list --json")["operations"][0]["op"].as_str().unwrap().to_owned();
    let said = rig.run("mode nimsforestnogpu --yes");
    assert_eq!(said.code, Some(3), "{said:?}");
    assert!(said.err.contains(&id) && said.err.contains("op.running"), "{said:?}");
    // A cancel is heard at once, and says what it waits for: a shutdown that was asked for can't be taken back.
    let cancel = rig.start(&format!("op cancel {id}"));
    assert!(rig.wait_until(|rig| rig.ok("op status").contains("Its shutdown can't be taken back")));
    assert_eq!(rig.running(), [101]);
    rig.sim.release();
    let said = finish(cancel);
    assert_eq!(said.code, Some(0), "{said:?}");
    let told =
        ["Cancelling\n", "Rolling back\n", "    Its shutdown can't be taken back", "Cancelled: linuxvrstreaming"];
    let places: Vec<_> = told.iter().map(|part| said.out.find(part)).collect();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{said:?}");
    assert_eq!(rig.running(), [101]);
}

#[test]
fn from_two_machines_there_are_never_two_holders() {
    let rig = Rig::with("{ speed: 10 }");
    let first = rig.command("here", "mode windowsvrstreaming --yes").spawn().unwrap();
    let second = rig.command("there", "mode nimsforestsharedgpu --yes --replace").spawn().unwrap();
    let (first, second) = (finish(first), finish(second));
    let holders: Vec<u32> = rig.running().into_iter().filter(|vmid| *vmid != 103).collect();
    assert!(holders.len() <= 1, "{holders:?} {first:?} {second:?}");
    let two = |v: &Violation| matches!(v, Violation::TwoHolders { .. });
    assert!(!rig.sim.violations().iter().any(two), "{:?}", rig.sim.violations());
}

/// Lets the winner go on when the loser has ended.
fn one_is_refused(rig: &Rig, mut first: Child, mut second: Child) -> (Said, Said) {
    let ended = |child: &mut Child| child.try_wait().unwrap().is_some();
    assert!(rig.wait_until(|_| ended(&mut first) || ended(&mut second)));
    rig.sim.release();
    (finish(first), finish(second))
}

#[test]
fn of_eleven_runners_one_goes_on_whatever_becomes_of_the_lock_file() {
    let rig = Rig::new();
    rig.hold("qmshutdown");
    rig.ok("mode windowsvrstreaming --yes --detach");
    assert!(rig.wait_until(|rig| rig.counts().writes > 0));
    let store = Store::open(rig.home.path().join("ops"));
    let id = store.running().pop().unwrap();
    let events = || runner::lines(&rig.home.path().join("ops").join(format!("{id}.jsonl")));
    let (lock, run) = (rig.home.path().join("ops/lock"), format!("op run {id}"));
    // Beside a runner that works, and when that is dead: somebody deletes the file again and again.
    for dead in [false, true] {
        if dead {
            kill(runner::runner(&events()).unwrap());
            assert!(rig.wait_until(|_| store.running().is_empty()));
        }
        let mut runners: Vec<Child> = (0..11).map(|_| rig.start(&run)).collect();
        let mut left = || runners.iter_mut().filter_map(|child| child.try_wait().unwrap()).count();
        let expected = if dead { 10 } else { 11 };
        assert!(rig.wait_until(|_| {
            let _ = fs::remove_file(&lock);
            left() >= expected
        }));
        assert_eq!(store.running(), std::slice::from_ref(&id));
        if dead {
            rig.sim.release();
        }
        let mut codes: Vec<_> = runners.into_iter().map(finish).map(|said| said.code).collect();
        codes.sort_unstable();
        let mut right = vec![Some(3); 11];
        if dead {
            right[0] = Some(0);
        }
        assert_eq!(codes, right);
    }
    let state = State::fold(&store.read(&id).unwrap()).unwrap();
    assert_eq!(state.finished.map(|finish| finish.outcome), Some(Outcome::Done));
    let count = |what: &str| events().iter().filter(|line| line["event"] == what).count();
    assert_eq!((count("runner_started"), count("finished")), (2, 1), "the journal is whole: {:#?}", events());
    assert_eq!((rig.counts().writes, rig.running()), (2, vec![102]), "one shutdown, one start");
    assert!(rig.sim.violations().is_empty(), "{:?}", rig.sim.violations());
}
