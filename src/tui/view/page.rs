//! The whole body before anything of the host was ever seen: connecting, or what is wrong.

use super::{
    explain,
    words::{DIALOG, labelled, lines},
};
use crate::tui::{
    model::{Model, age_of},
    msg::Link,
    theme::{Role, Theme},
    widget::text::draw_lines,
};
use ratatui::{buffer::Buffer, layout::Rect, text::Line};

pub(super) fn draw(model: &Model, body: Rect, theme: &Theme, buffer: &mut Buffer) {
    let columns = DIALOG.min(body.width.saturating_sub(4));
    let lines = match &model.link {
        Link::Connecting => connecting(model, columns, theme),
        Link::Up => self::lines("Connected. Waiting for the list of guests.", columns, Role::Text, theme),
        Link::Down { trouble, since, attempts } => {
            let mut all = explain::page(trouble.finding, Some(trouble), columns, theme);
            let gone = age_of(model.now.since(*since));
            let times = if *attempts > 1 { format!("{attempts} times in {gone}") } else { "once".to_owned() };
            let text = format!("{times}; it is tried again by itself. r tries now, l shows the log.");
            all.push(Line::default());
            all.extend(labelled("Tried", &text, Role::Muted, columns, theme));
            all
        }
        Link::Unconfigured(trouble) => {
            let mut all = explain::page(trouble.finding, Some(trouble), columns, theme);
            all.push(Line::default());
            all.extend(labelled(
                "Or",
                "morpheus demo shows everything on a simulated host.",
                Role::Muted,
                columns,
                theme,
            ));
            all
        }
    };
    let height = u16::try_from(lines.len()).unwrap_or(u16::MAX);
    let area = Rect {
        x: body.x + body.width.saturating_sub(columns) / 2,
        y: body.y + body.height.saturating_sub(height) / 3,
        width: columns,
        height: height.min(body.height),
    };
    draw_lines(&lines, 0, area.intersection(body), buffer);
}

fn connecting<'a>(model: &Model, columns: u16, theme: &Theme) -> Vec<Line<'a>> {
    let host = if model.setup.host.is_empty() { "the host" } else { &model.setup.host };
    let mut all = lines(&format!("Asking {host} ..."), columns, Role::Strong, theme);
    if !model.setup.modes.0.is_empty() {
        all.push(Line::default());
        let names: Vec<String> = model.setup.modes.0.iter().map(|mode| mode.name.to_string()).collect();
        all.extend(labelled("Modes", &names.join(", "), Role::Text, columns, theme));
    }
    all
}
