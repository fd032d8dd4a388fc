//! A box in the middle of the screen, as large as what it holds.

use super::{frame::Frame, text};
use crate::tui::{
    canvas::{Canvas, Target},
    theme::Theme,
};
use ratatui::{
    layout::Rect,
    text::Line,
    widgets::{Clear, Widget as _},
};

/// A box to draw.
pub struct Dialog<'a> {
    /// Its title.
    pub title: &'a str,
    /// At the right end of the top line.
    pub aside: &'a str,
    /// What it holds, scrolled if there is more than fits.
    pub lines: Vec<Line<'a>>,
    /// First line to show.
    pub scroll: u16,
    /// What always stands at its foot.
    pub foot: Vec<Line<'a>>,
    /// Columns inside, if the screen has them.
    pub width: u16,
}

/// Columns inside of a dialog that would like `wanted`.
#[must_use]
pub fn inner_width(screen: Rect, wanted: u16) -> u16 {
    wanted.min(screen.width.saturating_sub(6))
}

/// Where a dialog was drawn.
#[derive(Clone, Copy, Debug)]
pub struct Drawn {
    /// Where the lines are.
    pub body: Rect,
    /// Where the foot is.
    pub foot: Rect,
    /// The first line that is shown.
    pub scroll: u16,
}

impl Drawn {
    /// The last row of the foot, where buttons are.
    #[must_use]
    pub fn last_row(&self) -> Rect {
        let height = self.foot.height.min(1);
        Rect { y: self.foot.bottom().saturating_sub(height), height, ..self.foot }
    }
}

impl Dialog<'_> {
    /// Draws the box over whatever is there.
    pub fn draw(&self, screen: Rect, theme: &Theme, canvas: &mut Canvas<'_>) -> Drawn {
        let size = |n: usize| u16::try_from(n).unwrap_or(u16::MAX);
        let gap = u16::from(!self.foot.is_empty() && !self.lines.is_empty());
        let foot_height = size(self.foot.len());
        let wanted = size(self.lines.len()).saturating_add(foot_height).saturating_add(gap + 2);
        let width = inner_width(screen, self.width) + 4;
        let height = wanted.min(screen.height);
        let area = Rect {
            x: screen.x + screen.width.saturating_sub(width) / 2,
            y: screen.y + screen.height.saturating_sub(height) / 2,
            width: width.min(screen.width),
            height,
        };
        let halo = Rect { x: area.x.saturating_sub(1), width: area.width + 2, ..area }.intersection(screen);
        Clear.render(halo, canvas);
        canvas.mark(area, Target::Dialog);
        let aside = Some((self.aside, crate::tui::theme::Role::Strong));
        let inner = Frame { title: self.title, aside, focused: true }.draw(area, theme, canvas);
        let foot_top = inner.bottom().saturating_sub(foot_height).max(inner.top());
        let foot = Rect { y: foot_top, height: inner.bottom() - foot_top, ..inner };
        let body = Rect { height: foot.top().saturating_sub(gap).saturating_sub(inner.top()), ..inner };
        let last = size(self.lines.len()).saturating_sub(body.height);
        let scroll = self.scroll.min(last);
        text::draw_lines(&self.lines, scroll, body, canvas);
        text::draw_lines(&self.foot, 0, foot, canvas);
        super::frame::more(Rect { height: body.height + 2, ..area }, scroll > 0, scroll < last, theme, canvas);
        Drawn { body, foot, scroll }
    }
}
