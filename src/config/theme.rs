//! `ui.theme`: a built-in look by its name, or one with changes, here or in a file of its own.

use super::{
    beside,
    look::Look,
    node::{Node, Value},
    reader::{Field, Reader, Section, one_of},
    shown,
};
use crate::domain::text;
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

/// What everything looks like: a built-in theme and the roles that look otherwise.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ThemeChoice {
    /// Where the other roles' looks come from.
    pub base: BaseTheme,
    /// Looks by the names of their roles, which are of [`ROLES`].
    pub roles: IndexMap<String, Look>,
}

/// A built-in theme.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum BaseTheme {
    /// The terminal's own colours and background.
    #[default]
    Terminal,
    /// Dark text on a light background.
    Light,
    /// Light text on a dark background.
    Dark,
}

impl BaseTheme {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Terminal, Self::Light, Self::Dark];

    /// Its name.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Terminal => "terminal",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

/// What on the screen can have a look of its own, with what it is for.
pub const ROLES: &[(&str, &str)] = &[
    ("text", "Plain text, and the background of everything."),
    ("muted", "What matters less."),
    ("strong", "Headings, and what a line is about."),
    ("selected", "The selected row of the pane that keys go to."),
    ("remembered", "The selected row of another pane."),
    ("good", "Runs, answers, done."),
    ("warn", "Works, but."),
    ("bad", "Doesn't work."),
    ("busy", "Under way."),
    ("key", "A key to press."),
    ("border", "A frame."),
    ("focus", "The frame of the pane that keys go to."),
    ("button", "A button."),
    ("pressed", "The button that Enter presses."),
    ("danger", "The same, where pressing it stops something."),
    ("graph", "A column of a graph."),
    ("input", "A text that is being typed."),
];

const ALLOWED: &str = "terminal, light, dark, the path of a theme file, or a map such as {base: dark, good: green}";
const LOOK: &str = "a look such as 'bold red', '#ff8700 on black' or 'reverse'";

/// Reads the theme that the flag or the file says.
pub(super) fn read(reader: &mut Reader<'_>, field: Option<Field<'_>>, flag: Option<&str>) -> ThemeChoice {
    if flag.is_none()
        && let Some(Field { node: Node { value: Value::Map(_), .. }, .. }) = &field
    {
        return field.and_then(|field| reader.section(field)).map(|map| changes(reader, &map)).unwrap_or_default();
    }
    let Some(said) = reader.pick(("--theme", flag.map(str::to_owned)), "", field, ALLOWED) else {
        return ThemeChoice::default();
    };
    let text = said.text.trim();
    if let Some(base) = BaseTheme::ALL.into_iter().find(|base| base.word() == text) {
        return ThemeChoice { base, roles: IndexMap::new() };
    }
    if !text.contains(['/', '.']) {
        reader.refuse(&said, ALLOWED, text::nearest(text, BaseTheme::ALL.map(BaseTheme::word)));
        return ThemeChoice::default();
    }
    beside::read(reader, &said, "theme file", changes)
}

/// A map of `base` and roles.
fn changes(reader: &mut Reader<'_>, map: &Section<'_>) -> ThemeChoice {
    let bases = BaseTheme::ALL.map(|base| (base.word(), base));
    let words = one_of(&BaseTheme::ALL.map(BaseTheme::word));
    let base = map.get("base").and_then(|field| reader.scalar(&field, &words));
    let mut choice = ThemeChoice {
        base: base.and_then(|said| reader.word(&said, &bases)).unwrap_or_default(),
        ..ThemeChoice::default()
    };
    for (name, field) in map.fields().filter(|(name, _)| *name != "base") {
        let names = ROLES.iter().map(|(role, _)| *role);
        if !ROLES.iter().any(|(role, _)| *role == name) {
            let near = text::nearest(name, names.clone().chain(["base"]));
            let hint = near.map(|near| format!(" (did you mean {near}?)")).unwrap_or_default();
            let names: Vec<&str> = names.collect();
            let place = reader.place(field.at);
            reader.problem(place, field.key, format!("there is no such role; use {}{hint}", one_of(&names)));
            continue;
        }
        let Some(said) = reader.scalar(&field, LOOK) else { continue };
        match said.text.parse() {
            Ok(look) => drop(choice.roles.insert(name.to_owned(), look)),
            Err(word) => {
                let message = format!("'{}' is not allowed; use {LOOK}", shown::value(&word));
                reader.problem(said.place, said.key, message);
            }
        }
    }
    choice
}
