//! The bottom line: what the keys do here, a passing remark, or the filter that is being typed.

use crate::{
    domain::text::counted,
    tui::{
        action::Action,
        canvas::{Canvas, Target},
        chord::{Chord, Key},
        keymap::{hints::Hint, sequence::spelled},
        model::{Model, Pane, layer::Layer},
        msg::Level,
        theme::{Role, Theme},
        widget::text::{fit, spread},
    },
};
use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
    text::{Line, Span},
};

pub(super) fn draw(model: &Model, area: Rect, theme: &Theme, canvas: &mut Canvas<'_>) -> Option<Position> {
    if model.ui.layers.last() == Some(&Layer::Filter) {
        return Some(filter(model, area, theme, canvas));
    }
    let line = match model.toast() {
        _ if !model.ui.pending.is_empty() => pending(model, theme),
        Some(toast) => {
            let role = match toast.level {
                Level::Info => Role::Strong,
                Level::Warn => Role::Warn,
                Level::Error => Role::Bad,
            };
            let room = usize::from(area.width).saturating_sub(1);
            Line::from(theme.span(role, format!(" {}", fit(&toast.text, room, theme.glyphs.cut))))
        }
        None => hints(model, area, theme, canvas),
    };
    canvas.set_line(area.x, area.y, &line, area.width);
    None
}

/// The keys that wait for another one.
fn pending<'a>(model: &Model, theme: &Theme) -> Line<'a> {
    let keys = format!(" {} ", spelled(&model.ui.pending));
    let rest = "waits for another key  ";
    let out = [theme.span(Role::Key, "esc"), theme.span(Role::Text, " back")];
    let begun = [theme.span(Role::Key, keys), theme.span(Role::Muted, rest)];
    begun.into_iter().chain(out).collect()
}

/// What the keys do here: what matters most first, help and quit always at the right. The row's main
/// action stands in brackets while it isn't possible.
fn hints<'a>(model: &Model, area: Rect, theme: &Theme, canvas: &mut Canvas<'_>) -> Line<'a> {
    let mut all = model.hints(model.contexts());
    all.retain(|hint| makes_sense(model, hint));
    let is_last = |hint: &&Hint| matches!(hint.action, Action::Help | Action::Quit);
    let spans = |hint: &Hint| spans(hint, model.label_of(&hint.action), theme);
    let right: Vec<Span<'_>> = all.iter().filter(is_last).flat_map(spans).collect();
    let right_width = wide(&right);
    let mut room = usize::from(area.width).saturating_sub(2 + right_width);
    let mut left = vec![theme.span(Role::Text, " ")];
    let mut end = 1;
    for hint in all.iter().filter(|hint| hint.action.is_worth_a_hint() && !is_last(hint)) {
        let spans = spans(hint);
        let wide = wide(&spans);
        if wide > room {
            continue;
        }
        room -= wide;
        end = mark(hint, end, wide, area, canvas);
        left.extend(spans);
    }
    let mut end = usize::from(area.width).saturating_sub(right_width);
    for hint in all.iter().filter(is_last) {
        end = mark(hint, end, wide(&spans(hint)), area, canvas);
    }
    spread(left, right, usize::from(area.width))
}

fn wide(spans: &[Span<'_>]) -> usize {
    spans.iter().map(Span::width).sum()
}

/// Lets a hint be clicked, and says where the next one begins. The blanks after it belong to no hint.
fn mark(hint: &Hint, begin: usize, wide: usize, area: Rect, canvas: &mut Canvas<'_>) -> usize {
    let size = |n: usize| u16::try_from(n).unwrap_or(u16::MAX);
    let place = Rect { x: area.x.saturating_add(size(begin)), width: size(wide.saturating_sub(2)), ..area };
    canvas.mark(place.intersection(area), Target::Act(hint.action.clone()));
    begin + wide
}

/// What can't be done now is left to the help, but for the row's main action.
fn makes_sense(model: &Model, hint: &Hint) -> bool {
    let main = hint.has(Chord::plain(Key::Enter));
    let blank = model.ui.layers.is_empty() && !model.knows_the_host();
    let of_rows = matches!(
        hint.action,
        Action::ModeSwitch(_)
            | Action::Inspect
            | Action::Filter
            | Action::Copy
            | Action::DevicesGpus
            | Action::Next
            | Action::Enter
    );
    match hint.action {
        Action::OpShow if blank => model.open_op().is_some(),
        Action::Copy if model.ui.layers.last() == Some(&Layer::Plant) => model.plant_text().is_some(),
        Action::Copy if blank => model.shown_fingerprint().is_some(),
        Action::Back => model.can_go_back(),
        // Where there are modes it is the palette that has it.
        Action::Plant => model.setup.modes.0.is_empty() && !blank,
        _ if blank && of_rows => false,
        _ => main || hint.reason.is_none(),
    }
}

fn spans<'a>(hint: &Hint, label: &str, theme: &Theme) -> Vec<Span<'a>> {
    let key = hint.key();
    if hint.reason.is_some() {
        return vec![theme.span(Role::Muted, format!("({key} {label})")), theme.span(Role::Text, "  ")];
    }
    vec![theme.span(Role::Key, key), theme.span(Role::Text, format!(" {label}")), theme.span(Role::Text, "  ")]
}

fn filter(model: &Model, area: Rect, theme: &Theme, buffer: &mut Buffer) -> Position {
    let found = if model.ui.pane == Pane::Log {
        format!("{} ", counted(model.log_place(Rect::default()).shown.len(), "line"))
    } else if model.ui.pane == Pane::Devices {
        format!("{} ", counted(model.shown_devices().len(), "device"))
    } else {
        let guests = counted(model.shown_guests().len(), "guest");
        format!("{}, {guests} ", counted(model.shown_modes().len(), "mode"))
    };
    let (text, cursor) = model.filter().visible(area.width / 2);
    let left = vec![theme.span(Role::Key, " / "), theme.span(Role::Input, text)];
    let line = spread(left, vec![theme.span(Role::Muted, found)], usize::from(area.width));
    buffer.set_line(area.x, area.y, &line, area.width);
    Position::new(area.x + 3 + cursor, area.y)
}
