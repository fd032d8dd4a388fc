//! A refusal: the reason, and what could be done instead, in the dashboard's own keys where it has them.

use super::words::{DIALOG, lines};
use crate::{
    domain::{
        policy,
        switch::{plan::Intent, refusal::Refusal},
    },
    tui::{
        action::Action,
        canvas::Canvas,
        keymap::context::Context,
        model::Model,
        theme::{Role, Theme},
        widget::dialog::{Dialog, inner_width},
    },
};
use ratatui::{layout::Rect, text::Line};

pub(super) fn draw(
    model: &Model,
    title: &str,
    refusal: &Refusal,
    intent: Option<&Intent>,
    screen: Rect,
    theme: &Theme,
    canvas: &mut Canvas<'_>,
) {
    let columns = inner_width(screen, DIALOG);
    let mut all = lines(&refusal.message, columns, Role::Warn, theme);
    if !refusal.alternatives.is_empty() {
        all.push(Line::default());
        all.extend(lines("Instead:", columns, Role::Strong, theme));
    }
    let can_replace = intent.is_some_and(|intent| policy::with_replace(intent, refusal).is_some());
    for alternative in &refusal.alternatives {
        let text = here(model, alternative, can_replace);
        for (i, mut line) in lines(&text, columns.saturating_sub(4), Role::Text, theme).into_iter().enumerate() {
            let mark = if i == 0 { theme.glyphs.dot } else { " " };
            line.spans.insert(0, theme.span(Role::Muted, format!("  {mark} ")));
            all.push(line);
        }
    }
    let again = if intent.is_some() { "; r looks again" } else { "" };
    let foot = lines(&format!("{}: e explains it{again}", refusal.finding), columns, Role::Muted, theme);
    let title = format!("Not now: {title}");
    Dialog { title: &title, aside: "", lines: all, scroll: 0, foot, width: DIALOG }.draw(screen, theme, canvas);
}

/// An alternative that names a command, with the key that does the same here; the palette has all the others.
fn here(model: &Model, alternative: &str, can_replace: bool) -> String {
    let Some((what, command)) = alternative.split_once(": morpheus ") else { return alternative.to_owned() };
    let general = || command.split(' ').take(2).collect::<Vec<_>>().join(" ").parse::<Action>();
    let Ok(action) = command.parse::<Action>().or_else(|_| general()) else { return alternative.to_owned() };
    let key = |stack: &[Context], wanted: &Action| model.setup.keymap.key_of(stack, wanted).map(ToString::to_string);
    let in_the_panes = [Context::Panes, Context::Everywhere];
    match (key(&[Context::Refusal], &Action::ModeReplace(None)), key(&in_the_panes, &action)) {
        (Some(key), _) if can_replace && command.ends_with("--replace") => format!("{what}: {key} shows the plan"),
        (_, Some(key)) => format!("{what}: esc, then {key}"),
        _ => match key(&in_the_panes, &Action::Palette) {
            Some(palette) => format!("{what}: esc, then {palette} {action}"),
            None => format!("{what}: {action}"),
        },
    }
}
