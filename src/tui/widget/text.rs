//! Texts by the columns that they take, not by their characters.

pub use crate::domain::text::width;
use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
};
use std::borrow::Cow;
use unicode_segmentation::UnicodeSegmentation as _;

/// The text in at most `columns`, with `cut` at its end if something is missing.
#[must_use]
pub fn fit(text: &str, columns: usize, cut: &str) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let room = columns.saturating_sub(width(cut));
    let mut out = String::new();
    let mut used = 0;
    for grapheme in text.graphemes(true) {
        used += width(grapheme);
        if used > room {
            break;
        }
        out.push_str(grapheme);
    }
    if columns >= width(cut) {
        out.push_str(cut);
    }
    out
}

/// The text in at most `columns`, with `cut` in its middle if something is missing: names that begin alike stay apart.
#[must_use]
pub fn fit_middle(text: &str, columns: usize, cut: &str) -> String {
    if width(text) <= columns || columns < width(cut) + 4 {
        return fit(text, columns, cut);
    }
    let room = columns - width(cut);
    let head = fit(text, room - room / 2, "");
    let mut tail: Vec<&str> = Vec::new();
    let mut left = room - width(&head);
    for grapheme in text.graphemes(true).rev() {
        let Some(rest) = left.checked_sub(width(grapheme)) else { break };
        left = rest;
        tail.push(grapheme);
    }
    tail.reverse();
    format!("{head}{cut}{}", tail.concat())
}

/// The text in exactly `columns`, filled up with blanks on the right, or on the left if `right`.
#[must_use]
pub fn pad(text: &str, columns: usize, right: bool, cut: &str) -> String {
    let fitted = if width(text) <= columns { Cow::Borrowed(text) } else { Cow::Owned(fit(text, columns, cut)) };
    let blanks = || std::iter::repeat_n(' ', columns.saturating_sub(width(&fitted)));
    let mut out = String::with_capacity(fitted.len().max(columns));
    if right {
        out.extend(blanks());
    }
    out.push_str(&fitted);
    if !right {
        out.extend(blanks());
    }
    out
}

/// The text in lines of at most `columns`, broken between words, and inside of a word that is longer than a line.
#[must_use]
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(1);
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        for word in paragraph.split(' ') {
            let gap = usize::from(!line.is_empty());
            if width(&line) + gap + width(word) <= columns {
                if gap == 1 {
                    line.push(' ');
                }
                line.push_str(word);
                continue;
            }
            if !line.is_empty() {
                lines.push(std::mem::take(&mut line));
            }
            for grapheme in word.graphemes(true) {
                if !line.is_empty() && width(&line) + width(grapheme) > columns {
                    lines.push(std::mem::take(&mut line));
                }
                line.push_str(grapheme);
            }
        }
        lines.push(line);
    }
    lines
}

/// Draws lines from `scroll` on, as many as there is room for.
pub fn draw_lines(lines: &[Line<'_>], scroll: u16, area: Rect, buffer: &mut Buffer) {
    for (line, y) in lines.iter().skip(usize::from(scroll)).zip(area.top()..area.bottom()) {
        buffer.set_line(area.x, y, line, area.width);
    }
}

/// A line with one part at the left and one at the right edge; the right one gives way.
#[must_use]
pub fn spread<'a>(left: Vec<Span<'a>>, right: Vec<Span<'a>>, columns: usize) -> Line<'a> {
    let wide = |spans: &[Span<'_>]| spans.iter().map(|span| width(&span.content)).sum::<usize>();
    let used = wide(&left) + wide(&right);
    let mut spans = left;
    if used < columns {
        spans.push(Span::raw(" ".repeat(columns - used)));
        spans.extend(right);
    }
    Line::from(spans)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_by_columns_and_never_through_a_character() {
        assert_eq!(fit("linuxvrstreaming", 8, "…"), "linuxvr…");
        assert_eq!(fit("日本語", 5, "…"), "日本…");
        assert_eq!([width("الألعاب"), width("e\u{301}日")], [7, 3]);
        assert_eq!(fit("日本語", 4, "…"), "日…");
        assert_eq!([fit("abc", 3, "…"), fit("abc", 1, "…"), fit("abc", 0, "…")], ["abc", "…", ""]);
        assert_eq!([pad("8s", 4, true, "…"), pad("8s", 4, false, "…")], ["  8s", "8s  "]);
    }

    #[test]
    fn names_that_begin_alike_stay_apart() {
        let cut = |name| fit_middle(name, 13, "…");
        assert_eq!(cut("nimsforest-vr-linux"), "nimsfo…-linux");
        assert_eq!(cut("nimsforest-vr-windows"), "nimsfo…indows");
        assert_eq!(cut("short"), "short");
        assert_eq!(width(&fit_middle("森林森林森林森林", 9, "…")), 9);
        assert_eq!(fit_middle("森林森林", 6, "…"), "森…林");
        assert_eq!(fit_middle("abcdef", 3, "…"), "ab…");
    }

    #[test]
    fn lines_break_between_words_and_inside_of_long_ones() {
        assert_eq!(wrap("the guest ignored it", 9), ["the guest", "ignored", "it"]);
        assert_eq!(wrap("abcdefgh ij", 3), ["abc", "def", "gh", "ij"]);
        assert_eq!(wrap("日本語", 1).len(), 3);
        assert_eq!(wrap("a\nb", 5), ["a", "b"]);
    }
}
