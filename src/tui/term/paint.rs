//! From cells to bytes: only what changed, only in the colours that the terminal has.

use super::{
    color::parameter,
    modes::{BEGIN_FRAME, END_FRAME},
};
use crate::{domain::text, tui::caps::ColorTier};
use ratatui::{
    buffer::{Buffer, Cell},
    layout::{Position, Rect},
    style::{Color, Modifier},
};
use std::io::Write as _;

/// Bytes below which a frame comes in one piece anyway: a clock that counts needs no synchronized update.
const FEW: usize = 64;

/// Knows what is on the terminal, and what has to be sent to show something else.
#[derive(Debug)]
pub(crate) struct Painter {
    colors: ColorTier,
    ascii: bool,
    synchronized: bool,
    hiding: Hiding,
    /// What is on the terminal.
    shown: Buffer,
    cursor: Option<Position>,
    wanted: Wanted,
    /// Whether anything may be on the terminal.
    known: bool,
}

/// What becomes of a cursor that nobody is to see.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Hiding {
    /// It is switched off (DECTCEM).
    #[default]
    Mode,
    /// It can't be; it waits in the first cell.
    Park,
}

/// What is to be on the terminal.
#[derive(Debug, Default)]
struct Wanted {
    frame: Buffer,
    cursor: Option<Position>,
    /// For each row whether it goes before the others; empty if none does.
    first: Vec<bool>,
    /// Not all of it is there yet.
    open: bool,
}

impl Painter {
    /// A painter for a terminal that was just cleared.
    pub(crate) fn new(colors: ColorTier, ascii: bool, synchronized: bool) -> Self {
        let (shown, wanted) = (Buffer::default(), Wanted::default());
        let hiding = Hiding::default();
        Self { colors, ascii, synchronized, hiding, shown, cursor: None, wanted, known: false }
    }

    /// The same with another way to hide the cursor.
    pub(crate) fn hiding(self, hiding: Hiding) -> Self {
        Self { hiding, ..self }
    }

    /// Something else wrote on the terminal: the next frame is drawn whole.
    pub(crate) const fn forget(&mut self) {
        self.known = false;
    }

    /// Whether all of the last frame was painted.
    pub(crate) const fn is_done(&self) -> bool {
        !self.wanted.open
    }

    /// An empty buffer to draw the next frame in: that of the last one, unless it is still being painted.
    pub(crate) fn sheet(&mut self, area: Rect) -> Buffer {
        let mut sheet = if self.wanted.open { Buffer::default() } else { std::mem::take(&mut self.wanted.frame) };
        sheet.resize(area);
        sheet.reset();
        sheet
    }

    /// Says what is to be shown from now on, with the cursor there or hidden. While a frame is painted in parts, rows
    /// that a key changes go before what is left of it.
    pub(crate) fn aim(&mut self, frame: Buffer, cursor: Option<Position>, by_key: bool) {
        let Wanted { frame: before, first, open, .. } = &mut self.wanted;
        if !*open || before.area != frame.area {
            first.clear();
        } else if by_key {
            let width = usize::from(frame.area.width).max(1);
            let pairs = before.content.chunks(width).zip(frame.content.chunks(width));
            let changed = pairs.map(|(before, after)| before != after);
            first.resize(usize::from(frame.area.height), false);
            first.iter_mut().zip(changed).for_each(|(first, changed)| *first |= changed);
        }
        *before = frame;
        (self.wanted.cursor, self.wanted.open) = (cursor, true);
    }

    /// Adds what shows more of the frame, in whole rows, until that is `limit` bytes or all; nothing if it is on the
    /// terminal already.
    pub(crate) fn paint(&mut self, limit: usize, out: &mut Vec<u8>) {
        if !self.wanted.open {
            return;
        }
        let start = out.len();
        if self.synchronized {
            out.extend_from_slice(BEGIN_FRAME);
        }
        let head = out.len();
        if !self.known || self.shown.area != self.wanted.frame.area {
            self.shown.resize(self.wanted.frame.area);
            self.shown.reset();
            self.cursor = None;
            self.known = true;
            out.extend_from_slice(b"\x1b[0m\x1b[2J");
            if self.hiding == Hiding::Mode {
                out.extend_from_slice(b"\x1b[?25l");
            }
        }
        self.rows(head.saturating_add(limit), out);
        let cursor = self.wanted.cursor;
        let moved = out.len() > head;
        if cursor != self.cursor || (moved && (cursor.is_some() || self.hiding == Hiding::Park)) {
            show_cursor(cursor, self.hiding, out);
        }
        self.cursor = cursor;
        if out.len() == head {
            out.truncate(start);
        } else if self.synchronized && out.len() - head < FEW {
            out.drain(start..head);
        } else if self.synchronized {
            out.extend_from_slice(END_FRAME);
        }
    }

    /// Paints rows until `out` is so long.
    fn rows(&mut self, end: usize, out: &mut Vec<u8>) {
        let mut pen = Pen { colors: self.colors, ascii: self.ascii, style: PLAIN, at: None, out };
        let Wanted { frame, first, open, .. } = &mut self.wanted;
        let goes_first = |row: u16| first.get(usize::from(row)).copied().unwrap_or(false);
        let mut painted: Vec<u16> = Vec::new();
        *open = false;
        for now in [true, false] {
            if *open || (now && first.is_empty()) {
                continue;
            }
            let mut whole = false;
            for (x, y, cell) in self.shown.diff_iter(frame).filter(|(_, y, _)| goes_first(*y) == now) {
                if painted.last() != Some(&y) {
                    if pen.out.len() >= end {
                        *open = true;
                        break;
                    }
                    painted.push(y);
                    // Asked once for each row, not for each cell of it: that doubled the cost of a key.
                    whole = is_unsure(&self.shown, y) || is_unsure(frame, y);
                    if whole {
                        pen.row(y, frame);
                    }
                }
                if !whole {
                    pen.put(x, y, cell);
                }
            }
        }
        pen.wear(PLAIN);
        if !*open {
            std::mem::swap(&mut self.shown, frame);
            first.clear();
            return;
        }
        let width = usize::from(frame.area.width);
        for row in painted.into_iter().map(usize::from) {
            let cells = row * width..(row + 1) * width;
            if let (Some(shown), Some(wanted)) = (self.shown.content.get_mut(cells.clone()), frame.content.get(cells)) {
                shown.clone_from_slice(wanted);
            }
        }
    }
}

/// Whether terminals may disagree about where things are in a row. What they drew is then drawn anew as a whole: a
/// character that took more columns than we count lies over its neighbour, one that took fewer left something.
fn is_unsure(buffer: &Buffer, y: u16) -> bool {
    let width = usize::from(buffer.area.width);
    let start = usize::from(y) * width;
    let cells = buffer.content.get(start..start + width).unwrap_or_default();
    cells.iter().any(|cell| cell.symbol().len() > 1 && text::is_doubtful(cell.symbol()))
}

fn show_cursor(cursor: Option<Position>, hiding: Hiding, out: &mut Vec<u8>) {
    let Position { x, y } = match (cursor, hiding) {
        (None, Hiding::Mode) => return out.extend_from_slice(b"\x1b[?25l"),
        (None, Hiding::Park) => Position::ORIGIN,
        (Some(cursor), _) => cursor,
    };
    let _ = write!(out, "\x1b[{};{}H", y.saturating_add(1), x.saturating_add(1));
    if hiding == Hiding::Mode {
        out.extend_from_slice(b"\x1b[?25h");
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
    /// All of a row, from its left.
    fn row(&mut self, y: u16, frame: &Buffer) {
        let mut x = 0;
        while let Some(cell) = frame.cell((x, y)) {
            self.put(x, y, cell);
            x = x.saturating_add(u16::try_from(text::width(cell.symbol()).max(1)).unwrap_or(u16::MAX));
        }
    }

    fn put(&mut self, x: u16, y: u16, cell: &Cell) {
        if self.at != Some((x, y)) {
            self.go(x, y);
        }
        let style = match self.colors {
            ColorTier::None => (Color::Reset, Color::Reset, cell.modifier),
            _ => (cell.fg, cell.bg, cell.modifier),
        };
        self.wear(style);
        let width = text::width(cell.symbol()).max(1);
        let ascii = self.ascii && !cell.symbol().is_ascii();
        self.at = u16::try_from(width).ok().map(|width| (x.saturating_add(width), y));
        if ascii {
            self.out.resize(self.out.len() + width, b'?');
        } else if text::is_doubtful(cell.symbol()) {
            // Its columns are empty before it comes, and what follows is placed, wherever the terminal takes it to end.
            if width > 1 {
                self.out.resize(self.out.len() + width, b' ');
                self.go(x, y);
            }
            self.out.extend_from_slice(cell.symbol().as_bytes());
            self.at = None;
        } else {
            self.out.extend_from_slice(cell.symbol().as_bytes());
        }
    }

    fn go(&mut self, x: u16, y: u16) {
        let _ = write!(self.out, "\x1b[{};{}H", y.saturating_add(1), x.saturating_add(1));
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
