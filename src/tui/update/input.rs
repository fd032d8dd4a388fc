//! Keys and text: through the keymap to an action, or into the field that is being typed in.

use super::{act, nav};
use crate::{
    domain::switch::plan::Rung,
    tui::{
        chord::Chord,
        effect::Effect,
        model::{
            Model,
            layer::{Field, Layer},
        },
        msg::Input,
    },
};

pub(super) fn take(model: &mut Model, input: Input) -> Vec<Effect> {
    match input {
        Input::Key(chord) => key(model, chord),
        Input::Paste(text) => {
            let pasted = model.field().map(|field| field.paste(&text)).is_some();
            if pasted {
                typed(model);
            }
            Vec::new()
        }
        Input::Resize(columns, rows) => {
            model.size = (columns, rows);
            Vec::new()
        }
        Input::Focus(focused) => {
            model.focused = focused;
            Vec::new()
        }
    }
}

fn key(model: &mut Model, chord: Chord) -> Vec<Effect> {
    let action = model.setup.keymap.resolve(&model.contexts(), chord).cloned();
    if let Some(action) = action {
        return act::act(model, &action);
    }
    if model.field().is_some_and(|field| field.take(chord)) {
        typed(model);
    }
    Vec::new()
}

/// The text of the topmost layer changed.
fn typed(model: &mut Model) {
    match model.ui.layers.last_mut() {
        Some(Layer::Filter) => nav::stay_in_sight(model),
        Some(Layer::Help { scroll, .. }) => *scroll = 0,
        Some(Layer::Palette { selected, .. }) => *selected = None,
        _ => {}
    }
}

impl Model {
    /// The field that keys go into, if there is one.
    fn field(&mut self) -> Option<&mut Field> {
        match self.ui.layers.last_mut()? {
            Layer::Filter => Some(&mut self.ui.filter),
            Layer::Help { filter, .. } => Some(filter),
            Layer::Palette { field, .. } => Some(field),
            Layer::Confirm(confirm) if matches!(confirm.plan.rung, Rung::TypeName { .. }) => Some(&mut confirm.typed),
            _ => None,
        }
    }
}
