//! A table whose columns give way by importance, and whose selected row is always in sight.

use super::text;
use crate::tui::{
    action::Action,
    canvas::{Canvas, Target},
    theme::{Role, Theme},
};
use ratatui::{
    layout::Rect,
    text::{Line, Span},
};

/// A column.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Its heading.
    pub title: &'static str,
    /// Columns that it needs.
    pub min: u16,
    /// Columns that it can use.
    pub max: u16,
    /// Those with a higher number go first when there is no room.
    pub rank: u8,
    /// What stands in it.
    pub holds: Holds,
}

/// What stands in a column: how it is placed, and where it is cut when there is no room for it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Holds {
    /// Words: cut at the end.
    Text,
    /// Names, which often differ at the end only: cut in the middle.
    Name,
    /// Numbers, at the right.
    Number,
}

/// A cell.
#[derive(Clone, Debug)]
pub struct Cell {
    /// Its text, already safe for a terminal.
    pub text: String,
    /// What it means.
    pub role: Role,
}

impl Cell {
    /// A cell.
    pub fn new(role: Role, text: impl Into<String>) -> Self {
        Self { text: text.into(), role }
    }
}

/// A row.
#[derive(Clone, Debug, Default)]
pub struct Row {
    /// Its cells, one for each column.
    pub cells: Vec<Cell>,
    /// A line below them, in a table that has room for one.
    pub below: Option<Cell>,
    /// What a click on it means.
    pub target: Option<Target>,
    /// A line over all columns in place of the cells, as the head of the rows below it; its parts.
    pub head: Vec<Cell>,
}

impl Column {
    /// The same column for texts of at most `longest` columns: no wider than them and its heading, and no narrower
    /// than `least` as long as they are.
    #[must_use]
    pub fn holding(self, longest: usize, least: u16) -> Self {
        let natural = u16::try_from(longest.max(self.title.len())).unwrap_or(u16::MAX);
        Self { min: natural.min(least), max: natural, ..self }
    }
}

impl From<Vec<Cell>> for Row {
    fn from(cells: Vec<Cell>) -> Self {
        Self { cells, ..Self::default() }
    }
}

/// Which columns have room, and how wide each is; 0 for those that have none.
#[must_use]
pub fn widths(columns: &[Column], room: u16) -> Vec<u16> {
    let mut shown: Vec<bool> = columns.iter().map(|_| true).collect();
    let need = |shown: &[bool]| {
        let widths = columns.iter().zip(shown).filter(|(_, s)| **s).map(|(c, _)| c.min + 1);
        widths.sum::<u16>().saturating_sub(1)
    };
    while need(&shown) > room {
        let place = (0..columns.len())
            .filter(|i| shown.get(*i) == Some(&true))
            .max_by_key(|i| columns.get(*i).map_or(0, |c| c.rank));
        match place.and_then(|i| shown.get_mut(i)) {
            Some(last) if *last => *last = false,
            _ => break,
        }
        if shown.iter().filter(|s| **s).count() <= 1 {
            break;
        }
    }
    let mut left = room.saturating_sub(need(&shown));
    let mut out: Vec<u16> = columns.iter().zip(&shown).map(|(c, s)| if *s { c.min.min(room) } else { 0 }).collect();
    let mut order: Vec<usize> = (0..columns.len()).collect();
    order.sort_by_key(|i| columns.get(*i).map_or(0, |c| c.rank));
    for i in order {
        if let (Some(column), Some(width)) = (columns.get(i), out.get_mut(i))
            && *width > 0
        {
            let more = column.max.saturating_sub(column.min).min(left);
            *width += more;
            left -= more;
        }
    }
    out
}

/// The first row to show so that the selected one is in sight, near the middle once there is more than a screenful.
#[must_use]
pub fn first_row(selected: Option<usize>, rows: usize, height: usize) -> usize {
    let last = rows.saturating_sub(height);
    selected.map_or(0, |selected| selected.saturating_sub(height / 2).min(last))
}

/// A table to draw.
pub struct Table<'a> {
    /// Its columns.
    pub columns: &'a [Column],
    /// How many rows there are.
    pub rows: usize,
    /// Which one is selected.
    pub selected: Option<usize>,
    /// Whether keys go to it.
    pub focused: bool,
    /// Whether each row has a line below it.
    pub tall: bool,
    /// The heading of the column that rows stand by, and the mark beside it.
    pub sorted: Option<(&'static str, &'static str)>,
    /// What a click on a heading does.
    pub on_heading: fn(&Column) -> Option<Action>,
}

impl Table<'_> {
    /// Draws the heading and as many rows as there is room for; only those are asked for. Says whether there is more
    /// above and below.
    pub fn draw(
        &self,
        area: Rect,
        theme: &Theme,
        canvas: &mut Canvas<'_>,
        mut row: impl FnMut(usize) -> Row,
    ) -> (bool, bool) {
        let widths = widths(self.columns, area.width.saturating_sub(2));
        let heading: Vec<Cell> = self.columns.iter().map(|column| self.heading(column)).collect();
        canvas.set_line(area.x, area.y, &self.line("  ", &heading, &widths, None, theme), area.width);
        self.mark_headings(area, &widths, canvas);
        let lines = if self.tall { 2 } else { 1 };
        let height = usize::from(area.height.saturating_sub(1)) / lines;
        let first = first_row(self.selected, self.rows, height);
        let last = (first + height).min(self.rows);
        for (index, y) in (first..last).zip((area.top() + 1..area.bottom()).step_by(lines)) {
            let row = row(index);
            if !row.head.is_empty() {
                canvas.set_line(area.x, y, &head(&row.head, area.width, theme), area.width);
                continue;
            }
            let selected = self.selected == Some(index);
            let over = selected.then_some(if self.focused { Role::Selected } else { Role::Remembered });
            let mark = if selected { format!("{} ", theme.glyphs.select) } else { "  ".to_owned() };
            let mut line = self.line(&mark, &row.cells, &widths, over, theme);
            if selected && self.focused {
                let rest =
                    usize::from(area.width).saturating_sub(line.iter().map(|span| text::width(&span.content)).sum());
                line.push_span(theme.span(Role::Selected, " ".repeat(rest)));
            }
            canvas.set_line(area.x, y, &line, area.width);
            if let Some(target) = row.target {
                let height = if self.tall { 2 } else { 1 };
                canvas.mark(Rect { y, height, ..area }.intersection(area), target);
            }
            if let Some(below) = row.below.filter(|_| self.tall) {
                let text = text::fit(&below.text, usize::from(area.width).saturating_sub(4), theme.glyphs.cut);
                canvas.set_line(area.x + 4, y + 1, &Line::from(theme.span(below.role, text)), area.width - 4);
            }
        }
        (first > 0, last < self.rows)
    }

    fn mark_headings(&self, area: Rect, widths: &[u16], canvas: &mut Canvas<'_>) {
        let mut x = area.x + 2;
        for (column, width) in self.columns.iter().zip(widths).filter(|(_, width)| **width > 0) {
            if let Some(action) = (self.on_heading)(column) {
                canvas.mark(Rect { x, width: *width, height: 1, ..area }.intersection(area), Target::Act(action));
            }
            x = x.saturating_add(width + 1);
        }
    }

    fn heading(&self, column: &Column) -> Cell {
        match self.sorted {
            Some((title, mark)) if title == column.title => Cell::new(Role::Strong, format!("{title}{mark}")),
            _ => Cell::new(Role::Muted, column.title),
        }
    }

    fn line(&self, mark: &str, cells: &[Cell], widths: &[u16], over: Option<Role>, theme: &Theme) -> Line<'static> {
        let mut spans: Vec<Span<'static>> = vec![theme.span(over.unwrap_or(Role::Text), mark.to_owned())];
        let shown = self.columns.iter().zip(cells).zip(widths).filter(|(_, width)| **width > 0);
        for (i, ((column, cell), width)) in shown.enumerate() {
            let role = match over {
                Some(Role::Remembered) if cell.role != Role::Text => cell.role,
                Some(over) => over,
                None => cell.role,
            };
            if i > 0 {
                spans.push(theme.span(over.unwrap_or(Role::Text), " "));
            }
            let wide = usize::from(*width);
            let text = match column.holds {
                Holds::Name => text::fit_middle(&cell.text, wide, theme.glyphs.cut),
                Holds::Text | Holds::Number => text::fit(&cell.text, wide, theme.glyphs.cut),
            };
            let text = text::pad(&text, wide, column.holds == Holds::Number, theme.glyphs.cut);
            spans.push(theme.span(role, text));
        }
        Line::from(spans)
    }
}

/// The parts of a head with two blanks between them, cut where there is no room.
fn head(parts: &[Cell], columns: u16, theme: &Theme) -> Line<'static> {
    let mut room = usize::from(columns);
    let mut spans = Vec::with_capacity(parts.len() * 2);
    for part in parts.iter().filter(|part| !part.text.is_empty()) {
        let gap = if spans.is_empty() { 0 } else { 2 };
        if room <= gap + 1 {
            break;
        }
        let text = text::fit(&part.text, room - gap, theme.glyphs.cut);
        room -= gap + text::width(&text);
        spans.push(theme.span(Role::Text, " ".repeat(gap)));
        spans.push(theme.span(part.role, text));
    }
    Line::from(spans)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn column(min: u16, max: u16, rank: u8) -> Column {
        Column { title: "", min, max, rank, holds: Holds::Text }
    }

    #[test]
    fn columns_give_way_by_rank_and_the_rest_is_shared_out() {
        let columns = [column(4, 4, 0), column(8, 20, 1), column(8, 8, 2), column(4, 4, 3)];
        assert_eq!(widths(&columns, 27), [4, 8, 8, 4]);
        assert_eq!(widths(&columns, 40), [4, 20, 8, 4]);
        assert_eq!(widths(&columns, 26), [4, 12, 8, 0]);
        assert_eq!(widths(&columns, 13), [4, 8, 0, 0]);
        assert_eq!(widths(&columns, 2), [2, 0, 0, 0]);
    }

    #[test]
    fn the_selected_row_is_in_sight() {
        assert_eq!(
            [first_row(Some(3), 5, 10), first_row(Some(50), 100, 10), first_row(Some(99), 100, 10)],
            [0, 45, 90]
        );
    }
}
