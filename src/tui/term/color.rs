//! Colours as parameters of SGR, never more of them than the terminal has.

use crate::tui::caps::ColorTier;
use ratatui::style::Color;
use std::io::Write as _;

/// Red, green and blue.
pub(crate) type Shade = (u8, u8, u8);

/// The first 16 of the palette, as a Linux console has them; every terminal has its own.
const BASIC: [Shade; 16] = [
    (0, 0, 0),
    (170, 0, 0),
    (0, 170, 0),
    (170, 85, 0),
    (0, 0, 170),
    (170, 0, 170),
    (0, 170, 170),
    (170, 170, 170),
    (85, 85, 85),
    (255, 85, 85),
    (85, 255, 85),
    (255, 255, 85),
    (85, 85, 255),
    (255, 85, 255),
    (85, 255, 255),
    (255, 255, 255),
];

/// Adds the parameter for a colour, from 30 in the foreground and from 40 in the background (ECMA-48 SGR; bright ones
/// as aixterm has them).
pub(crate) fn parameter(color: Color, base: u8, tier: ColorTier, out: &mut Vec<u8>) {
    let wide = matches!(tier, ColorTier::Palette256 | ColorTier::Truecolor);
    let _ = match color {
        Color::Reset => return,
        Color::Rgb(r, g, b) if tier == ColorTier::Truecolor => write!(out, ";{};2;{r};{g};{b}", base + 8),
        Color::Rgb(r, g, b) if wide => write!(out, ";{};5;{}", base + 8, extended((r, g, b))),
        Color::Indexed(index @ 16..) if wide => write!(out, ";{};5;{index}", base + 8),
        other => {
            let index = basic(other);
            write!(out, ";{}", if index < 8 { base + index } else { base + 52 + index })
        }
    };
}

/// What a terminal of this tier shows for a colour; nothing for its own default. The first 16 are a console's.
#[cfg(test)]
pub(crate) fn brought_down(color: Color, tier: ColorTier) -> Option<Shade> {
    match (color, tier) {
        (Color::Reset, _) | (_, ColorTier::None) => None,
        (Color::Rgb(r, g, b), ColorTier::Truecolor) => Some((r, g, b)),
        (Color::Rgb(r, g, b), ColorTier::Palette256) => Some(shade(extended((r, g, b)))),
        (Color::Indexed(index), ColorTier::Truecolor | ColorTier::Palette256) => Some(shade(index)),
        (other, _) => Some(shade(basic(other))),
    }
}

/// The colour at a place of the palette of 256: 16 basic ones, a cube of 6x6x6, 24 greys.
fn shade(index: u8) -> Shade {
    let level = |place: u8| match (index - 16) / place % 6 {
        0 => 0,
        step => 55 + 40 * step,
    };
    match index {
        0..16 => BASIC.get(usize::from(index)).copied().unwrap_or_default(),
        16..232 => (level(36), level(6), level(1)),
        232.. => {
            let grey = (index - 232) * 10 + 8;
            (grey, grey, grey)
        }
    }
}

/// The place of a colour among the terminal's own 16.
fn basic(color: Color) -> u8 {
    match color {
        Color::Black | Color::Reset => 0,
        Color::Red => 1,
        Color::Green => 2,
        Color::Yellow => 3,
        Color::Blue => 4,
        Color::Magenta => 5,
        Color::Cyan => 6,
        Color::Gray => 7,
        Color::DarkGray => 8,
        Color::LightRed => 9,
        Color::LightGreen => 10,
        Color::LightYellow => 11,
        Color::LightBlue => 12,
        Color::LightMagenta => 13,
        Color::LightCyan => 14,
        Color::White => 15,
        Color::Indexed(index @ 0..16) => index,
        Color::Indexed(index) => nearest(shade(index)),
        Color::Rgb(r, g, b) => nearest((r, g, b)),
    }
}

/// Which of the 16 stands for it: a bit for each channel that is strong beside the strongest, bright if that one is.
fn nearest((r, g, b): Shade) -> u8 {
    let most = r.max(g).max(b);
    let strong = |channel: u8| u8::from(channel > most / 2 && most >= 64);
    let hue = strong(r) | (strong(g) << 1) | (strong(b) << 2);
    match (hue, most) {
        (0, 0..32) => 0,
        (0, _) | (7, 0..160) => 8,
        (7, 160..224) => 7,
        (_, 0..200) => hue,
        _ => hue + 8,
    }
}

/// The nearest place of the palette of 256 beyond the first 16, which every terminal has its own idea of: in the cube,
/// or among the greys where one of those is nearer.
fn extended((r, g, b): Shade) -> u8 {
    let level = |channel: u8| match channel {
        0..48 => 0,
        48..115 => 1,
        _ => (channel - 35) / 40,
    };
    let cube = 16 + 36 * level(r) + 6 * level(g) + level(b);
    let mean = (u16::from(r) + u16::from(g) + u16::from(b)) / 3;
    let grey = 232 + u8::try_from(mean.saturating_sub(3) / 10).unwrap_or(u8::MAX).min(23);
    let far = |index: u8| {
        let near = shade(index);
        let square = |one: u8, other: u8| u32::from(one.abs_diff(other)).pow(2);
        square(r, near.0) + square(g, near.1) + square(b, near.2)
    };
    if far(grey) < far(cube) { grey } else { cube }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_colour_has_a_stand_in_among_the_16() {
        for index in 0..=255 {
            assert!(basic(Color::Indexed(index)) < 16);
        }
        let named = [((0, 0, 0), 0), ((255, 0, 0), 9), ((128, 0, 0), 1), ((255, 255, 255), 15), ((192, 192, 192), 7)];
        for (colour, expected) in named {
            assert_eq!(nearest(colour), expected, "{colour:?}");
        }
    }

    #[test]
    fn every_colour_of_the_palette_is_its_own_stand_in_there() {
        for index in 16..=255 {
            assert_eq!(shade(extended(shade(index))), shade(index), "{index}");
        }
        assert_eq!([(22, 24, 29), (250, 250, 248), (1, 1, 1)].map(extended), [234, 231, 16]);
    }
}
