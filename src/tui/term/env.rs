//! The part of the environment that tells what the terminal can do, captured once.

use super::clipboard::Between;
use crate::tui::caps::{Caps, ColorTier, GlyphTier};

/// What the flags and the configuration ask for; none means find out.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Wanted {
    /// Which characters may be drawn.
    pub glyphs: Option<GlyphTier>,
    /// Which colours may be sent; stronger than `NO_COLOR`.
    pub colors: Option<ColorTier>,
}

/// The part of the environment that tells what the terminal can do.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Env {
    /// `TERM`.
    pub term: String,
    /// `COLORTERM`.
    pub colorterm: String,
    /// `NO_COLOR`.
    pub no_color: String,
    /// The locale for characters: the first that is set of `LC_ALL`, `LC_CTYPE`, `LANG`.
    pub locale: String,
    /// `TMUX` is set.
    pub tmux: bool,
    /// `STY` is set: GNU screen.
    pub screen: bool,
    /// The terminal's device, such as `/dev/pts/3`.
    pub tty: Option<String>,
}

impl Env {
    /// Reads the environment of this process and the name of the terminal on its standard output.
    #[must_use]
    pub fn capture() -> Self {
        let var = |name: &str| std::env::var(name).unwrap_or_default();
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().map(var).find(|value| !value.is_empty());
        Self {
            term: var("TERM"),
            colorterm: var("COLORTERM"),
            no_color: var("NO_COLOR"),
            locale: locale.unwrap_or_default(),
            tmux: !var("TMUX").is_empty(),
            screen: !var("STY").is_empty(),
            tty: rustix::termios::ttyname(rustix::stdio::stdout(), Vec::new())
                .ok()
                .and_then(|name| name.into_string().ok()),
        }
    }

    /// Whether the terminal is a virtual console of this machine, where kernel messages are drawn over the screen.
    #[must_use]
    pub fn is_virtual_console(&self) -> bool {
        let number = self.tty.as_deref().and_then(|tty| tty.strip_prefix("/dev/tty"));
        number.is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
    }

    /// A console or something as simple, which has no alternate screen, no title and no clipboard, and may print the
    /// sequences for them.
    #[must_use]
    pub fn is_simple(&self) -> bool {
        let term = self.term.as_str();
        let old = matches!(term, "" | "dumb" | "ansi") || term.starts_with("vt1") || term.starts_with("vt2");
        old || term == "linux" || self.is_virtual_console()
    }

    /// What stands between this program and the terminal that is looked at.
    pub(crate) fn between(&self) -> Between {
        match (self.tmux, self.screen, self.term.starts_with("screen")) {
            (true, ..) => Between::Tmux,
            (false, true, _) => Between::Screen,
            (false, false, true) => Between::Either,
            (false, false, false) => Between::Nothing,
        }
    }

    /// A terminal from before private modes for the screen and the cursor, or one that says so: it has a single screen,
    /// and its cursor is always seen.
    #[must_use]
    pub fn is_bare(&self) -> bool {
        let term = self.term.as_str();
        term == "ansi" || term.starts_with("vt1") || term.starts_with("vt2")
    }

    /// What may be sent to this terminal. An unknown `TERM` gets what every terminal of the last decades does. GNU
    /// screen passes `COLORTERM` on but doesn't read 24-bit colours, so it gets the palette of 256.
    #[must_use]
    pub fn caps(&self, wanted: Wanted) -> Caps {
        let term = if self.is_virtual_console() { "linux" } else { &self.term };
        let mut caps = Caps::detect(|name| match name {
            "TERM" => Some(term.to_owned()),
            "COLORTERM" => Some(self.colorterm.clone()),
            "NO_COLOR" => Some(self.no_color.clone()),
            "LC_ALL" => Some(self.locale.clone()),
            _ => None,
        });
        if self.screen && caps.colors == ColorTier::Truecolor {
            caps.colors = ColorTier::Palette256;
        }
        Caps { glyphs: wanted.glyphs.unwrap_or(caps.glyphs), colors: wanted.colors.unwrap_or(caps.colors) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use {ColorTier as C, GlyphTier as G};

    fn env(term: &str) -> Env {
        Env { term: term.into(), locale: "C.UTF-8".into(), ..Env::default() }
    }

    #[test]
    fn a_virtual_console_is_one_whatever_term_says() {
        let on = |tty: &str| Env { tty: Some(tty.into()), ..env("xterm-256color") };
        let caps = on("/dev/tty1").caps(Wanted::default());
        assert_eq!((caps.glyphs, caps.colors), (G::Console, C::Ansi16));
        assert!(on("/dev/tty12").is_virtual_console() && on("/dev/tty12").is_simple());
        for other in ["/dev/pts/1", "/dev/tty", "/dev/ttyUSB0", "/dev/ttyS0"] {
            assert!(!on(other).is_virtual_console() && !on(other).is_simple(), "{other}");
        }
    }

    #[test]
    fn what_stands_between_is_known() {
        let (mut tmux, mut screen) = (env("screen-256color"), env("screen.xterm-256color"));
        (tmux.tmux, screen.screen) = (true, true);
        assert_eq!([tmux.between(), screen.between()], [Between::Tmux, Between::Screen]);
        let far = [env("screen-256color"), env("tmux-256color"), env("xterm-256color")];
        assert_eq!(far.map(|env| env.between()), [Between::Either, Between::Nothing, Between::Nothing]);
    }

    #[test]
    fn gnu_screen_gets_no_24_bit_colours() {
        let mut env = env("screen.xterm-256color");
        (env.colorterm, env.screen) = ("truecolor".into(), true);
        assert_eq!(env.caps(Wanted::default()).colors, C::Palette256);
    }

    #[test]
    fn flags_are_stronger_than_the_environment() {
        let mut env = env("linux");
        env.no_color = "1".into();
        let wanted = Wanted { glyphs: Some(G::Ascii), colors: Some(C::Ansi16) };
        assert_eq!(env.caps(Wanted::default()), Caps { glyphs: G::Console, colors: C::None });
        assert_eq!(env.caps(wanted), Caps { glyphs: G::Ascii, colors: C::Ansi16 });
    }
}
