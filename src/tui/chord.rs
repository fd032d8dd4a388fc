//! A key with its modifiers, as plain data and as text: `x`, `G`, `ctrl-c`, `enter`, `shift-tab`.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// One press of a key.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Chord {
    /// The key. A letter carries its case; there is no separate shift for it.
    pub key: Key,
    /// Control was held.
    pub ctrl: bool,
}

/// A key that this program can be steered by.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Key {
    /// A printable character.
    Char(char),
    /// Return.
    Enter,
    /// Escape.
    Esc,
    /// Tab.
    Tab,
    /// Shift and Tab.
    BackTab,
    /// Deletes to the left.
    Backspace,
    /// Deletes to the right.
    Delete,
    /// Arrow.
    Up,
    /// Arrow.
    Down,
    /// Arrow.
    Left,
    /// Arrow.
    Right,
    /// Home.
    Home,
    /// End.
    End,
    /// A page up.
    PageUp,
    /// A page down.
    PageDown,
}

const NAMED: [(Key, &str); 14] = [
    (Key::Enter, "enter"),
    (Key::Esc, "esc"),
    (Key::Tab, "tab"),
    (Key::BackTab, "shift-tab"),
    (Key::Backspace, "backspace"),
    (Key::Delete, "delete"),
    (Key::Up, "up"),
    (Key::Down, "down"),
    (Key::Left, "left"),
    (Key::Right, "right"),
    (Key::Home, "home"),
    (Key::End, "end"),
    (Key::PageUp, "pageup"),
    (Key::PageDown, "pagedown"),
];

/// Why a text is not a key.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "'{0}' is no key; expected a character, or one of enter, esc, tab, shift-tab, space, backspace, delete, up, down, left, right, home, end, pageup, pagedown, with ctrl- before it if held"
)]
pub struct BadChord(String);

impl BadChord {
    /// This text isn't one.
    pub(super) fn new(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl Chord {
    /// The key alone.
    #[must_use]
    pub const fn plain(key: Key) -> Self {
        Self { key, ctrl: false }
    }

    /// The character that a text field takes from it, if any.
    #[must_use]
    pub const fn typed(self) -> Option<char> {
        match self {
            Self { key: Key::Char(c), ctrl: false } => Some(c),
            _ => None,
        }
    }

    /// Whether it ends a sequence that has begun, whatever it means elsewhere: Esc and Ctrl-C.
    #[must_use]
    pub const fn leaves_a_sequence(self) -> bool {
        matches!(self, Self { key: Key::Esc, ctrl: false } | Self { key: Key::Char('c'), ctrl: true })
    }

    /// Reads a terminal's event; none for releases and for keys that steer nothing here.
    #[must_use]
    pub fn from_event(event: &KeyEvent) -> Option<Self> {
        if event.kind == KeyEventKind::Release || event.modifiers.contains(KeyModifiers::ALT) {
            return None;
        }
        let shift = event.modifiers.contains(KeyModifiers::SHIFT);
        let key = match event.code {
            KeyCode::Char(c) if shift && c.is_ascii_lowercase() => Key::Char(c.to_ascii_uppercase()),
            KeyCode::Char(c) => Key::Char(c),
            KeyCode::Tab if shift => Key::BackTab,
            KeyCode::Enter => Key::Enter,
            KeyCode::Esc => Key::Esc,
            KeyCode::Tab => Key::Tab,
            KeyCode::BackTab => Key::BackTab,
            KeyCode::Backspace => Key::Backspace,
            KeyCode::Delete => Key::Delete,
            KeyCode::Up => Key::Up,
            KeyCode::Down => Key::Down,
            KeyCode::Left => Key::Left,
            KeyCode::Right => Key::Right,
            KeyCode::Home => Key::Home,
            KeyCode::End => Key::End,
            KeyCode::PageUp => Key::PageUp,
            KeyCode::PageDown => Key::PageDown,
            _ => return None,
        };
        Some(Self { key, ctrl: event.modifiers.contains(KeyModifiers::CONTROL) })
    }
}

impl FromStr for Chord {
    type Err = BadChord;

    fn from_str(text: &str) -> Result<Self, BadChord> {
        let (ctrl, name) = match text.strip_prefix("ctrl-") {
            Some(rest) if !rest.is_empty() => (true, rest),
            _ => (false, text),
        };
        let mut chars = name.chars();
        let key = match (chars.next(), chars.next()) {
            (Some(c), None) if !c.is_control() => Key::Char(c),
            _ if name == "space" => Key::Char(' '),
            _ => NAMED.iter().find(|(_, n)| *n == name).ok_or_else(|| BadChord(text.to_owned()))?.0,
        };
        Ok(Self { key, ctrl })
    }
}

impl fmt::Display for Chord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.ctrl {
            f.write_str("ctrl-")?;
        }
        match self.key {
            Key::Char(' ') => f.write_str("space"),
            Key::Char(c) => write!(f, "{c}"),
            key => f.write_str(NAMED.iter().find(|(k, _)| *k == key).map_or("", |(_, name)| name)),
        }
    }
}

impl TryFrom<String> for Chord {
    type Error = BadChord;
    fn try_from(text: String) -> Result<Self, BadChord> {
        text.parse()
    }
}

impl From<Chord> for String {
    fn from(chord: Chord) -> Self {
        chord.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_reads_back_what_it_prints() {
        for text in ["x", "G", "?", " ", "-", "ctrl-c", "ctrl--", "enter", "shift-tab", "pagedown", "ctrl-space"] {
            let chord: Chord = text.parse().unwrap();
            assert_eq!(chord.to_string().parse(), Ok(chord), "{text}");
        }
        for text in ["", "entr", "ctrl-", "\u{1b}", "alt-x"] {
            assert!(text.parse::<Chord>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_shifted_letter_is_its_capital_and_a_release_is_nothing() {
        let press = |code, modifiers| Chord::from_event(&KeyEvent::new(code, modifiers)).map(|c| c.to_string());
        assert_eq!(press(KeyCode::Char('g'), KeyModifiers::SHIFT).as_deref(), Some("G"));
        assert_eq!(press(KeyCode::Tab, KeyModifiers::SHIFT).as_deref(), Some("shift-tab"));
        assert_eq!(press(KeyCode::Char('x'), KeyModifiers::ALT), None);
        let release = KeyEvent::new_with_kind(KeyCode::Char('x'), KeyModifiers::NONE, KeyEventKind::Release);
        assert_eq!(Chord::from_event(&release), None);
    }
}
