//! A row of buttons, one of which Enter presses.

use super::text;
use crate::tui::{
    canvas::{Canvas, Target},
    theme::{Role, Theme},
};
use ratatui::{layout::Rect, text::Line};

/// A button.
#[derive(Clone, Copy, Debug)]
pub struct Button<'a> {
    /// What it says.
    pub label: &'a str,
    /// Pressing it stops something.
    pub danger: bool,
}

/// The button that leaves everything as it is, and the one that doesn't.
#[derive(Clone, Copy, Debug)]
pub struct Choice<'a> {
    /// What the harmless one says.
    pub no: &'a str,
    /// The other.
    pub yes: Button<'a>,
    /// Whether the cursor is on the other.
    pub on_yes: bool,
}

impl Choice<'_> {
    const fn buttons(&self) -> [(bool, Button<'_>); 2] {
        [(false, Button { label: self.no, danger: false }), (true, self.yes)]
    }

    /// Blanks before the first.
    fn margin(&self, columns: u16) -> usize {
        let wide: usize = self.buttons().iter().map(|(_, button)| wide(button) + GAP).sum();
        usize::from(columns).saturating_sub(wide) / 2
    }

    /// The buttons in the middle of a line; the pressed one is marked, not only coloured.
    #[must_use]
    pub fn line(&self, columns: u16, theme: &Theme) -> Line<'static> {
        let mut spans = vec![theme.span(Role::Text, " ".repeat(self.margin(columns)))];
        for (is_yes, button) in self.buttons() {
            let pressed = is_yes == self.on_yes;
            let role = match (pressed, button.danger) {
                (true, true) => Role::Danger,
                (true, false) => Role::Pressed,
                (false, _) => Role::Button,
            };
            let mark = if pressed { theme.glyphs.select } else { " " };
            spans.push(theme.span(Role::Strong, format!("{mark} ")));
            spans.push(theme.span(role, format!("[ {} ]", button.label)));
            spans.push(theme.span(Role::Text, " ".repeat(GAP)));
        }
        Line::from(spans)
    }

    /// Lets the buttons that were drawn there be clicked.
    pub fn mark(&self, row: Rect, canvas: &mut Canvas<'_>) {
        let size = |n: usize| u16::try_from(n).unwrap_or(u16::MAX);
        let mut x = row.x.saturating_add(size(self.margin(row.width)));
        for (is_yes, button) in self.buttons() {
            let area = Rect { x, width: size(wide(&button)), ..row };
            canvas.mark(area.intersection(row), Target::Button(is_yes));
            x = x.saturating_add(size(wide(&button) + GAP));
        }
    }
}

/// Blanks after a button.
const GAP: usize = 3;

/// Columns of a button with its mark and brackets.
fn wide(button: &Button<'_>) -> usize {
    text::width(button.label) + 6
}
