//! A history as columns that grow from the bottom, and bands of what was so when. In every tier of glyphs.

use crate::tui::theme::{Role, Theme};
use ratatui::{buffer::Buffer, layout::Rect};

/// Columns of a history, the newest at the right edge.
#[derive(Clone, Copy, Debug)]
pub struct Graph<'a> {
    /// Oldest first; none where nothing was measured.
    pub values: &'a [Option<f32>],
    /// The value of a full column.
    pub full: f32,
}

impl Graph<'_> {
    /// Draws as many columns as there is room for. A value of nothing is still a mark, and a gap another one, so that
    /// they can be told apart without colours.
    pub fn draw(&self, area: Rect, theme: &Theme, buffer: &mut Buffer) {
        let skip = self.values.len().saturating_sub(usize::from(area.width));
        let shown = self.values.get(skip..).unwrap_or_default();
        let indent = area.width.saturating_sub(u16::try_from(shown.len()).unwrap_or(u16::MAX));
        for (x, value) in (area.left() + indent..area.right()).zip(shown) {
            match value {
                Some(value) => self.column(x, *value, area, theme, buffer),
                None if area.height > 0 => {
                    buffer.set_string(x, area.bottom() - 1, theme.glyphs.gap, theme.style(Role::Muted));
                }
                None => {}
            }
        }
    }

    fn column(&self, x: u16, value: f32, area: Rect, theme: &Theme, buffer: &mut Buffer) {
        let steps = theme.glyphs.column;
        let per_row = u16::try_from(steps.len()).unwrap_or(1).max(1);
        let mut level = level(value, self.full, area.height.saturating_mul(per_row));
        for y in (area.top()..area.bottom()).rev() {
            let here = level.min(per_row);
            level -= here;
            let Some(glyph) = usize::from(here).checked_sub(1).and_then(|step| steps.get(step)) else { return };
            buffer.set_string(x, y, glyph, theme.style(Role::Graph));
        }
    }
}

/// Steps of a column: from 1 for nothing to `steps` for full and more.
fn level(value: f32, full: f32, steps: u16) -> u16 {
    let share = if full > 0.0 { (value / full).clamp(0.0, 1.0) } else { 0.0 };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and the number of steps")]
    let level = (share * f32::from(steps)).ceil() as u16;
    level.clamp(1, steps.max(1))
}

/// The largest value; none where nothing was measured.
#[must_use]
pub fn most(values: &[Option<f32>]) -> Option<f32> {
    values.iter().flatten().copied().reduce(f32::max)
}

/// A round number that is at least `value`: 1, 2 or 5 times a power of ten, so that the scale seldom changes.
#[must_use]
pub fn round_up(value: f32) -> f32 {
    let mut unit = 1.0;
    while unit * 10.0 <= value {
        unit *= 10.0;
    }
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|n| n * unit).find(|n| *n >= value).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::caps::{Caps, ColorTier, GlyphTier};

    fn drawn(tier: GlyphTier, rows: u16, columns: u16, values: &[Option<f32>]) -> String {
        let theme = Theme::new(Caps { glyphs: tier, colors: ColorTier::None });
        let mut buffer = Buffer::empty(Rect::new(0, 0, columns, rows));
        Graph { values, full: 1.0 }.draw(buffer.area, &theme, &mut buffer);
        let cells: Vec<&str> = buffer.content.iter().map(ratatui::buffer::Cell::symbol).collect();
        cells.chunks(usize::from(columns)).map(<[&str]>::concat).collect::<Vec<_>>().join("\n")
    }

    const VALUES: [Option<f32>; 6] = [Some(0.0), None, Some(0.3), Some(0.5), Some(1.0), Some(7.0)];

    #[test]
    fn every_tier_draws_values_and_gaps_apart() {
        assert_eq!(drawn(GlyphTier::Unicode, 1, 6, &VALUES), "▁·▃▄██");
        assert_eq!(drawn(GlyphTier::Console, 1, 6, &VALUES), "░·░▒██");
        assert_eq!(drawn(GlyphTier::Ascii, 1, 6, &VALUES), "._.:##");
    }

    #[test]
    fn higher_columns_are_finer() {
        assert_eq!(drawn(GlyphTier::Unicode, 2, 6, &VALUES), "    ██\n▁·▅███");
        assert_eq!(drawn(GlyphTier::Ascii, 3, 6, &VALUES), "    ##\n   :##\n._####");
    }

    #[test]
    fn the_newest_stands_at_the_right_edge() {
        assert_eq!(drawn(GlyphTier::Ascii, 1, 8, &VALUES), "  ._.:##");
        assert_eq!(drawn(GlyphTier::Ascii, 1, 2, &VALUES), "##");
        assert_eq!(drawn(GlyphTier::Ascii, 1, 3, &[]), "   ");
    }

    #[test]
    fn scales_are_round() {
        let scales = [0.0, 1.0, 1.1, 3.0, 999.0, 1_200.0].map(|value| format!("{:.0}", round_up(value)));
        assert_eq!(scales, ["1", "1", "2", "5", "1000", "2000"]);
        assert_eq!((most(&[None, Some(2.0), Some(1.0)]), most(&[None])), (Some(2.0), None));
    }
}
