//! Colours as parameters of SGR, never more of them than the terminal has.

use crate::tui::caps::ColorTier;
use ratatui::style::Color;
use std::io::Write as _;

/// Adds the parameter for a colour, from 30 in the foreground and from 40 in the background (ECMA-48 SGR; bright ones
/// as aixterm has them).
pub(crate) fn parameter(color: Color, base: u8, tier: ColorTier, out: &mut Vec<u8>) {
    let wide = matches!(tier, ColorTier::Palette256 | ColorTier::Truecolor);
    let _ = match color {
        Color::Reset => return,
        Color::Rgb(r, g, b) if tier == ColorTier::Truecolor => write!(out, ";{};2;{r};{g};{b}", base + 8),
        Color::Rgb(r, g, b) if wide => write!(out, ";{};5;{}", base + 8, cube(r, g, b)),
        Color::Indexed(index @ 16..) if wide => write!(out, ";{};5;{index}", base + 8),
        other => {
            let index = basic(other);
            write!(out, ";{}", if index < 8 { base + index } else { base + 52 + index })
        }
    };
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
        Color::Indexed(index @ 16..232) => {
            let level = |place: u8| match (index - 16) / place % 6 {
                0 => 0,
                step => 55 + 40 * step,
            };
            nearest(level(36), level(6), level(1))
        }
        Color::Indexed(index) => {
            let grey = (index - 232) * 10 + 8;
            nearest(grey, grey, grey)
        }
        Color::Rgb(r, g, b) => nearest(r, g, b),
    }
}

/// Which of the 16 stands for it: a bit for each channel that is strong beside the strongest, bright if that one is.
fn nearest(r: u8, g: u8, b: u8) -> u8 {
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

/// The nearest place of the 6x6x6 cube of the 256-colour palette.
fn cube(r: u8, g: u8, b: u8) -> u8 {
    let level = |channel: u8| match channel {
        0..48 => 0,
        48..115 => 1,
        _ => (channel - 35) / 40,
    };
    16 + 36 * level(r) + 6 * level(g) + level(b)
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
        for ((r, g, b), expected) in named {
            assert_eq!(nearest(r, g, b), expected, "{r} {g} {b}");
        }
    }
}
