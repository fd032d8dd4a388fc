//! The dashboard as lines, and what is said of a change.

use super::{Scene, dialogs::planned, empty, host, operations, running};
use crate::{
    domain::{facts::Trouble, finding::FindingId, guest::Power, testing},
    tui::{
        model::Model,
        msg::{Link, Msg},
        plain::{Line, changes, whole},
    },
};

fn snap(name: &str, lines: &[String]) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(format!("plain_{name}"), lines.join("\n")));
}

/// Seconds since the scene began in place of the local time.
fn written(lines: Vec<Line>) -> Vec<String> {
    let line = |Line { at, text }: Line| match at {
        Some(at) => format!("{:>3}s {text}", at.since(super::NOON) / 1000),
        None => text,
    };
    lines.into_iter().map(line).collect()
}

/// What is said while these messages come, one after the other.
fn told(mut scene: Scene, messages: Vec<Msg>) -> (Scene, Vec<String>) {
    let mut lines = Vec::new();
    for msg in messages {
        let before: Model = scene.model.clone();
        scene = scene.msg(msg);
        lines.extend(written(changes(&before, &scene.model)));
    }
    (scene, lines)
}

fn trouble() -> Trouble {
    Trouble { finding: FindingId::PveUnreachable, message: "no route to host".into() }
}

fn down(scene: &Scene) -> Msg {
    Msg::Link(Link::Down { trouble: trouble(), since: scene.model.now, attempts: 1 })
}

#[test]
fn everything_is_told_once() {
    snap("whole", &whole(&running(&[101, 110]).model));
}

#[test]
fn a_guest_that_is_off_or_held_is_told_by_its_own_state() {
    for (power, lock, word) in [
        (Power::Stopped, Some("suspended"), "hibernated"),
        (Power::Stopped, Some("backup"), "stopped"),
        (Power::Paused, None, "paused"),
        (Power::Prelaunch, None, "prelaunch"),
    ] {
        let scene = running(&[101]).later(1_000);
        let mut facts = host::facts(&[101]);
        testing::change(&mut facts, 101, |guest| (guest.power, guest.lock) = (power, lock.map(str::to_owned)));
        let (scene, changed) = told(scene, vec![Msg::Seen(Box::new(facts))]);
        let change = format!("  1s linuxvrstreaming: running -> {word}");
        assert!(changed.contains(&change), "{changed:?}");
        let lines = whole(&scene.model);
        assert!(lines.iter().any(|line| line.starts_with(&format!("  linuxvrstreaming: {word}, VM 101"))), "{lines:?}");
        let guest = lines.iter().find(|line| line.contains("(VM 101): ")).unwrap();
        assert!(guest.contains(&format!("(VM 101): {word}")), "{guest}");
        assert_eq!(guest.contains("locked: "), lock == Some("backup"), "{guest}");
    }
}

#[test]
fn a_host_that_never_answered_says_so() {
    let scene = empty();
    let msg = down(&scene);
    snap("unreachable", &whole(&scene.msg(msg).model));
}

#[test]
fn an_operation_is_told_step_by_step() {
    let scene = planned();
    let (scene, mut lines) = told(scene, operations::journal_of_a_failure());
    lines.push("---".to_owned());
    lines.extend(whole(&scene.model));
    snap("operation", &lines);
}

#[test]
fn what_changes_is_a_line_and_what_only_counts_is_none() {
    let scene = running(&[101, 110]).later(5_000);
    let mut facts = host::facts(&[101, 110]);
    testing::change(&mut facts, 101, |guest| {
        guest.uptime = guest.uptime.map(|up| up + 5);
        guest.cpu = Some(0.99);
    });
    let (scene, lines) = told(scene, vec![Msg::Seen(Box::new(facts.clone()))]);
    assert_eq!(lines, [""; 0], "numbers move all the time");
    testing::change(&mut facts, 101, |guest| guest.power = Power::Stopped);
    testing::change(&mut facts, 110, |guest| guest.lock = Some("back\u{1b}up".into()));
    facts.qemu.value.as_mut().unwrap().retain(|guest| guest.vmid.get() != 111);
    let (lost, back) = (down(&scene), Msg::Link(Link::Up));
    let (scene, mut lines) = told(scene, vec![Msg::Seen(Box::new(facts)), lost]);
    let (_, more) = told(scene.later(60_000), vec![back]);
    lines.extend(more);
    snap("changes", &lines);
}

#[test]
fn a_host_that_answers_at_last_is_told_whole() {
    let (_, lines) = told(empty(), vec![Msg::Link(Link::Up), Msg::Seen(Box::new(host::facts(&[101])))]);
    assert!(lines.iter().any(|line| line.starts_with("morpheus: ")), "{lines:?}");
    assert!(lines.iter().any(|line| line.contains("linuxvrstreaming: running")), "{lines:?}");
}

#[test]
fn a_flood_of_changes_is_cut_and_counted() {
    let scene = running(&[101]).msg(Msg::Seen(Box::new(host::many(2))));
    let (_, lines) = told(scene, vec![Msg::Seen(Box::new(host::many(500)))]);
    assert_eq!(lines.len(), 41);
    assert!(lines.last().unwrap().contains("more; `morpheus --plain --once`"), "{lines:?}");
}

#[test]
fn the_log_tells_each_line_once_though_it_forgets_old_ones() {
    let mut scene = running(&[101]);
    for n in 0..1_200 {
        let text = format!("line {}", n / 2);
        let msg = Msg::Log { level: crate::tui::msg::Level::Info, text: text.clone() };
        let (after, lines) = told(scene, vec![msg]);
        assert_eq!(lines, [format!("  0s {text}")]);
        scene = after;
    }
}
