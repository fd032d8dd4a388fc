//! A refusal: the reason, and what could be done instead.

use super::words::{DIALOG, lines};
use crate::{
    domain::switch::refusal::Refusal,
    tui::{
        theme::{Role, Theme},
        widget::dialog::{Dialog, inner_width},
    },
};
use ratatui::{buffer::Buffer, layout::Rect, text::Line};

pub(super) fn draw(title: &str, refusal: &Refusal, again: bool, screen: Rect, theme: &Theme, buffer: &mut Buffer) {
    let columns = inner_width(screen, DIALOG);
    let mut all = lines(&refusal.message, columns, Role::Warn, theme);
    if !refusal.alternatives.is_empty() {
        all.push(Line::default());
        all.extend(lines("Instead:", columns, Role::Strong, theme));
    }
    for alternative in &refusal.alternatives {
        for (i, mut line) in lines(alternative, columns.saturating_sub(4), Role::Text, theme).into_iter().enumerate() {
            let mark = if i == 0 { theme.glyphs.dot } else { " " };
            line.spans.insert(0, theme.span(Role::Muted, format!("  {mark} ")));
            all.push(line);
        }
    }
    let again = if again { "; r looks again" } else { "" };
    let foot = lines(&format!("{}: e explains it{again}", refusal.finding), columns, Role::Muted, theme);
    let title = format!("Not now: {title}");
    Dialog { title: &title, aside: "", lines: all, scroll: 0, foot, width: DIALOG }.draw(screen, theme, buffer);
}
