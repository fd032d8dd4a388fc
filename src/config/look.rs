//! A look in words: `bold red`, `#ff8700 on black`, `reverse`.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// How something looks. What isn't said is as in the theme's plain text.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(try_from = "String", into = "String")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "four switches of a terminal that have nothing to do with each other"
)]
pub struct Look {
    /// The colour of the letters.
    pub front: Option<Paint>,
    /// The colour behind them.
    pub behind: Option<Paint>,
    /// Bold.
    pub bold: bool,
    /// Dim.
    pub dim: bool,
    /// Underlined.
    pub underline: bool,
    /// Front and back exchanged.
    pub reverse: bool,
}

/// A colour.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Paint {
    /// The terminal's own default.
    Default,
    /// One of the palette of 256; the first 16 are the terminal's own.
    Indexed(u8),
    /// Red, green and blue.
    Mixed(u8, u8, u8),
}

const NAMES: [(&str, u8); 17] = [
    ("black", 0),
    ("red", 1),
    ("green", 2),
    ("yellow", 3),
    ("blue", 4),
    ("magenta", 5),
    ("cyan", 6),
    ("gray", 7),
    ("grey", 7),
    ("bright-black", 8),
    ("bright-red", 9),
    ("bright-green", 10),
    ("bright-yellow", 11),
    ("bright-blue", 12),
    ("bright-magenta", 13),
    ("bright-cyan", 14),
    ("white", 15),
];

impl FromStr for Paint {
    type Err = ();

    /// A name, a number of the palette of 256, `#rrggbb`, or `default`.
    fn from_str(text: &str) -> Result<Self, ()> {
        if text == "default" {
            return Ok(Self::Default);
        }
        if let Some((_, index)) = NAMES.iter().find(|(name, _)| *name == text) {
            return Ok(Self::Indexed(*index));
        }
        if let Some(digits) = text.strip_prefix('#') {
            let number = u32::from_str_radix(digits, 16).ok().filter(|_| digits.len() == 6 && !digits.starts_with('+'));
            let [_, r, g, b] = number.ok_or(())?.to_be_bytes();
            return Ok(Self::Mixed(r, g, b));
        }
        text.parse().map(Self::Indexed).map_err(|_| ())
    }
}

impl fmt::Display for Paint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Mixed(r, g, b) => write!(f, "#{r:02x}{g:02x}{b:02x}"),
            Self::Indexed(index) => match NAMES.iter().find(|(_, named)| named == index) {
                Some((name, _)) => f.write_str(name),
                None => write!(f, "{index}"),
            },
        }
    }
}

impl FromStr for Look {
    /// The word that means nothing.
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut look = Self::default();
        let mut behind = false;
        for word in text.split_whitespace() {
            match word {
                "on" => {
                    behind = true;
                    continue;
                }
                "bold" => look.bold = true,
                "dim" => look.dim = true,
                "underline" => look.underline = true,
                "reverse" => look.reverse = true,
                _ => {
                    let place = if behind { &mut look.behind } else { &mut look.front };
                    *place = Some(word.parse().map_err(|()| word.to_owned())?);
                }
            }
            behind = false;
        }
        if behind { Err("on".to_owned()) } else { Ok(look) }
    }
}

impl fmt::Display for Look {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let attributes =
            [(self.bold, "bold"), (self.dim, "dim"), (self.underline, "underline"), (self.reverse, "reverse")];
        let words = attributes.into_iter().filter(|(set, _)| *set).map(|(_, word)| word.to_owned());
        let front = self.front.map(|paint| paint.to_string());
        let behind = self.behind.map(|paint| format!("on {paint}"));
        let words: Vec<String> = words.chain(front).chain(behind).collect();
        f.write_str(&words.join(" "))
    }
}

impl TryFrom<String> for Look {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Look> for String {
    fn from(look: Look) -> Self {
        look.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_are_words_in_any_order_and_print_as_they_read() {
        let look: Look = "#ff8700 bold on black".parse().unwrap();
        let orange = Look {
            front: Some(Paint::Mixed(255, 135, 0)),
            behind: Some(Paint::Indexed(0)),
            bold: true,
            ..Look::default()
        };
        assert_eq!((look, look.to_string().as_str()), (orange, "bold #ff8700 on black"));
        for text in ["reverse", "dim underline 208", "default on default", "bright-red on white", ""] {
            assert_eq!(text.parse::<Look>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn the_word_that_means_nothing_is_named() {
        for (text, word) in [
            ("bold reddish", "reddish"),
            ("red on", "on"),
            ("256", "256"),
            ("#12345", "#12345"),
            ("#+12345", "#+12345"),
        ] {
            assert_eq!(text.parse::<Look>(), Err(word.to_owned()));
        }
    }
}
