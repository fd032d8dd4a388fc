//! The palette: every action by its name, with the reason where one can't be done now.

use super::words::DIALOG;
use crate::tui::{
    model::{Model, layer::Field},
    theme::{Role, Theme},
    widget::{
        dialog::{Dialog, inner_width},
        table::first_row,
        text::{fit, pad},
    },
};
use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
    text::Line,
};

pub(super) fn draw(model: &Model, field: &Field, screen: Rect, theme: &Theme, buffer: &mut Buffer) -> Position {
    let columns = inner_width(screen, DIALOG);
    let (typed, cursor) = field.visible(columns.saturating_sub(4));
    let choices = model.choices(&field.text);
    let chosen = model.chosen().map(|choice| choice.text);
    let here = choices.iter().position(|choice| Some(&choice.text) == chosen.as_ref());
    let height = usize::from(screen.height.saturating_sub(5)).min(14);
    let first = first_row(here, choices.len(), height);
    let widest = choices.iter().map(|choice| choice.text.len()).max().unwrap_or(0).min(40);
    let mut lines: Vec<Line<'_>> = Vec::new();
    for choice in choices.iter().skip(first).take(height) {
        let on = Some(&choice.text) == chosen.as_ref();
        let reason = model.unavailable(&choice.action).map(|refusal| refusal.message);
        let (mark, role) = if on { (theme.glyphs.select, Role::Selected) } else { (" ", Role::Text) };
        let aside = reason.as_deref().unwrap_or(choice.action.words().sentence);
        let aside = fit(aside, usize::from(columns).saturating_sub(widest + 4), theme.glyphs.cut);
        let aside_role = if reason.is_some() { Role::Warn } else { Role::Muted };
        lines.push(Line::from(vec![
            theme.span(role, format!("{mark} {}", pad(&choice.text, widest, false, theme.glyphs.cut))),
            theme.span(aside_role, format!("  {aside}")),
        ]));
    }
    if lines.is_empty() {
        lines.push(Line::from(theme.span(Role::Muted, "No action fits.")));
    }
    let foot = vec![Line::from(vec![theme.span(Role::Key, ": "), theme.span(Role::Input, typed)])];
    let aside = format!("{}", choices.len());
    let drawn = Dialog { title: "Commands", aside: &aside, lines, scroll: 0, foot, width: DIALOG + 8 }
        .draw(screen, theme, buffer);
    Position::new(drawn.foot.x + 2 + cursor, drawn.foot.y)
}
