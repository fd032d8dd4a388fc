//! Keys that nobody reads, and keys that stand twice.

use super::{
    keys::{KEYS, OLD_KEYS},
    node::{Entry, Node, Value},
    reader::Reader,
    shown,
};
use crate::domain::{finding::FindingId, text};

/// What the table says about a place: the paths below it, split into segments.
type Below = Vec<Vec<&'static str>>;

/// Walks the whole file: an error for a key that stands twice, a notice for one that nobody knows.
pub(super) fn check(reader: &mut Reader<'_>, root: &Node) {
    let paths: Below = KEYS.iter().map(|key| key.path.split('.').collect()).collect();
    walk(reader, root, "", &paths);
}

/// Walks a file whose keys its reader knows: an error for a key that stands twice.
pub(super) fn check_twice(reader: &mut Reader<'_>, root: &Node) {
    walk(reader, root, "", &Below::new());
}

fn walk(reader: &mut Reader<'_>, node: &Node, path: &str, below: &Below) {
    match &node.value {
        Value::Map(entries) => {
            twice(reader, entries, path);
            for entry in entries {
                one_key(reader, entry, path, below);
            }
        }
        Value::List(items) => {
            let next = descend(below, |segment| segment == "[]");
            for item in items {
                walk(reader, item, path, &next);
            }
        }
        Value::Null | Value::Scalar(_) => {}
    }
}

fn joined(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

fn one_key(reader: &mut Reader<'_>, entry: &Entry, path: &str, below: &Below) {
    let next = descend(below, |segment| segment == "*" || segment.split('|').any(|word| word == entry.key));
    if !next.is_empty() {
        return walk(reader, &entry.node, &joined(path, &shown::name(&entry.key)), &next);
    }
    if below.is_empty() {
        return walk(reader, &entry.node, &joined(path, &shown::name(&entry.key)), below);
    }
    let whole = joined(path, &shown::key(&entry.key));
    let place = reader.place(entry.at);
    if path.is_empty() && OLD_KEYS.contains(&entry.key.as_str()) {
        let message = "a key of an older morpheus, ignored";
        return reader.notice(FindingId::ConfigOldKey, place, whole, message);
    }
    let known = below.iter().filter_map(|path| path.first()).flat_map(|segment| segment.split('|'));
    let near = text::nearest(&entry.key, known);
    if near.is_none() && matches!(entry.node.value, Value::Null) {
        // Perhaps the tail of a value that should have been in quotes, such as a secret with a comma in it: not shown.
        let message =
            "an unknown key without a value, ignored; if it belongs to the value before it, put that in quotes";
        return reader.notice(FindingId::ConfigUnknownKey, place, path, message);
    }
    let hint = near.map(|near| format!(" (did you mean {near}?)")).unwrap_or_default();
    reader.notice(FindingId::ConfigUnknownKey, place, whole, format!("unknown key, ignored{hint}"));
}

/// The paths that go on below a segment; a path that ends there stays as an empty one.
fn descend(below: &Below, matches: impl Fn(&str) -> bool) -> Below {
    let tail = |path: &Vec<&'static str>| {
        let (first, rest) = path.split_first()?;
        matches(first).then(|| rest.to_vec())
    };
    below.iter().filter_map(tail).collect()
}

fn twice(reader: &mut Reader<'_>, entries: &[Entry], path: &str) {
    for (i, entry) in entries.iter().enumerate() {
        let Some(first) = entries.iter().take(i).find(|earlier| earlier.key == entry.key) else { continue };
        let key = joined(path, &shown::key(&entry.key));
        let place = reader.place(entry.at);
        reader.problem(place, key, format!("this key stands twice, first on line {}", first.at.line));
    }
}
