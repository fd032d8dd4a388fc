//! Two who want to switch at once.

use crate::rig::{Rig, Said, finish};
use morpheus::sim::Violation;
use std::process::Child;

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
    assert_eq!(rig.run(&format!("op cancel {id}")).code, Some(0));
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
