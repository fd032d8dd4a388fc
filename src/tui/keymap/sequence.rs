//! Keys pressed one after the other that mean one thing: `x`, `g g`, `ctrl-x k`. Most are a single key.

use crate::tui::chord::{BadChord, Chord};
use serde::{Deserialize, Serialize};
use std::{borrow::Borrow, fmt, ops::Deref, str::FromStr};

/// Keys one after the other, at least one. Its text is the keys' with a blank between them.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Sequence(Vec<Chord>);

impl Sequence {
    /// Whether it begins with these keys and goes on after them.
    #[must_use]
    pub fn goes_on_after(&self, keys: &[Chord]) -> bool {
        self.0.len() > keys.len() && self.0.starts_with(keys)
    }

    /// The only key, if there is only one.
    #[must_use]
    pub fn single(&self) -> Option<Chord> {
        match self.0.as_slice() {
            [chord] => Some(*chord),
            _ => None,
        }
    }
}

impl Deref for Sequence {
    type Target = [Chord];
    fn deref(&self) -> &[Chord] {
        &self.0
    }
}

impl Borrow<[Chord]> for Sequence {
    fn borrow(&self) -> &[Chord] {
        &self.0
    }
}

impl From<Chord> for Sequence {
    fn from(chord: Chord) -> Self {
        Self(vec![chord])
    }
}

impl FromStr for Sequence {
    type Err = BadChord;

    fn from_str(text: &str) -> Result<Self, BadChord> {
        if text.chars().count() < 2 {
            return text.parse::<Chord>().map(Self::from);
        }
        let chords: Vec<Chord> = text.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
        if chords.is_empty() { Err(BadChord::new(text)) } else { Ok(Self(chords)) }
    }
}

impl fmt::Display for Sequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&spelled(&self.0))
    }
}

/// The text of keys one after the other.
#[must_use]
pub fn spelled(keys: &[Chord]) -> String {
    keys.iter().map(Chord::to_string).collect::<Vec<_>>().join(" ")
}

impl TryFrom<String> for Sequence {
    type Error = BadChord;
    fn try_from(text: String) -> Result<Self, BadChord> {
        text.parse()
    }
}

impl From<Sequence> for String {
    fn from(keys: Sequence) -> Self {
        keys.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sequence_reads_back_what_it_prints() {
        for text in ["x", "space", "g g", "ctrl-x space enter", ", c"] {
            let keys: Sequence = text.parse().unwrap();
            assert_eq!(keys.to_string(), text);
        }
        let blank: Sequence = " ".parse().unwrap();
        assert_eq!(blank.to_string(), "space");
        assert_eq!("g  e".parse::<Sequence>().map(|keys| keys.to_string()), Ok("g e".to_owned()));
        for text in ["", "  ", "g ge", "alt-x g"] {
            assert!(text.parse::<Sequence>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_sequence_goes_on_after_its_beginning_only() {
        let keys: Sequence = "g g".parse().unwrap();
        let after = |text: &str| keys.goes_on_after(&text.parse::<Sequence>().unwrap());
        assert_eq!([after("g"), after("g g"), after("h"), after("g g g")], [true, false, false, false]);
    }
}
