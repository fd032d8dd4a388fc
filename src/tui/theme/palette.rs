//! Looks of roles that a configuration changes, brought down to what the terminal has.

use super::Role;
use crate::tui::caps::ColorTier;
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

    /// The look of a role on a terminal with these colours, if it is changed.
    pub(super) fn style(&self, role: Role, tier: ColorTier) -> Option<Style> {
        let style = paint(&self.0.get(&role)?.0).ok()?;
        let reduce = |color: Option<Color>| color.and_then(|color| reduced(color, tier));
        Some(Style { fg: reduce(style.fg), bg: reduce(style.bg), ..style })
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

/// The nearest colour that the terminal has; none where it has none.
fn reduced(color: Color, tier: ColorTier) -> Option<Color> {
    match (tier, color) {
        (ColorTier::None, _) => None,
        (ColorTier::Palette256, Color::Rgb(r, g, b)) => Some(Color::Indexed(indexed(r, g, b))),
        (ColorTier::Ansi16, Color::Rgb(r, g, b)) => Some(basic(r, g, b)),
        (ColorTier::Ansi16, Color::Indexed(n @ 16..)) => {
            let (r, g, b) = rgb(n);
            Some(basic(r, g, b))
        }
        (_, color) => Some(color),
    }
}

/// Steps of the 6x6x6 cube of the 256 colours, as xterm has them.
const STEPS: [u8; 6] = [0, 95, 135, 175, 215, 255];

fn indexed(r: u8, g: u8, b: u8) -> u8 {
    let near = |value: u8| {
        let distance = |i: &u8| STEPS.get(usize::from(*i)).map_or(u8::MAX, |step| step.abs_diff(value));
        (0..6_u8).min_by_key(distance).unwrap_or(0)
    };
    if r.abs_diff(g) < 8 && g.abs_diff(b) < 8 && (8..=238).contains(&r) {
        return 232 + (r - 8) / 10;
    }
    16 + 36 * near(r) + 6 * near(g) + near(b)
}

fn rgb(index: u8) -> (u8, u8, u8) {
    if let Some(gray) = index.checked_sub(232) {
        let value = 8 + 10 * gray;
        return (value, value, value);
    }
    let place = index.saturating_sub(16);
    let step = |n: u8| STEPS.get(usize::from(n)).copied().unwrap_or_default();
    (step(place / 36), step(place / 6 % 6), step(place % 6))
}

/// One of the 16 by which of red, green and blue are strong, bright if the strongest is.
fn basic(r: u8, g: u8, b: u8) -> Color {
    const NORMAL: [Color; 8] =
        [Color::Black, Color::Red, Color::Green, Color::Yellow, Color::Blue, Color::Magenta, Color::Cyan, Color::Gray];
    const BRIGHT: [Color; 8] = [
        Color::DarkGray,
        Color::LightRed,
        Color::LightGreen,
        Color::LightYellow,
        Color::LightBlue,
        Color::LightMagenta,
        Color::LightCyan,
        Color::White,
    ];
    let most = r.max(g).max(b);
    if most < 48 {
        return Color::Black;
    }
    let strong = |value: u8| usize::from(u16::from(value) * 2 > u16::from(most));
    let place = strong(r) + 2 * strong(g) + 4 * strong(b);
    let all = if most >= 208 { BRIGHT } else { NORMAL };
    all.get(place).copied().unwrap_or(Color::Reset)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(text: &str, tier: ColorTier) -> Style {
        let palette = Palette::read(&IndexMap::from([("good".to_owned(), text.to_owned())])).unwrap();
        palette.style(Role::Good, tier).unwrap()
    }

    #[test]
    fn colours_come_down_to_what_the_terminal_has() {
        let orange = "#ff8700 on #101010";
        assert_eq!(look(orange, ColorTier::Truecolor).fg, Some(Color::Rgb(255, 135, 0)));
        assert_eq!(look(orange, ColorTier::Palette256), Style::new().fg(Color::Indexed(208)).bg(Color::Indexed(232)));
        assert_eq!(look(orange, ColorTier::Ansi16), Style::new().fg(Color::LightYellow).bg(Color::Black));
        assert_eq!(look("196", ColorTier::Ansi16).fg, Some(Color::LightRed));
        assert_eq!(look("bold red", ColorTier::None), Style::new().add_modifier(Modifier::BOLD));
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
