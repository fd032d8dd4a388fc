//! Words that a planting needs: to begin, to stop, to remove what was made.

use super::super::say;
use crate::{
    domain::{
        plant::{State, check::Problem},
        switch::plan::Rung,
    },
    tui::{
        effect::{Effect, PlantDo},
        model::{
            Model,
            layer::{Layer, PlantAsk, PlantWhat},
            plant::Page,
        },
        msg::Level,
    },
};

/// Asks for the word that begins what is on screen; or goes to what is in its way.
pub(in crate::tui::update) fn begin(model: &mut Model) -> Vec<Effect> {
    if let Some(text) = in_the_way(model) {
        return say::toast(model, Level::Warn, text);
    }
    let Some(plan) = model.plant.plan.clone() else {
        let wrong = model.plant.problems.iter().find(|problem| problem.blocks());
        let key = wrong.and_then(|problem| problem.key);
        let text = wrong.map_or_else(|| "The host hasn't been seen yet.".to_owned(), told);
        if let Some(key) = key {
            let _: Vec<Effect> = super::go_to(model, Page::of(key.section()));
            super::focus(&mut model.plant, Some(key));
        }
        return say::toast(model, Level::Warn, text);
    };
    if plan.steps.is_empty() {
        return say::toast(model, Level::Info, "Everything stands already; nothing is to be done.");
    }
    model.ui.toasts.clear();
    let rung = plan.rung.clone();
    model.ui.layers.push(Layer::PlantAsk(Box::new(PlantAsk::new(PlantWhat::Begin(plan), rung))));
    Vec::new()
}

fn told(problem: &Problem) -> String {
    match problem.key {
        Some(key) => format!("{}: {}", key.label(), problem.message),
        None => problem.message.clone(),
    }
}

/// Why nothing can be begun now, whatever the plan. While the host is being checked, Enter is kept until that is done: on
/// a slow line nobody knows when to press it again.
fn in_the_way(model: &mut Model) -> Option<String> {
    if model.plant.starting.is_some() {
        return Some("The planting is being started.".to_owned());
    }
    if let Some(run) = model.plant.unfinished() {
        return Some(format!("Planting {} isn't finished; resume or undo it first.", run.id));
    }
    if let Some(op) = model.open_op() {
        return Some(format!("Operation {} isn't at its end; one at a time.", op.id));
    }
    if let Some((ticket, _)) = model.plant.looking {
        model.plant.wanted = Some(ticket);
        return Some("Checking the host first; then the plan can be confirmed.".to_owned());
    }
    let trouble = model.plant.trouble.as_ref()?;
    Some(format!("The plan is of an earlier look; the last one failed: {}", trouble.parts().0))
}

/// Asks whether to stop the planting that runs.
pub(in crate::tui::update) fn stop(model: &mut Model) -> Vec<Effect> {
    let Some(id) = model.plant.live_run().map(|run| run.id.clone()) else { return Vec::new() };
    model.ui.layers.push(Layer::PlantAsk(Box::new(PlantAsk::new(PlantWhat::Stop(id), Rung::Confirm))));
    Vec::new()
}

/// Asks whether to remove what was made. Disks go with guests, so their names are typed.
pub(in crate::tui::update) fn undo(model: &mut Model) -> Vec<Effect> {
    let Some(run) = &model.plant.run else { return Vec::new() };
    let ask = PlantAsk::new(PlantWhat::Undo(run.id.clone()), rung(&run.state));
    model.ui.layers.push(Layer::PlantAsk(Box::new(ask)));
    Vec::new()
}

fn rung(state: &State) -> Rung {
    let asks = state.asks();
    if asks.is_empty() {
        return Rung::Confirm;
    }
    let (names, because) = asks.into_iter().rev().map(|(name, what)| (name.to_owned(), what)).unzip();
    Rung::TypeName { names, because }
}

/// Enter in the dialog that asks.
pub(in crate::tui::update) fn decide(model: &mut Model) -> Vec<Effect> {
    let Some(Layer::PlantAsk(ask)) = model.ui.layers.last() else { return Vec::new() };
    if !ask.yes {
        model.ui.layers.pop();
        return say::toast(model, Level::Info, "Nothing was changed.");
    }
    if !ask.is_typed() {
        let text = if ask.takes_all() { "Not every name is typed yet" } else { "The name isn't typed yet" };
        return say::toast(model, Level::Info, format!("{text}; it is asked for because work may be lost."));
    }
    let what = ask.what.clone();
    model.ui.layers.pop();
    match what {
        PlantWhat::Begin(plan) => {
            model.ui.ticket.0 += 1;
            let ticket = model.ui.ticket;
            model.plant.starting = Some(ticket);
            vec![Effect::Plant(PlantDo::Start { ticket, plan })]
        }
        PlantWhat::Stop(id) => vec![Effect::Plant(PlantDo::Stop(id))],
        PlantWhat::Undo(id) => vec![Effect::Plant(PlantDo::Undo(id))],
    }
}
