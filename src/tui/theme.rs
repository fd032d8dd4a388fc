//! What things mean on screen, and how that looks on one kind of terminal. Nothing outside of here names a colour, an
//! attribute or a glyph.

mod builtin;
mod font;
mod glyphs;
mod palette;

pub use glyphs::{Glyphs, printable};
pub use palette::Palette;

use super::caps::{Caps, ColorTier};
use ratatui::{
    buffer::Buffer,
    style::{Color, Style},
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
    /// A column of a graph.
    Graph "graph" 'G'
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
    ground: Style,
}

impl Theme {
    /// The theme for a terminal: the terminal's own 16 colours, whatever it could do beyond them.
    #[must_use]
    pub fn new(caps: Caps) -> Self {
        Self::with(caps, &Palette::default())
    }

    /// The theme of a configuration. A terminal without colours gets none of its looks, but bold and reverse as ever.
    #[must_use]
    pub fn with(caps: Caps, palette: &Palette) -> Self {
        let colored = caps.colors != ColorTier::None;
        let base = |role: Role| builtin::style(palette.base, role, caps);
        let changed = |role: Role, over: Style| {
            palette.roles.get(&role).filter(|_| colored).map(|look| palette::style(look, over))
        };
        let plain = Style { fg: base(Role::Text).fg, bg: base(Role::Text).bg, ..Style::new() };
        let text = changed(Role::Text, plain).unwrap_or(plain);
        let ground = Style { fg: text.fg, bg: text.bg, ..Style::new() };
        let moved = palette.roles.contains_key(&Role::Text);
        let look = |role: &Role| {
            changed(*role, ground).unwrap_or_else(|| {
                let style = base(*role);
                // Who changes the ground changes it under every role that stands on it.
                if moved && style.bg == plain.bg { style.patch(Style { fg: None, ..ground }) } else { style }
            })
        };
        let styles = Role::ALL.iter().map(look).collect();
        Self { caps, glyphs: Glyphs::of(caps.glyphs), styles, ground }
    }

    /// Gives every cell that has no colour of its own the theme's, also where nothing is drawn.
    pub fn paint_ground(&self, buffer: &mut Buffer) {
        let (front, behind) = (self.ground.fg.unwrap_or_default(), self.ground.bg.unwrap_or_default());
        if front == Color::Reset && behind == Color::Reset {
            return;
        }
        for cell in &mut buffer.content {
            if cell.fg == Color::Reset {
                cell.fg = front;
            }
            if cell.bg == Color::Reset {
                cell.bg = behind;
            }
        }
    }

    /// A theme that gives each role a colour of its own, so that a map of roles can be read back from cells.
    #[cfg(test)]
    pub(crate) fn probe(caps: Caps) -> Self {
        let styles = (100..).take(Role::ALL.len()).map(|n| Style::new().fg(Color::Indexed(n))).collect();
        Self { caps, glyphs: Glyphs::of(caps.glyphs), styles, ground: Style::new() }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{config::BaseTheme, tui::caps::GlyphTier};
    use indexmap::IndexMap;
    use ratatui::style::Modifier;

    fn palette(base: BaseTheme, roles: &[(Role, &str)]) -> Palette {
        Palette {
            base,
            roles: roles.iter().map(|(role, look)| (*role, look.parse().unwrap())).collect::<IndexMap<_, _>>(),
        }
    }

    #[test]
    fn a_change_stands_on_the_bases_ground() {
        let caps = Caps { colors: ColorTier::Truecolor, ..Caps::default() };
        let dark = Theme::with(caps, &BaseTheme::Dark.into());
        let theme = Theme::with(caps, &palette(BaseTheme::Dark, &[(Role::Good, "bold 120"), (Role::Bad, "on red")]));
        let ground = dark.style(Role::Text);
        let good = Style { fg: Some(Color::Indexed(120)), ..ground }.add_modifier(Modifier::BOLD);
        assert_eq!((theme.style(Role::Good), theme.style(Role::Warn)), (good, dark.style(Role::Warn)));
        assert_eq!(theme.style(Role::Bad), Style { bg: Some(Color::Indexed(1)), ..ground });
        let own = Theme::with(caps, &palette(BaseTheme::Terminal, &[(Role::Good, "green")]));
        assert_eq!(own.style(Role::Good), Style::new().fg(Color::Indexed(2)));
        let none = Caps { colors: ColorTier::None, ..caps };
        assert_eq!(Theme::with(none, &palette(BaseTheme::Dark, &[(Role::Selected, "red")])), Theme::new(none));
    }

    #[test]
    fn a_ground_of_ones_own_is_everywhere() {
        let caps = Caps { colors: ColorTier::Truecolor, ..Caps::default() };
        let theme = Theme::with(caps, &palette(BaseTheme::Dark, &[(Role::Text, "255 on 16")]));
        for role in [Role::Text, Role::Good, Role::Border] {
            assert_eq!(theme.style(role).bg, Some(Color::Indexed(16)), "{role:?}");
        }
        let selected = Theme::with(caps, &BaseTheme::Dark.into()).style(Role::Selected);
        assert_eq!(theme.style(Role::Selected), selected);
        let mut buffer = Buffer::with_lines(["a"]);
        theme.paint_ground(&mut buffer);
        assert_eq!((buffer.content[0].fg, buffer.content[0].bg), (Color::Indexed(255), Color::Indexed(16)));
    }

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
