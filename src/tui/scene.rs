//! A scene drives `update` and `view` with no runtime, and keeps what a person would see: the screen, a map of roles,
//! the cursor and the exact effects.

mod configuration;
mod devices;
mod dialogs;
mod gallery;
mod graphs;
mod hints;
mod host;
mod keys;
mod lists;
mod log;
mod looks;
mod mouse;
mod operations;
mod pages;
mod panes;
mod plain;
mod plant;
mod plant_run;
mod plant_troubles;
mod properties;
mod reach;
mod replays;
mod scripts;
mod svg;
mod tiers;
mod troubles;

use super::{
    caps::{Caps, ColorTier, GlyphTier},
    chord::{Chord, Key},
    effect::Effect,
    model::{Model, Setup},
    msg::{Input, Msg},
    theme::{Palette, Role, Theme},
    update::update,
    view::view,
};
use crate::domain::ids::Millis;
use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
    style::Color,
};
use std::fmt::Write as _;

/// When scenes begin: 2026-03-01 20:00:00 UTC.
pub(super) const NOON: Millis = Millis(1_772_395_200_000);

pub(super) struct Scene {
    pub(super) model: Model,
    pub(super) effects: Vec<Effect>,
}

/// A dashboard before its first message.
pub(super) fn empty() -> Scene {
    let setup = Setup {
        host: "192.168.1.100".into(),
        web: Some("https://192.168.1.100:8006".into()),
        modes: host::modes(),
        ..Setup::default()
    };
    Scene { model: Model::new(setup, (80, 24), NOON), effects: Vec::new() }
}

/// A dashboard that has seen the host with these guests running; what that led to is not kept.
pub(super) fn running(guests: &[u32]) -> Scene {
    let mut scene = empty().msg(Msg::Link(super::msg::Link::Up)).msg(Msg::Seen(Box::new(host::facts(guests))));
    scene.effects.clear();
    scene
}

impl Scene {
    pub(super) fn at(mut self, columns: u16, rows: u16) -> Self {
        self.model.size = (columns, rows);
        self
    }

    pub(super) fn caps(mut self, glyphs: GlyphTier, colors: ColorTier) -> Self {
        self.model.setup.caps = Caps { glyphs, colors };
        self
    }

    pub(super) fn with(mut self, change: impl FnOnce(&mut Model)) -> Self {
        change(&mut self.model);
        self
    }

    pub(super) fn msg(mut self, msg: Msg) -> Self {
        self.effects.extend(update(&mut self.model, msg));
        self
    }

    /// Keys in the keymap's language, with blanks between them; what stands in quotes is typed.
    pub(super) fn keys(mut self, keys: &str) -> Self {
        for word in keys.split(' ') {
            let typed = word.strip_prefix('\'').and_then(|word| word.strip_suffix('\''));
            let chords: Vec<Chord> = match typed {
                Some(text) => text.chars().map(|c| Chord::plain(Key::Char(c))).collect(),
                None => vec![word.parse().unwrap()],
            };
            for chord in chords {
                self = self.msg(Msg::Input(Input::Key(chord)));
            }
        }
        self
    }

    /// So many milliseconds later.
    pub(super) fn later(self, ms: u64) -> Self {
        let now = self.model.now.plus(ms);
        self.msg(Msg::Clock(now))
    }

    pub(super) fn draw(&self) -> (Buffer, Option<Position>) {
        let mut buffer = Buffer::empty(Rect::new(0, 0, self.model.size.0, self.model.size.1));
        let cursor = view(&self.model, &Theme::probe(self.model.setup.caps), &mut buffer);
        (buffer, cursor)
    }

    /// The screen as a person has it, in a theme.
    pub(super) fn painted(&self, palette: &Palette) -> Buffer {
        let mut buffer = Buffer::empty(Rect::new(0, 0, self.model.size.0, self.model.size.1));
        let _ = view(&self.model, &Theme::with(self.model.setup.caps, palette), &mut buffer);
        buffer
    }

    /// Only the screen's text.
    pub(super) fn text(&self) -> String {
        rows(&self.draw().0, |cell| cell.symbol().to_owned())
    }

    pub(super) fn snap(self, name: &str) {
        let (buffer, cursor) = self.draw();
        let mut out = rows(&buffer, |cell| cell.symbol().to_owned());
        if let Some(cursor) = cursor {
            let _ = writeln!(out, "cursor at {},{}", cursor.x, cursor.y);
        }
        let _ = write!(out, "\nroles\n{}", rows(&buffer, |cell| letter(cell.fg).to_string()));
        out.push_str("\neffects\n");
        for effect in &self.effects {
            let _ = writeln!(out, "{}", words(effect));
        }
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots"));
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| insta::assert_snapshot!(format!("screen_{name}"), out));
    }
}

fn rows(buffer: &Buffer, show: impl Fn(&ratatui::buffer::Cell) -> String) -> String {
    let width = usize::from(buffer.area.width).max(1);
    let mut out = String::new();
    for row in buffer.content.chunks(width) {
        let mut columns = 0;
        let mut line = String::new();
        for (place, cell) in row.iter().enumerate() {
            if place < columns {
                continue;
            }
            columns = place + super::widget::text::width(cell.symbol()).max(1);
            line.push_str(&show(cell));
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

fn letter(color: Color) -> char {
    match color {
        Color::Indexed(_) => role(color).map_or('?', Role::letter),
        _ => ' ',
    }
}

/// The role of a cell that was drawn with the probe.
fn role(color: Color) -> Option<Role> {
    let Color::Indexed(n) = color else { return None };
    Role::ALL.get(usize::from(n).checked_sub(100)?).copied()
}

/// An effect in a line; a plan by its title and its steps.
fn words(effect: &Effect) -> String {
    match effect {
        Effect::Start { ticket, plan } => {
            let steps: Vec<String> = plan.steps.iter().map(crate::domain::switch::plan::Step::title).collect();
            format!("start {} {}: {}", ticket.0, plan.title(), steps.join("; "))
        }
        other => serde_json::to_string(other).unwrap(),
    }
}
