//! Keys, paste, focus and the mouse. crossterm's decoder reads in a thread of its own, for it blocks on half a sequence
//! until the rest comes.

use super::tty::Tty;
use crate::tui::{
    chord::{Chord, Key},
    msg::{Input, Mouse, MouseDid, Msg},
};
use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use std::{
    io,
    sync::Arc,
    thread::{self, JoinHandle},
    time::Duration,
};
use tokio::{
    sync::{
        Mutex, OwnedMutexGuard,
        mpsc::{Sender, error::TrySendError},
        oneshot,
    },
    task,
    time::timeout,
};

/// How long a key that is half typed may hold up that the terminal is handed over.
const HALF: Duration = Duration::from_millis(300);
/// How long the decoder may look for the rest of what has come. It looks without a pause for as long as this.
const MORE: Duration = Duration::from_millis(1);
/// How long it may look whether it has decoded more than it gave out. It doesn't look at all if this is 0.
const DECODED: Duration = Duration::from_micros(100);

/// The thread that reads keys, and a turn that it has to take before it reads any.
#[derive(Debug)]
pub(crate) struct Listener {
    thread: Option<JoinHandle<()>>,
    /// Closed when the thread is over, whatever ended it.
    over: oneshot::Receiver<()>,
    turn: Arc<Mutex<()>>,
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

    /// Leaves everything that is typed to others, for as long as what is given back is held. If the decoder waits for
    /// the rest of a key just now, or the machine is too busy to let it end its turn, what it is about to read alone is
    /// kept from them: the next turn is not its own.
    pub(crate) async fn rest(&self) -> Resting {
        let mut turn = tokio::spawn(Arc::clone(&self.turn).lock_owned());
        match timeout(HALF, &mut turn).await {
            Ok(Ok(turn)) => Resting::Now { _turn: turn },
            _ => Resting::Next(turn),
        }
    }
}

/// That no key is read.
#[derive(Debug)]
pub(crate) enum Resting {
    /// From now on.
    Now { _turn: OwnedMutexGuard<()> },
    /// From the end of the turn on that is being taken.
    Next(task::JoinHandle<OwnedMutexGuard<()>>),
}

impl Drop for Resting {
    fn drop(&mut self) {
        if let Self::Next(turn) = self {
            turn.abort();
        }
    }
}

/// Sends what is typed until nobody wants it any more or there is nothing left to read.
///
/// # Errors
/// The thread can't be started.
pub(crate) fn listen(tty: Tty, to: Sender<Msg>) -> io::Result<Listener> {
    let (alive, over) = oneshot::channel::<()>();
    let turn = Arc::new(Mutex::new(()));
    let reader = Reader { tty, to, turn: Arc::clone(&turn) };
    let listen = move || {
        let _alive = alive;
        let _ = reader.run();
    };
    let thread = thread::Builder::new().name("keys".into()).spawn(listen)?;
    Ok(Listener { thread: Some(thread), over, turn })
}

struct Reader {
    tty: Tty,
    to: Sender<Msg>,
    turn: Arc<Mutex<()>>,
}

impl Reader {
    /// The terminal is only read when it has something, so that this thread never waits inside of the decoder while
    /// somebody else has the terminal. None is the end.
    fn run(self) -> Option<()> {
        loop {
            self.tty.wait_for_keys().ok()?;
            for msg in self.read().ok()? {
                self.to.blocking_send(msg).ok()?;
            }
        }
    }

    /// Sends what there is, and gives back what there was no room for: nobody may be kept waiting for the turn.
    fn read(&self) -> io::Result<Vec<Msg>> {
        let _turn = self.turn.blocking_lock();
        let mut rest = Vec::new();
        loop {
            let patience = if self.tty.has_keys()? { MORE } else { DECODED };
            if !crossterm::event::poll(patience)? {
                return Ok(rest);
            }
            for input in translate(crossterm::event::read()?) {
                #[cfg(debug_assertions)]
                crate::tui::runtime::provoke_in_keys(&input);
                match self.to.try_send(Msg::Input(input)) {
                    Ok(()) => {}
                    Err(TrySendError::Full(msg)) => rest.push(msg),
                    Err(TrySendError::Closed(_)) => return Err(io::ErrorKind::BrokenPipe.into()),
                }
            }
        }
    }
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

    #[tokio::test(start_paused = true)]
    async fn whoever_is_late_with_a_turn_doesnt_get_the_next() {
        let (_over, over) = oneshot::channel();
        let listener = Listener { thread: None, over, turn: Arc::default() };
        let reading = Arc::clone(&listener.turn).lock_owned().await;
        let resting = listener.rest().await;
        assert!(matches!(resting, Resting::Next(_)), "nobody waits for it without end");
        drop(reading);
        assert!(listener.turn.try_lock().is_err(), "the turn is the waiting one's");
        let again = timeout(HALF, listener.turn.lock()).await;
        assert!(again.is_err(), "and stays so");
        drop(resting);
        assert!(timeout(HALF, listener.turn.lock()).await.is_ok());
    }

    #[test]
    fn a_paste_is_one_text() {
        assert_eq!(translate(Event::Paste("a\nb".into())), [Input::Paste("a\nb".into())]);
    }
}
