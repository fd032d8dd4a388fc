//! Files that are made for the guests: which there are, and the text of one. Secrets never get here.

use crate::{
    domain::{
        plant::File,
        text::{counted, safe},
    },
    tui::{
        canvas::{Canvas, Target},
        model::Model,
        theme::{Role, Theme},
        view::words::{DIALOG, indented, lines},
        widget::{
            dialog::{Dialog, inner_width},
            table::first_row,
            text::fit_middle,
        },
    },
};
use ratatui::{layout::Rect, text::Line};

/// Columns of a file's text.
const WIDE: u16 = 110;

pub(in crate::tui::view) fn draw(
    model: &Model,
    open: bool,
    scroll: u16,
    screen: Rect,
    theme: &Theme,
    canvas: &mut Canvas<'_>,
) {
    let files = model.plant_files();
    let Some(selected) = model.plant_file() else {
        let lines = lines("There are no files until every answer can be used.", DIALOG, Role::Muted, theme);
        Dialog { title: "Files", aside: "", lines, scroll: 0, foot: vec![], width: DIALOG }.draw(screen, theme, canvas);
        return;
    };
    if open {
        text(&selected, scroll, screen, theme, canvas);
    } else {
        list(&files, &selected, screen, theme, canvas);
    }
}

fn list(files: &[File], selected: &File, screen: Rect, theme: &Theme, canvas: &mut Canvas<'_>) {
    let columns = inner_width(screen, WIDE.min(90));
    let here = files.iter().position(|file| file.path == selected.path).unwrap_or(0);
    let height = usize::from(screen.height.saturating_sub(7)).max(1);
    let first = first_row(Some(here), files.len(), height);
    let shown = || files.iter().enumerate().skip(first).take(height);
    let row = |(place, file): (usize, &File)| {
        let chosen = place == here;
        let mark = if chosen { theme.glyphs.select } else { " " };
        let role = if chosen { Role::Selected } else { Role::Text };
        let secret = if file.secret { "  a secret" } else { "" };
        let room = usize::from(columns).saturating_sub(2 + secret.len());
        Line::from(vec![
            theme.span(Role::Focus, format!("{mark} ")),
            theme.span(role, fit_middle(&safe(&file.path), room, theme.glyphs.cut)),
            theme.span(Role::Warn, secret),
        ])
    };
    let rows: Vec<Line<'_>> = shown().map(row).collect();
    let mut foot = lines(&selected.about, columns, Role::Muted, theme);
    foot.truncate(2);
    foot.resize(2, Line::default());
    let aside = counted(files.len(), "file");
    let dialog = Dialog { title: "Files for the guests", aside: &aside, lines: rows, scroll: 0, foot, width: columns };
    let drawn = dialog.draw(screen, theme, canvas);
    for ((_, file), y) in shown().zip(drawn.body.top()..drawn.body.bottom()) {
        canvas.mark(Rect { y, height: 1, ..drawn.body }, Target::Choice(file.path.clone()));
    }
}

fn text(file: &File, scroll: u16, screen: Rect, theme: &Theme, canvas: &mut Canvas<'_>) {
    let columns = inner_width(screen, WIDE);
    let whole = file.text.replace('\t', "    ");
    let lines: Vec<Line<'_>> = whole.lines().flat_map(|line| row(line, columns, theme)).collect();
    let aside = counted(file.text.lines().count(), "line");
    let foot = Vec::new();
    Dialog { title: &safe(&file.path), aside: &aside, lines, scroll, foot, width: columns }.draw(screen, theme, canvas);
}

/// A line of a file with its indent; what doesn't fit goes on below, as far to the right.
fn row<'a>(line: &str, columns: u16, theme: &Theme) -> Vec<Line<'a>> {
    let text = line.trim_start();
    if text.is_empty() {
        return vec![Line::default()];
    }
    let indent = u16::try_from(line.len() - text.len()).unwrap_or(u16::MAX).min(columns / 2);
    indented(text, indent, columns, Role::Text, theme)
}
