//! What may follow the keys that were pressed so far, over the foot of the screen.

use crate::tui::{
    chord::Chord,
    keymap::{Binding, sequence::spelled},
    model::Model,
    theme::{Role, Theme},
    widget::{
        frame::Frame,
        text::{self, draw_lines, pad, width},
    },
};
use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::Line,
    widgets::{Clear, Widget as _},
};

/// Columns at most.
const WIDE: u16 = 80;

/// A key that may follow.
struct Row {
    key: String,
    label: &'static str,
    text: String,
    role: Role,
}

pub(super) fn draw(model: &Model, body: Rect, theme: &Theme, buffer: &mut Buffer) {
    let pending = &model.ui.pending;
    let rows = rows(model, pending);
    if pending.is_empty() || rows.is_empty() {
        return;
    }
    let body = Rect { width: body.width.min(WIDE), ..body };
    let columns = usize::from(body.width.saturating_sub(4));
    let room = usize::from(body.height.saturating_sub(2));
    let lines = if rows.len() <= room { sentences(&rows, columns, theme) } else { labels(&rows, columns, room, theme) };
    let height = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_add(2).min(body.height);
    let area = Rect { y: body.bottom() - height, height, ..body };
    Clear.render(area, buffer);
    let title = format!("After {}", spelled(pending));
    let inner = Frame { title: &title, aside: None, focused: true }.draw(area, theme, buffer);
    draw_lines(&lines, 0, inner, buffer);
}

/// The next keys in the keymap's order. Those that lead on to several share a row.
fn rows(model: &Model, pending: &[Chord]) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for Binding { keys, action, .. } in model.following() {
        let rest = keys.get(pending.len()..).unwrap_or_default();
        let (first, further) = match rest {
            [only] => (only.to_string(), false),
            [first, ..] => (first.to_string(), true),
            [] => continue,
        };
        if further {
            if rows.iter().all(|row| row.key != first) {
                rows.push(Row { key: first, label: "more", text: "More keys.".to_owned(), role: Role::Text });
            }
            continue;
        }
        let words = action.words();
        let (text, role) = match model.unavailable(action) {
            Some(refusal) => (format!("Not now: {}", refusal.message), Role::Muted),
            None => (super::help::sentence(action).to_owned(), Role::Text),
        };
        rows.push(Row { key: first, label: words.label, text, role });
    }
    rows
}

fn key_column(rows: &[Row]) -> usize {
    rows.iter().map(|row| width(&row.key)).max().unwrap_or(0) + 2
}

/// One key a line, with its sentence.
fn sentences<'a>(rows: &[Row], columns: usize, theme: &Theme) -> Vec<Line<'a>> {
    let keys = key_column(rows);
    let cut = theme.glyphs.cut;
    let line = |row: &Row| {
        let sentence = text::fit(&row.text, columns.saturating_sub(keys), cut);
        Line::from(vec![theme.span(Role::Key, pad(&row.key, keys, false, cut)), theme.span(row.role, sentence)])
    };
    rows.iter().map(line).collect()
}

/// As many columns as are needed, with the short names.
fn labels<'a>(rows: &[Row], columns: usize, height: usize, theme: &Theme) -> Vec<Line<'a>> {
    let keys = key_column(rows);
    let height = height.max(1);
    let across = rows.len().div_ceil(height).max(1);
    let wide = (columns / across).saturating_sub(keys);
    let cut = theme.glyphs.cut;
    let mut lines = vec![Line::default(); height.min(rows.len())];
    for (row, line) in rows.iter().zip((0..height).cycle()) {
        if let Some(line) = lines.get_mut(line) {
            line.push_span(theme.span(Role::Key, pad(&row.key, keys, false, cut)));
            line.push_span(theme.span(row.role, pad(row.label, wide, false, cut)));
        }
    }
    lines
}
