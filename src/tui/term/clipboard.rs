//! The clipboard of the terminal, wherever that is shown: OSC 52. Nothing acknowledges it.

use base64::{Engine as _, engine::general_purpose::STANDARD};

/// Bytes of a string that GNU screen keeps, with some to spare for what is around them (its `MAXSTR` is 768).
const CHUNK: usize = 760;

/// What stands between this program and the terminal that is looked at.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Between {
    /// Nothing that is known of.
    #[default]
    Nothing,
    /// tmux: it takes the sequence for its own buffer, and hands a wrapped one through where it is allowed to
    /// (`allow-passthrough`).
    Tmux,
    /// GNU screen: it drops the sequence, but hands the wrapped one through.
    Screen,
    /// One of the two, on another machine: `TERM` begins with `screen`.
    Either,
}

/// What puts a text on the clipboard.
pub(crate) fn copy(text: &str, between: Between) -> Vec<u8> {
    let plain = format!("\x1b]52;c;{}\x07", STANDARD.encode(text));
    match between {
        Between::Nothing => plain.into_bytes(),
        Between::Tmux => {
            let wrapped = plain.replace('\x1b', "\x1b\x1b");
            format!("{plain}\x1bPtmux;{wrapped}\x1b\\").into_bytes()
        }
        Between::Screen => for_screen(plain.as_bytes()),
        Between::Either => [plain.as_bytes(), &for_screen(plain.as_bytes())].concat(),
    }
}

/// In device control strings, each no longer than screen keeps them.
fn for_screen(plain: &[u8]) -> Vec<u8> {
    plain.chunks(CHUNK).flat_map(|chunk| [b"\x1bP", chunk, b"\x1b\\"].concat()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_wrapped_for_what_stands_between() {
        let plain = b"\x1b]52;c;YQ==\x07".to_vec();
        assert_eq!(copy("a", Between::Nothing), plain);
        let tmux = [&plain[..], b"\x1bPtmux;\x1b\x1b]52;c;YQ==\x07\x1b\\"].concat();
        assert_eq!(copy("a", Between::Tmux), tmux);
        let screen = [b"\x1bP", &plain[..], b"\x1b\\"].concat();
        assert_eq!(copy("a", Between::Screen), screen);
        assert_eq!(copy("a", Between::Either), [plain, screen].concat());
    }

    #[test]
    fn a_long_text_goes_through_screen_in_pieces_that_it_keeps() {
        let text = "morpheus ".repeat(300);
        let sent = String::from_utf8(copy(&text, Between::Screen)).unwrap();
        let pieces: Vec<&str> = sent.split_inclusive("\x1b\\").collect();
        assert!(pieces.len() > 4 && pieces.iter().all(|piece| piece.len() <= 768 && piece.starts_with("\x1bP")));
        let whole: String = pieces.iter().map(|piece| &piece[2..piece.len() - 2]).collect();
        assert_eq!(whole.as_bytes(), copy(&text, Between::Nothing));
    }
}
