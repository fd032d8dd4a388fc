//! Keys, paste and focus. crossterm's decoder reads in a thread of its own, for it blocks: on half a sequence until the
//! rest comes, and on a terminal that is gone for ever.

use crate::tui::{
    chord::{Chord, Key},
    msg::{Input, Mouse, MouseDid, Msg},
};
use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use std::{
    io,
    thread::{self, JoinHandle},
};
use tokio::sync::{mpsc::Sender, oneshot};

/// The thread that reads keys.
#[derive(Debug)]
pub(crate) struct Listener {
    thread: Option<JoinHandle<()>>,
    /// Closed when the thread is over, whatever ended it.
    over: oneshot::Receiver<()>,
}

impl Listener {
    /// Waits for the end of the thread: there is nothing left to read. Goes on with its panic if it had one; the
    /// terminal is given back by then.
    pub(crate) async fn over(&mut self) {
        if self.thread.is_none() {
            std::future::pending::<()>().await;
        }
        let _ = (&mut self.over).await;
        if let Some(Err(panic)) = self.thread.take().map(JoinHandle::join) {
            std::panic::resume_unwind(panic);
        }
    }
}

/// Sends what is typed until nobody wants it any more or there is nothing left to read.
///
/// # Errors
/// The thread can't be started.
pub(crate) fn listen(to: Sender<Msg>) -> io::Result<Listener> {
    let (alive, over) = oneshot::channel::<()>();
    let listen = move || {
        let _alive = alive;
        while let Ok(event) = crossterm::event::read() {
            for input in translate(event) {
                #[cfg(debug_assertions)]
                crate::tui::runtime::provoke_in_keys(&input);
                if to.blocking_send(Msg::Input(input)).is_err() {
                    return;
                }
            }
        }
    };
    thread::Builder::new().name("keys".into()).spawn(listen).map(|thread| Listener { thread: Some(thread), over })
}

/// What an event means here. The size is left out: it is asked for when SIGWINCH comes.
fn translate(event: Event) -> Vec<Input> {
    match event {
        Event::Key(key) => chords(key).into_iter().map(Input::Key).collect(),
        Event::Paste(text) => vec![Input::Paste(text)],
        Event::FocusGained => vec![Input::Focus(true)],
        Event::FocusLost => vec![Input::Focus(false)],
        Event::Mouse(event) => mouse(event).map(Input::Mouse).into_iter().collect(),
        Event::Resize(..) => Vec::new(),
    }
}

/// The left button's press and the wheel; with a modifier held they are the terminal's own.
fn mouse(event: MouseEvent) -> Option<Mouse> {
    let did = match event.kind {
        MouseEventKind::Down(MouseButton::Left) => MouseDid::Press,
        MouseEventKind::ScrollUp => MouseDid::WheelUp,
        MouseEventKind::ScrollDown => MouseDid::WheelDown,
        _ => return None,
    };
    event.modifiers.is_empty().then_some(Mouse { did, column: event.column, row: event.row })
}

/// Alt is Escape and a key on most terminals, and over a slow connection Escape and a key arrive as Alt. Nothing here
/// needs Alt, so it is always the two keys. The Linux console sends Shift-Tab as Escape and Tab.
fn chords(mut key: KeyEvent) -> Vec<Chord> {
    let simple = matches!(key.code, KeyCode::Char(_) | KeyCode::Enter | KeyCode::Backspace | KeyCode::Tab);
    if !key.modifiers.contains(KeyModifiers::ALT) || !simple || key.kind == KeyEventKind::Release {
        return Chord::from_event(&key).into_iter().collect();
    }
    if key.code == KeyCode::Tab {
        return vec![Chord::plain(Key::BackTab)];
    }
    key.modifiers.remove(KeyModifiers::ALT);
    [Some(Chord::plain(Key::Esc)), Chord::from_event(&key)].into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alt_is_escape_and_a_key() {
        let names = |code, modifiers| {
            let inputs = translate(Event::Key(KeyEvent::new(code, modifiers)));
            let name = |input: &Input| if let Input::Key(chord) = input { chord.to_string() } else { String::new() };
            inputs.iter().map(name).collect::<Vec<_>>()
        };
        assert_eq!(names(KeyCode::Char('x'), KeyModifiers::NONE), ["x"]);
        assert_eq!(names(KeyCode::Char('q'), KeyModifiers::ALT), ["esc", "q"]);
        assert_eq!(names(KeyCode::Char('c'), KeyModifiers::ALT | KeyModifiers::CONTROL), ["esc", "ctrl-c"]);
        assert_eq!(names(KeyCode::Tab, KeyModifiers::ALT), ["shift-tab"]);
        assert!(names(KeyCode::Up, KeyModifiers::ALT).is_empty());
    }

    #[test]
    fn a_paste_is_one_text() {
        assert_eq!(translate(Event::Paste("a\nb".into())), [Input::Paste("a\nb".into())]);
    }
}
