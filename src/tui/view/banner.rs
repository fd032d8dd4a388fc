//! A line under the header while something is wrong that the panes don't show.

use crate::tui::{
    model::Model,
    msg::Link,
    theme::{Role, Theme},
    widget::text::{fit, spread},
};
use ratatui::{buffer::Buffer, layout::Rect};

pub(super) fn draw(model: &Model, area: Rect, theme: &Theme, buffer: &mut Buffer) {
    let (text, keys) = match (&model.link, model.open_op()) {
        (_, Some(op)) if !op.alive => (format!("Interrupted: {}", op.state.plan.title()), "o shows it"),
        (Link::Down { trouble, attempts, .. }, _) => {
            let tried = if *attempts > 1 { format!(" Tried {attempts} times.") } else { String::new() };
            (format!("{}{tried}", trouble.finding.title()), "r tries now")
        }
        (Link::Unconfigured(trouble), _) => (trouble.finding.title().to_owned(), ""),
        (Link::Connecting | Link::Up, _) => return,
    };
    let columns = usize::from(area.width);
    let room = columns.saturating_sub(keys.len() + 6);
    let left = vec![theme.span(Role::Bad, format!(" {} {}", theme.glyphs.warn, fit(&text, room, theme.glyphs.cut)))];
    let line = spread(left, vec![theme.span(Role::Muted, format!("{keys} "))], columns);
    buffer.set_line(area.x, area.y, &line, area.width);
}
