//! Graphs, the host, and which mode ran when.

use super::{NOON, host, operations, running};
use crate::{
    domain::{
        ids::{Millis, OpId},
        switch::{
            event::{Event, Outcome, What},
            plan::StepAction,
            state::State,
        },
        testing,
    },
    tui::{
        model::{
            Model,
            timeline::{Was, columns, life, ran},
        },
        msg::{Msg, OpBrief},
    },
};

const HOUR: u64 = 3_600_000;

/// An operation that stopped 101 and started 102 so many hours ago, or the other way round.
fn switched(hours_ago: u64, to: u32) -> OpBrief {
    let from = if to == 101 { 102 } else { 101 };
    let mut plan = operations::brief().state.plan.clone();
    for step in &mut plan.steps {
        let starts = matches!(step.action, StepAction::Start { .. } | StepAction::Network | StepAction::Services);
        step.party.vmid = testing::id(if starts { to } else { from });
    }
    let steps = u16::try_from(plan.steps.len()).unwrap();
    let mut lines = vec![What::Planned { plan: Box::new(plan), host: "pve".into() }];
    for step in 0..steps {
        lines.extend([What::StepBegun { step }, What::StepDone { step, address: None, services: vec![] }]);
    }
    lines.push(What::Finished { outcome: Outcome::Done, trouble: None, gpu: None });
    let at = Millis(NOON.0 - hours_ago * HOUR);
    let event = |(seq, what)| Event { seq, at, what };
    let events: Vec<Event> = (0..).zip(lines).map(event).collect();
    let id = OpId::from(format!("2026030{}-000000-aaaa", hours_ago % 10).as_str());
    OpBrief { id, state: Box::new(State::fold(&events).unwrap()), alive: false }
}

fn lived(model: &Model, vmid: u32) -> Vec<(u64, Was)> {
    let from = Millis(NOON.0 - 24 * HOUR);
    let all = life(model, testing::id(vmid), from);
    all.into_iter().map(|(at, was)| (NOON.since(at) / HOUR, was)).collect()
}

/// 101 has been running for so many hours, after these operations.
fn after(ops: Vec<OpBrief>, up_hours: u64) -> Model {
    let mut facts = host::facts(&[101]);
    testing::change(&mut facts, 101, |guest| guest.uptime = Some(up_hours * 3_600));
    running(&[101]).with(|model| model.ops = ops).msg(Msg::Seen(Box::new(facts))).model
}

#[test]
fn before_the_first_operation_nothing_is_known() {
    let model = after(vec![switched(10, 102), switched(4, 101)], 4);
    assert_eq!(lived(&model, 101), [(24, Was::Unknown), (10, Was::Off), (4, Was::On)]);
    assert_eq!(lived(&model, 102), [(24, Was::Unknown), (10, Was::Left), (4, Was::Off)]);
    assert_eq!(lived(&model, 103), [(24, Was::Unknown)]);
}

#[test]
fn what_others_switched_is_unknown_and_the_uptime_is_believed() {
    let twice = after(vec![switched(20, 101), switched(10, 101)], 2);
    assert_eq!(lived(&twice, 101), [(24, Was::Unknown), (2, Was::On)], "started elsewhere");
    assert_eq!(lived(&twice, 102), [(24, Was::Unknown), (10, Was::Off)]);
    let long = after(vec![], 100);
    assert_eq!(lived(&long, 101), [(24, Was::On)]);
    let elsewhere = after(vec![switched(6, 102)], 1);
    assert_eq!(lived(&elsewhere, 101), [(24, Was::Unknown), (6, Was::Off), (1, Was::On)]);
    assert_eq!(lived(&elsewhere, 102), [(24, Was::Unknown)], "it is off now, nobody knows since when");
}

#[test]
fn a_column_shows_what_lasted_longest() {
    use Was::{Left, Off, On, Unknown};
    let (from, now) = (Millis(0), Millis(100));
    let life = [(Millis(0), Was::Unknown), (Millis(20), Was::Off), (Millis(44), Was::Left), (Millis(90), Was::On)];
    assert_eq!(columns(&life, from, now, 10), [Unknown, Unknown, Off, Off, Left, Left, Left, Left, Left, On]);
    assert_eq!(columns(&life, from, now, 1), [Left]);
    assert_eq!((ran(&life, now), columns(&life, from, now, 0).len()), (56, 0));
}
