//! A line of text being edited: keys in, and the part of it that fits on screen out.

use super::text;
use crate::{
    domain::text::safe,
    tui::{
        chord::{Chord, Key},
        model::layer::Field,
    },
};
use tui_input::{Input, InputRequest};

impl Field {
    /// Takes a key if it means something in a text; says whether it did.
    pub fn take(&mut self, chord: Chord) -> bool {
        let request = match (chord.key, chord.ctrl) {
            (Key::Char(c), false) if can_be_shown(c) => InputRequest::InsertChar(c),
            (Key::Backspace, false) | (Key::Char('h'), true) => InputRequest::DeletePrevChar,
            (Key::Delete, false) => InputRequest::DeleteNextChar,
            (Key::Left, false) => InputRequest::GoToPrevChar,
            (Key::Right, false) => InputRequest::GoToNextChar,
            (Key::Home, false) => InputRequest::GoToStart,
            (Key::End, false) | (Key::Char('e'), true) => InputRequest::GoToEnd,
            (Key::Char('w'), true) => InputRequest::DeletePrevWord,
            (Key::Char('u'), true) => InputRequest::DeleteLine,
            _ => return false,
        };
        self.handle(request);
        true
    }

    /// Takes a pasted text, as one line and without what can't be shown.
    pub fn paste(&mut self, pasted: &str) {
        self.paste_up_to(pasted, 200);
    }

    /// The same, of at most so many characters.
    pub fn paste_up_to(&mut self, pasted: &str, longest: usize) {
        for c in pasted.chars().filter(|c| can_be_shown(*c)).take(longest) {
            self.handle(InputRequest::InsertChar(c));
        }
    }

    fn handle(&mut self, request: InputRequest) {
        let mut input = Input::new(std::mem::take(&mut self.text)).with_cursor(self.cursor);
        input.handle(request);
        self.cursor = input.cursor();
        input.value().clone_into(&mut self.text);
    }

    /// The part to show in `columns`, and the column of the cursor in it.
    #[must_use]
    pub fn visible(&self, columns: u16) -> (String, u16) {
        let input = Input::new(self.text.clone()).with_cursor(self.cursor);
        let room = usize::from(columns.max(2)) - 1;
        let scroll = input.visual_scroll(room);
        let mut skipped = 0;
        let rest: String = self
            .text
            .chars()
            .skip_while(|c| {
                let before = skipped < scroll;
                skipped += text::width(c.encode_utf8(&mut [0; 4]));
                before
            })
            .collect();
        let cursor = input.visual_cursor().saturating_sub(scroll).min(room);
        (text::fit(&safe(&rest), room, ""), u16::try_from(cursor).unwrap_or(0))
    }
}

/// Whether a character is shown as it is: what controls or formats a line isn't.
fn can_be_shown(c: char) -> bool {
    safe(c.encode_utf8(&mut [0; 4])).starts_with(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_edit_and_a_paste_is_one_line_of_text() {
        let mut field = Field::default();
        for key in ["a", "b", "left", "c", "backspace"] {
            assert!(field.take(key.parse().unwrap()), "{key}");
        }
        assert!(!field.take("enter".parse().unwrap()) && !field.take("ctrl-c".parse().unwrap()));
        field.paste("x\n\u{1b}\u{202e}y");
        assert_eq!((field.text.as_str(), field.cursor), ("axyb", 3));
    }

    #[test]
    fn what_is_typed_wears_no_more_marks_on_screen_than_anything_else() {
        let mut field = Field::default();
        field.paste("z\u{335}\u{336}\u{337}\u{338}\u{339}");
        assert_eq!(field.visible(20), ("z\u{335}\u{336}\u{337}".to_owned(), 1));
    }

    #[test]
    fn the_cursor_stays_in_sight() {
        let mut field = Field::default();
        field.paste("0123456789");
        assert_eq!(field.visible(5), ("6789".to_owned(), 4));
        assert_eq!(field.visible(20), ("0123456789".to_owned(), 10));
        field.paste("日本");
        let (text, cursor) = field.visible(4);
        assert!(crate::tui::widget::text::width(&text) < 4 && cursor < 4);
    }
}
