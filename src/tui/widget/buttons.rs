//! A row of buttons, one of which Enter presses.

use super::text;
use crate::tui::theme::{Role, Theme};
use ratatui::text::Line;

/// A button.
#[derive(Clone, Copy, Debug)]
pub struct Button<'a> {
    /// What it says.
    pub label: &'a str,
    /// Pressing it stops something.
    pub danger: bool,
}

/// The buttons in the middle of a line; the pressed one is marked, not only coloured.
#[must_use]
pub fn line(buttons: &[Button<'_>], pressed: usize, columns: u16, theme: &Theme) -> Line<'static> {
    let mut spans = Vec::new();
    for (index, button) in buttons.iter().enumerate() {
        let role = match (index == pressed, button.danger) {
            (true, true) => Role::Danger,
            (true, false) => Role::Pressed,
            (false, _) => Role::Button,
        };
        let mark = if index == pressed { theme.glyphs.select } else { " " };
        spans.push(theme.span(Role::Strong, format!("{mark} ")));
        spans.push(theme.span(role, format!("[ {} ]", button.label)));
        spans.push(theme.span(Role::Text, "   "));
    }
    let wide: usize = spans.iter().map(|span| text::width(&span.content)).sum();
    let left = usize::from(columns).saturating_sub(wide) / 2;
    spans.insert(0, theme.span(Role::Text, " ".repeat(left)));
    Line::from(spans)
}
