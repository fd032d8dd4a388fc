//! The modes that the dashboard switches on, as bytes: entering, and leaving in the reverse order.

use crossterm::{
    cursor::{Hide, MoveTo, Show},
    event::{DisableBracketedPaste, DisableFocusChange, EnableBracketedPaste, EnableFocusChange},
    queue,
    style::{Attribute, SetAttribute},
    terminal::{Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen},
};

/// Frames between these two are shown whole.
pub(crate) const BEGIN_FRAME: &[u8] = b"\x1b[?2026h";
/// See [`BEGIN_FRAME`].
pub(crate) const END_FRAME: &[u8] = b"\x1b[?2026l";
/// Ends an escape sequence that was cut off (ECMA-48 CAN).
pub(crate) const CANCEL: u8 = 0x18;
/// Buttons and the wheel alone (1000), with places that may lie beyond column 223 (1006). crossterm would ask for every
/// movement as well.
const MOUSE_ON: &[u8] = b"\x1b[?1000h\x1b[?1006h";
/// The reverse of [`MOUSE_ON`].
const MOUSE_OFF: &[u8] = b"\x1b[?1006l\x1b[?1000l";
const PUSH_TITLE: &[u8] = b"\x1b[22;2t";
const POP_TITLE: &[u8] = b"\x1b[23;2t";

/// Which modes there are to switch on.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Wish {
    /// See [`Env::is_simple`](super::env::Env::is_simple).
    pub(crate) simple: bool,
    /// See [`Env::is_bare`](super::env::Env::is_bare).
    pub(crate) bare: bool,
    /// Whether clicks are wanted.
    pub(crate) mouse: bool,
}

impl Wish {
    /// What is sent to take the terminal.
    pub(crate) fn enter(self) -> Vec<u8> {
        let mut out = Vec::with_capacity(64);
        if !self.simple {
            out.extend_from_slice(PUSH_TITLE);
        }
        if !self.bare {
            let _ = queue!(out, EnterAlternateScreen, Hide);
        }
        if !self.simple {
            let _ = queue!(out, EnableBracketedPaste, EnableFocusChange);
        }
        if self.mouse {
            out.extend_from_slice(MOUSE_ON);
        }
        let _ = queue!(out, SetAttribute(Attribute::Reset), Clear(ClearType::All), MoveTo(0, 0));
        out
    }

    /// What is sent to give it back. A console may have no alternate screen, so it is cleared.
    pub(crate) fn leave(self) -> Vec<u8> {
        let mut out = Vec::with_capacity(64);
        if !self.simple {
            out.extend_from_slice(END_FRAME);
        }
        let _ = queue!(out, SetAttribute(Attribute::Reset));
        if self.simple {
            let _ = queue!(out, Clear(ClearType::All), MoveTo(0, 0));
        }
        if self.mouse {
            out.extend_from_slice(MOUSE_OFF);
        }
        if !self.simple {
            let _ = queue!(out, DisableFocusChange, DisableBracketedPaste);
        }
        if !self.bare {
            let _ = queue!(out, Show, LeaveAlternateScreen);
        }
        if !self.simple {
            out.extend_from_slice(POP_TITLE);
        }
        out
    }
}

/// Asks for clicks, or leaves them to the terminal.
pub(crate) const fn mouse(on: bool) -> &'static [u8] {
    if on { MOUSE_ON } else { MOUSE_OFF }
}

/// Names the window. Control characters in the name would end the sequence and are left out.
pub(crate) fn title(name: &str) -> Vec<u8> {
    let name: String = name.chars().filter(|c| !c.is_control()).collect();
    format!("\x1b]2;{name}\x1b\\").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The private modes in the order in which they are switched.
    fn switched(bytes: &[u8], to: char) -> Vec<String> {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let parts = text.split("\x1b[?").skip(1).filter_map(|part| part.split_once(to));
        parts.map(|(mode, _)| mode.to_owned()).filter(|mode| mode.bytes().all(|b| b.is_ascii_digit())).collect()
    }

    #[test]
    fn every_mode_is_left_in_the_reverse_order() {
        for (simple, mouse) in [(false, false), (false, true), (true, false), (true, true)] {
            let wish = Wish { simple, bare: false, mouse };
            let mut on = switched(&wish.enter(), 'h');
            // The cursor is hidden by switching its mode off.
            on.insert(1, "25".into());
            let mut off = switched(&wish.leave(), 'l');
            off.retain(|mode| mode != "2026");
            off.insert(off.len() - 1, "25".into());
            off.reverse();
            assert_eq!(on, off, "{wish:?}");
        }
    }

    #[test]
    fn a_console_is_cleared_and_sent_nothing_that_it_might_print() {
        let wish = Wish { simple: true, bare: false, mouse: false };
        let text = String::from_utf8([wish.enter(), wish.leave()].concat()).unwrap();
        assert!(text.contains("\x1b[2J"));
        for unknown in ["\x1b]", "t", "2026", "2004", "1004"] {
            assert!(!text.contains(unknown), "{unknown:?}");
        }
    }

    #[test]
    fn a_vt100_is_switched_nothing() {
        let wish = Wish { simple: true, bare: true, mouse: false };
        assert_eq!(
            (wish.enter(), wish.leave()),
            (b"\x1b[0m\x1b[2J\x1b[1;1H".into(), b"\x1b[0m\x1b[2J\x1b[1;1H".into())
        );
    }

    #[test]
    fn a_title_can_not_break_out() {
        assert_eq!(title("a\x1b\\b\x07c"), b"\x1b]2;a\\bc\x1b\\");
    }
}
