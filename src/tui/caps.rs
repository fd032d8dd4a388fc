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
        let (console, old) = (is_console(&term), is_old(&term));
        let glyphs = match () {
            () if old || !utf8 => GlyphTier::Ascii,
            () if console => GlyphTier::Console,
            () => GlyphTier::Unicode,
        };
        let truecolor = var("COLORTERM").is_some_and(|value| matches!(value.as_str(), "truecolor" | "24bit"));
        let colors = match () {
            () if var("NO_COLOR").is_some() => ColorTier::None,
            () if console || term == "ansi" => ColorTier::Ansi16,
            () if old => ColorTier::None,
            () if truecolor || is_modern(&term) => ColorTier::Truecolor,
            () if term.contains("256color") => ColorTier::Palette256,
            () => ColorTier::Ansi16,
        };
        Self { glyphs, colors }
    }
}

/// The console of a Linux machine, as its kernel names it.
fn is_console(term: &str) -> bool {
    term == "linux" || term.starts_with("linux-")
}

/// A terminal of which nothing is known but that it is simple: none named, a serial line, or made before colours.
fn is_old(term: &str) -> bool {
    let vt = term.strip_prefix("vt").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    vt || matches!(term, "" | "dumb" | "ansi" | "unknown" | "network" | "dialup")
}

/// A terminal that has 24-bit colours whatever `COLORTERM` says, which ssh doesn't pass on.
fn is_modern(term: &str) -> bool {
    let names = ["alacritty", "foot", "xterm-ghostty", "xterm-kitty", "wezterm", "contour"];
    term.ends_with("-direct") || names.iter().any(|name| term == *name || term.starts_with(&format!("{name}-")))
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
        assert_eq!(detect(&[("TERM", "xterm-ghostty"), utf8]), (G::Unicode, C::Truecolor));
        assert_eq!(detect(&[("TERM", "foot-extra"), utf8]), (G::Unicode, C::Truecolor));
        assert_eq!(detect(&[("TERM", "never-heard-of"), utf8]), (G::Unicode, C::Ansi16));
        assert_eq!(detect(&[("TERM", "screen"), utf8]), (G::Unicode, C::Ansi16));
        assert_eq!(detect(&[("TERM", "screen-256color"), utf8]), (G::Unicode, C::Palette256));
        assert_eq!(detect(&[("TERM", "tmux"), ("LC_CTYPE", "de_DE.utf8")]), (G::Unicode, C::Ansi16));
        for old in ["vt100", "vt220", "vt420", "dumb", "unknown", ""] {
            assert_eq!(detect(&[("TERM", old), ("COLORTERM", "truecolor"), utf8]), (G::Ascii, C::None), "{old}");
        }
        assert_eq!(detect(&[("TERM", "linux"), ("LANG", "C")]), (G::Ascii, C::Ansi16));
        assert_eq!(detect(&[("TERM", "xterm"), ("LANG", "C")]), (G::Ascii, C::Ansi16));
        assert_eq!(detect(&[("TERM", "xterm"), ("LC_ALL", "C"), utf8]), (G::Ascii, C::Ansi16));
        assert_eq!(detect(&[("TERM", "xterm"), utf8, ("NO_COLOR", "1")]), (G::Unicode, C::None));
        assert_eq!(detect(&[("TERM", "xterm"), utf8, ("NO_COLOR", "")]), (G::Unicode, C::Ansi16));
        assert_eq!(detect(&[]), (G::Ascii, C::None));
    }
}
