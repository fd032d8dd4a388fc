//! Files that are made for the guests: their list and their texts, secrets masked.

use super::super::nav::{To, moved};
use crate::{
    domain::plant::File,
    tui::{
        effect::Effect,
        model::{Model, layer::Layer},
    },
};

impl Model {
    /// The files of the plan that is on screen, as they are made; none as long as the answers can't be used.
    #[must_use]
    pub fn plant_files(&self) -> Vec<File> {
        Vec::new()
    }

    /// The selected one.
    #[must_use]
    pub fn plant_file(&self) -> Option<File> {
        let Some(Layer::PlantFiles { selected, .. }) = self.ui.layers.last() else { return None };
        let files = self.plant_files();
        let place = files.iter().position(|file| Some(&file.path) == selected.as_ref()).unwrap_or(0);
        files.into_iter().nth(place)
    }
}

/// Moves in the list.
pub(in crate::tui::update) fn files_go(model: &mut Model, to: To, page: i32) {
    let files = model.plant_files();
    let Some(Layer::PlantFiles { selected, .. }) = model.ui.layers.last_mut() else { return };
    let here = files.iter().position(|file| Some(&file.path) == selected.as_ref()).unwrap_or(0);
    let place = moved(Some(here), 0, files.len(), to, page);
    *selected = place.and_then(|place| files.get(place)).map(|file| file.path.clone());
}

/// Enter: the text of the selected one, and back to the list.
pub(in crate::tui::update) fn open_file(model: &mut Model) -> Vec<Effect> {
    let any = !model.plant_files().is_empty();
    if let Some(Layer::PlantFiles { open, scroll, .. }) = model.ui.layers.last_mut() {
        *open = any && !*open;
        *scroll = 0;
    }
    Vec::new()
}
