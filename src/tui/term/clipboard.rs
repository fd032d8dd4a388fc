//! The clipboard of the terminal, wherever that is shown: OSC 52. Nothing acknowledges it.

use base64::{Engine as _, engine::general_purpose::STANDARD};

/// What puts a text on the clipboard. tmux takes it for its own buffer, and hands the wrapped one through where it is
/// allowed to (`allow-passthrough`).
pub(crate) fn copy(text: &str, tmux: bool) -> Vec<u8> {
    let plain = format!("\x1b]52;c;{}\x07", STANDARD.encode(text));
    if !tmux {
        return plain.into_bytes();
    }
    let wrapped = plain.replace('\x1b', "\x1b\x1b");
    format!("{plain}\x1bPtmux;{wrapped}\x1b\\").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_wrapped_for_tmux_alone() {
        assert_eq!(copy("192.168.1.151", false), b"\x1b]52;c;MTkyLjE2OC4xLjE1MQ==\x07");
        let wrapped = b"\x1b]52;c;YQ==\x07\x1bPtmux;\x1b\x1b]52;c;YQ==\x07\x1b\\";
        assert_eq!(copy("a", true), wrapped);
    }
}
