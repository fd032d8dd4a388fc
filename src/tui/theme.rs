//! What things mean on screen, and how that looks on one kind of terminal. Nothing outside of here names a colour, an
//! attribute or a glyph.

mod glyphs;

pub use glyphs::{Glyphs, printable};

use super::caps::{Caps, ColorTier, GlyphTier};
use ratatui::{
    style::{Color, Modifier, Style},
    text::Span,
};

macro_rules! roles {
    ($($(#[doc = $doc:literal])* $name:ident $letter:literal)*) => {
        /// What a cell means.
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        pub enum Role {
            $($(#[doc = $doc])* $name,)*
        }

        impl Role {
            /// Every role.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

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
    Text '.'
    /// Less important.
    Muted 'm'
    /// A heading, or what a line is about.
    Strong 't'
    /// The selected row of the pane that keys go to.
    Selected 'S'
    /// The selected row of another pane.
    Remembered 's'
    /// Runs, answers, done.
    Good 'g'
    /// Works, but.
    Warn 'w'
    /// Doesn't work.
    Bad 'b'
    /// Under way.
    Busy 'y'
    /// A key to press.
    Key 'k'
    /// A frame.
    Border '-'
    /// The frame of the pane that keys go to.
    Focus '+'
    /// A button.
    Button 'u'
    /// The button that Enter presses.
    Pressed 'P'
    /// The same, where pressing it stops something.
    Danger 'D'
    /// A text that is being typed.
    Input 'i'
}

/// How everything looks on one kind of terminal.
#[derive(Clone, Debug, PartialEq)]
pub struct Theme {
    /// What the terminal can show.
    pub caps: Caps,
    /// Its glyphs.
    pub glyphs: &'static Glyphs,
    probe: bool,
}

impl Theme {
    /// The theme for a terminal: the terminal's own 16 colours, whatever it could do beyond them.
    #[must_use]
    pub const fn new(caps: Caps) -> Self {
        Self { caps, glyphs: Glyphs::of(caps.glyphs), probe: false }
    }

    /// A theme that gives each role a colour of its own, so that a map of roles can be read back from cells.
    #[cfg(test)]
    pub(crate) const fn probe(caps: Caps) -> Self {
        Self { caps, glyphs: Glyphs::of(caps.glyphs), probe: true }
    }

    /// The look of a role.
    #[must_use]
    pub fn style(&self, role: Role) -> Style {
        if self.probe {
            let place = Role::ALL.iter().position(|r| *r == role).unwrap_or_default();
            return Style::new().fg(Color::Indexed(u8::try_from(place + 100).unwrap_or(u8::MAX)));
        }
        let colored = self.caps.colors != ColorTier::None;
        let faint = colored && self.caps.glyphs == GlyphTier::Unicode;
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

    /// A text in a role.
    pub fn span<'a>(&self, role: Role, text: impl Into<std::borrow::Cow<'a, str>>) -> Span<'a> {
        Span::styled(text, self.style(role))
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
    fn without_colours_only_bold_and_reverse_are_left() {
        let theme = Theme::new(Caps { glyphs: GlyphTier::Unicode, colors: ColorTier::None });
        for role in Role::ALL {
            let style = theme.style(*role);
            assert_eq!((style.fg, style.bg), (None, None), "{role:?}");
            assert!((Modifier::BOLD | Modifier::REVERSED).contains(style.add_modifier), "{role:?}");
        }
    }
}
