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

/// Whether a tier's font has this character. Debian's console fonts have Latin letters, lines and few signs
/// (console-setup-linux, `Lat15-*` and `Uni2-*`).
#[must_use]
pub const fn printable(tier: GlyphTier, c: char) -> bool {
    match (tier, c) {
        (GlyphTier::Unicode, _) | (_, ' '..='~') => true,
        (GlyphTier::Console, _) => matches!(
            c,
            'À'..='ÿ'
                | '─'
                | '│'
                | '┌'
                | '┐'
                | '└'
                | '┘'
                | '├'
                | '┤'
                | '┬'
                | '┴'
                | '┼'
                | '━'
                | '┃'
                | '═'
                | '║'
                | '█'
                | '░'
                | '▒'
                | '■'
                | '•'
                | '·'
                | '←'
                | '↑'
                | '→'
                | '↓'
                | '▲'
                | '▼'
                | '°'
        ),
        (GlyphTier::Ascii, _) => false,
    }
}
