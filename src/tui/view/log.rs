//! The log pane: what happened, the newest at the foot.

use crate::{
    domain::{ids::Millis, text::safe},
    tui::{
        model::{Model, Pane},
        msg::Level,
        theme::{Role, Theme},
        widget::{
            frame::{Frame, more},
            text::{draw_lines, fit},
        },
    },
};
use ratatui::{buffer::Buffer, layout::Rect, text::Line};

pub(super) fn draw(model: &Model, area: Rect, theme: &Theme, buffer: &mut Buffer) {
    let focused = model.ui.pane == Pane::Log && model.ui.layers.is_empty();
    let inner = Frame { title: "4 Log", aside: Some(("UTC", Role::Muted)), focused }.draw(area, theme, buffer);
    let height = usize::from(inner.height);
    let last = model.log.len().saturating_sub(height);
    let back = usize::from(model.ui.log_scroll).min(last);
    let first = last - back;
    let room = usize::from(inner.width);
    let lines: Vec<Line<'_>> = model
        .log
        .iter()
        .skip(first)
        .take(height)
        .map(|line| {
            let (word, role) = match line.level {
                Level::Info => ("    ", Role::Text),
                Level::Warn => ("warn", Role::Warn),
                Level::Error => ("fail", Role::Bad),
            };
            let text = fit(&safe(&line.text), room.saturating_sub(14), theme.glyphs.cut);
            Line::from(vec![
                theme.span(Role::Muted, clock(line.at)),
                theme.span(role, format!(" {word} ")),
                theme.span(Role::Text, text),
            ])
        })
        .collect();
    draw_lines(&lines, 0, inner, buffer);
    if model.log.is_empty() {
        draw_lines(&[Line::from(theme.span(Role::Muted, "Nothing happened yet."))], 0, inner, buffer);
    }
    more(area, first > 0, back > 0, theme, buffer);
}

/// The time of day, UTC.
fn clock(at: Millis) -> String {
    let seconds = at.0 / 1000;
    format!("{:02}:{:02}:{:02}", seconds / 3600 % 24, seconds / 60 % 60, seconds % 60)
}
