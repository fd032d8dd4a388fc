//! From an intent over a fresh look and a shown plan to an operation. What runs is the very plan that was confirmed.

use super::{history, look, op, say};
use crate::{
    domain::{
        facts::{Facts, Trouble},
        finding::FindingId,
        ids::OpId,
        policy::{self, Ask},
        switch::{
            plan::{Intent, Plan, Rung, Verb},
            planner,
            refusal::Refusal,
        },
    },
    tui::{
        effect::Effect,
        model::{
            Model,
            layer::{Confirm, Field, Layer},
        },
        msg::{Level, Link, Ticket},
    },
};

/// Asks for a fresh look that a plan can be made from.
pub(super) fn ask(model: &mut Model, intent: Intent) -> Vec<Effect> {
    if let Some(refusal) = cannot_even_look(model) {
        return refuse(model, title(&intent), refusal, Some(intent));
    }
    model.ui.ticket.0 += 1;
    let ticket = model.ui.ticket;
    let intent = Box::new(intent);
    model.ui.toasts.clear();
    model.ui.layers.push(Layer::Looking { ticket, intent: intent.clone(), since: model.now });
    vec![Effect::LookForPlan { ticket, intent }]
}

fn cannot_even_look(model: &Model) -> Option<Refusal> {
    if let Some(op) = model.open_op() {
        let ask = if op.alive { Ask::Resume } else { Ask::Cancel };
        return policy::availability(ask, &model.situation()).err();
    }
    match &model.link {
        Link::Down { trouble, .. } | Link::Unconfigured(trouble) => {
            Some(Refusal::new(trouble.finding, trouble.message.clone()).or(trouble.finding.fix()))
        }
        Link::Connecting | Link::Up => None,
    }
}

/// The fresh look came, or didn't.
pub(super) fn looked(model: &mut Model, ticket: Ticket, result: Result<Box<Facts>, Trouble>) -> Vec<Effect> {
    let mine = |layer: &Layer| matches!(layer, Layer::Looking { ticket: t, .. } if *t == ticket);
    let place = model.ui.layers.iter().position(mine);
    let intent = place.map(|place| model.ui.layers.remove(place)).and_then(|layer| match layer {
        Layer::Looking { intent, .. } => Some(*intent),
        _ => None,
    });
    let looked = result.map(|facts| {
        model.facts.merge(*facts);
        look::known(model);
    });
    let Some(intent) = intent else { return Vec::new() };
    match looked {
        Ok(()) => show(model, intent),
        Err(trouble) => {
            let refusal = Refusal::new(trouble.finding, trouble.message).or(trouble.finding.fix());
            refuse(model, title(&intent), refusal, Some(intent))
        }
    }
}

fn show(model: &mut Model, intent: Intent) -> Vec<Effect> {
    match planner::plan(&intent, &model.setup.modes, &model.facts) {
        Ok(plan) if plan.is_already_there() => {
            let text = match (plan.intent.verb, &plan.intent.mode) {
                (Verb::Stop, Some(mode)) => format!("{mode} is stopped already."),
                (Verb::Start, Some(mode)) => format!("{mode} is running already."),
                (_, Some(mode)) => format!("Already in {mode}."),
                (_, None) => "Everything is as it was already.".to_owned(),
            };
            say::toast(model, Level::Info, text)
        }
        Ok(plan) => {
            model.ui.layers.push(Layer::Confirm(Box::new(confirm(model, plan, false))));
            Vec::new()
        }
        Err(refusal) => refuse(model, title(&intent), refusal, Some(intent)),
    }
}

fn confirm(model: &Model, plan: Plan, changed: bool) -> Confirm {
    let before = history::last_time(&model.ops, &plan);
    Confirm { plan, yes: false, typed: Field::default(), before, changed, scroll: 0 }
}

pub(super) fn refuse(model: &mut Model, title: String, refusal: Refusal, intent: Option<Intent>) -> Vec<Effect> {
    let _: Vec<Effect> = say::log(model, Level::Warn, format!("{}: {}", refusal.finding, refusal.message));
    model.ui.layers.push(Layer::Refused { title, refusal, intent: intent.map(Box::new) });
    Vec::new()
}

/// The words for an intent that has no plan.
pub(super) fn title(intent: &Intent) -> String {
    let mode = intent.mode.as_ref().map(ToString::to_string).unwrap_or_default();
    match intent.verb {
        Verb::Switch => format!("Switching to {mode}"),
        Verb::Start => format!("Starting {mode}"),
        Verb::Stop => format!("Stopping {mode}"),
        Verb::Restore => "Going back".to_owned(),
    }
}

/// The facts changed while a plan waits for a word: if another plan follows from them, that one is shown instead, and
/// the word is to be given anew.
pub(super) fn recheck(model: &mut Model) {
    let Some(place) = model.ui.layers.iter().position(|layer| matches!(layer, Layer::Confirm(_))) else { return };
    let Some(Layer::Confirm(shown)) = model.ui.layers.get(place) else { return };
    let intent = shown.plan.intent.clone();
    let now = planner::plan(&intent, &model.setup.modes, &model.facts);
    if planner::difference(&shown.plan, &now).is_none() {
        return;
    }
    let layer = match now {
        Ok(plan) if plan.is_already_there() => {
            model.ui.layers.remove(place);
            let _: Vec<Effect> = say::toast(model, Level::Info, "That came about by itself: nothing is left to do.");
            return;
        }
        Ok(plan) => Layer::Confirm(Box::new(confirm(model, plan, true))),
        Err(refusal) => Layer::Refused { title: title(&intent), refusal, intent: Some(Box::new(intent)) },
    };
    if let Some(slot) = model.ui.layers.get_mut(place) {
        *slot = layer;
    }
}

impl Confirm {
    /// Whether the name that has to be typed is there, or none has to be.
    #[must_use]
    pub fn is_typed(&self) -> bool {
        match &self.plan.rung {
            Rung::None | Rung::Confirm => true,
            Rung::TypeName { names, .. } => names.contains(&self.typed.text),
        }
    }
}

/// Enter in the dialog that shows a plan.
pub(super) fn decide(model: &mut Model) -> Vec<Effect> {
    let Some(Layer::Confirm(confirm)) = model.ui.layers.last() else { return Vec::new() };
    if !confirm.yes {
        model.ui.layers.pop();
        return say::toast(model, Level::Info, "Nothing was changed.");
    }
    if !confirm.is_typed() {
        return say::toast(model, Level::Info, "The name isn't typed yet; it is asked for because work may be lost.");
    }
    let plan = confirm.plan.clone();
    model.ui.layers.pop();
    model.ui.ticket.0 += 1;
    let ticket = model.ui.ticket;
    model.ui.layers.push(Layer::Starting { ticket, plan: Box::new(plan.clone()) });
    vec![Effect::Start { ticket, plan: Box::new(plan) }]
}

/// The runner was started, or wasn't.
pub(super) fn started(model: &mut Model, ticket: Ticket, result: Result<OpId, Trouble>) -> Vec<Effect> {
    if let Some(effects) = super::plant::started(model, ticket, &result) {
        return effects;
    }
    let mine = |layer: &Layer| matches!(layer, Layer::Starting { ticket: t, .. } if *t == ticket);
    let place = model.ui.layers.iter().position(mine);
    let plan = place.map(|place| model.ui.layers.remove(place)).and_then(|layer| match layer {
        Layer::Starting { plan, .. } => Some(*plan),
        _ => None,
    });
    match (result, plan) {
        (Ok(id), shown) => {
            if shown.is_some() {
                op::open(model, &id);
            }
            op::attach(model, &id)
        }
        (Err(trouble), Some(plan)) => {
            let refusal = match trouble.finding {
                FindingId::OpRunning => Refusal::new(trouble.finding, trouble.message).or("Press o to follow it."),
                finding => Refusal::new(finding, trouble.message).or(finding.fix()),
            };
            refuse(model, plan.title(), refusal, Some(plan.intent))
        }
        (Err(trouble), None) => say::toast(model, Level::Error, trouble.parts().0),
    }
}
