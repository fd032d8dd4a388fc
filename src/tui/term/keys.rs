//! Keys, paste and focus. crossterm's decoder reads in a thread of its own, for it blocks: on half a sequence until the
//! rest comes, and on a terminal that is gone for ever.

use crate::tui::{
    chord::{Chord, Key},
    msg::{Input, Msg},
};
use crossterm::event::{Event, KeyCode, KeyEventKind, KeyModifiers};
use std::{io, thread};
use tokio::sync::mpsc::Sender;

/// Sends what is typed until nobody wants it any more or there is nothing left to read.
///
/// # Errors
/// The thread can't be started.
pub(crate) fn listen(to: Sender<Msg>) -> io::Result<()> {
    let listen = move || {
        while let Ok(event) = crossterm::event::read() {
            if translate(event).is_some_and(|input| to.blocking_send(Msg::Input(input)).is_err()) {
                break;
            }
        }
    };
    thread::Builder::new().name("keys".into()).spawn(listen).map(drop)
}

/// What an event means here. The size is left out: it is asked for when SIGWINCH comes.
fn translate(event: Event) -> Option<Input> {
    match event {
        // The Linux console sends Shift-Tab as Escape and Tab.
        Event::Key(key) if key.code == KeyCode::Tab && key.modifiers == KeyModifiers::ALT => {
            (key.kind != KeyEventKind::Release).then_some(Input::Key(Chord::plain(Key::BackTab)))
        }
        Event::Key(key) => Chord::from_event(&key).map(Input::Key),
        Event::Paste(text) => Some(Input::Paste(text)),
        Event::FocusGained => Some(Input::Focus(true)),
        Event::FocusLost => Some(Input::Focus(false)),
        Event::Mouse(_) | Event::Resize(..) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crossterm::event::KeyEvent;

    #[test]
    fn a_console_s_shift_tab_is_one() {
        let key = |code, modifiers| translate(Event::Key(KeyEvent::new(code, modifiers)));
        assert_eq!(key(KeyCode::Tab, KeyModifiers::ALT), Some(Input::Key(Chord::plain(Key::BackTab))));
        assert_eq!(key(KeyCode::Char('x'), KeyModifiers::NONE), Some(Input::Key(Chord::plain(Key::Char('x')))));
        assert_eq!(translate(Event::Paste("a\nb".into())), Some(Input::Paste("a\nb".into())));
    }
}
