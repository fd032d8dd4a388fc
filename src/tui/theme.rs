//! Roles, colours and glyphs of a terminal tier.

use super::caps::Caps;

/// How everything looks on one kind of terminal.
#[derive(Clone, Debug, PartialEq)]
pub struct Theme {
    /// What the terminal can show.
    pub caps: Caps,
}

impl Theme {
    /// The theme for a terminal.
    #[must_use]
    pub const fn new(caps: Caps) -> Self {
        Self { caps }
    }
}
