//! The guides: pages made from the program's own tables are what those tables say now, and every link leads somewhere.
//! `UPDATE_DOCS=1 cargo test --test docs` writes the pages anew.

#[cfg(test)]
#[path = "docs/commands.rs"]
mod commands;
#[cfg(test)]
#[path = "docs/keys.rs"]
mod keys;
#[cfg(test)]
#[path = "docs/links.rs"]
mod links;
#[cfg(test)]
#[path = "docs/plant.rs"]
mod plant;
#[cfg(test)]
#[path = "docs/setup.rs"]
mod setup;
#[cfg(test)]
#[path = "docs/troubleshooting.rs"]
mod troubleshooting;

use std::{fs, path::Path};

/// Compares a page with what it must be, or writes it where that is wanted.
fn same(page: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(page);
    if std::env::var_os("UPDATE_DOCS").is_some_and(|value| value == "1") {
        let _ = fs::write(&path, text);
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    let differs = found.lines().zip(text.lines()).position(|(a, b)| a != b);
    let line = differs.unwrap_or_else(|| found.lines().count().min(text.lines().count())) + 1;
    assert!(found == text, "{page} is stale from line {line} on; write it with UPDATE_DOCS=1 cargo test --test docs");
}

#[test]
fn troubleshooting_is_the_table_of_findings() {
    same("docs/troubleshooting.md", &troubleshooting::page());
}

#[test]
fn commands_are_the_grammar() {
    same("docs/commands.md", &commands::page());
}

#[test]
fn the_guide_to_planting_ends_with_the_table_of_questions() {
    same("docs/plant.md", &plant::page());
}

#[test]
fn keys_are_the_keymap() {
    same("docs/keys.md", &keys::page());
}
