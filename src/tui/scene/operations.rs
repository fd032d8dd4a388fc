//! An operation on screen: its steps, its question, its end, and what is left of it when its runner dies.

use super::{NOON, Scene, dialogs::planned, running};
use crate::{
    domain::{
        facts::Trouble,
        finding::FindingId,
        guest::{Health, ServiceState},
        ids::{OpId, Upid},
        switch::{
            event::{Answer, Call, Event, Outcome, What},
            plan::{Plan, Step, StepAction},
        },
        testing,
    },
    tui::{
        effect::{Control, Effect},
        model::layer::Layer,
        msg::{Msg, OpBrief},
    },
};

pub(super) fn id() -> OpId {
    OpId::from("20260301-200000-k3f9")
}

fn plan() -> Plan {
    match planned().model.ui.layers.last() {
        Some(Layer::Confirm(confirm)) => confirm.plan.clone(),
        _ => panic!("no plan"),
    }
}

impl Scene {
    /// The operation writes these lines, each so many seconds after its beginning.
    fn journal(mut self, lines: Vec<(u64, What)>) -> Self {
        let planned = What::Planned {
            plan: Box::new(plan()),
            origin: crate::domain::journal::Origin::labelled("pve at 192.168.1.100"),
        };
        let all = [(0, planned), (0, What::RunnerStarted { pid: 4242 })].into_iter().chain(lines);
        for (seq, (seconds, what)) in all.enumerate() {
            let at = NOON.plus(seconds * 1000);
            let event = Event { seq: u32::try_from(seq).unwrap(), at, what };
            self = self.msg(Msg::Clock(at)).msg(Msg::Op { id: id(), event: Box::new(event) });
        }
        self
    }
}

/// The journal of an operation that fails and goes back, as messages.
pub(super) fn journal_of_a_failure() -> Vec<Msg> {
    as_messages(failing())
}

/// The journal of one that ends well.
pub(super) fn journal_to_the_end() -> Vec<Msg> {
    as_messages(finished())
}

fn as_messages(rest: Vec<(u64, What)>) -> Vec<Msg> {
    let planned = What::Planned {
        plan: Box::new(plan()),
        origin: crate::domain::journal::Origin::labelled("pve at 192.168.1.100"),
    };
    let mut lines = vec![(0, planned), (0, What::RunnerStarted { pid: 4242 })];
    lines.extend(rest);
    let event = |(seq, (seconds, what)): (usize, (u64, What))| Event {
        seq: u32::try_from(seq).unwrap(),
        at: NOON.plus(seconds * 1000),
        what,
    };
    let message = |event| Msg::Op { id: id(), event: Box::new(event) };
    lines.into_iter().enumerate().map(event).map(message).collect()
}

/// An operation that runs.
pub(super) fn brief() -> OpBrief {
    begun(starting()).model.ops.first().unwrap().clone()
}

/// The plan was confirmed and its runner started.
fn begun(lines: Vec<(u64, What)>) -> Scene {
    let scene = planned().keys("tab enter");
    let ticket = scene.model.ui.ticket;
    let mut scene = scene.msg(Msg::Started { ticket, result: Ok(id()) }).journal(lines);
    scene.effects.retain(|effect| !matches!(effect, Effect::Watch(_)));
    scene
}

/// A switch some seconds after it was confirmed.
pub(super) fn under_way() -> Scene {
    begun(starting()).later(3_400)
}

fn done(step: u16) -> What {
    What::StepDone { step, address: None, services: vec![] }
}

fn upid() -> Upid {
    Upid::from("UPID:pve:000002DB:0007B0F1:6B013048:qmshutdown:101:morpheus@pam!t:")
}

fn stopping() -> Vec<(u64, What)> {
    let call = Call::Shutdown { vmid: testing::id(101), timeout: 60 };
    vec![
        (0, What::StepBegun { step: 0 }),
        (0, What::Calling { step: 0, call }),
        (0, What::Called { step: 0, upid: Some(upid()) }),
    ]
}

fn starting() -> Vec<(u64, What)> {
    let call = Call::Start { vmid: testing::id(102) };
    let mut all = stopping();
    all.extend([
        (8, done(0)),
        (8, What::StepBegun { step: 1 }),
        (9, done(1)),
        (9, What::StepBegun { step: 2 }),
        (9, What::Calling { step: 2, call }),
        (9, What::Called { step: 2, upid: Some(upid()) }),
    ]);
    all
}

fn failing() -> Vec<(u64, What)> {
    let message = "PCI device '0000:01:00.0' already in use by VMID '111'".to_owned();
    let trouble = Trouble { finding: FindingId::GpuTaken, message };
    let party = plan().steps[0].party.clone();
    let back = Step { id: 5, action: StepAction::Start { again: true, resumes: false }, party, deadline: 188 };
    let mut all = starting();
    all.extend([
        (24, What::StepFailed { step: 2, trouble }),
        (24, What::RollingBack { steps: vec![back], because: None }),
        (24, What::StepBegun { step: 5 }),
    ]);
    all
}

fn finished() -> Vec<(u64, What)> {
    let service = |name: &str, health| ServiceState { name: name.into(), health, detail: None, note: None };
    let mut all = starting();
    all.extend([
        (20, done(2)),
        (20, What::StepBegun { step: 3 }),
        (31, What::StepDone { step: 3, address: Some("192.168.1.151".parse().unwrap()), services: vec![] }),
        (31, What::StepBegun { step: 4 }),
        (33, What::StepDone { step: 4, address: None, services: vec![service("WiVRn", Health::Up)] }),
        (
            33,
            What::Finished {
                outcome: Outcome::Done,
                trouble: None,
                gpu: Some("NVIDIA GeForce RTX 4090 (exclusive)".into()),
            },
        ),
    ]);
    all
}

#[test]
fn steps_have_words_and_seconds() {
    begun(starting()).later(3_400).snap("operation_running");
    begun(starting()).later(3_400).at(120, 40).keys("esc").snap("operation_in_the_header");
}

#[test]
fn a_running_operation_wakes_the_screen_once_a_second() {
    let scene = begun(starting()).later(3_400);
    assert_eq!(scene.model.next_deadline(), Some(NOON.plus(13_000)));
    assert_eq!(begun(finished()).later(5_000).model.running_op(), None);
}

#[test]
fn with_reduced_motion_a_switch_is_drawn_six_times_a_minute() {
    let calm = |scene: Scene| scene.with(|model| model.setup.reduced_motion = true);
    let scene = calm(begun(starting())).later(900);
    let (first, due) = (scene.text(), scene.model.next_deadline());
    assert_eq!(due, Some(NOON.plus(10_000)), "the whole operation's time comes before its step's");
    let scene = scene.msg(Msg::Clock(NOON.plus(9_999)));
    assert_eq!(scene.text(), first);
    assert_ne!(scene.msg(Msg::Clock(NOON.plus(10_000))).text(), first);
    calm(begun(starting())).later(53_000).snap("operation_reduced_motion");
    calm(asked()).later(5_000).snap("operation_asks_reduced_motion");
}

#[test]
fn it_ends_well() {
    begun(finished()).later(2_000).snap("operation_done");
}

#[test]
fn services_that_do_not_answer_are_a_finding() {
    let mut lines = finished();
    for (_, what) in &mut lines {
        if let What::StepDone { services, .. } = what {
            for service in services {
                service.health = Health::Down;
            }
        }
    }
    let text = begun(lines).text();
    assert!(text.contains("WiVRn (service.down)"), "{text}");
}

#[test]
fn every_step_that_ends_is_followed_by_a_look() {
    let looks = |lines| begun(lines).effects.iter().filter(|effect| **effect == Effect::Refresh).count();
    assert_eq!(looks(stopping()), 0);
    assert_eq!(looks(starting()), 2);
    assert_eq!(looks(failing()), 3);
    assert_eq!(looks(finished()), 6);
}

#[test]
fn it_fails_and_goes_back() {
    begun(failing()).later(2_000).snap("operation_going_back");
    let mut lines = failing();
    lines.push((40, done(5)));
    lines.push((40, What::Finished { outcome: Outcome::RolledBack, trouble: None, gpu: None }));
    begun(lines).later(2_000).snap("operation_rolled_back");
}

/// An operation that runs, with its steps on screen.
pub(super) fn going() -> Scene {
    begun(starting())
}

pub(super) fn asked() -> Scene {
    let mut lines = stopping();
    let question = "linuxvrstreaming (VM 101) hasn't shut down after 60 s.".to_owned();
    lines.push((60, What::Asked { step: 0, question, until: NOON.plus(360_000) }));
    begun(lines)
}

#[test]
fn a_question_is_answered_by_a_key() {
    asked().later(5_000).snap("operation_asks");
    let answered = |key: &str| match asked().keys(key).effects.pop() {
        Some(Effect::Control(op, Control::Answer { step: 0, answer })) if op == id() => Some(answer),
        _ => None,
    };
    assert_eq!(["w", "S", "a", "s"].map(answered), [Some(Answer::Wait), Some(Answer::Stop), Some(Answer::Abort), None]);
}

#[test]
fn a_question_rings_the_bell_once() {
    let mut lines = stopping();
    let question = || What::Asked { step: 0, question: "?".into(), until: NOON.plus(360_000) };
    lines.extend([(60, question()), (61, What::Note { step: 0, text: "still there".into() })]);
    let scene = running(&[101, 110]).with(|model| model.setup.bell = true).journal(lines);
    assert_eq!(scene.effects.iter().filter(|effect| **effect == Effect::Bell).count(), 1);
}

#[test]
fn a_question_does_not_come_under_somebodys_typing() {
    let mut lines = stopping();
    lines.push((60, What::Asked { step: 0, question: "?".into(), until: NOON.plus(360_000) }));
    let scene = running(&[101, 110]).keys("/").journal(lines).keys("'wa'");
    assert_eq!(scene.model.ui.filter.text, "wa");
    assert!(!scene.effects.iter().any(|effect| matches!(effect, Effect::Control(..))));
}

#[test]
fn cancelling_asks_first() {
    let scene = begun(starting()).keys("x");
    assert!(!scene.effects.iter().any(|effect| matches!(effect, Effect::Control(..))));
    let scene = scene.keys("tab enter");
    assert_eq!(scene.effects.last(), Some(&Effect::Control(id(), Control::Cancel { go_back: false })));
    begun(starting()).keys("x").snap("operation_cancel");
}

#[test]
fn leaving_says_that_it_goes_on() {
    begun(starting()).keys("esc q").snap("leaving");
    let scene = begun(starting()).keys("esc q q");
    assert!(matches!(scene.effects.last(), Some(Effect::Quit { parting: Some(text) }) if text.contains("goes on")));
}

#[test]
fn a_dead_runner_is_told_and_can_be_taken_over() {
    begun(starting()).msg(Msg::OpLost(id())).snap("operation_interrupted");
    let scene = begun(starting()).msg(Msg::OpLost(id())).keys("c");
    assert_eq!(scene.effects.last(), Some(&Effect::Resume(id())));
    let scene = begun(starting()).msg(Msg::OpLost(id())).later(5_000).keys("esc");
    scene.snap("interrupted_banner");
    let scene = begun(starting()).msg(Msg::OpLost(id())).keys("u tab enter");
    assert_eq!(scene.effects.last(), Some(&Effect::Undo(id())));
}

#[test]
fn opening_the_dashboard_shows_what_runs() {
    let first = begun(starting());
    let brief = first.model.ops.first().unwrap().clone();
    let scene = running(&[110]).msg(Msg::Ops(vec![brief]));
    assert!(matches!(scene.model.ui.layers.last(), Some(Layer::Operation { .. })));
    assert_eq!(scene.effects.iter().filter(|effect| matches!(effect, Effect::Attach(_))).count(), 1);
}

#[test]
fn undo_is_a_plan_of_its_own() {
    let asked = begun(finished()).keys("u");
    let restore = asked.effects.iter().find_map(|effect| match effect {
        Effect::LookForPlan { intent, .. } => intent.restore.clone(),
        _ => None,
    });
    assert!(restore.is_some_and(|it| !it.stop.is_empty()), "the look is told whom the undo stops and starts");
    let scene = asked.looked(super::host::facts(&[102, 110]));
    scene.snap("undo_plan");
}

#[test]
fn the_last_time_is_remembered() {
    let scene = begun(finished()).at(160, 40).later(7_200_000).keys("esc");
    let scene = scene.msg(Msg::Seen(Box::new(super::host::facts(&[102, 110]))));
    assert!(scene.text().contains("took 33s"), "{}", scene.text());
    let scene = begun(finished()).keys("esc enter").looked(super::host::facts(&[101, 110]));
    assert!(scene.text().contains("33s the last time"), "{}", scene.text());
}
