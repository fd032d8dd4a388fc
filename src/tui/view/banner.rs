//! A line under the header while something is wrong that the panes don't show.

use crate::tui::{
    action::Action,
    canvas::{Canvas, Target},
    model::Model,
    msg::Link,
    theme::{Role, Theme},
    widget::text::{fit, spread},
};
use ratatui::layout::Rect;

pub(super) fn draw(model: &Model, area: Rect, theme: &Theme, canvas: &mut Canvas<'_>) {
    let (text, keys, action) = match (&model.link, model.open_op()) {
        (_, Some(op)) if !op.alive => {
            (format!("Interrupted: {}", op.state.plan.title()), "o shows it", Some(Action::OpShow))
        }
        (Link::Down { trouble, attempts, .. }, _) => {
            let tried = if *attempts > 1 { format!(" Tried {attempts} times.") } else { String::new() };
            (format!("{}{tried}", trouble.finding.title()), "r tries now", Some(Action::Refresh))
        }
        (Link::Unconfigured(trouble), _) => (trouble.finding.title().to_owned(), "", None),
        (Link::Connecting | Link::Up, _) => return,
    };
    let columns = usize::from(area.width);
    let room = columns.saturating_sub(keys.len() + 6);
    let left = vec![theme.span(Role::Bad, format!(" {} {}", theme.glyphs.warn, fit(&text, room, theme.glyphs.cut)))];
    let line = spread(left, vec![theme.span(Role::Muted, format!("{keys} "))], columns);
    canvas.set_line(area.x, area.y, &line, area.width);
    if let Some(action) = action {
        canvas.mark(area, Target::Act(action));
    }
}
