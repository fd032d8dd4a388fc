//! Screens for when something is wrong.

use super::{Scene, empty, host, running};
use crate::{
    domain::{
        facts::{Facts, Part, RunningTask, Trouble},
        finding::FindingId,
        ids::Upid,
        journal::Told,
        mode::ModeSet,
        switch::plan::Warning,
    },
    tui::msg::{Link, Msg},
};

pub(super) fn trouble(finding: FindingId, message: &str) -> Trouble {
    Trouble { finding, message: message.into() }
}

pub(super) fn down(scene: Scene, finding: FindingId, message: &str, attempts: u32) -> Scene {
    let since = scene.model.now;
    scene.msg(Msg::Link(Link::Down { trouble: trouble(finding, message), since, attempts }))
}

#[test]
fn connecting() {
    empty().snap("connecting");
}

#[test]
fn a_host_that_stopped_answering_leaves_its_last_word() {
    let scene = down(running(&[101, 110]), FindingId::PveUnreachable, "192.168.1.100:8006: no route to host", 2);
    scene.later(41_000).snap("host_gone");
}

#[test]
fn switching_on_a_host_that_does_not_answer_is_refused_at_once() {
    let scene = down(running(&[101]), FindingId::PveUnreachable, "192.168.1.100:8006: no route to host", 2);
    scene.keys("down enter").snap("refused_down");
}

#[test]
fn half_an_answer_keeps_the_other_half() {
    let forbidden = trouble(FindingId::PveForbidden, "VM.Audit on /vms is missing");
    let partial = Facts { lxc: Part::failed(forbidden), ..Facts::default() };
    let scene = running(&[101, 110]).later(25_000).msg(Msg::Seen(Box::new(partial)));
    scene.keys("2").snap("half_broken");
}

#[test]
fn an_agent_that_dies_leaves_its_last_word_with_its_age() {
    let silent = Part::failed(trouble(FindingId::PveTimeout, "the agent didn't answer within 3 s"));
    let partial = Facts { agents: [(crate::domain::testing::id(101), silent)].into(), ..Facts::default() };
    let scene = running(&[101]).later(125_000).msg(Msg::Seen(Box::new(partial)));
    assert!(scene.text().contains("192.168.1.150"), "{}", scene.text());
    let at = scene.model.next_deadline().unwrap();
    assert_eq!(at.since(super::NOON), 180_000, "the ages on screen change");
    scene.snap("agent_gone");
}

#[test]
fn a_configuration_that_can_not_be_read_any_more_keeps_its_devices() {
    let broken = Part::failed(trouble(FindingId::PveForbidden, "VM.Audit on /vms/101 is missing"));
    let partial = Facts { configs: [(crate::domain::testing::id(101), broken)].into(), ..Facts::default() };
    let read = |model: &mut crate::tui::model::Model| {
        model.facts.configs.get_mut(&crate::domain::testing::id(101)).unwrap().seen = Some(super::NOON);
    };
    let scene = running(&[101]).with(read).later(15_000).msg(Msg::Seen(Box::new(partial)));
    scene.snap("config_unread");
}

#[test]
fn no_modes_and_no_guests() {
    let scene = empty().with(|model| {
        model.setup.modes = ModeSet::default();
        model.ui.mode = None;
    });
    let mut facts = host::facts(&[]);
    facts.qemu.value = Some(vec![]);
    facts.lxc.value = Some(vec![]);
    facts.sees_all = Some(true);
    scene.msg(Msg::Link(Link::Up)).msg(Msg::Seen(Box::new(facts))).snap("nothing_there");
}

#[test]
fn a_token_that_sees_nothing_is_told_from_a_host_that_has_nothing() {
    let mut facts = host::facts(&[]);
    facts.qemu.value = Some(vec![]);
    facts.lxc.value = Some(vec![]);
    facts.sees_all = Some(false);
    let scene = empty().msg(Msg::Link(Link::Up)).msg(Msg::Seen(Box::new(facts)));
    scene.snap("no_rights");
}

#[test]
fn a_dead_host_wakes_the_screen_less_and_less_often() {
    let mut scene = down(empty(), FindingId::PveUnreachable, "no route to host", 3);
    let mut wakes = Vec::new();
    while let Some(at) = scene.model.next_deadline().filter(|_| wakes.len() < 18) {
        let (before, after) = (scene.text(), scene.msg(Msg::Clock(at)));
        assert_ne!(before, after.text(), "nothing changed at {at:?}");
        wakes.push(at.since(super::NOON) / 1000);
        scene = after;
    }
    assert_eq!(wakes, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 20, 30, 40, 50, 60, 120, 180, 240]);
}

#[test]
fn a_host_that_does_not_answer_offers_no_way_back() {
    let op = super::operations::brief();
    let scene = down(empty(), FindingId::PveUnreachable, "no route to host", 3);
    let mut ended = op.clone();
    let finished = crate::domain::switch::event::What::Finished {
        outcome: crate::domain::switch::event::Outcome::Done,
        trouble: None,
        gpu: None,
    };
    let seq = ended.state.next_seq;
    ended.state.apply(&crate::domain::switch::event::Event { seq, at: super::NOON, what: finished });
    let text = scene.msg(Msg::Ops(vec![ended])).text();
    let footer = text.lines().last().unwrap();
    assert!(!footer.contains("undo") && !footer.contains("operation"), "{footer}");
}

#[test]
fn a_host_that_comes_back() {
    let scene = down(running(&[101]), FindingId::PveUnreachable, "no route to host", 2).later(60_000);
    let scene = scene.msg(Msg::Link(Link::Up));
    let text = scene.msg(Msg::Seen(Box::new(host::facts(&[101])))).keys("l").text();
    assert!(text.contains("192.168.1.100 answers again."), "{text}");
}

#[test]
fn what_an_agent_said_before_the_guest_was_started_again_is_forgotten() {
    let mut facts = host::facts(&[101]);
    let seen = super::NOON.plus(60_000);
    facts.qemu.seen = Some(seen);
    crate::domain::testing::change(&mut facts, 101, |guest| guest.uptime = Some(20));
    let text = running(&[101]).later(60_000).msg(Msg::Seen(Box::new(facts))).text();
    assert!(text.contains("not asked yet") && !text.contains("192.168.1.150"), "{text}");
}

#[test]
fn a_task_seen_long_ago_keeps_nobody_waiting() {
    let mut facts = host::facts(&[101]);
    let task = RunningTask {
        upid: Upid::from("UPID:pve:1:2:3:vzdump:101:root@pam:"),
        kind: "vzdump".into(),
        vmid: Some(crate::domain::testing::id(101)),
        user: "root@pam".into(),
    };
    facts.tasks = Part::good(vec![task], super::NOON);
    let scene = running(&[101]).msg(Msg::Seen(Box::new(facts)));
    assert!(scene.text().contains("VM 101 has a task: vzdump"), "{}", scene.text());
    let list = Part { seen: Some(super::NOON.plus(61_000)), ..host::facts(&[101]).qemu };
    let scene = scene.later(61_000).msg(Msg::Seen(Box::new(Facts { qemu: list, ..Facts::default() })));
    assert!(!scene.text().contains("VM 101 has a task: vzdump"), "{}", scene.text());
}

#[test]
fn notices_are_told_at_the_start() {
    let notice = Warning { finding: FindingId::PveTlsUnverified, message: "The certificate isn't checked.".into() };
    let scene = empty().with(|model| model.setup.notices = vec![notice]);
    let setup = scene.model.setup.clone();
    let model = crate::tui::model::Model::new(setup, (80, 24), super::NOON);
    let text = Scene { model, effects: vec![] }.keys("l").text();
    assert!(text.contains("The certificate isn't checked. (pve.tls-unverified)"), "{text}");
}

#[test]
fn a_screen_that_is_too_small_says_what_is_needed() {
    let text = |columns, rows| running(&[101]).at(columns, rows).text();
    assert_eq!(text(59, 3), "\n            morpheus needs 60x16; this is 59x3.\n\n");
    assert_eq!(text(80, 1).trim(), "morpheus needs 60x16; this is 80x1.");
    assert_eq!(text(12, 1), "needs 60x16\n");
    assert_eq!(text(1, 1), "\n");
}
