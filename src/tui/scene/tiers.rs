//! The same screens on lesser terminals.

use super::{dialogs::planned, running};
use crate::tui::caps::{ColorTier, GlyphTier};

#[test]
fn the_linux_console() {
    running(&[101, 110]).caps(GlyphTier::Console, ColorTier::Ansi16).snap("console");
    planned().caps(GlyphTier::Console, ColorTier::Ansi16).snap("console_confirm");
}

#[test]
fn ascii_without_colours() {
    running(&[101, 110]).caps(GlyphTier::Ascii, ColorTier::None).snap("ascii");
    planned().caps(GlyphTier::Ascii, ColorTier::None).snap("ascii_confirm");
}

#[test]
fn names_in_other_scripts_take_their_columns() {
    let scene = running(&[101, 110]);
    let scene = scene.with(|model| {
        let guests = model.facts.qemu.value.as_mut().unwrap();
        guests[0].name = "ゲーム機\u{1b}[31m\u{202e}".into();
        guests[1].name = "größe-é".into();
    });
    scene.keys("2").snap("scripts");
}
