//! Every key that the dashboard shows does what it is said to do, wherever it is shown.

use super::{dialogs::planned, empty, host, operations, plant, plant_run, running};
use crate::domain::guest::AgentState;
use crate::tui::{
    action::Action,
    keymap::{context::Context, sequence::Sequence},
    model::{Model, layer::Layer, plant::Page},
    msg::{Input, Msg},
    update::{done, update},
};
use std::collections::BTreeSet;

/// One of each place, and some in several states.
fn places() -> Vec<Model> {
    let mut unreliable = host::facts(&[101]);
    for agent in unreliable.agents.values_mut() {
        agent.value.as_mut().unwrap().agent = AgentState::NotRunning;
    }
    let refused = running(&[101]).keys("down down down enter").looked(host::facts(&[101]));
    let scenes = vec![
        empty(),
        running(&[101, 110]),
        running(&[101]).keys("down"),
        running(&[101]).keys("2 down"),
        running(&[101]).keys("/ 'vr' enter"),
        running(&[101]).keys("g d"),
        running(&[101]).keys("g h"),
        running(&[101]).keys("r l"),
        running(&[101]).keys("i i"),
        running(&[101, 110]).keys("2 end up 6"),
        running(&[101]).keys("6 enter"),
        empty().keys("6"),
        running(&[101]).keys("/ 'vr'"),
        running(&[101]).keys("?"),
        running(&[101]).keys(": 'refresh'"),
        running(&[101]).keys("down enter"),
        planned(),
        planned().keys("tab"),
        running(&[101]).keys("down enter").looked(unreliable),
        refused,
        running(&[111]).keys("enter").looked(host::facts(&[111])).keys("e"),
        operations::going(),
        operations::asked(),
        operations::going().keys("esc"),
        operations::going().keys("x"),
        operations::going().keys("esc q"),
        plant::answered(),
        plant::at(Page::Gpu),
        plant::at(Page::Linux).keys("down down down down down"),
        plant::at(Page::Linux).keys("ctrl-f"),
        plant::at(Page::Review),
        plant::at(Page::Review).keys("f"),
        plant::at(Page::Review).keys("f enter"),
        plant_run::going(),
        plant_run::standing(),
    ];
    scenes.into_iter().map(|scene| scene.later(0).model).collect()
}

/// The same by pressing its keys and by meaning it.
fn both_ways(model: &Model, keys: &Sequence, action: &Action) {
    let (mut pressed, mut meant) = (model.clone(), model.clone());
    let mut effects = Vec::new();
    for chord in keys.iter() {
        effects = update(&mut pressed, Msg::Input(Input::Key(*chord)));
    }
    let wanted = done(&mut meant, action);
    let place = model.contexts().first();
    assert_eq!(effects, wanted, "{keys} {place:?}");
    assert_eq!(pressed, meant, "{keys} {place:?}");
}

#[test]
fn every_key_that_is_shown_does_what_it_says() {
    let mut seen = BTreeSet::new();
    let mut pressed = 0;
    for model in places() {
        seen.extend(model.contexts().first().map(|context| context.name()));
        for hint in model.hints(model.contexts()) {
            for keys in &hint.keys {
                both_ways(&model, keys, &hint.action);
                pressed += 1;
            }
        }
    }
    let tops = Context::ALL.iter().filter(|context| context.is_on_top()).map(|context| context.name());
    assert_eq!(tops.filter(|name| !seen.contains(name)).collect::<Vec<_>>(), Vec::<&str>::new(), "never visited");
    assert!(pressed > 300, "{pressed}");
}

#[test]
fn what_the_help_lists_is_what_counts_below_it() {
    let is_help = |model: &Model| matches!(model.ui.layers.last(), Some(Layer::Help { .. }));
    for model in places().into_iter().filter(|model| !is_help(model)) {
        let mut with_help = model.clone();
        with_help.ui.layers.push(Layer::Help { filter: crate::tui::model::layer::Field::default(), scroll: 0 });
        assert_eq!(with_help.below_the_help(), model.contexts());
    }
}

#[test]
fn the_footer_cuts_no_hint_at_any_width() {
    for model in places() {
        let scene = |columns| super::Scene { model: model.clone(), effects: Vec::new() }.at(columns, 24);
        if model.ui.layers.last() == Some(&Layer::Filter) || !model.ui.toasts.is_empty() {
            continue;
        }
        let hints = model.hints(model.contexts());
        for columns in (60..=300).step_by(16) {
            let text = scene(columns).text();
            let foot = text.lines().last().unwrap().replace(['(', ')'], "");
            let whole = |part: &str| {
                hints.iter().any(|hint| format!("{} {}", hint.key(), model.label_of(&hint.action)) == part)
            };
            for part in foot.split("  ").map(str::trim).filter(|part| !part.is_empty()) {
                assert!(whole(part), "'{part}' at {columns}\n{foot}");
            }
        }
    }
}

#[test]
fn no_key_that_is_shown_needs_what_some_terminal_keeps_for_itself() {
    for model in places() {
        for keys in model.hints(model.contexts()).iter().flat_map(|hint| hint.keys.iter()) {
            let text = keys.to_string();
            assert!(!text.contains("alt-") && !["ctrl-a", "ctrl-b", "ctrl-q", "ctrl-s"].contains(&text.as_str()));
        }
    }
}
