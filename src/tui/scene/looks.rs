//! Themes and tiers over whole screens.

use super::{Scene, dialogs::planned, empty, host, operations, running};
use crate::{
    config::BaseTheme,
    tui::{
        caps::{Caps, ColorTier, GlyphTier},
        msg::Msg,
        term::paint::Painter,
        theme::{Palette, Role, Theme},
    },
};
use ratatui::style::Color;
use std::collections::BTreeSet;

/// Screens of every kind.
fn screens() -> Vec<Scene> {
    let failing = || operations::journal_of_a_failure().into_iter().fold(running(&[101]), Scene::msg);
    vec![
        empty(),
        empty().at(20, 5),
        running(&[101, 110]),
        running(&[101, 110]).at(120, 40),
        running(&[101, 110]).at(160, 50).keys("2 down l"),
        running(&[101, 110]).msg(Msg::Seen(Box::new(host::many(90)))).keys("2 pagedown"),
        running(&[101]).keys("?"),
        running(&[101]).keys(":"),
        running(&[101]).keys("/ 'vr'"),
        planned(),
        planned().keys("tab").at(120, 40),
        failing(),
        failing().keys("o").at(120, 40),
    ]
}

#[test]
fn a_theme_is_painted_to_the_last_corner() {
    for base in [BaseTheme::Light, BaseTheme::Dark] {
        for colors in [ColorTier::Truecolor, ColorTier::Ansi16] {
            let caps = Caps { glyphs: GlyphTier::Unicode, colors };
            let theme = Theme::with(caps, &base.into());
            let grounds: Vec<_> = Role::ALL.iter().map(|role| theme.style(*role).bg).collect();
            for scene in screens() {
                let buffer = scene.caps(caps.glyphs, colors).painted(&base.into());
                for cell in &buffer.content {
                    assert!(cell.fg != Color::Reset && grounds.contains(&Some(cell.bg)), "{cell:?}");
                }
            }
        }
    }
}

/// Parameters of every SGR sequence that is sent to show the screens.
fn sent(glyphs: GlyphTier, colors: ColorTier, palette: &Palette) -> BTreeSet<String> {
    let mut out = Vec::new();
    for scene in screens() {
        let mut buffer = scene.caps(glyphs, colors).painted(palette);
        let mut painter = Painter::new(colors, glyphs == GlyphTier::Ascii, false);
        painter.aim(&mut buffer, None, false);
        painter.paint(usize::MAX, &mut out);
    }
    let text = String::from_utf8(out).unwrap();
    let sequences = text.split("\x1b[").skip(1).filter_map(|rest| rest.split_once('m'));
    let sgr = sequences.map(|(parameters, _)| parameters);
    let sgr = sgr.filter(|parameters| parameters.bytes().all(|b| b.is_ascii_digit() || b == b';'));
    sgr.flat_map(|parameters| parameters.split(';')).map(str::to_owned).collect()
}

#[test]
fn without_colours_nothing_but_bold_and_reverse_is_sent() {
    for base in BaseTheme::ALL {
        for glyphs in [GlyphTier::Unicode, GlyphTier::Console, GlyphTier::Ascii] {
            let sent = sent(glyphs, ColorTier::None, &base.into());
            assert_eq!(sent, ["0", "1", "7"].map(str::to_owned).into(), "{base:?} {glyphs:?}");
        }
    }
}

#[test]
fn a_console_is_sent_bold_reverse_and_its_16_colours() {
    for base in BaseTheme::ALL {
        let sent = sent(GlyphTier::Console, ColorTier::Ansi16, &base.into());
        let known = |code: &String| matches!(code.parse(), Ok(0 | 1 | 7 | 30..=37 | 40..=47 | 90..=97));
        assert!(sent.iter().all(known) && sent.len() > 4, "{base:?} {sent:?}");
    }
}
