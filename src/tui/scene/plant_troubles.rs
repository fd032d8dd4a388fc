//! What goes wrong while one plants from the dashboard: the host goes silent, runners die, others plant too.

use super::{
    NOON, Scene,
    plant::{answered, at, site},
    plant_run::{going, id, lines, short, standing, started, under_way},
    running,
};
use crate::{
    domain::{
        facts::Trouble,
        finding::FindingId,
        journal::Told as _,
        plant::{Event, Form, Key, State, Thing, What, event::End},
    },
    tui::{
        effect::{Effect, PlantDo},
        model::{
            layer::{Layer, PlantAsk, PlantWhat},
            plant::Page,
        },
        msg::{Input, Msg, PlantMsg},
    },
};

fn silent() -> Trouble {
    Trouble { finding: FindingId::PveTimeout, message: "No answer within 10 s.".into() }
}

/// The look that is under way ends so.
fn looked(scene: Scene, silent: Option<Trouble>) -> Scene {
    let (ticket, _) = scene.model.plant.looking.expect("a look");
    let result = silent.map_or_else(|| Ok(Box::new(site())), Err);
    scene.msg(Msg::Plant(PlantMsg::Seen { ticket, result }))
}

fn form(scene: &Scene) -> Form {
    scene.model.plant.form.clone()
}

#[test]
fn a_connection_that_breaks_while_one_answers_costs_no_answer() {
    let scene = at(Page::Linux).keys("ctrl-u '130'");
    let typed = form(&scene);
    let scene = looked(scene.keys("ctrl-n ctrl-n ctrl-n"), Some(silent()));
    assert_eq!((form(&scene), scene.model.plant.page), (typed.clone(), Page::Review));
    let text = scene.text();
    assert!(text.contains("No answer within 10 s.") && text.contains("To do"), "{text}");
    let refused = scene.keys("enter");
    assert_eq!(refused.model.ui.layers, [Layer::Plant], "a plan of an earlier look isn't begun");
    assert!(refused.text().contains("the last one failed: No answer"), "{}", refused.text());
    let explained = refused.keys("e");
    assert!(matches!(explained.model.ui.layers.last(), Some(Layer::Explain { finding: FindingId::PveTimeout, .. })));
    let again = looked(explained.keys("esc r"), None);
    assert_eq!(form(&again), typed);
    assert!(!again.text().contains("No answer"), "{}", again.text());
    assert!(matches!(again.keys("enter").model.ui.layers.last(), Some(Layer::PlantAsk(_))));
}

#[test]
fn a_runner_that_was_killed_leaves_a_page_with_ways_on() {
    let scene = going().msg(Msg::Plant(PlantMsg::Lost(id())));
    let text = scene.text();
    assert!(text.contains("The planting stands still") && text.contains("Stands still, 2 of 5 steps done"), "{text}");
    assert!(text.contains("Its runner ended before it did; nothing is being done now."), "{text}");
    let foot = scene.later(60_000);
    let text = foot.text();
    assert!(text.lines().last().unwrap().starts_with(" c resume  u undo"), "{text}");
    assert!(foot.keys("c").effects.contains(&Effect::Plant(PlantDo::Resume(id()))));
}

#[test]
fn a_host_that_changed_in_between_refuses_and_says_so() {
    let message = "VM 121 is there by now.".to_owned();
    let because = Trouble { finding: FindingId::PlantChanged, message };
    let rest = vec![(1, What::Halted { because }), (1, What::Finished { end: End::Refused })];
    let scene = started(short(), rest).later(10_000);
    scene.snap("plant_run_refused");
    let rest = vec![(1, What::Halted { because: silent() })];
    let away = started(short(), rest).msg(Msg::Plant(PlantMsg::Lost(id()))).later(10_000);
    assert!(away.text().contains("No answer within 10 s."), "{}", away.text());
    let again = looked(away.keys("ctrl-p"), None).keys("enter");
    assert!(matches!(again.model.ui.layers.last(), Some(Layer::PlantAsk(_))), "what made nothing is in nobody's way");
}

/// The planting as the journal on disk tells it after so many lines.
fn on_disk(count: usize, alive: bool) -> Msg {
    let events: Vec<Event> = lines(short(), under_way())
        .into_iter()
        .take(count)
        .filter_map(|msg| match msg {
            Msg::Plant(PlantMsg::Line { event, .. }) => Some(*event),
            _ => None,
        })
        .collect();
    Msg::Plant(PlantMsg::Newest { id: id(), state: Box::new(State::fold(&events).unwrap()), alive })
}

#[test]
fn a_second_dashboard_follows_the_same_planting() {
    let first = going().later(3_000).at(120, 40);
    let second = running(&[101]).at(120, 40).msg(on_disk(5, true)).told(lines(short(), under_way()));
    let second = second.msg(Msg::Clock(first.model.now));
    assert_eq!(second.model.plant.run, first.model.plant.run);
    let ended = lines(short(), [under_way(), vec![(60, What::Halted { because: silent() })]].concat()).pop().unwrap();
    let (first, second) = (first.msg(ended.clone()), second.msg(ended));
    assert_eq!(first.model.plant.run, second.model.plant.run, "what one of them stops stands still in both");
    let undone = standing().msg(on_disk(2, true));
    assert!(undone.model.plant.run.as_ref().unwrap().alive, "another one goes on with it");
}

#[test]
fn a_planting_that_ended_unseen_has_the_configuration_read_again() {
    let seen = |scene: Scene| scene.effects.contains(&Effect::Reload);
    let begun = || running(&[101]).msg(on_disk(3, false));
    assert!(!seen(begun()));
    assert!(seen(begun().msg(on_disk(11, false))));
    assert!(!seen(begun().msg(on_disk(3, false))));
}

#[test]
fn every_guest_is_named_before_guests_are_removed() {
    let guest = |vmid: u32, name: &str| Thing::Guest { vmid: crate::domain::testing::id(vmid), name: name.into() };
    let mut rest = under_way();
    rest.push((50, What::Making { step: 2, thing: guest(121, "vr-linux") }));
    rest.push((51, What::Making { step: 2, thing: guest(122, "vr-windows") }));
    let ask = || started(short(), rest.clone()).msg(Msg::Plant(PlantMsg::Lost(id()))).keys("u");
    ask().snap("plant_ask_undo_two");
    let undoes = |scene: &Scene| scene.effects.contains(&Effect::Plant(PlantDo::Undo(id())));
    for short in ["", "vr-linux", "vr-windows", "vr-linux vr-linux"] {
        let scene = typed(ask(), short).keys("tab enter");
        assert!(!undoes(&scene), "{short}");
        assert!(scene.text().contains("Not every name is typed yet"), "{}", scene.text());
    }
    for right in ["vr-windows vr-linux", "vr-linux, vr-windows"] {
        assert!(undoes(&typed(ask(), right).keys("tab enter")), "{right}");
    }
    let Some(Layer::PlantAsk(ask)) = ask().model.ui.layers.pop() else { panic!("nothing is asked") };
    assert!(!PlantAsk::new(PlantWhat::Undo(id()), ask.rung).is_typed());
}

fn typed(scene: Scene, text: &str) -> Scene {
    scene.msg(Msg::Input(Input::Paste(text.to_owned())))
}

#[test]
fn answers_and_marks_stay_while_a_planting_is_half_made() {
    let scene = going();
    let line = scene.text().lines().nth(2).unwrap().to_owned();
    assert!(line.contains("✓ Linux") && !line.contains('!'), "{line}");
    let review = going().keys("ctrl-p");
    let text = review.text();
    assert!(text.contains("isn't finished: the page Run has it") && !text.contains("Nothing can be planted"), "{text}");
    let narrow = going().later(3_000).at(60, 30).text();
    assert!(narrow.contains("› Uploading morpheus-121-seed.iso       running"), "{narrow}");
    assert_eq!(answered().model.plant.form.get(Key::LinuxName), "vr-linux");
    assert_eq!(scene.model.plant.seen.map(|seen| seen >= NOON), Some(true));
}
