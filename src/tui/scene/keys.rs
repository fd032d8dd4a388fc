//! Keys one after the other, keys that do nothing, and what is said of them.

use super::{dialogs::planned, running};
use crate::domain::ids::Vmid;
use crate::tui::{
    action::Action,
    caps::{ColorTier, GlyphTier},
    keymap::testing::change,
    model::Pane,
    msg::{Input, Msg},
};

#[test]
fn after_the_first_key_of_several_the_others_are_listed() {
    running(&[101, 110]).keys("g").snap("which_key_80x24");
    running(&[101, 110]).keys("g").at(120, 40).snap("which_key_120x40");
    running(&[101, 110]).keys("g").at(60, 16).snap("which_key_60x16");
    running(&[101, 110]).keys("2 ,").snap("which_key_sorting");
    running(&[101, 110]).caps(GlyphTier::Console, ColorTier::Ansi16).keys("g").snap("which_key_console");
    running(&[101, 110]).caps(GlyphTier::Ascii, ColorTier::None).keys("g").snap("which_key_ascii");
}

#[test]
fn a_sequence_does_what_it_says() {
    let scene = running(&[101, 110]).keys("2 end g g");
    assert_eq!(scene.model.ui.guest.map(Vmid::get), Some(101));
    assert_eq!(scene.model.ui.pending, []);
    let scene = scene.keys("g e");
    assert_eq!(scene.model.ui.guest.map(Vmid::get), Some(200));
    assert_eq!(scene.keys("g m").model.ui.pane, Pane::Modes);
    for (keys, pane) in [("g m", Pane::Modes), ("g v", Pane::Guests), ("g d", Pane::Detail), ("g l", Pane::Log)] {
        assert_eq!(running(&[101]).keys(keys).model.ui.pane, pane, "{keys}");
    }
}

#[test]
fn a_sequence_is_left_without_doing_anything() {
    let before = running(&[101]).keys("2 down").model;
    for key in ["esc", "ctrl-c"] {
        let scene = running(&[101]).keys("2 down g").keys(key);
        assert_eq!(scene.model, before, "{key}");
    }
    let scene = running(&[101]).keys("2 down g").msg(Msg::Input(Input::Paste("g".into())));
    assert_eq!(scene.model, before);
}

#[test]
fn a_key_that_cannot_follow_says_so() {
    let scene = running(&[101]).keys("g z");
    assert_eq!(scene.model.ui.pending, []);
    assert!(scene.text().contains(" g z does nothing in the modes pane; ? lists the keys."), "{}", scene.text());
}

#[test]
fn what_waits_does_not_wait_under_another_dialog() {
    let scene = planned().with(|model| model.ui.layers.clear()).keys("g");
    assert!(!scene.model.ui.pending.is_empty());
    let scene = running(&[101, 110]).keys("/ 'g' g");
    assert_eq!((scene.model.ui.filter.text.as_str(), scene.model.ui.pending.len()), ("gg", 0));
    let over = planned().model.ui.layers;
    let typing = running(&[101]).keys("g").with(|model| {
        model.ui.layers = over;
        let keymap = std::mem::take(&mut model.setup.keymap);
        let away = change(&[("dialog", "g g", ""), ("dialog", "g e", "")]);
        model.setup.keymap = keymap.changed(&away).unwrap();
    });
    assert_eq!(typing.later(1).model.ui.pending, []);
}

#[test]
fn a_key_that_does_nothing_here_says_so() {
    running(&[101]).keys("K").snap("unbound_key");
    let said =
        |keys: &str| running(&[101]).keys(keys).model.toast().map(|toast| toast.text.clone()).unwrap_or_default();
    assert_eq!(said("2 K"), "K does nothing in the guests pane; ? lists the keys.");
    assert_eq!(said("S"), "S does nothing here; where an operation asks it is: stop hard.");
    assert_eq!(said("R"), "R does nothing here; in a refusal it is: replace.");
    assert_eq!(said("? ctrl-x"), "");
}

#[test]
fn a_key_that_cannot_be_used_now_says_why() {
    let said =
        |keys: &str| running(&[101]).keys(keys).model.toast().map(|toast| toast.text.clone()).unwrap_or_default();
    assert_eq!(said("x"), "No operation is running.");
    assert_eq!(said("u"), "There was no operation yet.");
    assert_eq!(said("o"), "There was no operation yet.");
    assert_eq!(said(": 'op' space 'resume' enter"), "No operation was interrupted.");
}

#[test]
fn the_palette_takes_scattered_letters_and_shows_which() {
    running(&[101]).keys(": 'swwin'").snap("palette_fuzzy");
    let texts = |typed: &str| -> Vec<String> {
        running(&[101]).model.choices(typed).into_iter().map(|choice| choice.text).collect()
    };
    assert_eq!(texts("quit")[0], "quit");
    assert_eq!(texts("REF")[0], "refresh");
    assert_eq!(texts("sw lin")[0], "mode switch linuxvrstreaming");
    assert_eq!(texts("clipboard"), Vec::<String>::new());
    assert!(texts("look at the host").contains(&"refresh".to_owned()), "by the sentence");
    let stop = texts("stop");
    assert!(stop.iter().take(4).all(|text| text.starts_with("mode stop ")), "{stop:?}");
    assert!(!stop.contains(&"mode start nimsforestnogpu".to_owned()), "{stop:?}");
    assert!(texts("zzz").is_empty());
}

#[test]
fn the_palette_offers_what_takes_something_away_only_by_name() {
    let actions = |typed: &str| -> Vec<Action> {
        running(&[101]).model.choices(typed).into_iter().map(|choice| choice.action).collect()
    };
    for typed in
        ["shell", "mouse", "place", "teleport", "select", "wire", "since", "spare", "hello", "op cost", "reset", "tool"]
    {
        let dangerous: Vec<String> =
            actions(typed).iter().filter(|a| a.takes_away()).map(ToString::to_string).collect();
        assert_eq!(dangerous, Vec::<String>::new(), "{typed}");
    }
    let offered = |typed: &str, name: &str| actions(typed).iter().any(|action| action.to_string() == name);
    for typed in ["replace", "rep lin", "--replace", "mode switch --rep", "sw lin"] {
        assert!(offered(typed, "mode switch --replace linuxvrstreaming"), "{typed}");
    }
    assert!(
        offered("undo", "op undo")
            && offered("op ca", "op cancel")
            && offered("stop win", "mode stop windowsvrstreaming")
    );
}
