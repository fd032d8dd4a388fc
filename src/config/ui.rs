//! `ui`: how the dashboard looks and behaves on the person's terminal.

use super::{
    bindings::{self, KeyPlace},
    reader::{Field, Reader, Said, Section, one_of},
    theme::{self, ThemeChoice},
};

/// Seconds between two looks at the host unless something else is said.
const REFRESH: u64 = 4;

/// How the dashboard looks and behaves.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Ui {
    /// Which characters it draws with; none means find out.
    pub glyphs: Option<GlyphChoice>,
    /// Which colours it sends; none means find out. `NO_COLOR` is taken in already.
    pub color: Option<ColorChoice>,
    /// What everything looks like.
    pub theme: ThemeChoice,
    /// Keys that mean something else than by default.
    pub keys: Vec<KeyPlace>,
    /// Take clicks and the wheel.
    pub mouse: bool,
    /// Ring when an operation ends.
    pub bell: bool,
    /// Nothing moves on its own but numbers.
    pub reduced_motion: bool,
    /// Seconds between two looks at the host.
    pub refresh: u64,
}

impl Default for Ui {
    fn default() -> Self {
        Self {
            glyphs: None,
            color: None,
            theme: ThemeChoice::default(),
            keys: Vec::new(),
            mouse: true,
            bell: false,
            reduced_motion: false,
            refresh: REFRESH,
        }
    }
}

/// Which characters the dashboard may draw with.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum GlyphChoice {
    /// What a modern terminal has.
    Unicode,
    /// What the fonts of a Linux console have.
    Console,
    /// 0x20 to 0x7e.
    Ascii,
}

/// Which colours the dashboard may send.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ColorChoice {
    /// 24 bits.
    Truecolor,
    /// The palette of 256.
    Palette256,
    /// The terminal's own 16.
    Ansi16,
    /// None.
    None,
}

pub(super) const GLYPHS: [(&str, Option<GlyphChoice>); 4] = [
    ("auto", None),
    ("unicode", Some(GlyphChoice::Unicode)),
    ("console", Some(GlyphChoice::Console)),
    ("ascii", Some(GlyphChoice::Ascii)),
];

pub(super) const COLORS: [(&str, Option<ColorChoice>); 5] = [
    ("auto", None),
    ("truecolor", Some(ColorChoice::Truecolor)),
    ("256", Some(ColorChoice::Palette256)),
    ("16", Some(ColorChoice::Ansi16)),
    ("none", Some(ColorChoice::None)),
];

/// What command-line flags say about the dashboard.
#[derive(Clone, Debug, Default)]
pub struct UiOverrides {
    /// `--glyphs`.
    pub glyphs: Option<String>,
    /// `--color`; stronger than `NO_COLOR`.
    pub color: Option<String>,
    /// `--theme`: a name or a file.
    pub theme: Option<String>,
    /// `--mouse`.
    pub mouse: Option<bool>,
    /// `--reduced-motion`.
    pub reduced_motion: Option<bool>,
    /// `--refresh`, in seconds.
    pub refresh: Option<u64>,
}

/// Reads the section.
pub(super) fn read(reader: &mut Reader<'_>, section: &Section<'_>, flags: &UiOverrides) -> Ui {
    let defaults = Ui::default();
    let glyphs = ("--glyphs", flags.glyphs.clone());
    let bell = boolean(reader, ("", None), section.get("bell"));
    let mouse = boolean(reader, ("--mouse", flags.mouse), section.get("mouse"));
    let reduced_motion = boolean(reader, ("--reduced-motion", flags.reduced_motion), section.get("reduced_motion"));
    Ui {
        glyphs: word(reader, glyphs, section.get("glyphs"), &GLYPHS),
        color: color(reader, section, flags),
        theme: theme::read(reader, section.get("theme"), flags.theme.as_deref()),
        keys: bindings::read(reader, section.get("keys")),
        mouse: mouse.unwrap_or(defaults.mouse),
        bell: bell.unwrap_or(defaults.bell),
        reduced_motion: reduced_motion.unwrap_or(defaults.reduced_motion),
        refresh: refresh(reader, section, flags).unwrap_or(defaults.refresh),
    }
}

/// `NO_COLOR` (no-color.org) comes before the file and after the flag.
fn color(reader: &mut Reader<'_>, section: &Section<'_>, flags: &UiOverrides) -> Option<ColorChoice> {
    if flags.color.is_none() && reader.variable("NO_COLOR").is_some() {
        return Some(ColorChoice::None);
    }
    word(reader, ("--color", flags.color.clone()), section.get("color"), &COLORS)
}

fn word<T: Copy>(
    reader: &mut Reader<'_>,
    flag: (&'static str, Option<String>),
    field: Option<Field<'_>>,
    words: &[(&str, Option<T>)],
) -> Option<T> {
    let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
    let said = reader.pick(flag, "", field, &one_of(&names))?;
    reader.word(&said, words).flatten()
}

fn boolean(reader: &mut Reader<'_>, flag: (&'static str, Option<bool>), field: Option<Field<'_>>) -> Option<bool> {
    let flag = (flag.0, flag.1.map(|value| value.to_string()));
    let said: Said = reader.pick(flag, "", field, "true or false")?;
    reader.boolean(&said)
}

fn refresh(reader: &mut Reader<'_>, section: &Section<'_>, flags: &UiOverrides) -> Option<u64> {
    let flag = flags.refresh.map(|seconds| seconds.to_string());
    let said = reader.pick(("--refresh", flag), "", section.get("refresh"), "a number of seconds")?;
    reader.number(&said, 1..=3600, "seconds")
}
