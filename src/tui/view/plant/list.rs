//! What can be chosen for a question, narrowed by what is typed.

use crate::{
    domain::text::safe,
    tui::{
        canvas::{Canvas, Target},
        model::{Model, layer::Field, plant::Opt},
        theme::{Role, Theme},
        view::words::DIALOG,
        widget::{
            dialog::{Dialog, inner_width},
            table::first_row,
            text::{fit, fit_middle, width},
        },
    },
};
use ratatui::{
    layout::{Position, Rect},
    text::Line,
};

pub(in crate::tui::view) fn draw(
    model: &Model,
    filter: &Field,
    screen: Rect,
    theme: &Theme,
    canvas: &mut Canvas<'_>,
) -> Position {
    let columns = inner_width(screen, DIALOG);
    let (typed, cursor) = filter.visible(columns.saturating_sub(2));
    let (options, here) = model.plant_list();
    let height = usize::from(screen.height.saturating_sub(6)).max(1);
    let first = first_row(Some(here), options.len(), height);
    let shown = || options.iter().enumerate().skip(first).take(height);
    let mut rows: Vec<Line<'_>> =
        shown().map(|(place, opt)| row(opt, place == here, usize::from(columns), theme)).collect();
    if rows.is_empty() {
        rows.push(Line::from(theme.span(Role::Muted, "Nothing fits.")));
    }
    let foot = vec![Line::from(vec![theme.span(Role::Key, "/ "), theme.span(Role::Input, typed)])];
    let title = model.plant.key.map_or("", crate::domain::plant::Key::label);
    let aside = options.len().to_string();
    let drawn =
        Dialog { title, aside: &aside, lines: rows, scroll: 0, foot, width: DIALOG }.draw(screen, theme, canvas);
    for ((_, opt), y) in shown().zip(drawn.body.top()..drawn.body.bottom()) {
        canvas.mark(Rect { y, height: 1, ..drawn.body }, Target::Choice(opt.value.clone()));
    }
    Position::new(drawn.foot.x + 2 + cursor, drawn.foot.y)
}

fn row<'a>(opt: &Opt, selected: bool, columns: usize, theme: &Theme) -> Line<'a> {
    let mark = if selected { theme.glyphs.select } else { " " };
    let value = fit_middle(&safe(&opt.value), columns.saturating_sub(2), theme.glyphs.cut);
    let room = columns.saturating_sub(4 + width(&value));
    let note = if room > 3 { fit(&safe(&opt.note), room, theme.glyphs.cut) } else { String::new() };
    let role = if selected { Role::Selected } else { Role::Text };
    Line::from(vec![
        theme.span(Role::Focus, format!("{mark} ")),
        theme.span(role, value),
        theme.span(Role::Muted, format!("  {note}")),
    ])
}
