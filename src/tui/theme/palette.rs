//! The theme that was chosen. Whoever writes to the terminal brings colours down to what it has.

use super::Role;
use crate::config::{BaseTheme, Look, Paint, ThemeChoice};
use indexmap::IndexMap;
use ratatui::style::{Color, Modifier, Style};
use serde::{Deserialize, Serialize};

/// A built-in theme, and the roles that look otherwise.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Palette {
    /// Where the other roles' looks come from.
    pub base: BaseTheme,
    /// The changes.
    pub roles: IndexMap<Role, Look>,
}

impl From<&ThemeChoice> for Palette {
    fn from(choice: &ThemeChoice) -> Self {
        let role = |(name, look): (&String, &Look)| Some((name.parse().ok()?, *look));
        Self { base: choice.base, roles: choice.roles.iter().filter_map(role).collect() }
    }
}

impl From<BaseTheme> for Palette {
    fn from(base: BaseTheme) -> Self {
        Self { base, roles: IndexMap::new() }
    }
}

/// A look that was read, over a ground.
pub(super) fn style(look: &Look, ground: Style) -> Style {
    let attributes = [
        (look.bold, Modifier::BOLD),
        (look.dim, Modifier::DIM),
        (look.underline, Modifier::UNDERLINED),
        (look.reverse, Modifier::REVERSED),
    ];
    let set = attributes.into_iter().filter(|(set, _)| *set).map(|(_, modifier)| modifier).collect();
    let said = Style { fg: look.front.map(color), bg: look.behind.map(color), ..Style::new() };
    ground.patch(said).add_modifier(set)
}

const fn color(paint: Paint) -> Color {
    match paint {
        Paint::Default => Color::Reset,
        Paint::Indexed(index) => Color::Indexed(index),
        Paint::Mixed(r, g, b) => Color::Rgb(r, g, b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_palette_reads_back_what_it_prints() {
        let roles = IndexMap::from([(Role::Warn, "bold 208".parse().unwrap())]);
        let palette = Palette { base: BaseTheme::Dark, roles };
        let stored = serde_json::to_string(&palette).unwrap();
        assert_eq!(stored, r#"{"base":"dark","roles":{"warn":"bold 208"}}"#);
        assert_eq!(serde_json::from_str(&stored).ok(), Some(palette));
    }
}
