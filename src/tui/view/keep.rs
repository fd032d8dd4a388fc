//! The last touch of every frame: whatever texts from outside hold, only what the font has is drawn, and each character
//! stays in its columns.

use crate::{
    domain::text::safe,
    tui::{
        caps::GlyphTier,
        theme::{Theme, printable},
        widget::text::width,
    },
};
use ratatui::buffer::{Buffer, Cell};

/// Ends a run of letters that are written from right to left: what follows stands where it was put, also on a terminal
/// that turns such runs round (Unicode 17, UAX 9, LEFT-TO-RIGHT MARK). It takes no column.
const MARK: char = '\u{200e}';

/// Draws nothing new, but what is there as the terminal can show it.
pub(super) fn in_columns(theme: &Theme, buffer: &mut Buffer) {
    let columns = usize::from(buffer.area.width).max(1);
    for row in buffer.content.chunks_mut(columns) {
        if theme.caps.glyphs != GlyphTier::Unicode {
            for cell in &mut *row {
                known(theme.caps.glyphs, cell);
            }
        }
        if row.iter().any(|cell| !plain(cell)) {
            row.iter_mut().filter(|cell| !plain(cell)).for_each(bare);
            halves(row);
            turned(row);
        }
    }
}

/// A cell that needs no care: ASCII, or a glyph of the program's own.
fn plain(cell: &Cell) -> bool {
    let symbol = cell.symbol();
    symbol.len() == 1 || matches!(symbol.chars().next(), Some('\u{2000}'..='\u{2bff}')) && symbol.len() == 3
}

fn known(tier: GlyphTier, cell: &mut Cell) {
    if !cell.symbol().chars().all(|c| printable(tier, c)) {
        cell.set_symbol("?");
    }
}

/// A text that is being typed may pile marks on a letter.
fn bare(cell: &mut Cell) {
    let kept = safe(cell.symbol());
    if kept != cell.symbol() {
        let same = width(&kept) == width(cell.symbol());
        cell.set_symbol(if same { &kept } else { "?" });
    }
}

/// A wide character whose second column something else has, or the edge of the screen, goes.
fn halves(row: &mut [Cell]) {
    for x in 0..row.len() {
        let [cell, rest @ ..] = row.get_mut(x..).unwrap_or_default() else { break };
        if !plain(cell) && width(cell.symbol()) > 1 && rest.first().is_none_or(|next| next.symbol() != " ") {
            cell.set_symbol(" ");
        }
    }
}

/// Puts a mark behind each run of letters that are written from right to left.
fn turned(row: &mut [Cell]) {
    for x in 0..row.len() {
        let [cell, rest @ ..] = row.get_mut(x..).unwrap_or_default() else { break };
        if from_right(cell) && !rest.first().is_some_and(from_right) {
            let symbol = format!("{}{MARK}", cell.symbol());
            cell.set_symbol(&symbol);
        }
    }
}

/// Hebrew, Arabic and the other scripts from right to left (the blocks that UAX 44's `DerivedBidiClass` keeps for R, AL
/// and AN).
fn from_right(cell: &Cell) -> bool {
    !plain(cell)
        && cell.symbol().chars().any(|c| {
            matches!(c, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{feff}')
                || matches!(c, '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}')
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::caps::{Caps, ColorTier};

    fn kept(glyphs: GlyphTier, symbols: &[&str]) -> Vec<String> {
        let mut buffer = Buffer::with_lines([" ".repeat(symbols.len())]);
        for (cell, symbol) in buffer.content.iter_mut().zip(symbols) {
            cell.set_symbol(symbol);
        }
        in_columns(&Theme::new(Caps { glyphs, colors: ColorTier::None }), &mut buffer);
        buffer.content.iter().map(|cell| cell.symbol().to_owned()).collect()
    }

    #[test]
    fn runs_from_right_to_left_end_where_they_stand() {
        let kept = kept(GlyphTier::Unicode, &["א", "ב", "1", "ג", " ", "│", "ع", "│"]);
        assert_eq!(kept, ["א", "ב\u{200e}", "1", "ג\u{200e}", " ", "│", "ع\u{200e}", "│"]);
    }

    #[test]
    fn marks_do_not_pile_up() {
        let kept = kept(GlyphTier::Unicode, &["e\u{301}", &format!("z{}", "\u{335}".repeat(9)), "a\u{200d}"]);
        assert_eq!(kept, ["e\u{301}", "z\u{335}\u{335}\u{335}", "?"]);
    }

    #[test]
    fn half_a_character_is_none() {
        assert_eq!(kept(GlyphTier::Unicode, &["日", "│", "本", " ", "語"]), [" ", "│", "本", " ", " "]);
    }

    #[test]
    fn a_font_without_it_shows_a_question_mark() {
        assert_eq!(kept(GlyphTier::Console, &["é", "日", "e\u{301}", "│"]), ["é", "?", "?", "│"]);
        assert_eq!(kept(GlyphTier::Ascii, &["é", "א", "~"]), ["?", "?", "~"]);
    }
}
