//! The configuration changes while the dashboard is open.

use super::{Scene, host, plant_run, running};
use crate::{
    domain::{
        facts::Trouble,
        finding::FindingId,
        ids::ModeName,
        mode::ModeSet,
        plant::{What, event::End},
    },
    tui::{
        effect::Effect,
        model::{Rules, layer::Layer},
        msg::Msg,
    },
};

/// The configuration says by now that there are these modes.
fn configured(scene: Scene, modes: ModeSet) -> Scene {
    let rules = Rules { modes, options: scene.model.setup.options, replace: false };
    scene.msg(Msg::Configured(Ok(Box::new(rules))))
}

/// The modes of the scenes without the last one.
fn fewer() -> ModeSet {
    let mut modes = host::modes();
    modes.0.pop();
    modes
}

#[test]
fn new_modes_are_in_the_list_and_can_be_switched_to() {
    let all = host::modes();
    let new = all.0.last().unwrap().name.clone();
    let scene = running(&[101]).with(|model| model.setup.modes = fewer()).keys("down r");
    assert!(scene.effects.contains(&Effect::Reload));
    let selected = scene.model.ui.mode.clone();
    assert!(!scene.text().contains(new.as_str()), "{}", scene.text());
    let scene = configured(scene, all.clone());
    let text = scene.text();
    assert!(text.contains(&format!("New in the configuration: {new}.")), "{text}");
    assert!(text.lines().any(|line| line.contains(new.as_str()) && line.contains("stopped")), "{text}");
    assert_eq!(scene.model.ui.mode, selected, "what is selected stays");
    assert_eq!(scene.model.standing.len(), all.0.len());
    let asked = scene.keys("G enter");
    let wanted = asked
        .effects
        .iter()
        .any(|effect| matches!(effect, Effect::LookForPlan { intent, .. } if intent.mode == Some(new.clone())));
    assert!(wanted, "{:?}", asked.effects);
}

#[test]
fn modes_that_are_gone_leave_the_list() {
    let gone = host::modes().0.last().unwrap().name.clone();
    let scene = configured(running(&[101]).keys("G"), fewer());
    assert!(scene.text().contains(&format!("No longer in the configuration: {gone}.")), "{}", scene.text());
    assert_eq!(scene.model.ui.mode, Some(fewer().0[0].name.clone()), "another one is selected");
    let empty = configured(scene, ModeSet::default());
    assert_eq!((empty.model.ui.mode.clone(), empty.model.standing.len()), (None, 0));
    assert!(empty.text().contains("p plants"), "{}", empty.text());
}

#[test]
fn a_configuration_that_can_not_be_used_changes_nothing() {
    let message = "The configuration can't be used, the modes stay as they were: line 3".to_owned();
    let scene = running(&[101]).keys("down");
    let before = scene.model.setup.clone();
    let scene = scene.msg(Msg::Configured(Err(Trouble { finding: FindingId::ConfigBad, message })));
    assert_eq!(scene.model.setup, before);
    assert!(scene.text().contains("The configuration can't be used"), "{}", scene.text());
    assert!(configured(running(&[101]), host::modes()).model.ui.toasts.is_empty(), "nothing new is nothing to say");
}

#[test]
fn a_plan_on_screen_that_no_longer_follows_is_shown_anew() {
    let scene = super::dialogs::planned();
    let Some(Layer::Confirm(confirm)) = scene.model.ui.layers.last() else { panic!("no plan") };
    let target: ModeName = confirm.plan.intent.mode.clone().unwrap();
    let mut modes = host::modes();
    modes.0.retain(|mode| mode.name != target);
    let scene = configured(scene, modes);
    assert!(matches!(scene.model.ui.layers.last(), Some(Layer::Refused { .. })), "{}", scene.text());
}

#[test]
fn the_configuration_is_read_again_when_a_planting_ends_or_stands_still() {
    let reloads =
        |rest| plant_run::told_of(rest).effects.into_iter().filter(|effect| *effect == Effect::Reload).count();
    assert_eq!(reloads(vec![]), 0);
    assert_eq!(reloads(vec![What::Finished { end: End::Done }]), 1);
    let because = Trouble { finding: FindingId::PlantHalted, message: "stopped".into() };
    assert_eq!(reloads(vec![What::Halted { because }]), 1);
}
