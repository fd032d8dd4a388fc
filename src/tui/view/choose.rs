//! The palette: every action by its name, and of the selected one what it does or why it can't be done now.

use super::words::{DIALOG, lines};
use crate::tui::{
    canvas::{Canvas, Target},
    model::{Model, layer::Field},
    theme::{Role, Theme},
    widget::{
        dialog::{Dialog, inner_width},
        table::first_row,
        text::pad,
    },
};
use ratatui::{
    layout::{Position, Rect},
    text::Line,
};

/// Rows of the list where the screen has them.
const ROWS: usize = 12;

pub(super) fn draw(model: &Model, field: &Field, screen: Rect, theme: &Theme, canvas: &mut Canvas<'_>) -> Position {
    let columns = inner_width(screen, DIALOG);
    let (typed, cursor) = field.visible(columns.saturating_sub(4));
    let choices = model.choices(&field.text);
    let chosen = model.chosen();
    let here = choices.iter().position(|choice| Some(choice) == chosen.as_ref());
    let height = usize::from(screen.height.saturating_sub(8)).min(ROWS);
    let first = first_row(here, choices.len(), height);
    let mut rows: Vec<Line<'_>> = Vec::new();
    for (index, choice) in choices.iter().enumerate().skip(first).take(height) {
        let (mark, role) = if Some(index) == here { (theme.glyphs.select, Role::Selected) } else { (" ", Role::Text) };
        let now = if model.unavailable(&choice.action).is_some() { "not now" } else { "" };
        let room = usize::from(columns).saturating_sub(10);
        let text = pad(&choice.text, room, false, theme.glyphs.cut);
        rows.push(Line::from(vec![
            theme.span(role, format!("{mark} {text}")),
            theme.span(Role::Muted, format!(" {now:7}")),
        ]));
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
