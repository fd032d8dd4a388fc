//! The log, and the remarks at the foot of the screen.

use super::{Scene, running};
use crate::{
    domain::{facts::Trouble, finding::FindingId},
    tui::{
        caps::{ColorTier, GlyphTier},
        effect::Effect,
        msg::{Asked, Level, Msg},
    },
};

const LONG: &str = "Starting windows-vr: the host refuses: PCI device '0000:01:00.0' is already in use by VM 101, and \
                    nothing was changed (gpu.held)";

fn line(scene: Scene, level: Level, text: &str) -> Scene {
    scene.later(1_000).msg(Msg::Log { level, text: text.into() })
}

/// An evening: twelve lines, a second apart.
fn evening() -> Scene {
    let mut scene = running(&[101]);
    for n in 1..=9 {
        scene = line(scene, Level::Info, &format!("line {n}"));
    }
    let scene = line(scene, Level::Warn, "the guest is slow");
    let scene = line(scene, Level::Error, LONG);
    line(scene, Level::Info, "192.168.1.100 answers again.")
}

fn failed(scene: Scene, message: &str) -> Scene {
    let trouble = Trouble { finding: FindingId::JournalBroken, message: message.into() };
    scene.msg(Msg::Told { of: Asked::Copy, result: Err(trouble) })
}

#[test]
fn the_selected_line_is_shown_whole() {
    evening().keys("l up").snap("log_selected");
    evening().keys("l up").at(60, 16).caps(GlyphTier::Console, ColorTier::Ansi16).snap("log_selected_60x16");
}

#[test]
fn new_lines_are_followed_until_one_is_selected() {
    let following = line(evening().keys("l"), Level::Info, "newest");
    assert!(following.text().contains("newest"));
    let reading = following.keys("pageup pageup");
    let before = reading.text();
    let reading = line(line(reading, Level::Info, "later"), Level::Info, "later still");
    assert_eq!(reading.text(), before, "a place that is being read stays");
    let back = reading.keys("end");
    assert!(back.text().contains("later still"));
    assert!(line(back, Level::Info, "after all").text().contains("after all"));
}

#[test]
fn levels_are_words_and_say_what_they_leave_out() {
    let scene = evening().keys("l v");
    assert!(scene.text().contains("2 of 12, warnings and errors"), "{}", scene.text());
    let errors = scene.keys("v");
    assert!(errors.text().contains("1 of 12, errors") && !errors.text().contains("slow"), "{}", errors.text());
    errors.snap("log_errors");
    let none = running(&[101]).msg(Msg::Log { level: Level::Info, text: "fine".into() }).keys("l v v");
    assert!(none.text().contains("None of 1 line is an error."), "{}", none.text());
    assert!(none.keys("v").text().contains("fine"));
}

#[test]
fn the_filter_of_the_log_is_its_own() {
    let scene = evening().keys("l / 'line' space '4'");
    scene.snap("log_filter_typing");
    let scene = evening().keys("l / '0000:01' enter");
    assert_eq!(scene.model.shown_guests().len(), 7);
    assert!(scene.text().contains("/0000:01: 1 of 12"), "{}", scene.text());
    let cleared = scene.keys("esc");
    assert!(cleared.model.ui.log_open && cleared.text().contains("answers again"), "{}", cleared.text());
    assert!(!cleared.keys("esc").model.ui.log_open);
}

#[test]
fn the_selected_line_is_copied() {
    let scene = evening().keys("l up y");
    assert!(scene.effects.contains(&Effect::Copy(LONG.into())), "{:?}", scene.effects);
}

#[test]
fn times_are_those_of_the_clock_on_the_wall() {
    let text = |zone: i32| {
        let scene = running(&[101]).with(|model| model.setup.zone = zone);
        line(scene, Level::Info, "hello").keys("l").text()
    };
    assert!(text(0).contains("20:00:01") && text(0).contains(" UTC "), "{}", text(0));
    assert!(text(3_600).contains("21:00:01") && text(3_600).contains(" UTC+1 "), "{}", text(3_600));
    assert!(text(-12_600).contains("16:30:01") && text(-12_600).contains(" UTC-3:30 "), "{}", text(-12_600));
    let scene = line(running(&[101]), Level::Info, "yesterday").later(86_400_000);
    assert!(line(scene, Level::Info, "today").keys("l").text().contains("Su 20:00      yesterday"));
}

#[test]
fn a_line_that_is_forgotten_loses_the_selection_to_the_oldest() {
    let mut scene = evening().keys("l home");
    for n in 0..1_000 {
        scene = scene.msg(Msg::Log { level: Level::Info, text: format!("later {n}") });
    }
    assert_eq!(scene.model.log.len(), 1_000);
    assert_eq!(scene.model.selected_line().unwrap().text, "later 0");
}

#[test]
fn a_remark_gives_the_hints_back_at_the_next_key() {
    let scene = running(&[101]).keys("y");
    assert!(scene.text().contains("Sent to the clipboard"));
    assert!(!scene.keys("down").text().contains("Sent to the clipboard"));
}

#[test]
fn an_error_stays_longer_and_comes_back_from_under_a_remark() {
    let scene = failed(running(&[101]), "the disk is full").later(1_000).keys("y");
    assert!(scene.text().contains("Sent to the clipboard"));
    let scene = scene.later(4_000);
    assert!(scene.text().contains("the disk is full"), "{}", scene.text());
    assert!(!scene.keys("down").text().contains("the disk is full"), "it was read");
    let scene = failed(running(&[101]), "the disk is full").later(9_999);
    assert!(scene.text().contains("the disk is full"));
    assert!(!scene.later(1).text().contains("the disk is full"));
}

#[test]
fn several_remarks_in_a_row_are_all_in_the_log() {
    let mut scene = running(&[101]);
    for n in 0..6 {
        scene = failed(scene, &format!("trouble {n}"));
    }
    let logged: Vec<&str> = scene.model.log.iter().map(|line| line.text.as_str()).collect();
    assert_eq!(logged, ["trouble 0", "trouble 1", "trouble 2", "trouble 3", "trouble 4", "trouble 5"]);
}
