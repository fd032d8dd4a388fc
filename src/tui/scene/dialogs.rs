//! From a key to a plan on screen, and no further without a word.

use super::{Scene, host, running};
use crate::{
    domain::{
        facts::{Facts, Trouble},
        finding::FindingId,
        guest::{AgentState, Power},
        testing,
    },
    tui::{
        effect::Effect,
        model::layer::Layer,
        msg::{Msg, Ticket},
    },
};

impl Scene {
    /// The fresh look that was asked for comes.
    pub(super) fn looked(self, facts: Facts) -> Self {
        let ticket = self.model.ui.ticket;
        self.msg(Msg::Looked { ticket, result: Ok(Box::new(facts)) })
    }
}

/// The plan to switch from Linux to Windows is on screen.
pub(super) fn planned() -> Scene {
    running(&[101, 110]).keys("down enter").looked(host::facts(&[101, 110]))
}

/// The same, with an agent that doesn't answer: the name is to be typed.
pub(super) fn risky() -> Scene {
    let mut facts = host::facts(&[101]);
    facts.agents.get_mut(&testing::id(101)).unwrap().value.as_mut().unwrap().agent = AgentState::NotRunning;
    running(&[101]).keys("down enter").looked(facts)
}

#[test]
fn a_look_comes_before_the_plan() {
    running(&[101, 110]).keys("down enter").later(2_000).snap("looking");
}

#[test]
fn the_plan_is_shown_with_cancel_focused() {
    planned().snap("confirm_80x24");
    planned().at(120, 40).snap("confirm_120x40");
    planned().at(60, 16).snap("confirm_60x16");
}

#[test]
fn enter_alone_changes_nothing() {
    let scene = planned().keys("enter");
    assert!(!scene.effects.iter().any(|effect| matches!(effect, Effect::Start { .. })));
    assert!(scene.text().contains("Nothing was changed."));
}

#[test]
fn the_plan_that_was_shown_is_started() {
    let shown = planned();
    let Some(Layer::Confirm(confirm)) = shown.model.ui.layers.last() else { panic!("no plan") };
    let plan = confirm.plan.clone();
    let scene = shown.keys("tab enter");
    assert_eq!(scene.effects.last(), Some(&Effect::Start { ticket: Ticket(2), plan: Box::new(plan) }));
    scene.snap("starting");
}

#[test]
fn where_work_may_be_lost_the_name_is_typed() {
    let scene = risky();
    let refused = scene.keys("tab enter");
    assert!(!refused.effects.iter().any(|effect| matches!(effect, Effect::Start { .. })));
    let typed = refused.later(5_000).keys("'linuxvr'");
    typed.snap("confirm_typed_name");
}

#[test]
fn the_right_name_and_the_button_start_it() {
    let scene = risky().keys("'linuxvrstreaming' tab enter");
    assert!(matches!(scene.effects.last(), Some(Effect::Start { .. })), "{:?}", scene.effects);
}

#[test]
fn a_plan_that_does_not_hold_any_more_is_shown_anew() {
    let scene = planned().keys("tab").msg(Msg::Seen(Box::new(host::facts(&[110]))));
    scene.keys("enter").snap("confirm_changed");
    let scene = planned().keys("tab").msg(Msg::Seen(Box::new(host::facts(&[110]))));
    scene.snap("confirm_changed_before_enter");
}

#[test]
fn looks_that_change_nothing_leave_the_dialog_alone() {
    let scene = planned().keys("tab").msg(Msg::Seen(Box::new(host::facts(&[101, 110]))));
    assert!(matches!(scene.model.ui.layers.last(), Some(Layer::Confirm(confirm)) if confirm.yes));
}

/// A switch to a mode that doesn't go together with the one that runs.
pub(super) fn refused() -> Scene {
    running(&[101]).keys("down down down enter").looked(host::facts(&[101]))
}

#[test]
fn a_refusal_has_its_reason_and_alternatives() {
    let scene = running(&[101]).keys("down down down enter").looked(host::facts(&[101]));
    scene.snap("refused_conflict");
}

#[test]
fn a_foreign_holder_of_the_gpu_is_named() {
    running(&[111]).keys("enter").looked(host::facts(&[111])).snap("refused_foreign");
}

#[test]
fn from_a_refusal_one_key_leads_to_the_plan_that_stops_what_is_in_the_way() {
    let scene = running(&[101]).keys("down down down enter").looked(host::facts(&[101]));
    scene.keys("R").looked(host::facts(&[101])).snap("refused_then_replace");
    let scene = running(&[111]).keys("enter").looked(host::facts(&[111])).keys("R").looked(host::facts(&[111]));
    assert!(matches!(scene.model.ui.layers.last(), Some(Layer::Confirm(confirm)) if confirm.plan.intent.replace));
}

#[test]
fn what_is_refused_for_another_reason_can_not_be_replaced() {
    let mut facts = host::facts(&[101]);
    testing::change(&mut facts, 101, |guest| guest.power = Power::Paused);
    let scene = running(&[101]).keys("down enter").looked(facts);
    let layers = scene.model.ui.layers.clone();
    assert!(!scene.text().contains("R replace"), "{}", scene.text());
    let scene = scene.keys("R");
    assert_eq!(scene.model.ui.layers, layers);
    assert!(scene.text().contains("No guest that could be stopped is in the way."), "{}", scene.text());
}

#[test]
fn a_configuration_that_resolves_conflicts_shows_the_plan_at_once() {
    let scene = running(&[101]).with(|model| model.setup.replace = true).msg(Msg::Seen(Box::new(host::facts(&[101]))));
    assert!(!scene.text().contains("conflict"), "{}", scene.text());
    for keys in ["down down down enter", ": 'start' space 'shared' enter"] {
        let scene = running(&[101]).with(|model| model.setup.replace = true).keys(keys).looked(host::facts(&[101]));
        assert!(matches!(scene.model.ui.layers.last(), Some(Layer::Confirm(_))), "{}", scene.text());
    }
}

#[test]
fn a_refusal_can_be_explained() {
    running(&[111]).keys("enter").looked(host::facts(&[111])).keys("e").snap("explained");
}

#[test]
fn a_look_that_fails_says_why() {
    let trouble = Trouble { finding: FindingId::PveTimeout, message: "No answer within 10 s.".into() };
    let scene = running(&[101]).keys("down enter");
    let ticket = scene.model.ui.ticket;
    scene.msg(Msg::Looked { ticket, result: Err(trouble) }).snap("look_failed");
}

#[test]
fn a_look_that_comes_too_late_opens_nothing() {
    let scene = running(&[101]).keys("down enter esc").looked(host::facts(&[101]));
    assert_eq!(scene.model.ui.layers, []);
}

#[test]
fn being_there_already_is_said() {
    let scene = running(&[101]).keys("enter").looked(host::facts(&[101]));
    assert!(scene.text().contains("Already in linuxvrstreaming."), "{}", scene.text());
}

#[test]
fn a_paused_guest_is_refused() {
    let mut facts = host::facts(&[101]);
    testing::change(&mut facts, 101, |guest| guest.power = Power::Paused);
    running(&[101]).keys("down enter").looked(facts).snap("refused_paused");
}
