//! The configuration was read again: other modes count from now on, everything else stays where it is.

use super::{look, plan, say};
use crate::{
    domain::{facts::Trouble, mode::ModeSet},
    tui::{
        effect::Effect,
        model::{Model, Rules},
        msg::Level,
    },
};

/// Takes what the configuration says by now. One that can't be used changes nothing.
pub(super) fn configured(model: &mut Model, result: Result<Box<Rules>, Trouble>) -> Vec<Effect> {
    let Rules { modes, options, replace } = match result {
        Ok(rules) => *rules,
        Err(trouble) => return say::toast(model, Level::Warn, trouble.parts().0),
    };
    (model.setup.options, model.setup.replace) = (options, replace);
    if modes == model.setup.modes {
        return Vec::new();
    }
    let news = news(&model.setup.modes, &modes);
    model.setup.modes = modes;
    if model.selected_mode().is_none() {
        model.ui.mode = model.setup.modes.0.first().map(|mode| mode.name.clone());
    }
    // What planting would do depends on the modes.
    model.plant.seen = None;
    look::known(model);
    plan::recheck(model);
    say::toast(model, Level::Info, news)
}

/// What is new and what is gone, in words.
fn news(before: &ModeSet, now: &ModeSet) -> String {
    let missing = |of: &ModeSet, other: &ModeSet| {
        let names = of.0.iter().filter(|mode| other.0.iter().all(|known| known.name != mode.name));
        names.map(|mode| mode.name.to_string()).collect::<Vec<_>>().join(", ")
    };
    match (missing(now, before), missing(before, now)) {
        (new, gone) if new.is_empty() && gone.is_empty() => "The configuration's modes changed.".to_owned(),
        (new, gone) if gone.is_empty() => format!("New in the configuration: {new}."),
        (new, gone) if new.is_empty() => format!("No longer in the configuration: {gone}."),
        (new, gone) => format!("New in the configuration: {new}; no longer there: {gone}."),
    }
}
