//! Operations: followed by their journals, and spoken to.

use super::{history, look, plan, say};
use crate::{
    domain::{
        facts::Trouble,
        ids::OpId,
        journal::Told,
        policy,
        switch::{
            event::{Answer, Event, Outcome, What},
            state::State,
        },
    },
    tui::{
        effect::{Control, Effect},
        model::{Model, layer::Layer},
        msg::{Asked, Level, OpBrief},
    },
};

/// Finished operations that are remembered, for how long a switch took.
const REMEMBERED: usize = 50;

/// All operations, as the journals on disk tell them.
pub(super) fn listed(model: &mut Model, ops: Vec<OpBrief>) -> Vec<Effect> {
    let first = model.ops.is_empty();
    for op in ops {
        match model.ops.iter_mut().find(|known| known.id == op.id) {
            Some(known) if known.state.next_seq > op.state.next_seq => known.alive = op.alive,
            Some(known) => *known = op,
            None => model.ops.push(op),
        }
    }
    tidy(model);
    look::known(model);
    let Some(running) = model.running_op().map(|op| op.id.clone()) else { return Vec::new() };
    if first && model.ui.layers.is_empty() {
        open(model, &running);
    }
    attach(model, &running)
}

fn tidy(model: &mut Model) {
    model.ops.sort_by(|a, b| (a.state.origin.number, a.id.as_str()).cmp(&(b.state.origin.number, b.id.as_str())));
    let surplus = model.ops.len().saturating_sub(REMEMBERED);
    model.ops.drain(..surplus);
}

/// Follows a journal, once.
pub(super) fn attach(model: &mut Model, id: &OpId) -> Vec<Effect> {
    if model.ui.attached.insert(id.clone()) { vec![Effect::Attach(id.clone())] } else { Vec::new() }
}

/// A line of a journal.
pub(super) fn line(model: &mut Model, id: &OpId, event: &Event) -> Vec<Effect> {
    match model.ops.iter_mut().find(|op| op.id == *id) {
        Some(op) if op.state.next_seq == event.seq => {
            op.state.apply(event);
            op.alive |= matches!(event.what, What::RunnerStarted { .. });
        }
        Some(_) => return Vec::new(),
        None => {
            let Some(state) = State::fold(std::slice::from_ref(event)) else { return Vec::new() };
            model.ops.push(OpBrief { id: id.clone(), state: Box::new(state), alive: true });
            tidy(model);
        }
    }
    if let What::Finished { .. } | What::Planned { .. } | What::RunnerStarted { .. } = &event.what {
        look::known(model);
    }
    tell(model, id, event);
    match &event.what {
        What::Asked { .. } => asked(model, id),
        // The lists behind the steps are to agree with them.
        What::StepDone { .. } | What::StepFailed { .. } | What::Finished { .. } => vec![Effect::Refresh],
        _ => Vec::new(),
    }
}

/// What a line means for the log and for whoever isn't looking at the steps.
fn tell(model: &mut Model, id: &OpId, event: &Event) {
    let Some(op) = model.op(id) else { return };
    let Some((level, text)) = history::in_words(&op.state, event) else { return };
    let watched = matches!(model.ui.layers.last(), Some(Layer::Operation { id: shown, .. }) if shown == id);
    let finished = matches!(event.what, What::Finished { .. });
    let _: Vec<Effect> = say::log(model, level, text.clone());
    if finished && !watched {
        let _: Vec<Effect> = say::toast(model, Level::Info, text);
    }
}

/// A person is asked: the steps come up, but never under somebody's typing.
fn asked(model: &mut Model, id: &OpId) -> Vec<Effect> {
    match model.ui.layers.last() {
        Some(Layer::Operation { .. }) => Vec::new(),
        None => {
            open(model, id);
            Vec::new()
        }
        Some(_) => say::toast(model, Level::Warn, "The operation asks what to do; o shows it."),
    }
}

/// The runner ended before the operation did.
pub(super) fn lost(model: &mut Model, id: &OpId) -> Vec<Effect> {
    let Some(op) = model.ops.iter_mut().find(|op| op.id == *id && op.state.finished.is_none()) else {
        return Vec::new();
    };
    op.alive = false;
    model.ui.attached.remove(id);
    look::known(model);
    say::toast(model, Level::Error, format!("The runner of operation {id} ended before the operation did."))
}

/// The outcome of an effect.
pub(super) fn told(model: &mut Model, of: &Asked, result: Result<(), Trouble>) -> Vec<Effect> {
    match (of, result) {
        (Asked::Attach(id) | Asked::Planting(id), Err(trouble)) => {
            model.ui.attached.remove(id);
            say::toast(model, Level::Error, trouble.parts().0)
        }
        (_, Err(trouble)) => say::toast(model, Level::Error, trouble.parts().0),
        (Asked::Resume(id) | Asked::Undo(id), Ok(())) => attach(model, id),
        (Asked::Planting(id), Ok(())) => super::plant::attach(model, id),
        (Asked::Copy | Asked::Keep | Asked::Control(..) | Asked::Attach(_), Ok(())) => Vec::new(),
    }
}

/// Puts the steps of an operation on top, once.
pub(super) fn open(model: &mut Model, id: &OpId) {
    model.ui.layers.retain(|layer| !matches!(layer, Layer::Operation { .. }));
    model.ui.layers.push(Layer::Operation { id: id.clone(), scroll: 0 });
}

pub(super) fn show(model: &mut Model) -> Vec<Effect> {
    if model.plant.open_run().is_some() && model.open_op().is_none() {
        return super::plant::open(model);
    }
    if let Some(id) = model.newest_op().map(|op| op.id.clone()) {
        open(model, &id);
    }
    Vec::new()
}

pub(super) fn ask_to_cancel(model: &mut Model) -> Vec<Effect> {
    let Some(id) = model.running_op().map(|op| op.id.clone()) else { return Vec::new() };
    model.ui.layers.push(Layer::ConfirmCancel { id, yes: false });
    Vec::new()
}

pub(super) fn resume(model: &mut Model) -> Vec<Effect> {
    let Some(id) = model.open_op().map(|op| op.id.clone()) else { return Vec::new() };
    open(model, &id);
    vec![Effect::Resume(id)]
}

/// Going back from what is at its end is a plan of its own, shown like any other; from what was interrupted, the
/// journal says how.
pub(super) fn undo(model: &mut Model) -> Vec<Effect> {
    let Some(op) = model.newest_op() else { return Vec::new() };
    if op.state.finished.is_none() {
        let id = op.id.clone();
        model.ui.layers.push(Layer::ConfirmUndo { id, yes: false });
        return Vec::new();
    }
    match policy::undo_intent(&op.state, model.setup.options) {
        Some(intent) => plan::ask(model, intent),
        None => Vec::new(),
    }
}

/// Enter in a dialog that asks whether to cancel or to go back.
pub(super) fn decide(model: &mut Model) -> Vec<Effect> {
    match model.ui.layers.pop() {
        Some(Layer::ConfirmCancel { id, yes: true }) if model.running_op().is_some_and(|op| op.id == id) => {
            vec![Effect::Control(id, Control::Cancel { go_back: false })]
        }
        Some(Layer::ConfirmUndo { id, yes: true }) if model.open_op().is_some_and(|op| op.id == id && !op.alive) => {
            open(model, &id);
            vec![Effect::Undo(id)]
        }
        _ => Vec::new(),
    }
}

pub(super) fn answer(model: &Model, answer: Answer) -> Vec<Effect> {
    let Some((id, step)) = model.question().map(|(id, step)| (id.clone(), step)) else { return Vec::new() };
    vec![Effect::Control(id, Control::Answer { step, answer })]
}

/// The level at which an outcome is told.
pub(super) const fn level(outcome: Outcome) -> Level {
    match outcome {
        Outcome::Done => Level::Info,
        Outcome::Refused | Outcome::Cancelled | Outcome::RolledBack => Level::Warn,
        Outcome::NotRolledBack => Level::Error,
    }
}
