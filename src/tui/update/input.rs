//! Keys and text: through the keymap to an action, or into the field that is being typed in.

use super::{act, mouse, nav, plant, unbound};
use crate::{
    domain::switch::plan::Rung,
    tui::{
        chord::Chord,
        effect::Effect,
        keymap::Meaning,
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
            model.ui.pending.clear();
            if model.ui.layers.last() == Some(&Layer::Plant) {
                plant::paste(model, &text);
                return Vec::new();
            }
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
        Input::Mouse(what) => mouse::take(model, what),
    }
}

pub(super) fn key(model: &mut Model, chord: Chord) -> Vec<Effect> {
    if !model.ui.pending.is_empty() && chord.leaves_a_sequence() {
        model.ui.pending.clear();
        return Vec::new();
    }
    match model.meaning(chord) {
        Meaning::Does(action) => {
            let action = action.clone();
            model.ui.pending.clear();
            act::act(model, &action)
        }
        Meaning::Begins => {
            model.ui.pending.push(chord);
            Vec::new()
        }
        Meaning::Nothing => {
            if model.is_answering() && plant::typed(model, chord) {
                return Vec::new();
            }
            let typing = model.ui.pending.is_empty() && model.field().is_some();
            if !typing {
                return unbound::say_so(model, chord);
            }
            if model.field().is_some_and(|field| field.take(chord)) {
                typed(model);
            }
            Vec::new()
        }
    }
}

/// The text of the topmost layer changed.
fn typed(model: &mut Model) {
    match model.ui.layers.last_mut() {
        Some(Layer::Filter) => nav::stay_in_sight(model),
        Some(Layer::Help { scroll, .. }) => *scroll = 0,
        Some(Layer::Palette { selected, .. }) => *selected = None,
        Some(Layer::PlantList { .. }) => plant::narrowed(model),
        _ => {}
    }
}

impl Model {
    /// Whether a pasted text goes anywhere.
    pub(crate) fn takes_text(&self) -> bool {
        match self.ui.layers.last() {
            Some(Layer::Filter | Layer::Help { .. } | Layer::Palette { .. } | Layer::PlantList { .. }) => true,
            Some(Layer::Plant) => self.is_answering(),
            Some(Layer::PlantAsk(ask)) => matches!(ask.rung, Rung::TypeName { .. }),
            Some(Layer::Confirm(confirm)) => matches!(confirm.plan.rung, Rung::TypeName { .. }),
            _ => false,
        }
    }

    /// Whether keys are an answer to the wizard.
    pub(crate) fn is_answering(&self) -> bool {
        self.ui.layers.last() == Some(&Layer::Plant) && self.plant.page.section().is_some()
    }

    /// The field that keys go into, if there is one.
    fn field(&mut self) -> Option<&mut Field> {
        if self.ui.layers.last() == Some(&Layer::Filter) {
            return Some(self.filter_mut());
        }
        match self.ui.layers.last_mut()? {
            Layer::Help { filter, .. } | Layer::PlantList { filter, .. } => Some(filter),
            Layer::Palette { field, .. } => Some(field),
            Layer::PlantAsk(ask) if matches!(ask.rung, Rung::TypeName { .. }) => Some(&mut ask.typed),
            Layer::Confirm(confirm) if matches!(confirm.plan.rung, Rung::TypeName { .. }) => Some(&mut confirm.typed),
            _ => None,
        }
    }
}
