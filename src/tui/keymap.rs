//! Which key means what, where. The map is data: one file that the program carries, changed by the configuration. The
//! footer, the help and the palette are made from it.

pub mod check;
pub mod context;
pub mod hints;
mod patch;
pub mod sequence;

use super::{action::Action, chord::Chord};
use context::Context;
use indexmap::IndexMap;
use sequence::Sequence;
use serde::{Deserialize, Serialize};

/// Which keys mean what in each context, in the file's order.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Keymap(IndexMap<Context, IndexMap<Sequence, Action>>);

/// What keys mean.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Meaning<'a> {
    /// This.
    Does(&'a Action),
    /// The beginning of a sequence.
    Begins,
    /// Nothing.
    Nothing,
}

/// The file that the program carries.
pub const DEFAULT: &str = include_str!("../../assets/keymap.yaml");

impl Default for Keymap {
    /// The keys that the program carries.
    fn default() -> Self {
        serde_yaml::from_str(DEFAULT).unwrap_or_else(|_| Self(IndexMap::new()))
    }
}

impl Keymap {
    /// All keys by the place where they count, in the file's order; what a page about keys is made from.
    pub fn places(&self) -> impl Iterator<Item = (Context, &IndexMap<Sequence, Action>)> {
        self.0.iter().map(|(context, keys)| (*context, keys))
    }

    /// What keys mean where these contexts are stacked, the nearest first. Where text is typed, a character is text
    /// and no sequence counts.
    #[must_use]
    pub fn resolve(&self, stack: &[Context], keys: &[Chord]) -> Meaning<'_> {
        let typing = stack.first().is_some_and(|context| context.takes_text());
        if typing && !steers(keys) {
            return Meaning::Nothing;
        }
        for bound in stack.iter().filter_map(|context| self.0.get(context)) {
            if let Some(action) = bound.get(keys) {
                return Meaning::Does(action);
            }
            if !typing && bound.keys().any(|sequence| sequence.goes_on_after(keys)) {
                return Meaning::Begins;
            }
        }
        Meaning::Nothing
    }

    /// The key to show for an action.
    #[must_use]
    pub fn key_of(&self, stack: &[Context], action: &Action) -> Option<&Sequence> {
        let mut bindings = self.bindings(stack).into_iter();
        bindings.find(|binding| binding.action == action).map(|binding| binding.keys)
    }

    /// All keys that count where these contexts are stacked, the nearest first, without those that are covered.
    #[must_use]
    pub fn bindings(&self, stack: &[Context]) -> Vec<Binding<'_>> {
        let typing = stack.first().is_some_and(|context| context.takes_text());
        let mut found: Vec<Binding<'_>> = Vec::new();
        for context in stack {
            let nearer = found.len();
            for (keys, action) in self.0.get(context).into_iter().flatten() {
                let near = || found.iter().take(nearer).map(|binding| binding.keys);
                let covered = near().any(|other| other.starts_with(keys) || keys.starts_with(other));
                if !covered && (!typing || steers(keys)) {
                    found.push(Binding { context: *context, keys, action });
                }
            }
        }
        found
    }
}

/// A key, or keys one after the other, with its meaning.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Binding<'a> {
    /// Where it is bound.
    pub context: Context,
    /// What to press.
    pub keys: &'a Sequence,
    /// What that does.
    pub action: &'a Action,
}

/// Whether keys can steer where text is typed.
fn steers(keys: &[Chord]) -> bool {
    matches!(keys, [chord] if chord.typed().is_none())
}

#[cfg(test)]
pub(in crate::tui) mod testing {
    use crate::config::{KeyChange, KeyPlace, Place};

    /// Changes as place, key and action, each on a line of its own.
    pub(in crate::tui) fn change(changes: &[(&str, &str, &str)]) -> Vec<KeyPlace> {
        let at = |line: usize| Place::File { path: "keys".into(), line: line as u64, column: 1 };
        let one = |(line, (place, key, action)): (usize, &(&str, &str, &str))| KeyPlace {
            name: (*place).to_owned(),
            at: at(line + 1),
            path: (*place).to_owned(),
            keys: vec![KeyChange {
                key: (*key).to_owned(),
                action: (*action).to_owned(),
                at: at(line + 1),
                path: format!("{place}.{key}"),
            }],
        };
        changes.iter().enumerate().map(one).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(text: &str) -> Sequence {
        text.parse().unwrap()
    }

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
        for chord in Keymap::default().0.values().flatten().flat_map(|(keys, _)| keys.iter()) {
            assert!(!["ctrl-a", "ctrl-b", "ctrl-q"].contains(&chord.to_string().as_str()), "{chord}");
        }
    }

    #[test]
    fn what_stops_something_is_never_a_bare_letter_but_for_what_asks_again() {
        for (context, keys) in &Keymap::default().0 {
            for (chord, action) in keys {
                let Some(chord) = chord.single() else { continue };
                let asks = matches!(action, Action::OpCancel | Action::OpUndo | Action::AnswerAbort);
                let letter = chord.typed().is_some_and(|c| c.is_ascii_lowercase());
                let stops = matches!(action, Action::ModeStop(_) | Action::ModeReplace(_) | Action::AnswerStop);
                assert!(asks || !(letter && stops), "{context:?} {chord}");
            }
        }
    }

    #[test]
    fn a_beginning_waits_and_a_sequence_does() {
        let keymap = Keymap::default();
        let stack = [Context::Modes, Context::Panes, Context::Everywhere];
        assert_eq!(keymap.resolve(&stack, &keys("g")), Meaning::Begins);
        assert_eq!(keymap.resolve(&stack, &keys("g g")), Meaning::Does(&Action::Top));
        assert_eq!(keymap.resolve(&stack, &keys("g 9")), Meaning::Nothing);
    }

    #[test]
    fn where_text_is_typed_a_character_is_text() {
        let changes = testing::change(&[("everywhere", "Z", "quit"), ("everywhere", "ctrl-x k", "quit")]);
        let keymap = Keymap::default().changed(&changes).unwrap();
        let of = |context, text: &str| keymap.resolve(&[context, Context::Everywhere], &keys(text));
        assert_eq!(of(Context::Dialog, "Z"), Meaning::Does(&Action::Quit));
        assert_eq!(of(Context::Dialog, "ctrl-x"), Meaning::Begins);
        assert_eq!([of(Context::Filter, "Z"), of(Context::Filter, "ctrl-x")], [Meaning::Nothing, Meaning::Nothing]);
        assert!(keymap.bindings(&[Context::Filter, Context::Everywhere]).iter().all(|binding| steers(binding.keys)));
    }
}
