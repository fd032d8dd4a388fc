//! The built-in themes. `terminal` is the terminal's own 16 colours on its own background; `light` and `dark` bring
//! both, in 24 bits and, for terminals with no more than 16, in those.

use super::Role;
use crate::{
    config::BaseTheme,
    tui::caps::{Caps, ColorTier, GlyphTier},
};
use ratatui::style::{Color, Modifier, Style};

/// The look of a role. Without colours every theme is bold and reverse on the terminal's own.
pub(super) fn style(base: BaseTheme, role: Role, caps: Caps) -> Style {
    match (base, caps.colors) {
        (BaseTheme::Terminal, _) | (_, ColorTier::None) => terminal(role, caps),
        (BaseTheme::Dark, ColorTier::Ansi16) => dark_of_16(role),
        (BaseTheme::Light, ColorTier::Ansi16) => light_of_16(role),
        (BaseTheme::Dark, _) => dark(role),
        (BaseTheme::Light, _) => light(role),
    }
}

fn terminal(role: Role, caps: Caps) -> Style {
    let colored = caps.colors != ColorTier::None;
    let faint = colored && caps.glyphs == GlyphTier::Unicode;
    let plain = Style::new();
    let color = |color: Color| if colored { plain.fg(color) } else { plain };
    match role {
        Role::Muted | Role::Border if faint => plain.add_modifier(Modifier::DIM),
        Role::Text | Role::Muted | Role::Border | Role::Button => plain,
        Role::Strong | Role::Key | Role::Remembered => plain.add_modifier(Modifier::BOLD),
        Role::Selected | Role::Pressed => plain.add_modifier(Modifier::REVERSED),
        Role::Good => color(Color::Green),
        Role::Warn => color(Color::Yellow),
        Role::Bad => color(Color::Red).add_modifier(Modifier::BOLD),
        Role::Busy | Role::Graph | Role::Input => color(Color::Cyan),
        Role::Focus => color(Color::Cyan).add_modifier(Modifier::BOLD),
        Role::Danger => color(Color::Red).add_modifier(Modifier::REVERSED | Modifier::BOLD),
    }
}

fn dark(role: Role) -> Style {
    let ground = hex(0x16_18_1d);
    let on = |front: u32| Style::new().fg(hex(front)).bg(ground);
    match role {
        Role::Text | Role::Button => on(0xd5_d8_de),
        Role::Muted => on(0x9a_a2_b1),
        Role::Border => on(0x85_8d_9c),
        Role::Strong | Role::Remembered => bold(on(0xff_ff_ff)),
        Role::Key => bold(on(0x9c_c4_ff)),
        Role::Selected => bold(on(0xff_ff_ff).bg(hex(0x00_4a_87))),
        Role::Good => on(0x87_d7_87),
        Role::Warn => on(0xf0_c3_5e),
        Role::Bad => bold(on(0xff_87_87)),
        Role::Busy | Role::Graph | Role::Input => on(0x70_cc_e8),
        Role::Focus => bold(on(0x70_cc_e8)),
        Role::Pressed => bold(on(0x16_18_1d).bg(hex(0xd5_d8_de))),
        Role::Danger => bold(on(0xff_ff_ff).bg(hex(0xaf_1d_1d))),
    }
}

fn light(role: Role) -> Style {
    let ground = hex(0xfa_fa_f8);
    let on = |front: u32| Style::new().fg(hex(front)).bg(ground);
    match role {
        Role::Text | Role::Button => on(0x24_29_2f),
        Role::Muted => on(0x55_5c_66),
        Role::Border => on(0x68_6f_7a),
        Role::Strong | Role::Remembered => bold(on(0x00_00_00)),
        Role::Key => bold(on(0x00_47_9e)),
        Role::Selected => bold(on(0xff_ff_ff).bg(hex(0x00_5f_af))),
        Role::Good => on(0x00_5f_00),
        Role::Warn => on(0x7a_4a_00),
        Role::Bad => bold(on(0xaf_00_00)),
        Role::Busy | Role::Graph | Role::Input => on(0x00_5f_87),
        Role::Focus => bold(on(0x00_5f_87)),
        Role::Pressed => bold(on(0xff_ff_ff).bg(hex(0x24_29_2f))),
        Role::Danger => bold(on(0xff_ff_ff).bg(hex(0xaf_00_00))),
    }
}

fn dark_of_16(role: Role) -> Style {
    let on = |front| Style::new().fg(front).bg(Color::Black);
    match role {
        Role::Text | Role::Muted | Role::Border | Role::Button => on(Color::Gray),
        Role::Strong | Role::Remembered => bold(on(Color::White)),
        Role::Key | Role::Focus => bold(on(Color::LightCyan)),
        Role::Selected => bold(on(Color::White).bg(Color::Blue)),
        Role::Good => on(Color::LightGreen),
        Role::Warn => on(Color::LightYellow),
        Role::Bad => bold(on(Color::LightRed)),
        Role::Busy | Role::Graph | Role::Input => on(Color::LightCyan),
        Role::Pressed => Style::new().fg(Color::Black).bg(Color::Gray),
        Role::Danger => bold(on(Color::White).bg(Color::Red)),
    }
}

/// On a console's grey only black and blue can be read, and bold makes its black grey; so what is good or bad has a
/// ground of its own.
fn light_of_16(role: Role) -> Style {
    let on = |front| Style::new().fg(front).bg(Color::Gray);
    match role {
        Role::Text | Role::Muted | Role::Border | Role::Button | Role::Strong => on(Color::Black),
        Role::Key | Role::Focus | Role::Busy | Role::Graph | Role::Input | Role::Good | Role::Remembered => {
            on(Color::Blue)
        }
        Role::Selected => bold(on(Color::White).bg(Color::Blue)),
        Role::Warn => bold(on(Color::LightYellow).bg(Color::Black)),
        Role::Bad | Role::Danger => bold(on(Color::White).bg(Color::Red)),
        Role::Pressed => bold(on(Color::White).bg(Color::Black)),
    }
}

const fn bold(style: Style) -> Style {
    style.add_modifier(Modifier::BOLD)
}

const fn hex(parts: u32) -> Color {
    let [_, r, g, b] = parts.to_be_bytes();
    Color::Rgb(r, g, b)
}

#[cfg(test)]
#[path = "builtin_tests.rs"]
mod tests;
