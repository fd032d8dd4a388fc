//! YAML as a tree in which every key and value knows its line and column.

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_yaml::{DuplicateKeyPolicy, Options, Spanned};
use std::fmt;

/// A position in the file, both from 1.
#[derive(Clone, Copy, Default)]
pub(super) struct At {
    pub(super) line: u64,
    pub(super) column: u64,
}

/// A value and where it stands. Not printable: it may hold a secret.
pub(super) struct Node {
    pub(super) at: At,
    pub(super) value: Value,
}

/// What a value is. Scalars keep the text as it was typed; what it means is up to the key.
pub(super) enum Value {
    Null,
    Scalar(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// A key of a map, in the file's order. A key that stands twice has two entries.
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) at: At,
    pub(super) node: Node,
}

/// Parses one YAML document. An empty file is an empty map.
///
/// # Errors
/// Where and why it isn't YAML, in words that quote nothing of the file.
pub(super) fn parse(text: &str) -> Result<Node, (At, String)> {
    let mut options = Options::default();
    options.with_snippet = false;
    options.duplicate_keys = DuplicateKeyPolicy::LastWins;
    let parsed = serde_yaml::from_str_with_options::<Spanned<Raw>>(text, options);
    let root = parsed.map_err(|error| {
        let at = error.location().map(|l| At { line: l.line(), column: l.column() }).unwrap_or_default();
        (at, reason(&error))
    })?;
    Ok(root.into_node(text))
}

/// The parser's own words without its repeated location and without the characters that it may quote.
fn reason(error: &serde_yaml::Error) -> String {
    let words = error.to_string();
    let words = words.split(" at line ").next().unwrap_or_default();
    match words {
        w if w.starts_with("unexpected character") => "not valid YAML: put this value in quotes".to_owned(),
        w if w.starts_with("multiple YAML documents") => "one file is one YAML document; remove the '---'".to_owned(),
        w if w.starts_with("alias references") => {
            "not valid YAML: a value that begins with * must be in quotes".to_owned()
        }
        w if w.starts_with("mapping values are not allowed") => {
            "not valid YAML: ': ' where no key can be; check the indentation, or put the value in quotes".to_owned()
        }
        w => format!("not valid YAML: {w}"),
    }
}

enum Raw {
    Null,
    /// The value as parsed; the text as typed is taken from the file where possible.
    Plain(String),
    Text(String),
    List(Vec<Spanned<Self>>),
    Map(Vec<(Spanned<String>, Spanned<Self>)>),
}

trait IntoNode {
    fn into_node(self, text: &str) -> Node;
}

impl IntoNode for Spanned<Raw> {
    fn into_node(self, text: &str) -> Node {
        let at = At { line: self.referenced.line(), column: self.referenced.column() };
        let span = self.defined.span();
        let typed = span.byte_offset().zip(span.byte_len()).and_then(|(start, len)| {
            let start = usize::try_from(start).ok()?;
            text.get(start..start.checked_add(usize::try_from(len).ok()?)?)
        });
        let value = match self.value {
            Raw::Null => Value::Null,
            Raw::Text(text) => Value::Scalar(text),
            Raw::Plain(parsed) => Value::Scalar(typed.map_or(parsed, |typed| typed.trim().to_owned())),
            Raw::List(items) => Value::List(items.into_iter().map(|item| item.into_node(text)).collect()),
            Raw::Map(entries) => Value::Map(entries.into_iter().map(|(key, node)| entry(key, node, text)).collect()),
        };
        Node { at, value }
    }
}

fn entry(key: Spanned<String>, node: Spanned<Raw>, text: &str) -> Entry {
    let at = At { line: key.referenced.line(), column: key.referenced.column() };
    let mut node = node.into_node(text);
    if matches!(node.value, Value::Null) || node.at.line == 0 {
        node.at = at;
    }
    Entry { key: key.value, at, node }
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("YAML")
    }
    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }
    fn visit_none<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }
    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Raw, D::Error> {
        Raw::deserialize(deserializer)
    }
    fn visit_bool<E>(self, value: bool) -> Result<Raw, E> {
        Ok(Raw::Plain(value.to_string()))
    }
    fn visit_i64<E>(self, value: i64) -> Result<Raw, E> {
        Ok(Raw::Plain(value.to_string()))
    }
    fn visit_u64<E>(self, value: u64) -> Result<Raw, E> {
        Ok(Raw::Plain(value.to_string()))
    }
    fn visit_i128<E>(self, value: i128) -> Result<Raw, E> {
        Ok(Raw::Plain(value.to_string()))
    }
    fn visit_u128<E>(self, value: u128) -> Result<Raw, E> {
        Ok(Raw::Plain(value.to_string()))
    }
    fn visit_f64<E>(self, value: f64) -> Result<Raw, E> {
        Ok(Raw::Plain(value.to_string()))
    }
    fn visit_str<E>(self, value: &str) -> Result<Raw, E> {
        Ok(Raw::Text(value.to_owned()))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Raw, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Raw::List(list))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Raw, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            map.push(entry);
        }
        Ok(Raw::Map(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dump(node: &Node) -> String {
        let At { line, column } = node.at;
        match &node.value {
            Value::Null => format!("~@{line}:{column}"),
            Value::Scalar(text) => format!("{text}@{line}:{column}"),
            Value::List(items) => format!("[{}]", items.iter().map(dump).collect::<Vec<_>>().join(" ")),
            Value::Map(map) => {
                let each = |e: &Entry| format!("{}@{}:{}={}", e.key, e.at.line, e.at.column, dump(&e.node));
                format!("{{{}}}", map.iter().map(each).collect::<Vec<_>>().join(" "))
            }
        }
    }

    #[test]
    fn every_key_and_value_has_its_place_and_its_text_as_typed() {
        let text = "a: 007\nb:\n  - 1e3\n  - 'x y'\nc: {d: yes, e: 0x1F}\nf:\n2024: true\na: é\ng: \"é\" \nh: 1\n";
        let node = parse(text).map_err(|(_, reason)| reason).unwrap();
        assert_eq!(
            dump(&node),
            "{a@1:1=007@1:4 b@2:1=[1e3@3:5 x y@4:5] c@5:1={d@5:5=yes@5:8 e@5:13=0x1F@5:16} f@6:1=~@6:1 \
             2024@7:1=true@7:7 a@8:1=é@8:4 g@9:1=é@9:4 h@10:1=1@10:4}"
        );
    }

    #[test]
    fn anchors_and_merges_are_read() {
        let text = "x: &x {vmid: 1, os: linux}\ny:\n  <<: *x\n  vmid: 2\n";
        let node = parse(text).map_err(|(_, reason)| reason).unwrap();
        assert!(dump(&node).ends_with("y@2:1={vmid@4:3=2@4:9 os@3:7=linux@3:7}}"), "{}", dump(&node));
    }
}
