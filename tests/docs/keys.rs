//! docs/keys.md, from the keymap that the program carries.

use morpheus::tui::{
    action::Action,
    keymap::{Binding, Keymap, context::Context},
};
use std::fmt::Write as _;

const HEAD: &str = "# Keys

<!-- Made from assets/keymap.yaml. Change that, then: UPDATE_DOCS=1 cargo test --test docs -->

The footer of the dashboard shows the keys that count where you are, `?` shows all of them with what they do, and `:` finds an action by its
name, which is the command line's. No mouse, function key or Alt is needed. Nothing that stops a guest is done without its plan
being shown and confirmed.

A key counts in the place that is nearest to what is on top; what a place doesn't name, the places around it may: a pane, then *any
pane*, then *everywhere*; a dialog, then *any dialog*, then *everywhere*. Where a text is typed, letters are the text.
";

/// The page.
pub(crate) fn page() -> String {
    let keymap = Keymap::default();
    let mut page = HEAD.to_owned();
    for context in Context::ALL {
        let _ = write!(page, "\n## {}\n\n| Keys | Action | |\n| --- | --- | --- |\n", context.title());
        let mut rows: Vec<(&Action, Vec<String>)> = Vec::new();
        for Binding { keys, action, .. } in keymap.bindings(&[*context]) {
            let same = |other: &Action| other.words().name == action.words().name;
            match rows.iter_mut().find(|(other, _)| same(other)) {
                Some((_, chords)) => chords.push(keys.to_string()),
                None => rows.push((action, vec![keys.to_string()])),
            }
        }
        for (action, chords) in rows {
            let keys: Vec<String> = chords.iter().map(|chord| format!("`{}`", chord.replace('|', "\\|"))).collect();
            let words = action.words();
            let _ = writeln!(page, "| {} | {} | {} |", keys.join(" "), words.name, words.sentence);
        }
    }
    page
}

#[test]
fn keys_of_one_action_share_a_row() {
    let page = page();
    assert!(page.contains("| `down` `j` | down | One row down. |\n"), "{page}");
    assert!(page.contains("| `enter` | mode switch |"), "{page}");
}
