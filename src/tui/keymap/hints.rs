//! Footer and help: what the keys do here, from the keymap and from what is possible now.

use super::{Binding, context::Context, sequence::Sequence};
use crate::tui::{
    action::Action,
    chord::Chord,
    model::{Model, layer::Layer, plant::Page},
};

/// What some keys do here.
#[derive(Clone, Debug, PartialEq)]
pub struct Hint {
    /// Where the first of them is bound.
    pub context: Context,
    /// Keys that do it, the one to show first.
    pub keys: Vec<Sequence>,
    /// What they do.
    pub action: Action,
    /// Why that isn't possible now, if it isn't.
    pub reason: Option<String>,
}

impl Hint {
    /// Whether this key alone does it.
    #[must_use]
    pub fn has(&self, chord: Chord) -> bool {
        self.keys.iter().any(|keys| keys.single() == Some(chord))
    }

    /// The key to show.
    #[must_use]
    pub fn key(&self) -> String {
        self.keys.first().map(ToString::to_string).unwrap_or_default()
    }
}

impl Model {
    /// What the keys do where these contexts are stacked, each action once, in the keymap's order.
    #[must_use]
    pub fn hints(&self, stack: &[Context]) -> Vec<Hint> {
        let mut hints: Vec<Hint> = Vec::new();
        for Binding { context, keys, action } in self.setup.keymap.bindings(stack) {
            if let Some(hint) = hints.iter_mut().find(|hint| hint.action == *action) {
                hint.keys.push(keys.clone());
            } else {
                let reason = self.unavailable(action).map(|refusal| refusal.message);
                hints.push(Hint { context, keys: vec![keys.clone()], action: action.clone(), reason });
            }
        }
        hints
    }

    /// What the footer calls an action here: in the wizard Enter says what it leads to.
    #[must_use]
    pub fn label_of(&self, action: &Action) -> &'static str {
        match (action, self.ui.layers.last()) {
            (Action::Enter, Some(Layer::Plant)) if self.plant.page == Page::Review => "plant",
            (Action::Enter, Some(Layer::Plant)) => "next",
            (Action::Enter, Some(Layer::PlantFiles { open: true, .. })) => "back",
            (Action::Enter, Some(Layer::PlantFiles { .. })) => "read",
            _ => action.words().label,
        }
    }
}

impl Action {
    /// Whether the footer names it; moving about goes without saying.
    #[must_use]
    pub const fn is_worth_a_hint(&self) -> bool {
        !matches!(
            self,
            Self::Up
                | Self::Down
                | Self::Left
                | Self::Right
                | Self::PageUp
                | Self::PageDown
                | Self::Top
                | Self::Bottom
                | Self::Previous
                | Self::Pane(_)
                | Self::Sort(_)
                | Self::SortReverse
                | Self::Leave
                | Self::Mouse
                | Self::Console
                | Self::Suspend
                | Self::Redraw
        )
    }
}
