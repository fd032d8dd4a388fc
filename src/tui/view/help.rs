//! The keys of the place under the help, made from the keymap.

use super::words::DIALOG;
use crate::tui::{
    action::Action,
    canvas::Canvas,
    model::{Model, layer::Field},
    theme::{Role, Theme},
    widget::{
        dialog::{Dialog, inner_width},
        text::{pad, wrap},
    },
};
use ratatui::{
    layout::{Position, Rect},
    text::Line,
};

pub(super) fn draw(
    model: &Model,
    filter: &Field,
    scroll: u16,
    screen: Rect,
    theme: &Theme,
    canvas: &mut Canvas<'_>,
) -> Position {
    let columns = inner_width(screen, DIALOG);
    let (typed, cursor) = filter.visible(columns.saturating_sub(20));
    let lines = rows(model, &filter.text, columns, theme);
    let prompt = "Type to filter: ";
    let foot = vec![Line::from(vec![theme.span(Role::Muted, prompt), theme.span(Role::Input, typed)])];
    let drawn =
        Dialog { title: "Keys here", aside: "", lines, scroll, foot, width: DIALOG }.draw(screen, theme, canvas);
    Position::new(drawn.foot.x + 16 + cursor, drawn.foot.y)
}

fn rows<'a>(model: &Model, filter: &str, columns: u16, theme: &Theme) -> Vec<Line<'a>> {
    const KEYS: usize = 16;
    let filter = filter.to_lowercase();
    let mut all: Vec<Line<'_>> = Vec::new();
    let mut place = None;
    for hint in model.hints(model.below_the_help()) {
        let keys: Vec<String> = hint.keys.iter().take(3).map(ToString::to_string).collect();
        let keys = keys.join("  ");
        let words = hint.action.words();
        if !format!("{keys} {} {}", words.name, words.sentence).to_lowercase().contains(&filter) {
            continue;
        }
        if place.replace(hint.context) != Some(hint.context) {
            if !all.is_empty() {
                all.push(Line::default());
            }
            all.push(Line::from(theme.span(Role::Strong, hint.context.title())));
        }
        let room = usize::from(columns).saturating_sub(KEYS);
        for (i, part) in wrap(sentence(&hint.action), room).into_iter().enumerate() {
            let keys = if i == 0 { pad(&keys, KEYS, false, theme.glyphs.cut) } else { " ".repeat(KEYS) };
            all.push(Line::from(vec![theme.span(Role::Key, keys), theme.span(Role::Text, part)]));
        }
        for part in hint.reason.iter().flat_map(|reason| wrap(&format!("Not now: {reason}"), room)) {
            all.push(Line::from(vec![theme.span(Role::Text, " ".repeat(KEYS)), theme.span(Role::Muted, part)]));
        }
    }
    if all.is_empty() {
        all.push(Line::from(theme.span(Role::Muted, "No key fits.")));
    }
    all
}

/// What an action does; of a pane, which one it is.
pub(super) const fn sentence(action: &Action) -> &'static str {
    match action {
        Action::Pane(1) => "The modes.",
        Action::Pane(2) => "The guests.",
        Action::Pane(3) => "Everything about the selected one.",
        Action::Pane(4) => "The host: load, memory, and which mode ran when.",
        Action::Pane(5) => "The log.",
        Action::Pane(6) => "The host's devices in their groups.",
        _ => action.words().sentence,
    }
}
