//! The palette: every action by its name, and of the selected one what it does or why it can't be done now.

use super::words::{DIALOG, lines};
use crate::tui::{
    canvas::{Canvas, Target},
    keymap::context::Context,
    model::{Model, layer::Field},
    theme::{Role, Theme},
    update::Choice,
    widget::{
        dialog::{Dialog, inner_width},
        table::first_row,
        text::pad,
    },
};
use ratatui::{
    layout::{Position, Rect},
    text::{Line, Span},
};

/// Rows of the list where the screen has them.
const ROWS: usize = 12;

pub(super) fn draw(model: &Model, field: &Field, screen: Rect, theme: &Theme, canvas: &mut Canvas<'_>) -> Position {
    let columns = inner_width(screen, DIALOG);
    let (typed, cursor) = field.visible(columns.saturating_sub(4));
    let choices = model.choices(&field.text);
    let chosen = model.chosen();
    let here = choices.iter().position(|choice| chosen.as_ref().is_some_and(|chosen| chosen.text == choice.text));
    let height = usize::from(screen.height.saturating_sub(8)).min(ROWS);
    let first = first_row(here, choices.len(), height);
    let mut rows: Vec<Line<'_>> = Vec::new();
    for (index, choice) in choices.iter().enumerate().skip(first).take(height) {
        rows.push(row(model, choice, Some(index) == here, usize::from(columns), theme));
    }
    if rows.is_empty() {
        rows.push(Line::from(theme.span(Role::Muted, "No action fits.")));
    }
    let (about, role) = match chosen.map(|choice| (model.unavailable(&choice.action), choice)) {
        Some((Some(refusal), _)) => (format!("Not now: {}", refusal.message), Role::Warn),
        Some((None, choice)) => (choice.action.words().sentence.to_owned(), Role::Muted),
        None => (String::new(), Role::Muted),
    };
    let mut foot = lines(&about, columns, role, theme);
    foot.resize(2, Line::default());
    foot.push(Line::from(vec![theme.span(Role::Key, ": "), theme.span(Role::Input, typed)]));
    let aside = choices.len().to_string();
    let dialog = Dialog { title: "Commands", aside: &aside, lines: rows, scroll: 0, foot, width: DIALOG };
    let drawn = dialog.draw(screen, theme, canvas);
    for (choice, y) in choices.iter().skip(first).zip(drawn.body.top()..drawn.body.bottom()) {
        canvas.mark(Rect { y, height: 1, ..drawn.body }, Target::Choice(choice.text.clone()));
    }
    Position::new(drawn.foot.x + 2 + cursor, drawn.foot.y + 2)
}

/// An action, with the characters that were typed, and at the right its key or that it can't be done now.
fn row<'a>(model: &Model, choice: &Choice, selected: bool, columns: usize, theme: &Theme) -> Line<'a> {
    let keys = model.setup.keymap.key_of(Context::Modes.stack(), &choice.action);
    let aside = match model.unavailable(&choice.action) {
        Some(_) => theme.span(Role::Muted, "not now"),
        None => theme.span(Role::Key, keys.map(ToString::to_string).unwrap_or_default()),
    };
    let room = columns.saturating_sub(10);
    let text = pad(&choice.text, room, false, theme.glyphs.cut);
    let mut spans = if selected {
        vec![theme.span(Role::Selected, format!("{} {text}", theme.glyphs.select))]
    } else {
        let mut spans = vec![theme.span(Role::Text, "  ")];
        spans.extend(marked(&text, &choice.hits, theme));
        spans
    };
    spans.push(Span::raw(" "));
    spans.push(aside);
    Line::from(spans)
}

/// A text in which some characters stand out.
fn marked<'a>(text: &str, hits: &[usize], theme: &Theme) -> Vec<Span<'a>> {
    let mut spans: Vec<(Role, String)> = Vec::new();
    for (place, character) in text.chars().enumerate() {
        let role = if hits.contains(&place) { Role::Key } else { Role::Text };
        match spans.last_mut().filter(|(last, _)| *last == role) {
            Some((_, part)) => part.push(character),
            None => spans.push((role, character.to_string())),
        }
    }
    spans.into_iter().map(|(role, part)| theme.span(role, part)).collect()
}
