//! Footer and help: what the keys do here, from the keymap and from what is possible now.

use super::context::Context;
use crate::tui::{action::Action, chord::Chord, model::Model};

/// What some keys do here.
#[derive(Clone, Debug, PartialEq)]
pub struct Hint {
    /// Keys that do it, the one to show first.
    pub chords: Vec<Chord>,
    /// What they do.
    pub action: Action,
    /// Why that isn't possible now, if it isn't.
    pub reason: Option<String>,
}

impl Model {
    /// What the keys do where these contexts are stacked, each action once, in the keymap's order.
    #[must_use]
    pub fn hints(&self, stack: &[Context]) -> Vec<Hint> {
        let mut hints: Vec<Hint> = Vec::new();
        for (chord, action) in self.setup.keymap.bindings(stack) {
            if let Some(hint) = hints.iter_mut().find(|hint| hint.action == *action) {
                hint.chords.push(chord);
            } else {
                let reason = self.unavailable(action).map(|refusal| refusal.message);
                hints.push(Hint { chords: vec![chord], action: action.clone(), reason });
            }
        }
        hints
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
                | Self::Suspend
                | Self::Redraw
        )
    }
}
