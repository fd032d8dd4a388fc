//! Beyond the dashboard: a shell, a console's address, the clipboard, the bell.

use super::{Scene, operations, running};
use crate::tui::{
    effect::Effect,
    msg::{Msg, ShellEnd},
};

#[test]
fn a_shell_is_asked_for_at_the_address_that_the_agent_told() {
    let scene = running(&[101]).keys("s");
    assert_eq!(scene.effects, [Effect::Shell("192.168.1.150".parse().unwrap())]);
}

#[test]
fn why_there_is_no_shell_is_said() {
    let stopped = running(&[101]).keys("down s");
    assert!(!stopped.effects.iter().any(|effect| matches!(effect, Effect::Shell(_))));
    stopped.snap("shell_stopped");
    let silent = running(&[101]).with(|model| model.facts.agents.clear()).keys("s");
    assert!(silent.text().contains("No address of cachyos-vr is known"), "{}", silent.text());
    let container = running(&[101]).keys("2 end s");
    assert!(container.text().contains("a container has no guest agent"), "{}", container.text());
    let demo = running(&[101]).with(|model| model.setup.label = Some("demo".into())).keys("s");
    assert_eq!(demo.effects, []);
}

#[test]
fn how_a_shell_ended_is_said() {
    let ended = |how| running(&[101]).msg(Msg::ShellEnded { at: "192.168.1.150".parse().unwrap(), how });
    assert!(ended(ShellEnd::Left(0)).model.ui.toasts.is_empty());
    ended(ShellEnd::Left(255)).snap("shell_failed");
    let none = ended(ShellEnd::NoSsh("this machine has none".into()));
    assert!(none.text().contains("ssh can't be started: this machine has none."), "{}", none.text());
}

#[test]
fn the_consoles_address_is_copied_and_stays_in_the_log() {
    running(&[101]).at(120, 30).keys("g c l").snap("console_address");
    let url = |scene: &Scene| scene.model.console_url().unwrap();
    let container = running(&[101]).keys("2 end");
    assert_eq!(url(&container), "https://192.168.1.100:8006/?console=lxc&xtermjs=1&vmid=200&vmname=dns&node=pve");
    let odd = running(&[101]).with(|model| {
        let guests = model.facts.qemu.value.as_mut().unwrap();
        for guest in guests {
            guest.name = "a&b c#".into();
        }
    });
    assert!(url(&odd).ends_with("&vmid=101&vmname=a%26b%20c%23&node=pve"), "{}", url(&odd));
    assert!(running(&[101]).with(|model| model.setup.web = None).keys("g c").effects.is_empty());
}

#[test]
fn where_there_is_no_clipboard_the_text_is_shown() {
    let scene = running(&[101]).with(|model| model.setup.simple = true).keys("y");
    assert_eq!(scene.effects, []);
    assert!(scene.text().contains("No clipboard here: 192.168.1.150"), "{}", scene.text());
}

#[test]
fn the_bell_rings_once_for_an_end() {
    let bells = |loud: bool, msgs: Vec<Msg>| {
        let scene = running(&[101]).with(|model| model.setup.bell = loud);
        let scene = msgs.into_iter().fold(scene, Scene::msg);
        scene.effects.iter().filter(|effect| **effect == Effect::Bell).count()
    };
    let journal = operations::journal_to_the_end;
    assert_eq!(bells(false, journal()), 0);
    assert_eq!(bells(true, journal()), 1);
    assert_eq!(bells(true, [journal(), journal()].concat()), 1, "lines that are known ring nothing");
    assert_eq!(bells(true, vec![Msg::Ops(vec![operations::brief()]), Msg::OpLost(operations::id())]), 1);
}
