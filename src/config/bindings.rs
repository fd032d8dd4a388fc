//! `ui.keys`: keys that mean something else than by default, here or in a file of their own. What the words mean is
//! for the dashboard to say; here they only get their places.

use super::{
    beside,
    error::Place,
    node::{Node, Value},
    reader::{Field, Reader, Section},
};

/// Keys of one place of the dashboard.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KeyPlace {
    /// The place's name as it was said.
    pub name: String,
    /// Where that stands.
    pub at: Place,
    /// The path of the key that says it.
    pub path: String,
    /// Its keys, in the file's order.
    pub keys: Vec<KeyChange>,
}

/// A key that means something else.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KeyChange {
    /// The key as it was said.
    pub key: String,
    /// The action as it was said; nothing takes the key away.
    pub action: String,
    /// Where the key stands.
    pub at: Place,
    /// The path of the key that says it.
    pub path: String,
}

const ALLOWED: &str = "the path of a file with keys, or a map such as {modes: {s: mode start}}";
const ACTION: &str = "the name of an action, or \"\" to take the key away";

/// Reads the keys that the file says.
pub(super) fn read(reader: &mut Reader<'_>, field: Option<Field<'_>>) -> Vec<KeyPlace> {
    let Some(field) = field else { return Vec::new() };
    if matches!(field.node, Node { value: Value::Scalar(_), .. }) {
        let said = reader.scalar(&field, ALLOWED).and_then(|said| reader.filled(said, ALLOWED));
        return said.map(|said| beside::read(reader, &said, "file with keys", places)).unwrap_or_default();
    }
    reader.section(field).map(|map| places(reader, &map)).unwrap_or_default()
}

fn places(reader: &mut Reader<'_>, map: &Section<'_>) -> Vec<KeyPlace> {
    let mut places = Vec::new();
    for (name, field) in map.fields() {
        let (at, path) = (reader.place(field.at), field.key.clone());
        let Some(section) = reader.section(field) else { continue };
        let keys = section.fields().filter_map(|(key, field)| {
            let (at, path) = (reader.place(field.at), field.key.clone());
            let action = reader.scalar(&field, ACTION)?.text.trim().to_owned();
            Some(KeyChange { key: key.to_owned(), action, at, path })
        });
        let keys = keys.collect();
        places.push(KeyPlace { name: name.to_owned(), at, path, keys });
    }
    places
}
