//! A line of progress that stays open while something runs. On a terminal it is rewritten by a carriage return and
//! blanks only, so that any terminal can do it; elsewhere its end is written behind its beginning.

use crate::domain::text;
use std::io::{self, Write};
use unicode_segmentation::UnicodeSegmentation as _;

/// The line.
#[derive(Debug)]
pub(crate) struct OpenLine {
    /// Columns of the terminal, if lines can be rewritten.
    live: Option<u16>,
    /// The step whose line isn't ended, and how many columns it takes.
    open: Option<(u16, usize)>,
}

impl OpenLine {
    /// A line on a terminal of this width, or on something that isn't one.
    pub(crate) const fn new(live: Option<u16>) -> Self {
        Self { live, open: None }
    }

    /// Whether lines can be rewritten.
    pub(crate) const fn is_live(&self) -> bool {
        self.live.is_some()
    }

    /// Whether this step's line is open.
    pub(crate) fn is_of(&self, step: u16) -> bool {
        self.open.is_some_and(|(open, _)| open == step)
    }

    /// The beginning of a text that fits into the terminal; all of it elsewhere.
    pub(crate) fn fit(&self, text: &str) -> String {
        self.live.map_or_else(|| text.to_owned(), |width| cut(text, usize::from(width).saturating_sub(1)))
    }

    /// Opens a step's line.
    pub(crate) fn begin(&mut self, out: &mut dyn Write, step: u16, title: &str) -> io::Result<()> {
        self.close(out)?;
        let line = self.fit(title);
        self.write(out, step, &line)
    }

    /// Writes a step's line anew: over itself, or on a line of its own where another one is open or none can be
    /// rewritten.
    pub(crate) fn write(&mut self, out: &mut dyn Write, step: u16, line: &str) -> io::Result<()> {
        let before = match self.open {
            Some((id, columns)) if id == step && self.live.is_some() => {
                write!(out, "\r")?;
                columns
            }
            Some(_) => {
                self.close(out)?;
                0
            }
            None => 0,
        };
        let columns = text::width(line);
        write!(out, "{line}{}", " ".repeat(before.saturating_sub(columns)))?;
        self.open = Some((step, columns));
        out.flush()
    }

    /// Ends a step's line: with `end` behind what stands there, or as a whole.
    pub(crate) fn end(&mut self, out: &mut dyn Write, step: u16, title: &str, end: &str) -> io::Result<()> {
        if self.is_of(step) && !self.is_live() {
            write!(out, " {end}")?;
        } else {
            self.write(out, step, &format!("{title} {end}"))?;
        }
        self.close(out)
    }

    /// Ends a line that is still open, so that something else can be written.
    pub(crate) fn close(&mut self, out: &mut dyn Write) -> io::Result<()> {
        if self.open.take().is_some() { writeln!(out) } else { Ok(()) }
    }

    /// Writes a line of its own.
    pub(crate) fn aside(&mut self, out: &mut dyn Write, line: &str) -> io::Result<()> {
        self.close(out)?;
        writeln!(out, "{line}")
    }
}

/// The beginning of a line that fits into this many columns.
pub(crate) fn cut(line: &str, columns: usize) -> String {
    let mut left = columns;
    line.graphemes(true)
        .take_while(|grapheme| {
            let width = text::width(grapheme);
            let fits = width <= left;
            left = left.saturating_sub(width);
            fits
        })
        .collect()
}
