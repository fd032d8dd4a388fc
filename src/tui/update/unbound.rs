//! A key that does nothing here says so, and where it would do something.

use super::say;
use crate::tui::{
    action::Action,
    chord::Chord,
    effect::Effect,
    keymap::{Binding, Keymap, context::Context, sequence::spelled},
    model::Model,
    msg::Level,
};

/// Says that these keys, the last of them just pressed, do nothing here. Whatever waited waits no longer.
pub(super) fn say_so(model: &mut Model, chord: Chord) -> Vec<Effect> {
    let keys: Vec<Chord> = std::mem::take(&mut model.ui.pending).into_iter().chain([chord]).collect();
    let text = words(&model.setup.keymap, model.contexts(), &keys);
    say::toast(model, Level::Info, text)
}

fn words(keymap: &Keymap, stack: &[Context], keys: &[Chord]) -> String {
    let key = spelled(keys);
    if let Some(Binding { context, action, .. }) = elsewhere(keymap, keys) {
        return format!("{key} does nothing here; {} it is: {}.", context.place(), action.words().label);
    }
    let here = stack.first().map_or("here", |context| context.place());
    match keymap.key_of(stack, &Action::Help) {
        Some(help) => format!("{key} does nothing {here}; {help} lists the keys."),
        None => format!("{key} does nothing {here}."),
    }
}

/// The same keys in another place.
fn elsewhere<'a>(keymap: &'a Keymap, keys: &[Chord]) -> Option<Binding<'a>> {
    keymap.places().find_map(|(context, bound)| {
        let (keys, action) = bound.get_key_value(keys)?;
        Some(Binding { context, keys, action })
    })
}
