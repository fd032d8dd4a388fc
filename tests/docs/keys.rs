//! docs/keys.md, from the keymap that the program carries.

use morpheus::tui::{
    action::Action,
    keymap::{Keymap, context::Context},
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
        let _ = write!(page, "\n## {}\n\n| Keys | Action | |\n| --- | --- | --- |\n", title(*context));
        let mut rows: Vec<(&Action, Vec<String>)> = Vec::new();
        for (chord, action) in keymap.bindings(&[*context]) {
            let same = |other: &Action| other.words().name == action.words().name;
            match rows.iter_mut().find(|(other, _)| same(other)) {
                Some((_, chords)) => chords.push(chord.to_string()),
                None => rows.push((action, vec![chord.to_string()])),
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

const fn title(context: Context) -> &'static str {
    match context {
        Context::Everywhere => "Everywhere",
        Context::Panes => "Any pane",
        Context::Modes => "Modes pane",
        Context::Guests => "Guests pane",
        Context::Detail => "Detail pane",
        Context::Log => "Log pane",
        Context::Dialog => "Any dialog",
        Context::Buttons => "A dialog with buttons",
        Context::Typing => "A dialog where a name is typed",
        Context::Refusal => "A refusal",
        Context::Operation => "An operation",
        Context::Question => "An operation that asks what to do with a guest",
        Context::Leaving => "Leaving while an operation runs",
        Context::Filter => "The filter",
        Context::Help => "Help",
        Context::Palette => "The list of actions",
    }
}

#[test]
fn keys_of_one_action_share_a_row() {
    let page = page();
    assert!(page.contains("| `down` `j` | down | One row down. |\n"), "{page}");
    assert!(page.contains("| `enter` | mode switch |"), "{page}");
}
