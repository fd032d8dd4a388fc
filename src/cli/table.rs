//! Tables: columns as wide as their widest cell, two or more spaces between them, nothing after the last.

use crate::domain::text::safe;
use std::io::{self, Write};
use unicode_width::UnicodeWidthStr;

/// A table's columns: heading and least width.
pub(crate) type Columns<'a, const N: usize> = [(&'a str, usize); N];

/// Writes a table. Cells are made safe for a terminal.
pub(crate) fn table<const N: usize>(
    out: &mut dyn Write,
    columns: Columns<'_, N>,
    rows: impl IntoIterator<Item = [String; N]>,
) -> io::Result<()> {
    let rows: Vec<[String; N]> = rows.into_iter().map(|row| row.map(|cell| safe(&cell))).collect();
    let mut widths = columns.map(|(heading, least)| heading.width().max(least));
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.width().max(*width);
        }
    }
    line(out, &columns.map(|(heading, _)| heading.to_owned()), widths)?;
    rows.iter().try_for_each(|row| line(out, row, widths))
}

fn line<const N: usize>(out: &mut dyn Write, cells: &[String; N], widths: [usize; N]) -> io::Result<()> {
    let mut text = String::new();
    for (cell, width) in cells.iter().zip(widths) {
        text.push_str(cell);
        text.extend(std::iter::repeat_n(' ', width.saturating_sub(cell.width()) + 2));
    }
    writeln!(out, "{}", text.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_grow_with_their_cells_and_wide_characters_count_double() {
        let mut out = Vec::new();
        let rows = [["日本".to_owned(), "x".to_owned()], ["a\tb".to_owned(), String::new()]];
        table(&mut out, [("N", 3), ("LONG", 0)], rows).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "N     LONG\n日本  x\na?b\n");
    }
}
