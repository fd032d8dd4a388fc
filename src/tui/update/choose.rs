//! The palette: actions by the names that the command line has for them.

use super::nav::{To, moved};
use crate::tui::{
    action::Action,
    model::{Model, layer::Layer},
};

/// A row of the palette.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// What it does.
    pub action: Action,
    /// Its text, which is also its identity.
    pub text: String,
}

impl Model {
    /// The palette's rows for what was typed: every word of it must be somewhere in the row's text.
    #[must_use]
    pub fn choices(&self, typed: &str) -> Vec<Choice> {
        let typed = typed.to_lowercase();
        let words: Vec<&str> = typed.split_whitespace().collect();
        let choice = |action: Action| Choice { text: action.to_string(), action };
        let kinds = [Action::ModeSwitch, Action::ModeStop, Action::ModeStart, Action::ModeReplace];
        let of_modes =
            kinds.iter().flat_map(|kind| self.setup.modes.0.iter().map(|mode| kind(Some(mode.name.clone()))));
        let rest = Action::all().iter().filter(|action| action.is_a_command()).cloned();
        let all = of_modes.chain(rest).map(choice);
        let fits = |choice: &Choice| {
            let text = format!("{} {}", choice.text, choice.action.words().sentence).to_lowercase();
            words.iter().all(|word| text.contains(word))
        };
        all.filter(fits).collect()
    }

    /// The palette's row that Enter takes.
    #[must_use]
    pub fn chosen(&self) -> Option<Choice> {
        let Some(Layer::Palette { field, selected }) = self.ui.layers.last() else { return None };
        let choices = self.choices(&field.text);
        if let Ok(action) = field.text.parse::<Action>()
            && selected.is_none()
        {
            return Some(Choice { text: action.to_string(), action });
        }
        let named = selected.as_ref().and_then(|name| choices.iter().find(|choice| choice.text == *name));
        named.or_else(|| choices.first()).cloned()
    }
}

impl Action {
    /// Whether the palette lists it in its general form.
    const fn is_a_command(&self) -> bool {
        matches!(
            self,
            Self::OpShow
                | Self::OpCancel
                | Self::OpResume
                | Self::OpUndo
                | Self::Inspect
                | Self::Copy
                | Self::Refresh
                | Self::Filter
                | Self::Sort(_)
                | Self::SortReverse
                | Self::Help
                | Self::Log
                | Self::Mouse
                | Self::LogLevel
                | Self::Explain(None)
                | Self::Quit
                | Self::Suspend
                | Self::Redraw
                | Self::Dump
        )
    }
}

/// Moves in the palette's list.
pub(super) fn go(model: &mut Model, to: To, page: i32) {
    let Some(Layer::Palette { field, selected }) = model.ui.layers.last() else { return };
    let choices = model.choices(&field.text);
    let here = choices.iter().position(|choice| Some(&choice.text) == selected.as_ref()).unwrap_or(0);
    let place = moved(Some(here), 0, choices.len(), to, page);
    let text = place.and_then(|place| choices.get(place)).map(|choice| choice.text.clone());
    if let Some(Layer::Palette { selected, .. }) = model.ui.layers.last_mut() {
        *selected = text;
    }
}
