//! Themes and tiers over whole screens.

use super::{Scene, dialogs::planned, empty, host, operations, running};
use crate::{
    config::BaseTheme,
    tui::{
        caps::{Caps, ColorTier, GlyphTier},
        msg::Msg,
        term::paint::Painter,
        theme::{Glyphs, Palette, Role, Theme},
    },
};
use ratatui::{buffer::Cell, style::Color};
use std::collections::{BTreeMap, BTreeSet};

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
        let buffer = scene.caps(glyphs, colors).painted(palette);
        let mut painter = Painter::new(colors, glyphs == GlyphTier::Ascii, false);
        painter.aim(buffer, None, false);
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

/// Texts on the screens by what they mean: maximal runs of cells of one role, without blanks around them.
fn said() -> BTreeMap<&'static str, BTreeSet<String>> {
    let mut said: BTreeMap<&'static str, BTreeSet<String>> = BTreeMap::new();
    for scene in screens() {
        let (buffer, _) = scene.draw();
        for row in buffer.content.chunks(usize::from(buffer.area.width)) {
            for run in row.chunk_by(|one, other| one.fg == other.fg) {
                let text: String = run.iter().map(Cell::symbol).collect();
                if let Some(role) = super::role(run[0].fg).filter(|_| !text.trim().is_empty()) {
                    said.entry(role.name()).or_default().insert(text.trim().to_owned());
                }
            }
        }
    }
    said
}

#[test]
fn what_differs_in_meaning_differs_in_words() {
    let said = said();
    for (one, other) in [(Role::Good, Role::Warn), (Role::Good, Role::Bad), (Role::Warn, Role::Bad)] {
        assert!(said[one.name()].len() > 1 && said[other.name()].len() > 1, "{said:?}");
        let both: Vec<_> = said[one.name()].intersection(&said[other.name()]).collect();
        assert!(both.is_empty(), "{one:?} and {other:?}: {both:?}");
    }
}

#[test]
fn what_is_chosen_has_a_mark_before_it() {
    let mut seen = 0;
    for scene in screens() {
        let (buffer, _) = scene.draw();
        let mark = Glyphs::of(scene.model.setup.caps.glyphs).select;
        for row in buffer.content.chunks(usize::from(buffer.area.width)) {
            let chosen =
                |cell: &Cell| matches!(super::role(cell.fg), Some(Role::Selected | Role::Pressed | Role::Danger));
            if let Some(first) = row.iter().position(chosen) {
                seen += 1;
                let near = &row[first.saturating_sub(2)..=first];
                assert!(near.iter().any(|cell| cell.symbol() == mark), "{}", scene.text());
            }
        }
    }
    assert!(seen > 5, "{seen}");
}
