use super::{super::Theme, *};
use crate::tui::{
    term::color::{Shade, brought_down},
    theme::Palette,
};

const THEMES: [BaseTheme; 2] = [BaseTheme::Light, BaseTheme::Dark];
/// The least that WCAG 2.2 asks of text (1.4.3, level AA).
const LEAST: f64 = 4.5;

fn theme(base: BaseTheme, glyphs: GlyphTier, colors: ColorTier) -> Theme {
    Theme::with(Caps { glyphs, colors }, &Palette::from(base))
}

/// Relative luminance of sRGB (WCAG 2.2).
fn luminance((r, g, b): Shade) -> f64 {
    let linear = |channel: u8| {
        let c = f64::from(channel) / 255.0;
        if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)
}

fn contrast(one: Shade, other: Shade) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

#[test]
fn contrast_is_measured_as_the_guidelines_do() {
    assert!((contrast((255, 255, 255), (0, 0, 0)) - 21.0).abs() < 1e-9);
    assert!((contrast((118, 118, 118), (255, 255, 255)) - 4.54).abs() < 0.01);
}

#[test]
fn every_role_can_be_read_in_every_built_in_theme() {
    let mut faint = Vec::new();
    for base in THEMES {
        for colors in [ColorTier::Truecolor, ColorTier::Palette256, ColorTier::Ansi16] {
            let theme = theme(base, GlyphTier::Unicode, colors);
            for role in Role::ALL {
                let style = theme.style(*role);
                let (front, behind) = (style.fg.unwrap(), style.bg.unwrap());
                let shade = |color| brought_down(color, colors).unwrap();
                let ratio = contrast(shade(front), shade(behind));
                if ratio < LEAST {
                    faint.push(format!("{base:?} {colors:?} {role:?}: {ratio:.2}"));
                }
            }
        }
    }
    assert_eq!(faint, Vec::<String>::new());
}

#[test]
fn a_console_gets_8_grounds_and_no_more_than_bold_and_reverse() {
    for base in BaseTheme::ALL {
        let theme = theme(base, GlyphTier::Console, ColorTier::Ansi16);
        for role in Role::ALL {
            let style = theme.style(*role);
            assert!((Modifier::BOLD | Modifier::REVERSED).contains(style.add_modifier), "{base:?} {role:?}");
            let plain = |color: Option<Color>| !matches!(color, Some(Color::Rgb(..) | Color::Indexed(_)));
            assert!(plain(style.fg) && plain(style.bg), "{base:?} {role:?}");
            let eight = [
                Color::Reset,
                Color::Black,
                Color::Red,
                Color::Green,
                Color::Yellow,
                Color::Blue,
                Color::Magenta,
                Color::Cyan,
                Color::Gray,
            ];
            let [ground, front] = [style.bg, style.fg].map(Option::unwrap_or_default);
            let behind = if style.add_modifier.contains(Modifier::REVERSED) { front } else { ground };
            assert!(eight.contains(&behind), "{base:?} {role:?}: {behind:?} behind");
        }
    }
}

#[test]
fn without_colours_every_theme_is_the_terminals() {
    let expected = Theme::new(Caps { glyphs: GlyphTier::Unicode, colors: ColorTier::None });
    for base in THEMES {
        assert_eq!(theme(base, GlyphTier::Unicode, ColorTier::None), expected);
    }
}
