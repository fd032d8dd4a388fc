//! The top line: which host, how the link stands, what is going on.

use crate::{
    domain::text::{duration, safe},
    tui::{
        model::{Model, age_of},
        msg::Link,
        theme::{Role, Theme},
        widget::text::spread,
    },
};
use ratatui::{buffer::Buffer, layout::Rect, text::Span};

pub(super) fn draw(model: &Model, area: Rect, theme: &Theme, buffer: &mut Buffer) {
    let mut left = vec![theme.span(Role::Strong, " morpheus  ")];
    if let Some(label) = &model.setup.label {
        left.push(theme.span(Role::Warn, format!("{}  ", safe(label))));
    }
    left.push(theme.span(Role::Text, place(model)));
    left.push(link(model, theme));
    let line = spread(left, right(model, theme), usize::from(area.width));
    buffer.set_line(area.x, area.y, &line, area.width);
}

fn place(model: &Model) -> String {
    let host = safe(&model.setup.host);
    match &model.facts.node {
        Some(node) if host.is_empty() => format!("{}  ", safe(node.as_str())),
        Some(node) => format!("{} at {host}  ", safe(node.as_str())),
        None if host.is_empty() => String::new(),
        None => format!("{host}  "),
    }
}

/// How the link stands, and how old the data is once it counts as old.
fn link<'a>(model: &Model, theme: &Theme) -> Span<'a> {
    let old = model.old().map(|age| format!(", data {} old", age_of(age)));
    match &model.link {
        Link::Connecting => theme.span(Role::Busy, "connecting"),
        Link::Up => match old {
            None => theme.span(Role::Good, "live"),
            Some(old) => theme.span(Role::Warn, format!("slow{old}")),
        },
        Link::Down { since, .. } => {
            let gone = age_of(model.now.since(*since));
            theme.span(Role::Bad, format!("no answer for {gone}{}", old.unwrap_or_default()))
        }
        Link::Unconfigured(_) => theme.span(Role::Bad, "not configured"),
    }
}

/// The operation that runs, or else the current mode.
fn right<'a>(model: &Model, theme: &Theme) -> Vec<Span<'a>> {
    if let Some(op) = model.open_op() {
        let state = &op.state;
        let elapsed = duration(model.now.since(state.started) / 1000);
        return if !op.alive {
            vec![theme.span(Role::Bad, "operation interrupted ")]
        } else if state.question().is_some() {
            vec![theme.span(Role::Warn, format!("{} asks what to do ", state.plan.title()))]
        } else if state.is_rolling_back() {
            vec![theme.span(Role::Warn, format!("going back  {elapsed} "))]
        } else {
            vec![theme.span(Role::Busy, format!("{}  {elapsed} ", state.plan.title()))]
        };
    }
    match model.setup.modes.current(&model.facts) {
        Some(mode) => vec![theme.span(Role::Strong, format!("{} ", safe(mode.name.as_str())))],
        None => {
            let running = model.setup.modes.running(&model.facts).count();
            let words = match (model.facts.qemu.fresh().is_some(), running) {
                (false, _) => String::new(),
                (true, 0) => "no mode is running ".to_owned(),
                (true, n) => format!("{n} modes are running "),
            };
            vec![theme.span(Role::Muted, words)]
        }
    }
}
