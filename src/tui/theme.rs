//! What things mean on screen, and how that looks on one kind of terminal. Nothing outside of here names a colour, an
//! attribute or a glyph.

mod glyphs;
mod palette;

pub use glyphs::{Glyphs, printable};
pub use palette::Palette;

use super::caps::{Caps, ColorTier, GlyphTier};
use ratatui::{
    style::{Color, Modifier, Style},
    text::Span,
};
use serde::{Deserialize, Serialize};
use std::str::FromStr;

macro_rules! roles {
    ($($(#[doc = $doc:literal])* $name:ident $word:literal $letter:literal)*) => {
        /// What a cell means.
        #[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
        pub enum Role {
            $($(#[doc = $doc])* #[serde(rename = $word)] $name,)*
        }

        impl Role {
            /// Every role.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Its name in a configuration.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// Its letter in a map of roles.
            #[must_use]
            pub const fn letter(self) -> char {
                match self { $(Self::$name => $letter,)* }
            }
        }
    };
}

roles! {
    /// Plain text.
    Text "text" '.'
    /// Less important.
    Muted "muted" 'm'
    /// A heading, or what a line is about.
    Strong "strong" 't'
    /// The selected row of the pane that keys go to.
    Selected "selected" 'S'
    /// The selected row of another pane.
    Remembered "remembered" 's'
    /// Runs, answers, done.
    Good "good" 'g'
    /// Works, but.
    Warn "warn" 'w'
    /// Doesn't work.
    Bad "bad" 'b'
    /// Under way.
    Busy "busy" 'y'
    /// A key to press.
    Key "key" 'k'
    /// A frame.
    Border "border" '-'
    /// The frame of the pane that keys go to.
    Focus "focus" '+'
    /// A button.
    Button "button" 'u'
    /// The button that Enter presses.
    Pressed "pressed" 'P'
    /// The same, where pressing it stops something.
    Danger "danger" 'D'
    /// A text that is being typed.
    Input "input" 'i'
}

impl FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.iter().copied().find(|role| role.name() == text).ok_or_else(|| {
            let names: Vec<&str> = Self::ALL.iter().map(|role| role.name()).collect();
            format!("'{text}' is no role; expected one of {}", names.join(", "))
        })
    }
}

/// How everything looks on one kind of terminal.
#[derive(Clone, Debug, PartialEq)]
pub struct Theme {
    /// What the terminal can show.
    pub caps: Caps,
    /// Its glyphs.
    pub glyphs: &'static Glyphs,
    styles: Vec<Style>,
}

impl Theme {
    /// The theme for a terminal: the terminal's own 16 colours, whatever it could do beyond them.
    #[must_use]
    pub fn new(caps: Caps) -> Self {
        Self::with(caps, &Palette::default())
    }

    /// The same with the changes of a configuration.
    #[must_use]
    pub fn with(caps: Caps, palette: &Palette) -> Self {
        let look = |role: &Role| match palette.roles.get(role) {
            Some(look) => palette::style(look, Style::new()),
            None => default_style(*role, caps),
        };
        Self { caps, glyphs: Glyphs::of(caps.glyphs), styles: Role::ALL.iter().map(look).collect() }
    }

    /// A theme that gives each role a colour of its own, so that a map of roles can be read back from cells.
    #[cfg(test)]
    pub(crate) fn probe(caps: Caps) -> Self {
        let styles = (100..).take(Role::ALL.len()).map(|n| Style::new().fg(Color::Indexed(n))).collect();
        Self { caps, glyphs: Glyphs::of(caps.glyphs), styles }
    }

    /// The look of a role.
    #[must_use]
    pub fn style(&self, role: Role) -> Style {
        self.styles.get(role as usize).copied().unwrap_or_default()
    }

    /// A text in a role.
    pub fn span<'a>(&self, role: Role, text: impl Into<std::borrow::Cow<'a, str>>) -> Span<'a> {
        Span::styled(text, self.style(role))
    }
}

/// The look of a role unless a configuration changes it.
fn default_style(role: Role, caps: Caps) -> Style {
    let colored = caps.colors != ColorTier::None;
    let faint = colored && caps.glyphs == GlyphTier::Unicode;
    let plain = Style::new();
    let color = |color: Color| if colored { plain.fg(color) } else { plain };
    match role {
        Role::Muted | Role::Border if faint => plain.add_modifier(Modifier::DIM),
        Role::Text | Role::Muted | Role::Border | Role::Button => plain,
        Role::Strong | Role::Key | Role::Remembered => plain.add_modifier(Modifier::BOLD),
        Role::Selected | Role::Pressed => plain.add_modifier(Modifier::REVERSED),
        Role::Good => color(Color::Green),
        Role::Warn => color(Color::Yellow),
        Role::Bad => color(Color::Red).add_modifier(Modifier::BOLD),
        Role::Busy | Role::Input => color(Color::Cyan),
        Role::Focus => color(Color::Cyan).add_modifier(Modifier::BOLD),
        Role::Danger => color(Color::Red).add_modifier(Modifier::REVERSED | Modifier::BOLD),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_role_has_a_letter_of_its_own() {
        let letters: std::collections::BTreeSet<char> = Role::ALL.iter().map(|r| r.letter()).collect();
        assert_eq!(letters.len(), Role::ALL.len());
    }

    #[test]
    fn a_configuration_knows_every_role() {
        let known: Vec<&str> = crate::config::ROLES.iter().map(|(name, _)| *name).collect();
        let roles: Vec<&str> = Role::ALL.iter().map(|role| role.name()).collect();
        assert_eq!(known, roles);
    }

    #[test]
    fn without_colours_only_bold_and_reverse_are_left() {
        let theme = Theme::new(Caps { glyphs: GlyphTier::Unicode, colors: ColorTier::None });
        for role in Role::ALL {
            let style = theme.style(*role);
            assert_eq!((style.fg, style.bg), (None, None), "{role:?}");
            assert!((Modifier::BOLD | Modifier::REVERSED).contains(style.add_modifier), "{role:?}");
        }
    }
}
