//! Tables: columns as wide as their widest cell, two or more spaces between them, nothing after the last.

use crate::domain::text::{self, safe};
use std::io::{self, Write};

/// A table's columns: heading and least width.
pub(crate) type Columns<'a, const N: usize> = [(&'a str, usize); N];

/// Writes a table. Cells are made safe for a terminal.
pub(crate) fn table<const N: usize>(
    out: &mut dyn Write,
    columns: Columns<'_, N>,
    rows: impl IntoIterator<Item = [String; N]>,
) -> io::Result<()> {
    let rows: Vec<[String; N]> = rows.into_iter().map(|row| row.map(|cell| safe(&cell))).collect();
    let mut widths = columns.map(|(heading, least)| text::width(heading).max(least));
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = text::width(cell).max(*width);
        }
    }
    line(out, &columns.map(|(heading, _)| heading.to_owned()), widths)?;
    rows.iter().try_for_each(|row| line(out, row, widths))
}

fn line<const N: usize>(out: &mut dyn Write, cells: &[String; N], widths: [usize; N]) -> io::Result<()> {
    let mut whole = String::new();
    for (cell, width) in cells.iter().zip(widths) {
        whole.push_str(cell);
        whole.extend(std::iter::repeat_n(' ', width.saturating_sub(text::width(cell)) + 2));
    }
    writeln!(out, "{}", whole.trim_end())
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
