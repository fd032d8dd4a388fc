//! Reading values with their places, and collecting what is wrong with them.

use super::{
    error::{Notice, Place, Problem},
    interpolate::{has_reference, interpolate},
    locate::Env,
    node::{At, Entry, Node, Value},
    shown,
};
use crate::domain::{finding::FindingId, text};
use std::{ops::RangeInclusive, path::Path};

/// Keys that say where things are sent: what the environment puts into them leaves this machine.
const ADDRESSES: [&str; 4] = ["proxmox.host", "proxmox.port", "proxmox.node", "nimsforest.registry_url"];

/// A value as somebody said it: on the command line, in the environment or in the file.
pub(super) struct Said {
    /// The text, with `${VAR}` replaced. May be a secret.
    pub(super) text: String,
    /// What may be shown of it: as it was typed, before variables were replaced.
    pub(super) shown: String,
    /// Whether it stands in the file itself, not in the environment.
    pub(super) literal: bool,
    pub(super) place: Place,
    /// The key's path, the variable's or the flag's name.
    pub(super) key: String,
}

/// A key of the file with its value.
pub(super) struct Field<'n> {
    /// The whole path, such as `proxmox.port`.
    pub(super) key: String,
    /// Where the key stands.
    pub(super) at: At,
    pub(super) node: &'n Node,
}

/// A map of the file.
#[derive(Clone)]
pub(super) struct Section<'n> {
    /// Its path; empty for the file's top.
    pub(super) key: String,
    /// Where its key stands.
    pub(super) at: At,
    entries: &'n [Entry],
}

impl<'n> Section<'n> {
    /// A section without any key.
    pub(super) const fn empty(key: String) -> Self {
        Self { key, at: At { line: 0, column: 0 }, entries: &[] }
    }

    /// A key that has a value. An empty one (`port:`) counts as not there.
    pub(super) fn get(&self, name: &str) -> Option<Field<'n>> {
        self.fields().find(|(key, field)| *key == name && !matches!(field.node.value, Value::Null)).map(|(_, f)| f)
    }

    /// Every key, in the file's order.
    pub(super) fn fields(&self) -> impl Iterator<Item = (&'n str, Field<'n>)> {
        let entries = self.entries;
        entries.iter().map(|entry| {
            let key = shown::name(&entry.key);
            let key = if self.key.is_empty() { key } else { format!("{}.{key}", self.key) };
            (entry.key.as_str(), Field { key, at: entry.at, node: &entry.node })
        })
    }
}

/// Reads values and collects problems and notices.
pub(super) struct Reader<'a> {
    pub(super) env: &'a Env,
    /// The file, as it is named in messages.
    pub(super) path: &'a Path,
    /// Whether users other than its owner can read the file.
    pub(super) readable_by_others: bool,
    /// Whose the file is, if it is neither the person's nor root's.
    pub(super) stranger: Option<String>,
    pub(super) problems: Vec<Problem>,
    pub(super) notices: Vec<Notice>,
}

impl<'a> Reader<'a> {
    pub(super) const fn new(env: &'a Env, path: &'a Path) -> Self {
        Self { env, path, readable_by_others: false, stranger: None, problems: Vec::new(), notices: Vec::new() }
    }

    /// A place in the file.
    pub(super) fn place(&self, at: At) -> Place {
        Place::File { path: self.path.to_owned(), line: at.line, column: at.column }
    }

    pub(super) fn problem(&mut self, place: Place, key: impl Into<String>, message: impl Into<String>) {
        self.problems.push(Problem { place, key: key.into(), message: message.into() });
    }

    pub(super) fn notice(
        &mut self,
        finding: FindingId,
        place: Place,
        key: impl Into<String>,
        message: impl Into<String>,
    ) {
        self.notices.push(Notice { finding, place, key: key.into(), message: message.into() });
    }

    /// Refuses a value: what was said, what is allowed, what was probably meant.
    pub(super) fn refuse(&mut self, said: &Said, allowed: &str, near: Option<&str>) {
        let what = match said.shown.as_str() {
            "" => "an empty text".to_owned(),
            shown::HIDDEN => "this value".to_owned(),
            shown => format!("'{shown}'"),
        };
        let hint = near.map(|near| format!(" (did you mean {near}?)")).unwrap_or_default();
        self.problem(said.place.clone(), said.key.clone(), format!("{what} is not allowed; use {allowed}{hint}"));
    }

    /// Refuses what should have been a number.
    pub(super) fn refuse_number(&mut self, said: &Said, allowed: &str) {
        // A variable's name is shown as it was typed.
        let shown = if said.shown.contains("${") { said.shown.clone() } else { shown::number(&said.text) };
        let said = Said {
            text: String::new(),
            shown,
            literal: said.literal,
            place: said.place.clone(),
            key: said.key.clone(),
        };
        self.refuse(&said, allowed, None);
    }

    /// The map behind a key.
    pub(super) fn section<'n>(&mut self, field: Field<'n>) -> Option<Section<'n>> {
        if let Value::Map(entries) = &field.node.value {
            return Some(Section { key: field.key, at: field.at, entries });
        }
        self.wrong_shape(&field, "a map of keys");
        None
    }

    /// The map behind a key of another map, an empty one if the key isn't there.
    pub(super) fn subsection<'n>(&mut self, parent: &Section<'n>, name: &str) -> Section<'n> {
        let key = if parent.key.is_empty() { name.to_owned() } else { format!("{}.{name}", parent.key) };
        parent.get(name).and_then(|field| self.section(field)).unwrap_or_else(|| Section::empty(key))
    }

    /// The items of a list.
    pub(super) fn list<'n>(&mut self, field: &Field<'n>, allowed: &str) -> Option<Vec<Field<'n>>> {
        if let Value::List(items) = &field.node.value {
            let item = |node: &'n Node| Field { key: field.key.clone(), at: node.at, node };
            return Some(items.iter().map(item).collect());
        }
        self.wrong_shape(field, allowed);
        None
    }

    /// A scalar with its variables replaced.
    pub(super) fn scalar(&mut self, field: &Field<'_>, allowed: &str) -> Option<Said> {
        let place = self.place(field.node.at);
        let Value::Scalar(raw) = &field.node.value else {
            self.wrong_shape(field, allowed);
            return None;
        };
        if let Some(why) =
            self.stranger.as_ref().filter(|_| has_reference(raw) && ADDRESSES.contains(&field.key.as_str()))
        {
            let message = format!("'${{...}}' isn't replaced here: the value would go where this file says, and {why}");
            self.problem(place, field.key.clone(), message);
            return None;
        }
        match interpolate(raw, self.env) {
            Ok(text) => Some(Said {
                text,
                shown: shown::value(raw),
                literal: !has_reference(raw),
                place,
                key: field.key.clone(),
            }),
            Err(why) => {
                self.problem(place, field.key.clone(), why);
                None
            }
        }
    }

    /// A list of scalars; a single one counts as a list of one.
    pub(super) fn texts(&mut self, field: &Field<'_>, allowed: &str) -> Vec<Said> {
        if matches!(field.node.value, Value::Scalar(_)) {
            return self.scalar(field, allowed).into_iter().collect();
        }
        let items = self.list(field, allowed).unwrap_or_default();
        items.iter().filter_map(|item| self.scalar(item, allowed)).collect()
    }

    fn wrong_shape(&mut self, field: &Field<'_>, allowed: &str) {
        let what = match &field.node.value {
            Value::Null => "an empty value",
            Value::Scalar(_) => "a single value",
            Value::List(_) => "a list",
            Value::Map(_) => "a map of keys",
        };
        let place = self.place(field.node.at);
        self.problem(place, field.key.clone(), format!("{what} is not allowed; use {allowed}"));
    }

    /// The value of an environment variable; an empty one counts as not set.
    pub(super) fn variable(&mut self, name: &str) -> Option<Said> {
        if name.is_empty() || self.env.vars.get(name).is_none_or(|value| value.is_empty()) {
            return None;
        }
        let Some(text) = self.env.var(name) else {
            self.problem(Place::Variable(name.to_owned()), name, "the value is not UTF-8");
            return None;
        };
        let (text, shown) = (text.to_owned(), shown::value(text));
        Some(Said { text, shown, literal: false, place: Place::Variable(name.to_owned()), key: name.to_owned() })
    }

    /// A value by precedence: flag, environment, file. The losers aren't looked at, so that what they refer to need
    /// not exist.
    pub(super) fn pick(
        &mut self,
        flag: (&'static str, Option<String>),
        variable: &str,
        field: Option<Field<'_>>,
        allowed: &str,
    ) -> Option<Said> {
        if let (name, Some(text)) = flag {
            let shown = shown::value(&text);
            return Some(Said { text, shown, literal: false, place: Place::Flag(name), key: name.to_owned() });
        }
        self.variable(variable).or_else(|| self.scalar(&field?, allowed))
    }

    /// A whole number within a range.
    pub(super) fn number(&mut self, said: &Said, range: RangeInclusive<u64>, unit: &str) -> Option<u64> {
        let number = said.text.trim().parse().ok().filter(|number| range.contains(number));
        if number.is_none() {
            let unit = if unit.is_empty() { String::new() } else { format!(" of {unit}") };
            self.refuse_number(said, &format!("a number{unit} from {} to {}", range.start(), range.end()));
        }
        number
    }

    /// `true` or `false`.
    pub(super) fn boolean(&mut self, said: &Said) -> Option<bool> {
        match said.text.trim().to_ascii_lowercase().as_str() {
            "true" => return Some(true),
            "false" => return Some(false),
            "yes" | "on" | "1" => self.refuse(said, "true or false", Some("true")),
            "no" | "off" | "0" => self.refuse(said, "true or false", Some("false")),
            _ => self.refuse(said, "true or false", None),
        }
        None
    }

    /// One word of several.
    pub(super) fn word<T: Copy>(&mut self, said: &Said, words: &[(&str, T)]) -> Option<T> {
        let text = said.text.trim();
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
        if found.is_none() {
            let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            self.refuse(said, &one_of(&names), text::nearest(text, names.iter().copied()));
        }
        found
    }

    /// Text that isn't empty.
    pub(super) fn filled(&mut self, said: Said, allowed: &str) -> Option<Said> {
        if said.text.trim().is_empty() {
            self.refuse(&said, allowed, None);
            return None;
        }
        Some(said)
    }
}

/// `a, b or c`.
pub(super) fn one_of(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [most @ .., last] => format!("{} or {last}", most.join(", ")),
    }
}
