//! From a message to a changed model and effects. Pure: no clock, no files, no network, no terminal.

mod act;
mod choose;
mod devices;
mod history;
mod input;
mod look;
mod mouse;
mod nav;
mod op;
mod plan;
mod plant;
mod reach;
mod reload;
mod say;
mod settle;
mod sort;
mod unbound;

use super::{
    effect::Effect,
    model::Model,
    msg::{Input, Msg, Signal},
};

pub use choose::Choice;
pub use history::{last_run, last_time};

/// Takes a message in.
#[must_use]
pub fn update(model: &mut Model, msg: Msg) -> Vec<Effect> {
    let mut effects = match msg {
        Msg::Clock(now) => say::clock(model, now),
        Msg::Input(input) => {
            if matches!(input, Input::Key(_)) {
                say::heard(model);
            }
            input::take(model, input)
        }
        Msg::Signal(signal) => take_signal(signal),
        Msg::Link(link) => look::link(model, link),
        Msg::Seen(facts) => look::seen(model, *facts),
        Msg::Looked { ticket, result } => plan::looked(model, ticket, result),
        Msg::Started { ticket, result } => plan::started(model, ticket, result),
        Msg::History { of, result } => look::history(model, of, result),
        Msg::Ops(ops) => op::listed(model, ops),
        Msg::Op { id, event } => op::line(model, &id, &event),
        Msg::OpLost(id) => op::lost(model, &id),
        Msg::Configured(result) => reload::configured(model, result),
        Msg::Told { of, result } => op::told(model, &of, result),
        Msg::Dumped(result) => say::dumped(model, result),
        Msg::ShellEnded { at, how } => reach::shell_ended(model, at, &how),
        Msg::Plant(msg) => plant::heard(model, msg),
        Msg::Log { level, text } => say::log(model, level, text),
    };
    effects.extend(settle::settle(model));
    effects
}

/// What an action leads to when it is meant, whatever key or click says it.
#[cfg(test)]
pub(super) fn done(model: &mut Model, action: &super::action::Action) -> Vec<Effect> {
    let mut effects = act::act(model, action);
    effects.extend(settle::settle(model));
    effects
}

fn take_signal(signal: Signal) -> Vec<Effect> {
    match signal {
        Signal::Terminate | Signal::Hangup => vec![Effect::Quit { parting: None }],
        Signal::Continue => vec![Effect::Redraw],
    }
}
