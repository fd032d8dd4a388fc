//! Looks of roles that a configuration changes. Whoever writes to the terminal brings colours down to what it has.

use super::Role;
use indexmap::IndexMap;
use ratatui::style::{Color, Modifier, Style};
use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// What a configuration changes: roles by their names, each with a look such as `bold red`, `#ff8700 on black` or
/// `reverse`.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Palette(IndexMap<Role, Look>);

/// A look in words; only what can be read is ever one.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Look(String);

impl Palette {
    /// Reads the changes of a configuration.
    ///
    /// # Errors
    /// The first one that makes no sense, in words.
    pub fn read(changes: &IndexMap<String, String>) -> Result<Self, String> {
        let one = |(role, look): (&String, &String)| {
            let at = |bad: String| format!("theme.{role}: {bad}");
            Ok((role.parse::<Role>().map_err(at)?, look.parse::<Look>().map_err(at)?))
        };
        changes.iter().map(one).collect::<Result<_, String>>().map(Self)
    }

    /// The look of a role, if it is changed.
    pub(super) fn style(&self, role: Role) -> Option<Style> {
        paint(&self.0.get(&role)?.0).ok()
    }
}

impl FromStr for Look {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        paint(text).map(|_| Self(text.to_owned()))
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
        look.0
    }
}

fn paint(text: &str) -> Result<Style, String> {
    let mut style = Style::new();
    let mut behind = false;
    for word in text.split_whitespace() {
        style = match word {
            "on" => {
                behind = true;
                continue;
            }
            "bold" => style.add_modifier(Modifier::BOLD),
            "dim" => style.add_modifier(Modifier::DIM),
            "underline" => style.add_modifier(Modifier::UNDERLINED),
            "reverse" => style.add_modifier(Modifier::REVERSED),
            _ => {
                let color: Color = word.parse().map_err(|_| {
                    format!("'{word}' is no look; expected bold, dim, underline, reverse, or a colour such as red, bright-red, 208 or #ff8700, with 'on' before the one behind")
                })?;
                if behind { style.bg(color) } else { style.fg(color) }
            }
        };
    }
    Ok(style)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_are_words_in_any_order() {
        let changes = IndexMap::from([("good".to_owned(), "#ff8700 bold on black".to_owned())]);
        let orange = Style::new().fg(Color::Rgb(255, 135, 0)).bg(Color::Black).add_modifier(Modifier::BOLD);
        let palette = Palette::read(&changes).unwrap();
        assert_eq!((palette.style(Role::Good), palette.style(Role::Bad)), (Some(orange), None));
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        let bad = |role: &str, look: &str| Palette::read(&IndexMap::from([(role.to_owned(), look.to_owned())]));
        assert!(bad("good", "reddish").unwrap_err().starts_with("theme.good: 'reddish' is no look"));
        assert!(bad("nice", "red").unwrap_err().starts_with("theme.nice: 'nice' is no role; expected one of text, "));
    }

    #[test]
    fn a_palette_reads_back_what_it_prints() {
        let palette = Palette::read(&IndexMap::from([("warn".to_owned(), "bold 208".to_owned())])).unwrap();
        let stored = serde_json::to_string(&palette).unwrap();
        assert_eq!((stored.as_str(), serde_json::from_str(&stored).ok()), (r#"{"warn":"bold 208"}"#, Some(palette)));
    }
}
