//! Files that are made for the guests: their list and their texts, secrets masked.

use super::super::nav::{To, moved};
use crate::{
    domain::{
        ids::OpId,
        plant::{Answers, File, Secrets, answers::Way, linux, windows},
    },
    tui::{
        effect::Effect,
        model::{Model, layer::Layer},
    },
};

impl Model {
    /// The files of the plan that is on screen, as they are made but for secrets; none as long as the answers can't be
    /// used.
    #[must_use]
    pub fn plant_files(&self) -> Vec<File> {
        let plan = self.plant.plan.as_ref();
        plan.and_then(|plan| Answers::read(&plan.form).ok()).map(|answers| files(&answers)).unwrap_or_default()
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

/// What is made for each guest. No secret is known here: a word stands in its place, and the line of a password, which
/// takes long to make, is left out.
fn files(answers: &Answers) -> Vec<File> {
    let word = || Some("(masked)".to_owned().into());
    let secrets = Secrets {
        linux_password: None,
        windows_password: word(),
        nats_credentials: answers.forest.peers().and_then(|peers| peers.credentials_file.as_ref()).and_then(|_| word()),
        registry_token: None,
    };
    let plant = OpId::from("plant-example");
    let linux = match answers.linux.way {
        Way::ArchCloud => linux::seed(answers, &secrets, &plant),
        Way::Cachyos => linux::installer(answers, &secrets, &plant).files,
    };
    let named = |guest: &'static str| {
        move |file: File| File { path: format!("{guest}/{}", file.path.trim_start_matches('/')), ..file }
    };
    let windows = windows::seed(answers, &secrets, &plant);
    linux.into_iter().map(named("linux")).chain(windows.into_iter().map(named("windows"))).collect()
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
