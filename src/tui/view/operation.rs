//! The steps of an operation, while it runs and afterwards.

use super::words::{DIALOG, labelled, lines};
use crate::{
    domain::{
        finding::FindingId,
        ids::{Millis, OpId},
        switch::{
            event::{Call, Outcome},
            plan::Verb,
            state::{Fate, Phase, State, StepState},
        },
        text::duration,
    },
    tui::{
        canvas::Canvas,
        model::{Model, ago},
        msg::OpBrief,
        theme::{Role, Theme},
        widget::{
            buttons::{Button, Choice},
            dialog::{Dialog, inner_width},
            text::pad,
        },
    },
};
use ratatui::{layout::Rect, text::Line};

/// Columns inside: room for the longest step and its times.
const WIDE: u16 = 74;

pub(super) fn draw(model: &Model, id: &OpId, scroll: u16, screen: Rect, theme: &Theme, canvas: &mut Canvas<'_>) {
    let Some(op) = model.op(id) else {
        let lines = lines("Waiting for its first line.", DIALOG, Role::Muted, theme);
        let title = format!("Operation {id}");
        Dialog { title: &title, aside: "", lines, scroll: 0, foot: vec![], width: DIALOG }.draw(screen, theme, canvas);
        return;
    };
    let columns = inner_width(screen, WIDE);
    let state = &op.state;
    let mut all = Vec::new();
    let from = state.rollback_from.unwrap_or(state.steps.len());
    for (i, step) in state.steps.iter().enumerate() {
        if i == from {
            all.push(Line::default());
            all.extend(lines("Going back:", columns, Role::Warn, theme));
        }
        if step.is_worth_a_line(step.begun.map_or(model.now, |begun| model.told(begun))) {
            all.extend(self::step(model, op, step, columns, theme));
        }
    }
    let rest = match (&state.finished, op.alive) {
        (Some(_), _) => end(state, columns, theme),
        (None, false) => interrupted(columns, theme),
        (None, true) => going_on(model, state, columns, theme),
    };
    if !rest.is_empty() {
        all.push(Line::default());
        all.extend(rest);
    }
    let foot = lines(&foot(id, state, model.now, op.alive), columns, Role::Muted, theme);
    let aside = match &state.finished {
        Some(finish) => duration(finish.at.since(state.started) / 1000),
        None => model.elapsed(state.started),
    };
    Dialog { title: &state.plan.title(), aside: &aside, lines: all, scroll, foot, width: WIDE }
        .draw(screen, theme, canvas);
}

fn foot(id: &OpId, state: &State, now: Millis, alive: bool) -> String {
    match &state.finished {
        Some(finish) => format!("{id}, ended {}", ago(now, finish.at)),
        None if alive => format!("{id}, goes on if you leave"),
        None => format!("{id}, last heard of {}", ago(now, state.last)),
    }
}

/// One step: mark, title, word, seconds of how many.
fn step<'a>(model: &Model, op: &OpBrief, step: &StepState, columns: u16, theme: &Theme) -> Vec<Line<'a>> {
    let glyphs = theme.glyphs;
    let over = op.state.finished.is_some() || !op.alive;
    let (mark, word, role) = match step.phase {
        Phase::Done if step.is_unseen() => (glyphs.unknown, "unknown", Role::Warn),
        Phase::Done => (glyphs.done, "done", Role::Good),
        Phase::Failed => (glyphs.failed, "failed", Role::Bad),
        Phase::Running if step.question.is_some() => (glyphs.warn, "asks", Role::Warn),
        Phase::Running if over => (glyphs.unknown, "begun", Role::Warn),
        Phase::Running => (glyphs.active, "running", Role::Busy),
        Phase::Waiting if over => (glyphs.waiting, "not run", Role::Muted),
        Phase::Waiting => (glyphs.waiting, "waiting", Role::Muted),
    };
    let time = match (step.phase, step.begun) {
        (Phase::Running, Some(begun)) if step.question.is_some() => model.elapsed(begun),
        (Phase::Running, Some(begun)) if !over => {
            format!("{} of {}", model.elapsed(begun), duration(step.step.deadline))
        }
        (Phase::Done | Phase::Failed, _) => step.elapsed(model.now).map(|ms| duration(ms / 1000)).unwrap_or_default(),
        _ => String::new(),
    };
    let text_role = if step.phase == Phase::Waiting { Role::Muted } else { Role::Text };
    let room = usize::from(columns).saturating_sub(2 + 1 + 7 + 1 + 16);
    let mut all = vec![Line::from(vec![
        theme.span(role, format!("{mark} ")),
        theme.span(text_role, pad(&step.title(), room, false, glyphs.cut)),
        theme.span(role, format!(" {word:7}")),
        theme.span(Role::Text, format!(" {}", pad(&time, 16, true, glyphs.cut))),
    ])];
    all.extend(remark(step, columns, theme));
    all
}

/// What is worth knowing of a step: why it failed, or what it is waiting for.
fn remark<'a>(step: &StepState, columns: u16, theme: &Theme) -> Vec<Line<'a>> {
    let indented = |text: &str, role| {
        let parts = lines(text, columns.saturating_sub(4), role, theme).into_iter();
        parts
            .map(|mut line| {
                line.spans.insert(0, theme.span(Role::Text, "    "));
                line
            })
            .collect()
    };
    if let Some(trouble) = &step.trouble {
        return indented(&trouble.to_string(), Role::Bad);
    }
    if step.is_unseen() {
        return step.notes.last().map(|note| indented(note, Role::Muted)).unwrap_or_default();
    }
    if step.phase != Phase::Running || step.question.is_some() {
        return Vec::new();
    }
    let note = step.last_call().and_then(|call| match (&call.call, &call.fate) {
        (_, Fate::Failed { trouble, retry: true, .. }) => Some(format!("{}; tried again", trouble.message)),
        (_, Fate::Unknown) => Some("sent; not acknowledged yet".to_owned()),
        (Call::Stop { off: true, .. }, Fate::Task(_)) => Some("powered off; ending its QEMU process".to_owned()),
        (Call::Stop { .. }, Fate::Task(_)) => Some("stopped hard; waiting to see it stopped".to_owned()),
        _ => None,
    });
    note.or_else(|| step.notes.last().cloned()).map(|note| indented(&note, Role::Muted)).unwrap_or_default()
}

fn going_on<'a>(model: &Model, state: &State, columns: u16, theme: &Theme) -> Vec<Line<'a>> {
    if let Some((_, question)) = state.question() {
        let when = if model.setup.reduced_motion {
            format!("at {}", model.wall(question.until).trim())
        } else {
            format!("in {}", duration(question.until.since(model.now) / 1000))
        };
        let mut all = lines(&question.text, columns, Role::Warn, theme);
        let choice = |key: &'static str, text: &'static str, role| {
            Line::from(vec![theme.span(Role::Key, format!("  {key}  ")), theme.span(role, text)])
        };
        all.push(choice("w", "wait: ask it again and wait as long as before", Role::Text));
        all.push(choice("S", "stop it hard: pulls the plug, unsaved work is lost", Role::Bad));
        all.push(choice("a", "abort: the guest stays, the operation ends", Role::Text));
        all.extend(lines(&format!("Without an answer it gives up {when}."), columns, Role::Muted, theme));
        return all;
    }
    if state.cancel.is_some() {
        return lines("It was asked to end and does so after this step.", columns, Role::Warn, theme);
    }
    if state.is_rolling_back() {
        let shown = state.steps.iter().any(|step| step.trouble == state.trouble);
        let why = state.trouble.as_ref().filter(|_| !shown);
        return why.map(|why| lines(&why.message, columns, Role::Bad, theme)).unwrap_or_default();
    }
    Vec::new()
}

fn interrupted<'a>(columns: u16, theme: &Theme) -> Vec<Line<'a>> {
    let mut all = lines("Its runner ended before it did. Nothing is being done now.", columns, Role::Bad, theme);
    all.extend(lines("c goes on from what is seen, u goes back to how it was.", columns, Role::Text, theme));
    all
}

/// How it ended, and what to do now.
fn end<'a>(state: &State, columns: u16, theme: &Theme) -> Vec<Line<'a>> {
    let Some(finish) = &state.finished else { return Vec::new() };
    let pair = |label: &str, text: &str, role| labelled(label, text, role, columns, theme);
    let mut all = match (finish.outcome, state.plan.intent.verb, &state.plan.target) {
        (Outcome::Done, Verb::Switch, Some(target)) => {
            let name = target.mode.as_ref().map_or_else(|| target.to_string(), ToString::to_string);
            lines(&format!("Now in {name} mode"), columns, Role::Good, theme)
        }
        (Outcome::Done, ..) => lines("Done", columns, Role::Good, theme),
        (outcome, ..) => {
            let role = if outcome == Outcome::NotRolledBack { Role::Bad } else { Role::Warn };
            let word = outcome.word();
            let first = word.chars().next().map(|c| c.to_ascii_uppercase()).into_iter();
            lines(&first.chain(word.chars().skip(1)).collect::<String>(), columns, role, theme)
        }
    };
    if let Some(address) = state.address() {
        all.extend(pair("Address", &address.to_string(), Role::Strong));
    }
    if let Some(gpu) = &finish.gpu {
        all.extend(pair("GPU", gpu, Role::Text));
    }
    let down: Vec<&str> = state.services_down().collect();
    if !down.is_empty() {
        all.extend(pair("Down", &format!("{} ({})", down.join(", "), FindingId::ServiceDown), Role::Warn));
    }
    if let Some(unknown) = state.services_unknown() {
        all.extend(pair("Unknown", &unknown, Role::Warn));
    }
    if let Some(trouble) = &state.trouble
        && finish.outcome != Outcome::Done
    {
        let shown = state.steps.iter().any(|step| step.trouble.as_ref() == Some(trouble));
        if !shown {
            all.extend(pair("Why", &trouble.to_string(), Role::Text));
        }
        all.extend(pair("To do", trouble.finding.fix(), Role::Text));
        all.extend(pair("More", "e explains it", Role::Muted));
    }
    all
}

/// Asks whether to cancel.
pub(super) fn cancel(model: &Model, id: &OpId, yes: bool, screen: Rect, theme: &Theme, canvas: &mut Canvas<'_>) {
    let text = "The step that runs is ended. What was stopped is started again, unless the target runs already.";
    ask(model, id, yes, ("Cancel this operation?", text, "Go on", "Cancel it"), screen, theme, canvas);
}

/// Asks whether to go back from an interrupted operation.
pub(super) fn undo(model: &Model, id: &OpId, yes: bool, screen: Rect, theme: &Theme, canvas: &mut Canvas<'_>) {
    let text = "What it started is shut down, what it stopped is started again, from what is seen of the guests now.";
    ask(model, id, yes, ("Go back?", text, "Not now", "Go back"), screen, theme, canvas);
}

fn ask(
    model: &Model,
    id: &OpId,
    yes: bool,
    (title, text, no_label, yes_label): (&str, &str, &str, &str),
    screen: Rect,
    theme: &Theme,
    canvas: &mut Canvas<'_>,
) {
    let columns = inner_width(screen, DIALOG);
    let what = model.op(id).map(|op| op.state.plan.title()).unwrap_or_default();
    let mut all = lines(&what, columns, Role::Strong, theme);
    all.extend(lines(text, columns, Role::Text, theme));
    let choice = Choice { no: no_label, yes: Button { label: yes_label, danger: true }, on_yes: yes };
    let foot = vec![choice.line(columns, theme)];
    let drawn = Dialog { title, aside: "", lines: all, scroll: 0, foot, width: DIALOG }.draw(screen, theme, canvas);
    choice.mark(drawn.last_row(), canvas);
}
