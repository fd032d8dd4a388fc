//! What the terminal can show, as data.

use serde::{Deserialize, Serialize};

/// What the terminal can show.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Caps {
    /// Which characters its font has.
    pub glyphs: GlyphTier,
    /// Which colours it has.
    pub colors: ColorTier,
}

/// Which characters the font has.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GlyphTier {
    /// A terminal emulator with a UTF-8 locale.
    #[default]
    Unicode,
    /// The Linux console: only what Debian's console fonts have.
    Console,
    /// 0x20 to 0x7e.
    Ascii,
}

/// Which colours there are.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ColorTier {
    /// 24 bits.
    Truecolor,
    /// The palette of 256.
    Palette256,
    /// The terminal's own 16.
    #[default]
    Ansi16,
    /// None: bold and reverse only.
    None,
}

impl Default for Caps {
    fn default() -> Self {
        Self { glyphs: GlyphTier::Unicode, colors: ColorTier::Ansi16 }
    }
}

impl Caps {
    /// Reads `TERM`, `COLORTERM`, `NO_COLOR` and the locale. An unknown `TERM` is taken for a common terminal emulator;
    /// `NO_COLOR` counts only if it isn't empty (no-color.org).
    #[must_use]
    pub fn detect(env: impl Fn(&str) -> Option<String>) -> Self {
        let var = |name: &str| env(name).filter(|value| !value.is_empty());
        let term = var("TERM").unwrap_or_default();
        let locale = var("LC_ALL").or_else(|| var("LC_CTYPE")).or_else(|| var("LANG")).unwrap_or_default();
        let locale = locale.to_ascii_lowercase();
        let utf8 = locale.contains("utf-8") || locale.contains("utf8");
        let glyphs = match term.as_str() {
            "dumb" | "vt100" | "vt102" | "vt220" | "ansi" => GlyphTier::Ascii,
            _ if !utf8 => GlyphTier::Ascii,
            "linux" => GlyphTier::Console,
            _ => GlyphTier::Unicode,
        };
        let truecolor = var("COLORTERM").is_some_and(|value| matches!(value.as_str(), "truecolor" | "24bit"));
        let colors = match term.as_str() {
            _ if var("NO_COLOR").is_some() => ColorTier::None,
            "" | "dumb" | "vt100" | "vt102" | "vt220" => ColorTier::None,
            "linux" | "ansi" => ColorTier::Ansi16,
            _ if truecolor => ColorTier::Truecolor,
            name if name.contains("256color") => ColorTier::Palette256,
            _ => ColorTier::Ansi16,
        };
        Self { glyphs, colors }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detect(env: &[(&str, &str)]) -> (GlyphTier, ColorTier) {
        let caps = Caps::detect(|name| env.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned()));
        (caps.glyphs, caps.colors)
    }

    #[test]
    fn terminals_are_told_apart() {
        use {ColorTier as C, GlyphTier as G};
        let utf8 = ("LANG", "en_US.UTF-8");
        assert_eq!(detect(&[("TERM", "linux"), utf8]), (G::Console, C::Ansi16));
        assert_eq!(detect(&[("TERM", "linux"), ("COLORTERM", "truecolor"), utf8]), (G::Console, C::Ansi16));
        assert_eq!(detect(&[("TERM", "xterm-256color"), utf8]), (G::Unicode, C::Palette256));
        assert_eq!(detect(&[("TERM", "tmux-256color"), ("COLORTERM", "24bit"), utf8]), (G::Unicode, C::Truecolor));
        assert_eq!(detect(&[("TERM", "xterm-ghostty"), utf8]), (G::Unicode, C::Ansi16));
        assert_eq!(detect(&[("TERM", "xterm"), ("LANG", "C")]), (G::Ascii, C::Ansi16));
        assert_eq!(detect(&[("TERM", "xterm"), ("LC_ALL", "C"), utf8]), (G::Ascii, C::Ansi16));
        assert_eq!(detect(&[("TERM", "xterm"), utf8, ("NO_COLOR", "1")]), (G::Unicode, C::None));
        assert_eq!(detect(&[("TERM", "xterm"), utf8, ("NO_COLOR", "")]), (G::Unicode, C::Ansi16));
        assert_eq!(detect(&[]), (G::Ascii, C::None));
    }
}
