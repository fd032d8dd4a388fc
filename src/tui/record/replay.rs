//! A recorded session runs again: the same messages through the same functions. No effect is carried out.

use super::format::{End, Line, Reader};
use crate::tui::{caps::GlyphTier, effect::Effect, model::Model, msg::Msg, theme::Theme, update::update, view::view};
use ratatui::{
    buffer::{Buffer, Cell},
    layout::{Position, Rect},
};
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;

pub use super::format::{Error, Header};

/// What is to be shown otherwise than it was.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Otherwise {
    /// Columns and rows.
    pub size: Option<(u16, u16)>,
    /// Glyphs.
    pub glyphs: Option<GlyphTier>,
}

/// A session that is being replayed.
#[derive(Debug)]
pub struct Replay {
    reader: Reader,
    otherwise: Otherwise,
    model: Model,
    number: u64,
    end: Option<End>,
    differences: Vec<u64>,
}

/// A message that was replayed.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Its number, from 1.
    pub number: u64,
    /// What happened.
    pub msg: Msg,
    /// What the dashboard did then, and the replay doesn't.
    pub effects: Vec<Effect>,
}

impl Replay {
    /// Begins a session, before its first message.
    ///
    /// # Errors
    /// The session doesn't begin with a model, or that can't be read.
    pub fn begin(mut reader: Reader, otherwise: Otherwise) -> Result<Self, Error> {
        match reader.next_line()? {
            Some(Line::Model(model)) => {
                Ok(Self { reader, otherwise, model: *model, number: 0, end: None, differences: Vec::new() })
            }
            _ => Err(Error::Line {
                line: 2,
                why: "the model that everything starts from is missing".to_owned(),
                version: reader.header().version.clone(),
            }),
        }
    }

    /// The next message, taken in; none at the end.
    ///
    /// # Errors
    /// The file is damaged there, or holds what this version doesn't know.
    pub fn step(&mut self) -> Result<Option<Step>, Error> {
        loop {
            match self.reader.next_line()? {
                Some(Line::Msg(msg)) => return Ok(Some(self.take(msg))),
                Some(Line::Model(model)) => {
                    // That is how it was; going on from there shows what was seen.
                    if *model != self.model {
                        self.differences.push(self.number);
                        self.model = *model;
                    }
                }
                Some(Line::End(end)) => self.end = Some(end),
                None => return Ok(None),
            }
        }
    }

    fn take(&mut self, msg: Msg) -> Step {
        self.number += 1;
        let effects = update(&mut self.model, msg.clone());
        Step { number: self.number, msg, effects }
    }

    /// The file's first line.
    #[must_use]
    pub const fn header(&self) -> &Header {
        self.reader.header()
    }

    /// Messages taken in so far.
    #[must_use]
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// All that the screen knows now.
    #[must_use]
    pub const fn model(&self) -> &Model {
        &self.model
    }

    /// The screen as it was, or as it would be otherwise.
    #[must_use]
    pub fn screen(&self) -> Screen {
        Screen::of(&self.model, self.otherwise)
    }

    /// What there is to say about the replay so far: where it isn't what it was.
    #[must_use]
    pub fn remarks(&self) -> Vec<String> {
        let mut remarks = Vec::new();
        let (then, now) = (&self.header().version, env!("CARGO_PKG_VERSION"));
        for number in &self.differences {
            remarks.push(format!("After message {number} morpheus {then} knew something else than {now} does here."));
        }
        if self.reader.is_cut() {
            remarks.push(format!("The file is cut off after message {}; what is whole was replayed.", self.number));
        }
        if let Some(End { messages, screen }) = &self.end {
            if *messages != self.number {
                remarks.push(format!("{messages} messages were written, and {} are here.", self.number));
            }
            if screen.as_ref().is_some_and(|screen| *screen != digest(&self.model)) {
                remarks.push(format!("The last screen of morpheus {then} looked otherwise than that of {now} here."));
            }
        }
        remarks
    }
}

/// A screen that was drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct Screen {
    /// Its cells.
    pub buffer: Buffer,
    /// Where the cursor is shown.
    pub cursor: Option<Position>,
}

impl Screen {
    /// The screen of a model.
    #[must_use]
    pub fn of(model: &Model, otherwise: Otherwise) -> Self {
        let (columns, rows) = otherwise.size.unwrap_or(model.size);
        let mut buffer = Buffer::empty(Rect::new(0, 0, columns, rows));
        let draw = |model: &Model, buffer: &mut Buffer| {
            view(model, &Theme::with(model.setup.caps, &model.setup.palette), buffer)
        };
        let cursor = if otherwise == Otherwise::default() {
            draw(model, &mut buffer)
        } else {
            let mut other = model.clone();
            other.size = (columns, rows);
            other.setup.caps.glyphs = otherwise.glyphs.unwrap_or(other.setup.caps.glyphs);
            draw(&other, &mut buffer)
        };
        Self { buffer, cursor }
    }

    /// The rows as text, without blanks at their ends.
    #[must_use]
    pub fn rows(&self) -> Vec<String> {
        let width = usize::from(self.buffer.area.width).max(1);
        self.buffer.content.chunks(width).map(row).collect()
    }
}

fn row(cells: &[Cell]) -> String {
    let (mut text, mut covered) = (String::new(), 0_usize);
    for cell in cells {
        if covered == 0 {
            text.push_str(cell.symbol());
            covered = crate::tui::widget::text::width(cell.symbol()).max(1);
        }
        covered -= 1;
    }
    text.truncate(text.trim_end().len());
    text
}

/// SHA-256 of a model's screen as text, in hexadecimal.
#[must_use]
pub fn digest(model: &Model) -> String {
    let text = Screen::of(model, Otherwise::default()).rows().join("\n");
    Sha256::digest(text.as_bytes()).iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
