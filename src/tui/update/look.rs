//! What looks at the host bring home.

use super::{plan, say};
use crate::{
    domain::{
        facts::Facts,
        policy::{Ask, availability},
        switch::refusal::Refusal,
    },
    tui::{
        effect::Effect,
        model::Model,
        msg::{Level, Link},
    },
};

pub(super) fn link(model: &mut Model, link: Link) -> Vec<Effect> {
    let host = model.setup.host.clone();
    let was_down = matches!(model.link, Link::Down { .. });
    let news = match (&link, was_down) {
        (Link::Down { trouble, .. }, false) => Some((Level::Error, trouble.message.clone())),
        (Link::Up, true) => Some((Level::Info, format!("{host} answers again."))),
        _ => None,
    };
    model.link = link;
    known(model);
    match news {
        Some((level, text)) => say::log(model, level, text),
        None => Vec::new(),
    }
}

pub(super) fn seen(model: &mut Model, facts: Facts) -> Vec<Effect> {
    model.facts.merge(facts);
    known(model);
    plan::recheck(model);
    Vec::new()
}

/// What follows from changed facts or operations.
pub(super) fn known(model: &mut Model) {
    if model.ui.guest.is_none() {
        model.ui.guest = model.facts.guests().next().map(|guest| guest.vmid);
    }
    let standing = |model: &Model| {
        if let Link::Down { trouble, .. } | Link::Unconfigured(trouble) = &model.link {
            let refusal = Refusal::new(trouble.finding, trouble.message.clone());
            return model.setup.modes.0.iter().map(|_| Err(refusal.clone())).collect();
        }
        let situation = model.situation();
        let ask = |name| if model.setup.replace { Ask::Replace(name) } else { Ask::Switch(name) };
        model.setup.modes.0.iter().map(|mode| availability(ask(&mode.name), &situation)).collect()
    };
    model.standing = if model.knows_the_host() { standing(model) } else { Vec::new() };
}
