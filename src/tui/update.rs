//! From a message to a changed model and effects. Pure: no clock, no files, no network, no terminal.

use super::{effect::Effect, model::Model, msg::Msg};

/// Takes a message in.
#[must_use]
pub fn update(model: &mut Model, msg: Msg) -> Vec<Effect> {
    match msg {
        Msg::Clock(now) => model.now = now,
        Msg::Link(link) => model.link = link,
        Msg::Seen(facts) => model.facts.merge(*facts),
        _ => {}
    }
    Vec::new()
}
