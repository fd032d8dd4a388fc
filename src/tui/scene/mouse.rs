//! The mouse: what is drawn can be clicked, and nothing happens by a stray click.

use super::{Scene, dialogs, operations, running};
use crate::{
    domain::testing,
    tui::{
        effect::Effect,
        layout::regions,
        model::{Pane, layer::Layer},
        msg::{Input, Mouse, MouseDid, Msg},
    },
};
use ratatui::layout::Rect;

impl Scene {
    fn does(self, did: MouseDid, (column, row): (u16, u16)) -> Self {
        self.msg(Msg::Input(Input::Mouse(Mouse { did, column, row })))
    }

    /// A click on the first place where this text stands.
    fn click(self, text: &str) -> Self {
        let place = self.place(text);
        self.does(MouseDid::Press, place)
    }

    /// Where a text stands, by cells.
    fn place(&self, text: &str) -> (u16, u16) {
        let screen = self.text();
        let found = screen.lines().zip(0..).find_map(|(line, row)| {
            let column = line.find(text)?;
            Some((u16::try_from(line[..column].chars().count()).unwrap(), row))
        });
        found.unwrap_or_else(|| panic!("{text} isn't on the screen:\n{screen}"))
    }
}

fn starts(scene: &Scene) -> usize {
    scene.effects.iter().filter(|effect| matches!(effect, Effect::Start { .. })).count()
}

#[test]
fn a_click_selects_a_row_and_gives_its_pane_the_keys() {
    let scene = running(&[101]).click("104");
    assert_eq!((scene.model.ui.pane, scene.model.ui.guest), (Pane::Guests, Some(testing::id(104))));
    scene.snap("mouse_row");
    let scene = running(&[101]).click("windowsvr");
    assert_eq!(scene.model.ui.pane, Pane::Modes);
    assert_eq!(scene.model.ui.mode.unwrap().as_str(), "windowsvrstreaming");
}

#[test]
fn a_double_click_does_what_enter_does_and_a_slow_one_does_not() {
    let (windows, linux) = (running(&[101]).place("windowsvr"), running(&[101]).place("linuxvr"));
    let twice =
        |first, later, second| running(&[101]).does(MouseDid::Press, first).later(later).does(MouseDid::Press, second);
    let quick = twice(windows, 300, windows);
    assert_eq!(quick.effects, running(&[101]).keys("down enter").effects);
    assert!(matches!(quick.model.ui.layers.last(), Some(Layer::Looking { .. })));
    assert!(twice(windows, 501, windows).model.ui.layers.is_empty(), "too slow");
    assert!(twice(windows, 100, linux).model.ui.layers.is_empty(), "two rows");
}

#[test]
fn the_words_in_the_footer_do_what_they_say() {
    let scene = running(&[101]).click("help");
    assert!(matches!(scene.model.ui.layers.last(), Some(Layer::Help { .. })));
    assert_eq!(running(&[101]).click("refresh").effects, running(&[101]).keys("r").effects);
}

#[test]
fn the_wheel_moves_what_is_under_it_and_leaves_the_keys_where_they_are() {
    let scene = running(&[101]);
    let place = scene.place("104");
    let scene = scene.does(MouseDid::WheelDown, place).does(MouseDid::WheelDown, place);
    assert_eq!((scene.model.ui.pane, scene.model.ui.guest), (Pane::Modes, Some(testing::id(103))));
    let scene = scene.does(MouseDid::WheelUp, place);
    assert_eq!(scene.model.ui.guest, Some(testing::id(102)));
    let detail = regions(Rect::new(0, 0, 80, 24), &scene.model).detail.unwrap();
    let scene = scene.does(MouseDid::WheelDown, (detail.x + 3, detail.y + 3));
    assert_eq!((scene.model.ui.pane, scene.model.ui.detail_scroll), (Pane::Modes, 3));
}

#[test]
fn a_click_on_switch_only_moves_there_and_another_one_later_switches() {
    let scene = dialogs::planned().click("[ Switch ]");
    assert_eq!(starts(&scene), 0);
    let scene = scene.later(200).click("[ Switch ]");
    assert_eq!(starts(&scene), 0, "a double click is no word");
    let scene = scene.later(600).click("[ Switch ]");
    assert_eq!(starts(&scene), 1);
}

#[test]
fn a_click_on_cancel_closes_the_plan_and_one_beside_it_does_nothing() {
    let scene = dialogs::planned();
    let before = scene.model.ui.layers.clone();
    let scene = scene.does(MouseDid::Press, (1, 2)).does(MouseDid::Press, (79, 0)).click("Plan");
    assert_eq!(scene.model.ui.layers, before);
    let scene = scene.click("[ Cancel ]");
    assert_eq!((scene.model.ui.layers.len(), starts(&scene)), (0, 0));
}

#[test]
fn a_typed_name_is_asked_for_by_clicks_too() {
    let scene = dialogs::risky().click("[ Switch ]").later(1_000).click("[ Switch ]");
    assert_eq!(starts(&scene), 0);
    assert!(scene.text().contains("isn't typed yet"), "{}", scene.text());
}

#[test]
fn what_cannot_be_taken_back_is_left_to_the_keys() {
    let scene = operations::asked();
    let before = scene.effects.len();
    let scene = scene.click("stop hard").later(700).click("stop it hard");
    assert_eq!(scene.effects.len(), before);
    let scene = operations::asked().click("S stop hard");
    assert!(scene.text().contains("A click is too easily made for this; S does it."), "{}", scene.text());
}

#[test]
fn rows_of_the_palette_are_selected_and_taken() {
    let scene = running(&[101]).keys(": 'log'").click("log");
    assert!(matches!(scene.model.ui.layers.last(), Some(Layer::Palette { selected: Some(_), .. })));
    let scene = scene.later(100).click("log");
    assert!(scene.model.ui.layers.is_empty() && scene.model.ui.log_open);
}

#[test]
fn the_mouse_can_be_given_back() {
    let scene = running(&[101]).with(|model| model.ui.mouse = true).keys("m");
    assert_eq!(scene.effects, [Effect::Mouse(false)]);
    scene.snap("mouse_off");
    let simple = running(&[101]).with(|model| model.setup.simple = true).keys("m");
    assert_eq!(simple.effects, []);
    assert!(simple.text().contains("This terminal has no mouse."));
}
