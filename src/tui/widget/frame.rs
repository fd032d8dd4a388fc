//! A pane's frame with its title.

use super::text;
use crate::tui::theme::{Role, Theme};
use ratatui::{buffer::Buffer, layout::Rect, style::Style, symbols::border};

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
        border(area, theme.glyphs.border, theme.style(role), buffer);
        let inner = Rect {
            x: area.x + 1.min(area.width),
            y: area.y + 1.min(area.height),
            width: area.width.saturating_sub(2),
            height: area.height.saturating_sub(2),
        };
        if area.height > 0 {
            buffer.set_stringn(area.x + 1, area.y, title, room + 2, theme.style(title_role));
        }
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

/// Lines around an area. ratatui's own block merges each of its cells with what is there, at ten times the cost.
fn border(area: Rect, set: border::Set<'_>, style: Style, buffer: &mut Buffer) {
    let area = area.intersection(buffer.area);
    let (Some(right), Some(bottom)) = (area.right().checked_sub(1), area.bottom().checked_sub(1)) else { return };
    let mut put = |x, y, symbol: &str| {
        if let Some(cell) = buffer.cell_mut((x, y)) {
            cell.set_symbol(symbol).set_style(style);
        }
    };
    for x in area.left()..=right {
        put(x, area.top(), set.horizontal_top);
        put(x, bottom, set.horizontal_bottom);
    }
    for y in area.top()..=bottom {
        put(area.left(), y, set.vertical_left);
        put(right, y, set.vertical_right);
    }
    put(area.left(), area.top(), set.top_left);
    put(right, area.top(), set.top_right);
    put(area.left(), bottom, set.bottom_left);
    put(right, bottom, set.bottom_right);
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
