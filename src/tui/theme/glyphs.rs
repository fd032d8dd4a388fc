//! Glyphs in three tiers. Every one stands beside a word that says the same.

use crate::tui::caps::GlyphTier;
use ratatui::symbols::border;

/// The glyphs of a tier.
#[derive(Debug, PartialEq)]
pub struct Glyphs {
    /// Before the selected row or button.
    pub select: &'static str,
    /// A guest that runs.
    pub running: &'static str,
    /// A guest that is stopped.
    pub stopped: &'static str,
    /// A guest that is paused or the like: it holds its devices.
    pub held: &'static str,
    /// Nobody knows.
    pub unknown: &'static str,
    /// A step that is done.
    pub done: &'static str,
    /// A step that failed.
    pub failed: &'static str,
    /// A step that runs.
    pub active: &'static str,
    /// A step that has not begun.
    pub waiting: &'static str,
    /// A warning.
    pub warn: &'static str,
    /// Where a text was cut.
    pub cut: &'static str,
    /// There is more above.
    pub above: &'static str,
    /// There is more below.
    pub below: &'static str,
    /// Beside the heading of the column that rows stand by: the lowest first.
    pub rising: &'static str,
    /// The same: the highest first.
    pub falling: &'static str,
    /// Between parts of a line.
    pub dot: &'static str,
    /// Steps of a column of a graph, from next to nothing to full.
    pub column: &'static [&'static str],
    /// Where a graph knows nothing.
    pub gap: &'static str,
    /// Parts of a band: what is sure, what follows from something else, what isn't so.
    pub band: [&'static str; 3],
    /// Frames.
    pub border: border::Set<'static>,
}

const UNICODE: Glyphs = Glyphs {
    select: "›",
    running: "●",
    stopped: "○",
    held: "◐",
    unknown: "?",
    done: "✓",
    failed: "✗",
    active: "›",
    waiting: "·",
    warn: "!",
    cut: "…",
    above: "▲",
    below: "▼",
    rising: "▲",
    falling: "▼",
    dot: "·",
    column: &["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"],
    gap: "·",
    band: ["█", "▒", "·"],
    border: border::ROUNDED,
};

const CONSOLE: Glyphs = Glyphs {
    select: ">",
    running: "•",
    stopped: "·",
    held: "■",
    unknown: "?",
    done: "■",
    failed: "×",
    active: "→",
    waiting: "·",
    warn: "!",
    cut: "~",
    above: "▲",
    below: "▼",
    rising: "▲",
    falling: "▼",
    dot: "·",
    column: &["░", "▒", "█"],
    gap: "·",
    band: ["█", "▒", "·"],
    border: border::PLAIN,
};

const ASCII: Glyphs = Glyphs {
    select: ">",
    running: "*",
    stopped: "-",
    held: "=",
    unknown: "?",
    done: "+",
    failed: "x",
    active: ">",
    waiting: "-",
    warn: "!",
    cut: "~",
    above: "^",
    below: "v",
    rising: "^",
    falling: "v",
    dot: "-",
    column: &[".", ":", "#"],
    gap: "_",
    band: ["#", "=", "."],
    border: border::Set {
        top_left: "+",
        top_right: "+",
        bottom_left: "+",
        bottom_right: "+",
        vertical_left: "|",
        vertical_right: "|",
        horizontal_top: "-",
        horizontal_bottom: "-",
    },
};

impl Glyphs {
    /// The glyphs of a tier.
    #[must_use]
    pub const fn of(tier: GlyphTier) -> &'static Self {
        match tier {
            GlyphTier::Unicode => &UNICODE,
            GlyphTier::Console => &CONSOLE,
            GlyphTier::Ascii => &ASCII,
        }
    }
}

/// Whether a tier's font has this character.
#[must_use]
pub fn printable(tier: GlyphTier, c: char) -> bool {
    match tier {
        GlyphTier::Unicode => true,
        GlyphTier::Console => super::font::has(c),
        GlyphTier::Ascii => matches!(c, ' '..='~'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::widget::text::width;

    #[test]
    fn every_tier_draws_what_its_font_has_a_column_each() {
        for tier in [GlyphTier::Unicode, GlyphTier::Console, GlyphTier::Ascii] {
            let g = Glyphs::of(tier);
            let b = &g.border;
            let frame = [b.top_left, b.top_right, b.bottom_left, b.bottom_right, b.vertical_left, b.horizontal_top];
            let marks = [g.select, g.running, g.stopped, g.held, g.unknown, g.done, g.failed, g.active, g.waiting];
            for mark in marks.iter().chain(&frame).chain(&[g.warn, g.cut, g.above, g.below, g.rising, g.falling, g.dot])
            {
                assert!(width(mark) == 1 && mark.chars().all(|c| printable(tier, c)), "{tier:?} {mark}");
            }
        }
    }

    #[test]
    fn marks_that_stand_for_different_things_differ() {
        for tier in [GlyphTier::Unicode, GlyphTier::Console, GlyphTier::Ascii] {
            let g = Glyphs::of(tier);
            for marks in [[g.running, g.stopped, g.held, g.unknown], [g.done, g.failed, g.active, g.waiting]] {
                let distinct: std::collections::BTreeSet<&str> = marks.into();
                assert_eq!(distinct.len(), marks.len(), "{tier:?} {marks:?}");
            }
        }
    }
}
