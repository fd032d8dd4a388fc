//! The top line: which host, how the link stands, what is going on.

use crate::{
    domain::{finding::FindingId, guest::Power, text::safe},
    tui::{
        model::{Model, plant::Run},
        msg::{Link, OpBrief},
        theme::{Role, Theme},
        widget::text::{spread, width},
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
    let used: usize = left.iter().map(|span| width(&span.content)).sum();
    let room = usize::from(area.width).saturating_sub(used + 2);
    let line = spread(left, right(model, room, theme), usize::from(area.width));
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
    let old = model.old().map(|age| format!(", data {} old", model.age(age)));
    match &model.link {
        Link::Connecting => theme.span(Role::Busy, "connecting"),
        Link::Up => {
            old.map_or_else(|| theme.span(Role::Good, "live"), |old| theme.span(Role::Warn, format!("connected{old}")))
        }
        Link::Down { trouble, since, .. } => {
            let words = match trouble.finding {
                FindingId::PveAuth | FindingId::PvePassword | FindingId::PveSecondFactor => "not let in",
                FindingId::PveTls => "not trusted",
                FindingId::PveForbidden => "not permitted",
                _ => "no answer",
            };
            let gone = match model.now.since(*since) {
                ms if ms < model.beat() => String::new(),
                ms => format!(" for {}", model.age(ms)),
            };
            theme.span(Role::Bad, format!("{words}{gone}{}", old.unwrap_or_default()))
        }
        Link::Unconfigured(_) => theme.span(Role::Bad, "not configured"),
    }
}

/// What is going on, in as many words as there is room for: the operation, or else the current mode.
fn right<'a>(model: &Model, room: usize, theme: &Theme) -> Vec<Span<'a>> {
    let (role, candidates) = match model.open_op() {
        Some(op) => operation(model, op),
        None => match model.plant.open_run() {
            Some(run) => planting(model, run),
            None => current(model),
        },
    };
    let fits = candidates.into_iter().find(|text| width(text) < room);
    fits.map(|text| vec![theme.span(role, format!("{text} "))]).unwrap_or_default()
}

fn operation(model: &Model, op: &OpBrief) -> (Role, Vec<String>) {
    let state = &op.state;
    let elapsed = model.elapsed(state.started);
    let title = state.plan.title();
    let target = state.plan.target.as_ref().and_then(|party| party.mode.as_ref());
    let short = target.map_or_else(|| "operation".to_owned(), |mode| format!("-> {mode}"));
    if !op.alive {
        (Role::Bad, vec!["operation interrupted".to_owned()])
    } else if state.question().is_some() {
        (
            Role::Warn,
            vec![format!("{title}: a question, press o"), "a question: press o".to_owned(), "asks: o".to_owned()],
        )
    } else if state.is_rolling_back() {
        (Role::Warn, vec![format!("going back  {elapsed}"), elapsed])
    } else {
        (Role::Busy, vec![format!("{title}  {elapsed}"), format!("{short}  {elapsed}"), elapsed])
    }
}

fn planting(model: &Model, run: &Run) -> (Role, Vec<String>) {
    let state = &run.state;
    let (done, all, elapsed) = (state.done(), state.steps.len(), model.elapsed(state.started));
    if !run.alive {
        return (Role::Bad, vec!["planting stands still".to_owned(), "stands still".to_owned()]);
    }
    if state.undoing {
        return (Role::Warn, vec![format!("removing what was planted  {elapsed}"), elapsed]);
    }
    let title = state.current().map(|step| format!("{}  ", safe(&step.step.title()))).unwrap_or_default();
    let short = format!("planting {done}/{all}  {elapsed}");
    (Role::Busy, vec![format!("{title}{short}"), short, elapsed])
}

fn current(model: &Model) -> (Role, Vec<String>) {
    if let Some(mode) = model.setup.modes.current(&model.facts) {
        return (Role::Strong, vec![safe(mode.name.as_str())]);
    }
    if model.facts.qemu.fresh().is_none() {
        return (Role::Muted, Vec::new());
    }
    let running = model.setup.modes.running(&model.facts);
    let (unknown, running): (Vec<_>, Vec<_>) = running.partition(|mode| model.facts.power(mode.vmid) == Power::Unknown);
    let words = match (unknown.len(), running.len()) {
        (0, 0) => "no mode is running".to_owned(),
        (0, n) => format!("{n} modes are running"),
        (1, _) => "a mode's state is unknown".to_owned(),
        (n, _) => format!("states of {n} modes unknown"),
    };
    (Role::Muted, vec![words])
}
