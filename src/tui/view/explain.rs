//! A finding's page.

use super::words::{DIALOG, labelled, lines};
use crate::{
    domain::{facts::Trouble, finding::FindingId},
    tui::{
        canvas::Canvas,
        theme::{Role, Theme},
        widget::dialog::{Dialog, inner_width},
    },
};
use ratatui::{layout::Rect, text::Line};

pub(super) fn draw(
    finding: FindingId,
    trouble: Option<&Trouble>,
    scroll: u16,
    screen: Rect,
    theme: &Theme,
    canvas: &mut Canvas<'_>,
) {
    let columns = inner_width(screen, DIALOG);
    let lines = page(finding, trouble, columns, theme);
    Dialog { title: finding.as_str(), aside: "", lines, scroll, foot: vec![], width: DIALOG }
        .draw(screen, theme, canvas);
}

/// What it is, this case of it, why it happens, what to do.
pub(super) fn page<'a>(finding: FindingId, trouble: Option<&Trouble>, columns: u16, theme: &Theme) -> Vec<Line<'a>> {
    let mut all = lines(finding.title(), columns, Role::Strong, theme);
    if let Some(trouble) = trouble {
        all.push(Line::default());
        all.extend(labelled("Here", &trouble.message, Role::Warn, columns, theme));
    }
    all.push(Line::default());
    all.extend(labelled("Why", finding.cause(), Role::Text, columns, theme));
    all.push(Line::default());
    all.extend(labelled("To do", finding.fix(), Role::Text, columns, theme));
    all
}
