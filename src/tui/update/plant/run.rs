//! A planting: followed by its journal, and spoken to.

use super::super::say;
use crate::{
    domain::{
        facts::Trouble,
        ids::OpId,
        journal::Told,
        plant::{Event, State, What},
    },
    tui::{
        effect::{Effect, PlantDo},
        model::{
            Model,
            layer::Layer,
            plant::{Page, Run},
        },
        msg::{Level, Ticket},
    },
};
use std::collections::VecDeque;

/// Lines that are remembered.
const LINES: usize = 200;

/// The newest planting of this machine.
pub(super) fn newest(model: &mut Model, id: &OpId, state: Box<State>, alive: bool) -> Vec<Effect> {
    let first = model.plant.run.is_none();
    let is_news = |run: &Run| run.id != *id || run.state.next_seq < state.next_seq;
    // One that ended while nobody followed it may have changed the configuration.
    let reload = (!alive && model.plant.run.as_deref().is_some_and(is_news)).then_some(Effect::Reload);
    match &mut model.plant.run {
        Some(run) if run.id == *id && run.state.next_seq > state.next_seq => run.alive = alive,
        Some(run) if run.id == *id => (run.state, run.alive) = (state, alive),
        _ => model.plant.run = Some(Box::new(Run { id: id.clone(), state, alive, log: VecDeque::new() })),
    }
    if model.plant.live_run().is_none() {
        return reload.into_iter().collect();
    }
    if first && model.ui.layers.is_empty() {
        model.ui.layers.push(Layer::Plant);
        model.plant.page = Page::Run;
    }
    attach(model, id)
}

/// Follows a journal, once.
pub(in crate::tui::update) fn attach(model: &mut Model, id: &OpId) -> Vec<Effect> {
    let new = model.ui.attached.insert(id.clone());
    if new { vec![Effect::Plant(PlantDo::Attach(id.clone()))] } else { Vec::new() }
}

/// A line of a planting's journal.
pub(super) fn line(model: &mut Model, id: &OpId, event: &Event) -> Vec<Effect> {
    match &mut model.plant.run {
        Some(run) if run.id == *id => {
            if let Some((_, text)) = (event.seq < run.state.next_seq).then(|| newest_line(&run.state, event)).flatten()
            {
                // A line of before it was followed: known, but not yet told.
                remember(run, event, text);
                return Vec::new();
            }
            if run.state.next_seq != event.seq {
                return Vec::new();
            }
            run.state.apply(event);
            run.alive |= matches!(event.what, What::RunnerStarted { .. });
            if matches!(event.what, What::Finished { .. }) {
                run.alive = false;
            }
        }
        _ => {
            let Some(state) = State::begin(event) else { return Vec::new() };
            let log = VecDeque::new();
            model.plant.run = Some(Box::new(Run { id: id.clone(), state: Box::new(state), alive: true, log }));
        }
    }
    if matches!(event.what, What::Finished { .. }) {
        // It can be followed again when it is undone.
        model.ui.attached.remove(id);
    }
    tell(model, event);
    match &event.what {
        // The lists behind are to agree with what was made.
        What::StepDone { .. } | What::StepFailed { .. } | What::Removed { .. } => vec![Effect::Refresh],
        // So are the modes with the configuration.
        What::Finished { .. } | What::Halted { .. } => {
            model.plant.seen = None;
            vec![Effect::Refresh, Effect::Reload]
        }
        _ => Vec::new(),
    }
}

fn remember(run: &mut Run, event: &Event, text: String) {
    if run.log.back().is_some_and(|(last, ..)| *last >= event.seq) {
        return;
    }
    run.log.push_back((event.seq, event.at, text));
    if run.log.len() > LINES {
        run.log.pop_front();
    }
}

/// What a line means for the log, and for whoever isn't looking at the steps.
fn tell(model: &mut Model, event: &Event) {
    let shown = model.ui.layers.last() == Some(&Layer::Plant) && model.plant.page == Page::Run;
    let Some(run) = &mut model.plant.run else { return };
    let Some((level, text)) = newest_line(&run.state, event) else { return };
    remember(run, event, text.clone());
    if matches!(event.what, What::Progress { .. }) {
        return;
    }
    let _: Vec<Effect> = say::log(model, level, format!("planting: {text}"));
    if matches!(event.what, What::Finished { .. } | What::Halted { .. }) && !shown {
        let _: Vec<Effect> = say::toast(model, level.min(Level::Warn), format!("Planting: {text}"));
    }
}

/// A line of the journal in words.
pub(in crate::tui::update) fn newest_line(state: &State, event: &Event) -> Option<(Level, String)> {
    let title = |step: &u16| state.steps.get(usize::from(*step)).map(|step| step.step.title());
    Some(match &event.what {
        What::Planned { origin, .. } => (Level::Info, format!("planned for {}", origin.host)),
        What::RunnerStarted { pid } => (Level::Info, format!("runner {pid} took over")),
        What::StepBegun { step } => (Level::Info, title(step)?),
        What::Making { thing, .. } => (Level::Info, format!("making {thing}")),
        What::TaskStarted { upid, .. } => (Level::Info, format!("the host works: {upid}")),
        What::Progress { text, percent, .. } => {
            let percent = percent.map(|percent| format!(" {percent}%")).unwrap_or_default();
            (Level::Info, format!("{text}{percent}"))
        }
        What::StepDone { step, notes } => {
            let mut words = vec![format!("{}: done", title(step)?)];
            words.extend(notes.iter().filter(|note| !note.is_empty()).cloned());
            (Level::Info, words.join("; "))
        }
        What::StepFailed { step, trouble } => (Level::Error, format!("{}: {trouble}", title(step)?)),
        What::Halted { because } => (Level::Warn, format!("stopped: {because}")),
        What::UndoRequested => (Level::Warn, "everything that was made is removed".to_owned()),
        What::Removing { thing } => (Level::Info, format!("removing {thing}")),
        What::Removed { thing } => (Level::Info, format!("removed {thing}")),
        What::Kept { thing, trouble } => (Level::Warn, format!("kept {thing}: {trouble}")),
        What::Finished { end } => (Level::Info, end.word().to_owned()),
    })
}

/// The runner ended before the planting did.
pub(super) fn lost(model: &mut Model, id: &OpId) -> Vec<Effect> {
    model.ui.attached.remove(id);
    let Some(run) = model.plant.run.as_deref_mut().filter(|run| run.id == *id) else { return Vec::new() };
    run.alive = false;
    if !run.is_open() || run.state.halted.is_some() {
        return Vec::new();
    }
    say::toast(model, Level::Error, "The planting stands still: its runner ended before it did.")
}

/// The runner was started, or wasn't. None if this is no planting's request.
pub(in crate::tui::update) fn started(
    model: &mut Model,
    ticket: Ticket,
    result: &Result<OpId, Trouble>,
) -> Option<Vec<Effect>> {
    model.plant.starting.take_if(|mine| *mine == ticket)?;
    Some(match result {
        Ok(id) => {
            if model.is_planting_shown() {
                model.plant.page = Page::Run;
                model.plant.scroll = 0;
                model.plant.visited.insert(Page::Run);
            }
            attach(model, id)
        }
        Err(trouble) => say::toast(model, Level::Error, trouble.parts().0),
    })
}

/// Goes on with a planting.
pub(in crate::tui::update) fn resume(model: &mut Model) -> Vec<Effect> {
    let Some(id) = model.plant.open_run().filter(|run| !run.alive).map(|run| run.id.clone()) else { return Vec::new() };
    let mut effects = say::toast(model, Level::Info, "Going on from what stands.");
    effects.push(Effect::Plant(PlantDo::Resume(id)));
    effects
}
