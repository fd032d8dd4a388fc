//! A pane's frame with its title.

use super::text;
use crate::tui::theme::{Role, Theme};
use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::Line,
    widgets::{Block, Widget as _},
};

/// A pane's frame: `┌ 1 Modes ──── 4 ┐`, and `┌[1 Modes]─` where keys go to it.
#[derive(Clone, Debug)]
pub struct Frame<'a> {
    /// The title.
    pub title: &'a str,
    /// A remark at the right end of the top line.
    pub aside: Option<(&'a str, Role)>,
    /// Whether keys go to it.
    pub focused: bool,
}

impl Frame<'_> {
    /// Draws the frame and gives back what is inside, with a blank column at each side.
    pub fn draw(&self, area: Rect, theme: &Theme, buffer: &mut Buffer) -> Rect {
        let role = if self.focused { Role::Focus } else { Role::Border };
        let room = usize::from(area.width).saturating_sub(4);
        let title = text::fit(self.title, room, theme.glyphs.cut);
        let title_width = text::width(&title) + 2;
        let title_role = if self.focused { Role::Focus } else { Role::Strong };
        let title = if self.focused { format!("[{title}]") } else { format!(" {title} ") };
        let block = Block::bordered()
            .border_set(theme.glyphs.border)
            .border_style(theme.style(role))
            .title_top(Line::from(theme.span(title_role, title)));
        let inner = block.inner(area);
        block.render(area, buffer);
        if let Some((aside, role)) = self.aside {
            let room = usize::from(area.width).saturating_sub(title_width + 6);
            if !aside.is_empty() && room >= text::width(aside) {
                let aside = format!(" {aside} ");
                let wide = u16::try_from(text::width(&aside)).unwrap_or(u16::MAX);
                let x = area.right().saturating_sub(wide.saturating_add(2));
                buffer.set_string(x, area.y, aside, theme.style(role));
            }
        }
        Rect { x: inner.x + 1.min(inner.width), width: inner.width.saturating_sub(2), ..inner }
    }
}

/// Marks at the right border that there is more above or below.
pub fn more(area: Rect, above: bool, below: bool, theme: &Theme, buffer: &mut Buffer) {
    let x = area.right().saturating_sub(1);
    let style = theme.style(Role::Muted);
    if above && area.height > 2 {
        buffer.set_string(x, area.y + 1, theme.glyphs.above, style);
    }
    if below && area.height > 2 {
        buffer.set_string(x, area.bottom() - 2, theme.glyphs.below, style);
    }
}
