//! The log pane: what happened, the newest at the foot; the selected line is shown whole.

use super::words;
use crate::{
    domain::text::{counted, safe},
    tui::{
        model::{LogLine, Model, Pane},
        msg::Level,
        theme::{Role, Theme},
        widget::{
            frame::{Frame, more},
            text::{draw_lines, fit, width},
        },
    },
};
use ratatui::{buffer::Buffer, layout::Rect, text::Line};

pub(super) fn draw(model: &Model, area: Rect, theme: &Theme, buffer: &mut Buffer) {
    let focused = model.ui.pane == Pane::Log && model.ui.layers.is_empty();
    let place = model.log_place(area);
    let title = format!("{} Log", Pane::Log.number());
    let aside = aside(model, place.shown.len(), area.width);
    let inner = Frame { title: &title, aside: Some((&aside, Role::Key)), focused }.draw(area, theme, buffer);
    if place.shown.is_empty() {
        let lines = words::lines(&nothing(model), inner.width, Role::Muted, theme);
        return draw_lines(&lines, 0, inner, buffer);
    }
    let room = usize::from(inner.width);
    let mut lines: Vec<Line<'_>> = Vec::new();
    let mut shown = 0;
    for (i, line) in place.shown.iter().enumerate().skip(place.first) {
        if lines.len() >= usize::from(inner.height) {
            break;
        }
        shown += 1;
        if focused && place.selected == Some(i) {
            lines.extend(selected(model, line, &place.whole, room, theme));
        } else {
            lines.push(one(model, line, room, theme));
        }
    }
    draw_lines(&lines, 0, inner, buffer);
    more(area, place.first > 0, place.first + shown < place.shown.len(), theme, buffer);
}

/// What is left out, and whose time it is, as far as there is room.
fn aside(model: &Model, shown: usize, columns: u16) -> String {
    let view = &model.ui.log;
    let filter = if view.filter.text.is_empty() { String::new() } else { format!("/{}: ", safe(&view.filter.text)) };
    let count = if shown == model.log.len() { String::new() } else { format!("{shown} of {}", model.log.len()) };
    let parts = [format!("{filter}{count}"), view.words().to_owned(), model.zone()];
    let room = usize::from(columns).saturating_sub(16);
    parts.into_iter().filter(|part| !part.is_empty()).fold(String::new(), |all, part| {
        let both = if all.is_empty() { part } else { format!("{all}, {part}") };
        if width(&both) <= room || all.is_empty() { both } else { all }
    })
}

/// Why there is no line.
fn nothing(model: &Model) -> String {
    let view = &model.ui.log;
    let all = counted(model.log.len(), "line");
    match (model.log.is_empty(), view.filter.text.is_empty(), view.level) {
        (true, _, _) => "Nothing happened yet.".to_owned(),
        (_, true, Level::Warn) => format!("None of {all} is a warning or an error."),
        (_, true, _) => format!("None of {all} is an error."),
        (_, false, Level::Info) => format!("None of {all} has {}. Esc clears the filter.", view.filter.text),
        (_, false, _) => {
            format!("None of the {} in {all} has {}. Esc clears the filter.", view.words(), view.filter.text)
        }
    }
}

/// Its time and level; the level is a word.
fn before(model: &Model, line: &LogLine) -> (String, &'static str, Role) {
    let (word, role) = match line.level {
        Level::Info => ("    ", Role::Text),
        Level::Warn => ("warn", Role::Warn),
        Level::Error => ("fail", Role::Bad),
    };
    (model.wall(line.at), word, role)
}

/// A line, cut where there is no room for it.
fn one(model: &Model, line: &LogLine, room: usize, theme: &Theme) -> Line<'static> {
    let (time, word, role) = before(model, line);
    let text = fit(&safe(&line.text), room.saturating_sub(usize::from(crate::tui::model::BEFORE)), theme.glyphs.cut);
    Line::from(vec![theme.span(Role::Muted, time), theme.span(role, format!(" {word} ")), theme.span(Role::Text, text)])
}

/// The selected line, whole.
fn selected(model: &Model, line: &LogLine, whole: &[String], room: usize, theme: &Theme) -> Vec<Line<'static>> {
    let (time, word, _) = before(model, line);
    let first = format!("{time} {word} ");
    let rows = whole.iter().enumerate().map(|(i, part)| {
        let before = if i == 0 { first.clone() } else { " ".repeat(first.len()) };
        let text = format!("{before}{part}");
        let rest = " ".repeat(room.saturating_sub(width(&text)));
        Line::from(theme.span(Role::Selected, format!("{text}{rest}")))
    });
    rows.collect()
}
