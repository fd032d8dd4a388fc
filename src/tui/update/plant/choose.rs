//! The list of what can be chosen for a question.

use super::super::{
    nav::{To, moved},
    say,
};
use crate::tui::{
    effect::Effect,
    model::{
        Model,
        layer::{Field, Layer},
        plant::Opt,
    },
    msg::Level,
};

/// Opens the list.
pub(in crate::tui::update) fn choose(model: &mut Model) -> Vec<Effect> {
    let Some(key) = model.plant.key else { return Vec::new() };
    if model.plant.options(key).is_empty() {
        return say::toast(model, Level::Info, format!("There is nothing to choose from for {}.", key.label()));
    }
    let now = model.plant.form.get(key).to_owned();
    let selected = model.plant.options(key).into_iter().map(|opt| opt.value).find(|value| *value == now);
    model.ui.toasts.clear();
    model.ui.layers.push(Layer::PlantList { filter: Field::default(), selected });
    Vec::new()
}

impl Model {
    /// The rows of the list that is on top, and the place of the selected one.
    #[must_use]
    pub fn plant_list(&self) -> (Vec<Opt>, usize) {
        let Some(Layer::PlantList { filter, selected }) = self.ui.layers.last() else { return (Vec::new(), 0) };
        let needle = filter.text.to_lowercase();
        let mut options = self.plant.key.map(|key| self.plant.options(key)).unwrap_or_default();
        options.retain(|opt| format!("{} {}", opt.value, opt.note).to_lowercase().contains(&needle));
        let place = options.iter().position(|opt| Some(&opt.value) == selected.as_ref()).unwrap_or(0);
        (options, place)
    }
}

/// Moves in the list.
pub(in crate::tui::update) fn list_go(model: &mut Model, to: To, page: i32) {
    let (options, here) = model.plant_list();
    let place = moved(Some(here), 0, options.len(), to, page);
    let value = place.and_then(|place| options.get(place)).map(|opt| opt.value.clone());
    if let Some(Layer::PlantList { selected, .. }) = model.ui.layers.last_mut() {
        *selected = value;
    }
}

/// What was typed narrows the list: its first row is selected.
pub(in crate::tui::update) fn narrowed(model: &mut Model) {
    if let Some(Layer::PlantList { selected, .. }) = model.ui.layers.last_mut() {
        *selected = None;
    }
}

/// Takes the selected row for the answer.
pub(in crate::tui::update) fn take_choice(model: &mut Model) -> Vec<Effect> {
    let (options, here) = model.plant_list();
    model.ui.layers.pop();
    if let (Some(key), Some(opt)) = (model.plant.key, options.get(here)) {
        super::answer(model, key, opt.value.clone());
    }
    Vec::new()
}
