//! Graphs, the host, and which mode ran when.

use super::{NOON, Scene, host, operations, running};
use crate::{
    domain::{
        facts::{Facts, HostMemory, Part, Trouble},
        finding::FindingId,
        guest::AgentFacts,
        ids::{Millis, OpId},
        journal::Told,
        load::{GpuLoad, HostStatus, Measured, Reading, Space},
        switch::{
            event::{Event, Outcome, What},
            plan::StepAction,
            state::State,
        },
        testing::{self, GIB},
    },
    tui::{
        caps::{ColorTier, GlyphTier},
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
    let mut lines =
        vec![What::Planned { plan: Box::new(plan), origin: crate::domain::journal::Origin::labelled("pve") }];
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
fn the_day_before_a_switch_stays() {
    let mut op = switched(2, 101);
    let stopped = testing::id(102);
    let mut known = op.state.plan.basis[0].clone();
    known.party.vmid = stopped;
    known.up_since = Some(Millis(NOON.0 - 20 * HOUR));
    op.state.plan.basis = vec![known];
    let model = after(vec![op.clone()], 2);
    assert_eq!(lived(&model, 102), [(24, Was::Unknown), (20, Was::Left), (2, Was::Off)]);
    // What an operation had started is one start, and one that was started again since is another.
    let mut earlier = switched(20, 102);
    earlier.state.plan.basis.clear();
    assert_eq!(lived(&after(vec![earlier, op.clone()], 2), 102), [(24, Was::Unknown), (20, Was::Left), (2, Was::Off)]);
    let before = switched(22, 102);
    let expected = [(24, Was::Unknown), (20, Was::Left), (2, Was::Off)];
    assert_eq!(lived(&after(vec![before, op], 2), 102), expected);
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

/// An hour of records: a load that grows and falls, off in between.
fn records(from: u64, full: f32, whole: f32) -> Vec<Reading> {
    let row = |ago: u64| {
        let on = !(20..26).contains(&ago);
        let phase = u16::try_from(ago % 40).unwrap();
        let share = f32::from(phase.min(40 - phase)) / 20.0;
        let of = |value: f32| on.then_some(value);
        Reading {
            at: Millis(NOON.0 - ago * 60_000),
            cpu: of(share * full),
            memory: of(whole * 0.5 + whole * 0.4 * share),
            received: of(share * 3e6),
            sent: of(share * 9e7),
        }
    };
    (1..=from).rev().map(row).collect()
}

fn status() -> HostStatus {
    HostStatus {
        cpu: Some(0.1),
        cpus: Some(32),
        load: Some([3.12, 2.5, 1.98]),
        memory: HostMemory { total: 64 * GIB, available: 22 * GIB },
        swap: Some(Space { total: 8 * GIB, used: GIB / 2 }),
        root: Some(Space { total: 94 * GIB, used: 18 * GIB }),
        uptime: Some(950_400),
        kernel: Some("6.17.4-1-pve".into()),
        version: Some("9.2.11".into()),
    }
}

/// A dashboard that was open for a while: records of the selected guest and of the host, operations of yesterday.
fn measured(scene: Scene) -> Scene {
    let mut facts = host::facts(&[101, 110]);
    let vmid = testing::id(101);
    let memory = Some(Space { total: 24 * GIB, used: 9 * GIB });
    let heard = |ago: u64| {
        let busy = u8::try_from(62 - 4 * (ago % 9)).ok();
        let load = Some(GpuLoad { asleep: false, busy, memory });
        let agent = AgentFacts { load, at: Millis(NOON.0 - ago * 60_000), ..host::agent(101) };
        let agents = [(vmid, Part::good(agent, NOON))].into();
        Msg::Seen(Box::new(Facts { agents, ..Facts::default() }))
    };
    let scene = (1..15).rev().fold(scene, |scene, ago| scene.msg(heard(ago)));
    if let Some(agent) = facts.agents.get_mut(&vmid).and_then(|part| part.value.as_mut()) {
        agent.load = Some(GpuLoad { asleep: false, busy: Some(62), memory });
    }
    testing::change(&mut facts, 101, |guest| guest.uptime = Some(11_000));
    facts.host = Part::good(status(), NOON);
    let of = Measured::Guest(vmid);
    let mut scene = scene
        .with(|model| model.ops = vec![switched(18, 102), switched(7, 101), switched(5, 102), switched(3, 101)])
        .msg(Msg::Seen(Box::new(host::facts(&[101, 110]))))
        .msg(Msg::History { of, result: Ok(records(60, 0.8, 3.2e10)) })
        .msg(Msg::History { of: Measured::Host, result: Ok(records(45, 0.3, 4e10)) })
        .msg(Msg::Seen(Box::new(facts)));
    scene.effects.clear();
    scene
}

/// Such a dashboard with the modes selected.
pub(super) fn at(columns: u16, rows: u16) -> Scene {
    measured(running(&[101, 110]).at(columns, rows).keys("4 1"))
}

#[test]
fn the_selected_guests_last_hour_is_below_its_facts() {
    at(120, 40).snap("graphs_120x40");
    at(120, 40).caps(GlyphTier::Console, ColorTier::Ansi16).snap("graphs_console");
    at(120, 40).caps(GlyphTier::Ascii, ColorTier::None).snap("graphs_ascii");
    at(80, 24).snap("graphs_80x24");
    at(60, 30).keys("i").snap("graphs_60x30");
}

#[test]
fn a_pane_is_zoomed_over_the_whole_screen_and_back() {
    at(120, 40).keys("3 z").snap("zoom_detail_120x40");
    at(80, 24).keys("3 z").snap("zoom_detail_80x24");
    at(60, 16).keys("3 z").caps(GlyphTier::Ascii, ColorTier::None).snap("zoom_detail_60x16");
    at(240, 50).keys("3 z").caps(GlyphTier::Console, ColorTier::Ansi16).snap("zoom_detail_240x50");
    let scene = at(120, 40);
    let before = scene.text();
    let zoomed = scene.keys("z");
    assert!(!zoomed.text().contains("2 Guests"));
    assert_eq!(zoomed.keys("esc").text(), before);
}

#[test]
fn the_host_has_a_pane() {
    at(120, 40).keys("4 z").snap("host_zoomed_120x40");
    at(80, 24).keys("4").snap("host_80x24");
    at(60, 16).keys("4").snap("host_60x16");
    at(60, 16).keys("4 z").snap("host_zoomed_60x16");
    at(80, 24).keys("4").caps(GlyphTier::Console, ColorTier::Ansi16).snap("host_console");
    at(80, 24).keys("4").caps(GlyphTier::Ascii, ColorTier::None).snap("host_ascii");
    running(&[101]).at(80, 24).keys("4").snap("host_not_asked");
}

#[test]
fn who_may_not_see_the_host_reads_why() {
    let message = "morpheus@pam!t lacks Sys.Audit on /nodes/pve".to_owned();
    let trouble = Trouble { finding: FindingId::PveForbidden, message };
    let mut facts = host::facts(&[101]);
    facts.host = Part::failed(trouble.clone());
    let scene = running(&[101]).keys("4").msg(Msg::Seen(Box::new(facts)));
    scene.msg(Msg::History { of: Measured::Host, result: Err(trouble) }).snap("host_no_rights");
}

#[test]
fn what_is_on_screen_is_measured() {
    let scope = |scene: &Scene| (scene.model.ui.scope.history.map(|(vmid, _)| vmid.get()), scene.model.ui.scope.host);
    assert_eq!(scope(&running(&[101])), (Some(101), false));
    assert_eq!(scope(&running(&[101]).at(120, 40).keys("2 down")), (Some(102), true));
    assert_eq!(scope(&running(&[101]).keys("4")), (None, true));
    assert_eq!(scope(&running(&[101]).at(60, 20).keys("2")), (None, false));
}

#[test]
fn a_picture_changes_once_a_minute() {
    let look = |scene: Scene, seconds: u64, cpu: f64| {
        let mut facts = host::facts(&[101, 110]);
        facts.qemu.seen = Some(NOON.plus(seconds * 1_000));
        testing::change(&mut facts, 101, |guest| (guest.cpu, guest.uptime) = (Some(cpu), Some(11_000 + seconds)));
        scene.msg(Msg::Clock(NOON.plus(seconds * 1_000))).msg(Msg::Seen(Box::new(facts)))
    };
    let graph = |scene: &Scene| {
        let text = scene.text();
        let bars = text.chars().filter(|c| ('▁'..='█').contains(c));
        bars.collect::<String>()
    };
    let mut scene = look(at(120, 40), 5, 0.9);
    let before = graph(&scene);
    for seconds in [10, 20, 40, 59] {
        scene = look(scene, seconds, 0.9);
        assert_eq!(graph(&scene), before, "{seconds} s");
    }
    assert_ne!(graph(&look(scene, 61, 0.9)), before);
}
