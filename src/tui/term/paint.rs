//! From cells to bytes: only what changed, only in the colours that the terminal has.

use super::{
    color::parameter,
    modes::{BEGIN_FRAME, END_FRAME},
};
use crate::tui::caps::ColorTier;
use ratatui::{
    buffer::{Buffer, Cell},
    layout::Position,
    style::{Color, Modifier},
};
use std::io::Write as _;
use unicode_width::UnicodeWidthStr;

/// Knows what is on the terminal, and what has to be sent to show something else.
#[derive(Debug)]
pub(crate) struct Painter {
    colors: ColorTier,
    ascii: bool,
    synchronized: bool,
    shown: Buffer,
    cursor: Option<Position>,
    /// Whether anything may be on the terminal.
    known: bool,
}

impl Painter {
    /// A painter for a terminal that was just cleared.
    pub(crate) fn new(colors: ColorTier, ascii: bool, synchronized: bool) -> Self {
        Self { colors, ascii, synchronized, shown: Buffer::default(), cursor: None, known: false }
    }

    /// Something else wrote on the terminal: the next frame is drawn whole.
    pub(crate) const fn forget(&mut self) {
        self.known = false;
    }

    /// Adds what shows `frame`, with the cursor there or hidden; nothing if it is on the terminal already. The frame's
    /// buffer is exchanged for an old one to draw the next frame in.
    pub(crate) fn paint(&mut self, frame: &mut Buffer, cursor: Option<Position>, out: &mut Vec<u8>) {
        let start = out.len();
        if self.synchronized {
            out.extend_from_slice(BEGIN_FRAME);
        }
        let head = out.len();
        if !self.known || self.shown.area != frame.area {
            self.shown.resize(frame.area);
            self.shown.reset();
            self.cursor = None;
            self.known = true;
            out.extend_from_slice(b"\x1b[0m\x1b[2J\x1b[?25l");
        }
        let mut pen = Pen { colors: self.colors, ascii: self.ascii, style: PLAIN, at: None, out };
        self.shown.diff_iter(frame).for_each(|(x, y, cell)| pen.put(x, y, cell));
        pen.wear(PLAIN);
        if cursor != self.cursor || (cursor.is_some() && out.len() > head) {
            show_cursor(cursor, out);
        }
        self.cursor = cursor;
        std::mem::swap(&mut self.shown, frame);
        if out.len() == head {
            out.truncate(start);
        } else if self.synchronized {
            out.extend_from_slice(END_FRAME);
        }
    }
}

fn show_cursor(cursor: Option<Position>, out: &mut Vec<u8>) {
    match cursor {
        Some(Position { x, y }) => {
            let _ = write!(out, "\x1b[{};{}H\x1b[?25h", y.saturating_add(1), x.saturating_add(1));
        }
        None => out.extend_from_slice(b"\x1b[?25l"),
    }
}

type Style = (Color, Color, Modifier);
const PLAIN: Style = (Color::Reset, Color::Reset, Modifier::empty());

struct Pen<'a> {
    colors: ColorTier,
    ascii: bool,
    style: Style,
    at: Option<(u16, u16)>,
    out: &'a mut Vec<u8>,
}

impl Pen<'_> {
    fn put(&mut self, x: u16, y: u16, cell: &Cell) {
        if self.at != Some((x, y)) {
            let _ = write!(self.out, "\x1b[{};{}H", y.saturating_add(1), x.saturating_add(1));
        }
        let style = match self.colors {
            ColorTier::None => (Color::Reset, Color::Reset, cell.modifier),
            _ => (cell.fg, cell.bg, cell.modifier),
        };
        self.wear(style);
        let width = cell.symbol().width().max(1);
        if self.ascii && !cell.symbol().is_ascii() {
            self.out.resize(self.out.len() + width, b'?');
        } else {
            self.out.extend_from_slice(cell.symbol().as_bytes());
        }
        self.at = u16::try_from(width).ok().map(|width| (x.saturating_add(width), y));
    }

    fn wear(&mut self, style: Style) {
        if self.style == style {
            return;
        }
        self.style = style;
        let (fg, bg, modifier) = style;
        self.out.extend_from_slice(b"\x1b[0");
        for (flag, code) in ATTRIBUTES {
            if modifier.contains(flag) {
                let _ = write!(self.out, ";{code}");
            }
        }
        parameter(fg, 30, self.colors, self.out);
        parameter(bg, 40, self.colors, self.out);
        self.out.push(b'm');
    }
}

const ATTRIBUTES: [(Modifier, u8); 8] = [
    (Modifier::BOLD, 1),
    (Modifier::DIM, 2),
    (Modifier::ITALIC, 3),
    (Modifier::UNDERLINED, 4),
    (Modifier::SLOW_BLINK, 5),
    (Modifier::REVERSED, 7),
    (Modifier::HIDDEN, 8),
    (Modifier::CROSSED_OUT, 9),
];

#[cfg(test)]
#[path = "paint_tests.rs"]
mod tests;
