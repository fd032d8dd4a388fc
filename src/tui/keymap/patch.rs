//! Keys that a configuration changes.

use super::{Keymap, context::Context, sequence::Sequence};
use crate::{
    config::{KeyChange, KeyPlace, Place, Problem},
    domain::text,
    tui::action::Action,
};

/// What a change does to a key, once it is understood.
struct Taken<'c> {
    context: Context,
    keys: Sequence,
    change: &'c KeyChange,
}

impl Keymap {
    /// The keys with the changes of a configuration.
    ///
    /// # Errors
    /// All changes that make no sense, and those after which a key could never be reached or a place never be left.
    pub fn changed(self, changes: &[KeyPlace]) -> Result<Self, Vec<Problem>> {
        let mut keymap = self.clone();
        let mut problems = Vec::new();
        let mut taken: Vec<Taken<'_>> = Vec::new();
        for place in changes {
            let Ok(context) = place.name.parse::<Context>() else {
                problems.push(problem(&place.at, &place.path, unknown_place(&place.name)));
                continue;
            };
            for change in &place.keys {
                let earlier = |keys: &Sequence| taken.iter().any(|it| it.context == context && it.keys == *keys);
                match self.one(&mut keymap, context, change, earlier) {
                    Ok(keys) => taken.push(Taken { context, keys, change }),
                    Err(why) => problems.push(problem(&change.at, &change.path, why)),
                }
            }
        }
        for fault in keymap.faults() {
            let of = |it: &&Taken<'_>| it.context == fault.context && it.keys == fault.keys;
            if let Some(it) = taken.iter().find(of) {
                problems.push(problem(&it.change.at, &it.change.path, fault.why));
            }
        }
        problems.extend(self.traps_of(&keymap, &taken));
        if problems.is_empty() { Ok(keymap) } else { Err(problems) }
    }

    /// Makes one change.
    fn one(
        &self,
        keymap: &mut Self,
        context: Context,
        change: &KeyChange,
        earlier: impl Fn(&Sequence) -> bool,
    ) -> Result<Sequence, String> {
        let keys: Sequence = change.key.parse().map_err(|bad: crate::tui::chord::BadChord| bad.to_string())?;
        if earlier(&keys) {
            return Err("the same key stands here twice".to_owned());
        }
        let bound = keymap.0.entry(context).or_default();
        if change.action.is_empty() {
            bound.shift_remove(&keys).ok_or_else(|| self.nothing_there(context, &keys))?;
        } else {
            bound.insert(keys.clone(), change.action.parse().map_err(|_| unknown_action(&change.action))?);
        }
        Ok(keys)
    }

    /// Why a key can't be taken away.
    fn nothing_there(&self, context: Context, keys: &Sequence) -> String {
        let under =
            context.stack().iter().skip(1).find(|other| self.0.get(*other).is_some_and(|it| it.contains_key(keys)));
        match under {
            Some(other) => format!("no such key is bound {}; it is one of '{}'", context.place(), other.name()),
            None => format!("no such key is bound {}", context.place()),
        }
    }

    /// What can't be left any more, at the change that took the last way away.
    fn traps_of(&self, keymap: &Self, taken: &[Taken<'_>]) -> Vec<Problem> {
        let mut problems: Vec<Problem> = Vec::new();
        for trap in keymap.traps() {
            let had = |it: &&Taken<'_>| {
                let before = self.0.get(&it.context).and_then(|bound| bound.get(&it.keys));
                trap.context.stack().contains(&it.context) && before.is_some_and(|action| trap.needs.contains(action))
            };
            let Some(it) = taken.iter().rev().find(had).or_else(|| taken.last()) else { continue };
            let needs: Vec<String> = trap.needs.iter().map(Action::to_string).collect();
            let why = format!("after this no key {} means {}", trap.context.place(), needs.join(" or "));
            if !problems.iter().any(|known| known.place == it.change.at) {
                problems.push(problem(&it.change.at, &it.change.path, format!("{why}; leave one, or bind another")));
            }
        }
        problems
    }
}

fn problem(place: &Place, key: &str, message: String) -> Problem {
    Problem { place: place.clone(), key: key.to_owned(), message }
}

fn unknown_place(name: &str) -> String {
    let names = || Context::ALL.iter().map(|context| context.name());
    match text::nearest(name, names()) {
        Some(near) => format!("there is no such place for keys (did you mean {near}?)"),
        None => format!("there is no such place for keys; use one of {}", names().collect::<Vec<_>>().join(", ")),
    }
}

fn unknown_action(action: &str) -> String {
    let near = text::nearest(action, Action::all().iter().map(|action| action.words().name));
    let hint = near.map(|near| format!(" (did you mean {near}?)")).unwrap_or_default();
    format!("'{}' is no action{hint}", text::safe(action))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::keymap::{Binding, Meaning, testing::change};
    use proptest::prelude::*;

    fn refused(changes: &[(&str, &str, &str)]) -> Vec<String> {
        Keymap::default().changed(&change(changes)).unwrap_err().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_configuration_names_only_what_it_changes() {
        let stack = Context::Modes.stack();
        let of = |keymap: &Keymap, keys: &str| match keymap.resolve(stack, &keys.parse::<Sequence>().unwrap()) {
            Meaning::Does(action) => action.to_string(),
            other => format!("{other:?}"),
        };
        let keymap = Keymap::default().changed(&change(&[("modes", "S", "mode start")])).unwrap();
        assert_eq!([of(&keymap, "S"), of(&keymap, "enter")], ["mode start", "mode switch"]);
        let keymap = Keymap::default().changed(&change(&[("modes", "i", "")])).unwrap();
        assert_eq!(of(&keymap, "i"), "Nothing");
        let keymap = Keymap::default().changed(&change(&[("modes", "g w", "mode switch windows")])).unwrap();
        assert_eq!(
            [of(&keymap, "g w"), of(&keymap, "g g"), of(&keymap, "g")],
            ["mode switch windows", "top", "Begins"]
        );
    }

    #[test]
    fn what_makes_no_sense_is_told_all_at_once() {
        let wrong = [
            ("mode", "x", "quit"),
            ("modes", "alt-x", "quit"),
            ("modes", "X", "quti"),
            ("modes", "g", "top"),
            ("modes", "q z", "quit"),
            ("modes", "K", ""),
            ("modes", "q", ""),
            ("panes", "enter", "inspect"),
            ("filter", "j", "down"),
            ("typing", "g g", "top"),
            ("modes", "z esc", "quit"),
            ("modes", "ctrl-i", "inspect"),
        ];
        let told = refused(&wrong);
        let expected = [
            "keys:1:1: mode: there is no such place for keys (did you mean modes?)",
            "keys:2:1: modes.alt-x: 'alt-x' is no key; ",
            "keys:3:1: modes.X: 'quti' is no action (did you mean quit?)",
            "keys:4:1: modes.g: 'g g' (top, in the panes) begins with it, so that it could never end; take that away or use another key",
            "keys:5:1: modes.q z: 'q' is quit in the panes, so that nothing could follow it; take that away or use another key",
            "keys:6:1: modes.K: no such key is bound in the modes pane",
            "keys:7:1: modes.q: no such key is bound in the modes pane; it is one of 'panes'",
            "keys:8:1: panes.enter: it could never be reached; wherever it would count another key is nearer, such as the one in the modes pane",
            "keys:9:1: filter.j: text is typed in the filter; use a single key such as enter, down or one with ctrl-",
            "keys:10:1: typing.g g: text is typed where a name is typed; use a single key such as enter, down or one with ctrl-",
            "keys:11:1: modes.z esc: esc and ctrl-c leave a sequence wherever one has begun",
            "keys:12:1: modes.ctrl-i: a terminal sends tab for ctrl-i; use that",
        ];
        for begin in expected {
            assert!(told.iter().any(|line| line.starts_with(begin)), "{begin}\nin {told:#?}");
        }
        assert_eq!(told.len(), expected.len(), "{told:#?}");
    }

    #[test]
    fn one_key_has_one_meaning_however_it_is_spelled() {
        let told = refused(&[("modes", "space", "inspect"), ("modes", " ", "copy")]);
        assert_eq!(told, ["keys:2:1: modes. : the same key stands here twice"]);
    }

    #[test]
    fn the_last_way_out_stays() {
        let quit = [("panes", "q", ""), ("everywhere", "ctrl-c", "")];
        let told = refused(&quit);
        assert_eq!(
            told,
            [
                "keys:2:1: everywhere.ctrl-c: after this no key in the modes pane means quit or leave; leave one, or bind another"
            ]
        );
        assert!(Keymap::default().changed(&change(&[("panes", "q", "")])).is_ok());
        let told = refused(&[("buttons", "enter", "")]);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].contains("no key in a dialog with buttons means enter;"), "{told:?}");
        let told = refused(&[("help", "esc", "redraw"), ("help", "enter", ""), ("everywhere", "ctrl-c", "redraw")]);
        assert!(told.iter().any(|line| line.contains("no key in the help means back or leave;")), "{told:?}");
    }

    /// A key that is bound goes away or means something else, or one that may not be bound means something.
    fn one_change() -> impl Strategy<Value = (&'static str, String, String)> {
        let keymap = Keymap::default();
        let place = |(context, bound): (Context, &indexmap::IndexMap<Sequence, Action>)| {
            bound.keys().map(move |keys| (context.name(), keys.to_string())).collect::<Vec<_>>()
        };
        let bound: Vec<(&str, String)> = keymap.places().flat_map(place).collect();
        let places: Vec<&str> = Context::ALL.iter().map(|context| context.name()).collect();
        let actions: Vec<String> = Action::all().iter().map(ToString::to_string).filter(|it| it != "pane 0").collect();
        let free = (prop::sample::select(places), "[A-Z]|ctrl-[d-h]|z [a-z]");
        let action = prop::sample::select(actions);
        let away = prop::sample::select(bound.clone()).prop_map(|(place, key)| (place, key, String::new()));
        let other = (prop_oneof![prop::sample::select(bound), free], action);
        prop_oneof![3 => away, 1 => other.prop_map(|((place, key), action)| (place, key, action))]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn whatever_is_accepted_leaves_every_place_a_way_out(changes in prop::collection::vec(one_change(), 1..6)) {
            let changes: Vec<(&str, &str, &str)> =
                changes.iter().map(|(place, key, action)| (*place, key.as_str(), action.as_str())).collect();
            if let Ok(keymap) = Keymap::default().changed(&change(&changes)) {
                for top in Context::ALL.iter().filter(|top| top.is_on_top()) {
                    let ways = [Action::Back, Action::Leave, Action::Quit];
                    let out = |binding: &Binding<'_>| {
                        let does = keymap.resolve(top.stack(), binding.keys) == Meaning::Does(binding.action);
                        does && ways.contains(binding.action)
                    };
                    prop_assert!(keymap.bindings(top.stack()).iter().any(out), "{top:?} is a trap");
                }
            }
        }
    }
}
