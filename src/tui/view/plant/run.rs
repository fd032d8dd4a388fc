//! A planting: its steps, how far the one that runs is, why it stands still, what it made, its newest lines.

use crate::{
    domain::{
        plant::{
            event::End,
            state::{Phase, StepState},
        },
        text::{duration, safe},
    },
    tui::{
        action::Action,
        model::{Model, ago, layer::Layer, plant::Run},
        theme::{Role, Theme},
        view::words::{indented, labelled, lines},
        widget::text::{fit, pad},
    },
};
use ratatui::{layout::Rect, text::Line};

/// Lines of the journal where there is room for them.
const LOG: usize = 8;
/// Columns of a step's time, on a narrow page, and which one is narrow.
const WIDE: usize = 20;
const NARROW: usize = 8;
const TIGHT: u16 = 70;

pub(super) fn content<'a>(model: &Model, area: Rect, theme: &Theme) -> Vec<Line<'a>> {
    let Some(run) = &model.plant.run else {
        return lines("Nothing was planted from here yet.", area.width, Role::Muted, theme);
    };
    let columns = area.width;
    let mut all = head(model, run, columns, theme);
    all.extend(rest(model, run, columns, theme));
    all.push(Line::default());
    let mut who = None;
    for step in &run.state.steps {
        if who.replace(step.step.who) != Some(step.step.who) {
            all.push(Line::from(theme.span(Role::Strong, step.step.who.title())));
        }
        all.extend(self::step(model, run, step, columns, theme));
    }
    let made = made(run, columns, theme);
    if !made.is_empty() {
        all.push(Line::default());
        all.extend(made);
    }
    let room = usize::from(area.height).saturating_sub(all.len() + 1);
    if room >= 3 && !run.log.is_empty() {
        all.push(Line::default());
        all.extend(log(model, run, room.min(LOG), columns, theme));
    }
    all
}

/// Where it stands, in a line or two.
fn head<'a>(model: &Model, run: &Run, columns: u16, theme: &Theme) -> Vec<Line<'a>> {
    let state = &run.state;
    let of = format!("{} of {} steps done", state.done(), state.steps.len());
    let (text, role) = match &state.finished {
        Some((End::Done, at)) => {
            (format!("Planted in {}, {}", duration(at.since(state.started) / 1_000), ago(model.now, *at)), Role::Good)
        }
        Some((End::Refused, at)) => (format!("Refused, nothing was changed, {}", ago(model.now, *at)), Role::Bad),
        Some((end, at)) => (format!("Ended: {}, {}", end.word(), ago(model.now, *at)), Role::Warn),
        None if run.alive && state.undoing => ("Removing what was made".to_owned(), Role::Warn),
        None if run.alive => (format!("Planting, {of}, {}", model.elapsed(state.started)), Role::Busy),
        None => (format!("Stands still, {of}, last heard of {}", ago(model.now, state.last)), Role::Bad),
    };
    let mut all = lines(&text, columns, role, theme);
    let on = format!("{} on {}", run.id, state.origin.host);
    let goes = if run.alive { "; it goes on if you leave" } else { "" };
    all.extend(lines(&format!("{on}{goes}"), columns, Role::Muted, theme));
    if let Some(step) = state.current().filter(|step| run.alive && step.phase == Phase::Running) {
        let progress = progress(step).map(|text| format!(": {text}")).unwrap_or_default();
        all.extend(labelled("Now", &format!("{}{progress}", step.step.title()), Role::Busy, columns, theme));
    }
    all
}

/// One step: mark, title, word, time; below it how far it is, what was found, or why it failed.
fn step<'a>(model: &Model, run: &Run, step: &StepState, columns: u16, theme: &Theme) -> Vec<Line<'a>> {
    let glyphs = theme.glyphs;
    let wide = if columns < TIGHT { NARROW } else { WIDE };
    let (mark, word, role) = match step.phase {
        Phase::Done => (glyphs.done, "done", Role::Good),
        Phase::Failed => (glyphs.failed, "failed", Role::Bad),
        Phase::Running if run.alive => (glyphs.active, "running", Role::Busy),
        Phase::Running => (glyphs.unknown, "begun", Role::Warn),
        Phase::Waiting if run.alive => (glyphs.waiting, "waiting", Role::Muted),
        Phase::Waiting => (glyphs.waiting, "not run", Role::Muted),
    };
    let time = match (step.phase, step.begun) {
        (Phase::Running, Some(begun)) if run.alive => {
            let usual = format!(" of about {}", crate::tui::model::age_of(step.step.usual * 1_000));
            format!("{}{}", model.elapsed(begun), if wide > NARROW { &usual } else { "" })
        }
        (Phase::Done | Phase::Failed, _) => step.elapsed(model.now).map(|ms| duration(ms / 1_000)).unwrap_or_default(),
        _ => String::new(),
    };
    let text_role = if step.phase == Phase::Waiting { Role::Muted } else { Role::Text };
    let room = usize::from(columns).saturating_sub(2 + 1 + 7 + 1 + wide);
    let mut all = vec![Line::from(vec![
        theme.span(role, format!("{mark} ")),
        theme.span(text_role, pad(&safe(&step.step.title()), room, false, glyphs.cut)),
        theme.span(role, format!(" {word:7}")),
        theme.span(Role::Text, format!(" {}", pad(&time, wide, true, glyphs.cut))),
    ])];
    // How far the one that runs is stands at the top.
    if let Some(text) = progress(step).filter(|_| step.phase == Phase::Running && !run.alive) {
        all.extend(indented(&text, 4, columns, Role::Muted, theme));
    }
    for note in step.notes.iter().filter(|note| !note.is_empty()) {
        all.extend(indented(note, 4, columns, Role::Muted, theme));
    }
    if let Some(trouble) = &step.trouble {
        all.extend(indented(&trouble.to_string(), 4, columns, Role::Bad, theme));
    }
    all
}

/// How far a step is.
fn progress(step: &StepState) -> Option<String> {
    let percent = step.percent.map(|percent| format!(" {percent}%")).unwrap_or_default();
    step.progress.as_ref().map(|text| format!("{text}{percent}"))
}

/// What it made that isn't gone, and what couldn't be removed.
fn made<'a>(run: &Run, columns: u16, theme: &Theme) -> Vec<Line<'a>> {
    let made: Vec<String> = run.state.made.iter().map(ToString::to_string).collect();
    let mut all = labelled("Made", &made.join("\n"), Role::Text, columns, theme);
    for (thing, trouble) in &run.state.kept {
        all.extend(labelled("Kept", &format!("{thing}: {}", trouble.message), Role::Warn, columns, theme));
    }
    all
}

/// Why it stands still and what to do, what the keys do, what comes next.
fn rest<'a>(model: &Model, run: &Run, columns: u16, theme: &Theme) -> Vec<Line<'a>> {
    let state = &run.state;
    let pair = |label: &str, text: &str, role| labelled(label, text, role, columns, theme);
    let mut all = Vec::new();
    if let Some(trouble) = run.trouble().filter(|_| run.is_open() || run.is_refused()) {
        all.extend(pair("Why", &trouble.to_string(), Role::Bad));
        all.extend(pair("To do", trouble.finding.fix(), Role::Text));
    }
    // A dialog above has keys of its own; the page stays as it is.
    let below = model.contexts_under(Some(&Layer::Plant));
    let key = |action| model.setup.keymap.key_of(below, &action).map(ToString::to_string);
    let ways = [
        (Action::PlantStop, "stops it, what was made stays"),
        (Action::PlantResume, "goes on from what stands"),
        (Action::PlantUndo, "removes what was made"),
    ];
    let ways = ways.into_iter().filter(|(action, _)| model.unavailable(action).is_none());
    let ways: Vec<String> = ways.filter_map(|(action, what)| Some(format!("{} {what}", key(action)?))).collect();
    if !ways.is_empty() {
        all.extend(pair("Keys", &ways.join(", "), Role::Text));
    }
    if let Some((End::Done, _)) = state.finished {
        all.extend(pair("Next", "The modes are in the list: Esc goes there, Enter switches to one.", Role::Text));
    }
    all
}

fn log<'a>(model: &Model, run: &Run, count: usize, columns: u16, theme: &Theme) -> Vec<Line<'a>> {
    let newest = run.log.iter().skip(run.log.len().saturating_sub(count));
    newest
        .map(|(_, at, text)| {
            let room = usize::from(columns).saturating_sub(9);
            Line::from(vec![
                theme.span(Role::Muted, format!("{} ", model.wall(*at))),
                theme.span(Role::Muted, fit(&safe(text), room, theme.glyphs.cut)),
            ])
        })
        .collect()
}
