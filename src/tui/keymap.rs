//! Which key means what, where. The map is data: one file that the program carries, changed by the configuration. The
//! footer, the help and the palette are made from it.

pub mod context;
pub mod hints;

use super::{action::Action, chord::Chord};
use context::Context;
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

/// Which key means what in each context, in the file's order.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Keymap(IndexMap<Context, IndexMap<Chord, Action>>);

/// What a configuration changes: per context and key the text of an action, or nothing to take the key away.
pub type Changes = IndexMap<String, IndexMap<String, String>>;

/// The file that the program carries.
pub const DEFAULT: &str = include_str!("../../assets/keymap.yaml");

impl Default for Keymap {
    /// The keys that the program carries.
    fn default() -> Self {
        serde_yaml::from_str(DEFAULT).unwrap_or_else(|_| Self(IndexMap::new()))
    }
}

impl Keymap {
    /// The keys with the changes of a configuration.
    ///
    /// # Errors
    /// The first change that makes no sense, in words.
    pub fn changed(mut self, changes: &Changes) -> Result<Self, String> {
        for (place, keys) in changes {
            let context = place.parse::<Context>()?;
            let bound = self.0.entry(context).or_default();
            for (key, action) in keys {
                let chord: Chord = key.parse().map_err(|bad| format!("keys.{place}: {bad}"))?;
                if action.is_empty() {
                    bound.shift_remove(&chord);
                } else {
                    let action = action.parse().map_err(|bad| format!("keys.{place}.{key}: {bad}"))?;
                    bound.insert(chord, action);
                }
            }
        }
        Ok(self)
    }

    /// All keys by the place where they count, in the file's order; what a page about keys is made from.
    pub fn places(&self) -> impl Iterator<Item = (Context, &IndexMap<Chord, Action>)> {
        self.0.iter().map(|(context, keys)| (*context, keys))
    }

    /// What a key means where these contexts are stacked, the nearest first.
    #[must_use]
    pub fn resolve(&self, stack: &[Context], chord: Chord) -> Option<&Action> {
        stack.iter().find_map(|context| self.0.get(context)?.get(&chord))
    }

    /// All keys that count where these contexts are stacked, the nearest first, without those that are covered.
    #[must_use]
    pub fn bindings(&self, stack: &[Context]) -> Vec<(Chord, &Action)> {
        let mut found: Vec<(Chord, &Action)> = Vec::new();
        for (chord, action) in stack.iter().filter_map(|context| self.0.get(context)).flatten() {
            if found.iter().all(|(seen, _)| seen != chord) {
                found.push((*chord, action));
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_that_the_program_carries_is_read_whole() {
        let keymap: Keymap = serde_yaml::from_str(DEFAULT).unwrap();
        for context in Context::ALL {
            assert!(keymap.0.contains_key(context), "{context:?} has no keys");
        }
    }

    #[test]
    fn every_action_has_a_key_or_a_row_in_the_palette() {
        let keymap = Keymap::default();
        let bound: Vec<&Action> = keymap.0.values().flat_map(IndexMap::values).collect();
        let same = |a: &Action, b: &Action| std::mem::discriminant(a) == std::mem::discriminant(b);
        let model = crate::tui::scene::running(&[101]).model;
        let listed = model.choices("");
        for action in Action::all() {
            let key = bound.iter().any(|other| same(other, action));
            assert!(key || listed.iter().any(|choice| same(&choice.action, action)), "{action}");
        }
    }

    #[test]
    fn nothing_needs_a_key_that_a_multiplexer_takes() {
        for (chord, _) in Keymap::default().0.values().flatten() {
            assert!(!["ctrl-a", "ctrl-b", "ctrl-q"].contains(&chord.to_string().as_str()), "{chord}");
        }
    }

    #[test]
    fn what_stops_something_is_never_a_bare_letter_but_for_what_asks_again() {
        for (context, keys) in &Keymap::default().0 {
            for (chord, action) in keys {
                let asks = matches!(action, Action::OpCancel | Action::OpUndo | Action::AnswerAbort);
                let letter = chord.typed().is_some_and(|c| c.is_ascii_lowercase());
                let stops = matches!(action, Action::ModeStop(_) | Action::ModeReplace(_) | Action::AnswerStop);
                assert!(asks || !(letter && stops), "{context:?} {chord}");
            }
        }
    }

    #[test]
    fn a_configuration_names_only_what_it_changes() {
        let changes = |key: &str, action: &str| {
            Changes::from([("modes".into(), IndexMap::from([(key.to_owned(), action.to_owned())]))])
        };
        let stack = [Context::Modes, Context::Panes];
        let keymap = Keymap::default().changed(&changes("s", "mode start")).unwrap();
        assert_eq!(keymap.resolve(&stack, "s".parse().unwrap()), Some(&Action::ModeStart(None)));
        assert_eq!(keymap.resolve(&stack, "enter".parse().unwrap()), Some(&Action::ModeSwitch(None)));
        let keymap = Keymap::default().changed(&changes("i", "")).unwrap();
        assert_eq!(keymap.resolve(&stack, "i".parse().unwrap()), None);
        let bad = Keymap::default().changed(&changes("alt-x", "quit")).unwrap_err();
        assert!(bad.starts_with("keys.modes: 'alt-x' is no key"), "{bad}");
        let bad = Keymap::default().changed(&changes("x", "quti")).unwrap_err();
        assert_eq!(bad, "keys.modes.x: 'quti' is no action");
    }
}
