use super::keys::{KEYS, OLD_KEYS, VARIABLES};
use std::collections::BTreeSet;

const GUIDE: &str = include_str!("../../docs/config.md");

/// A key's path as the guide spells it.
fn spelled(path: &str) -> String {
    path.replace(".[]", "[]").replace(".*", ".NAME").replace("linux|windows", "SYSTEM")
}

/// Rows of the guide's tables that begin with a code word, as they stand.
fn rows() -> Vec<&'static str> {
    GUIDE.lines().filter(|line| line.starts_with("| `")).collect()
}

#[test]
fn the_guide_has_every_key_and_variable_and_no_other() {
    let key = |key: &super::keys::Key| {
        format!("| `{}` | {} | {} | {} |", spelled(key.path), key.allowed, key.default, key.doc)
    };
    let variable = |v: &super::keys::Variable| format!("| `{}` | {} |", v.name, v.doc);
    let expected: Vec<String> = KEYS.iter().map(key).chain(VARIABLES.iter().map(variable)).collect();
    assert_eq!(rows(), expected, "docs/config.md must have exactly these rows:\n{}", expected.join("\n"));
    for old in OLD_KEYS {
        assert!(GUIDE.contains(&format!("`{old}`")), "{old}");
    }
}

#[test]
fn the_guide_to_themes_has_every_role() {
    let guide = include_str!("../../docs/terminal.md").split_once("| Role |").unwrap().1;
    let rows: Vec<&str> = guide.lines().filter(|line| line.starts_with("| `")).collect();
    let expected: Vec<String> = super::ROLES.iter().map(|(role, doc)| format!("| `{role}` | {doc} |")).collect();
    assert_eq!(rows, expected);
}

#[test]
fn every_key_stands_once_and_has_its_sentence() {
    let mut seen = BTreeSet::new();
    for key in KEYS {
        assert!(seen.insert(key.path), "{}", key.path);
        assert!(key.doc.ends_with('.') && !key.allowed.is_empty(), "{}", key.path);
        assert!(!(key.doc.contains('|') || key.allowed.contains('|')), "{}", key.path);
    }
}

/// Every name that the readers ask for is in the table, else a key that works would be called unknown.
#[test]
fn every_key_that_is_read_is_known() {
    let sources = [
        include_str!("credentials.rs"),
        include_str!("host.rs"),
        include_str!("modes.rs"),
        include_str!("other.rs"),
        include_str!("services.rs"),
        include_str!("theme.rs"),
        include_str!("ui.rs"),
        include_str!("vr.rs"),
    ];
    let known: BTreeSet<&str> = KEYS.iter().filter_map(|key| key.path.rsplit('.').next()).collect();
    let mut asked = 0;
    for part in sources.iter().flat_map(|source| source.split(".get(\"").skip(1)) {
        let name = part.split('"').next().unwrap();
        assert!(known.contains(name), "{name}");
        asked += 1;
    }
    assert!(asked > 20, "{asked}");
}
