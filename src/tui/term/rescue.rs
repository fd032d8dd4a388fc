//! What has to be given back, where every way out can reach it: the guard's end, a panic in any thread, a suspension.

use super::{modes::CANCEL, printk::Lowered, tty::Tty};
use rustix::termios::Termios;
use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

static HELD: Mutex<Option<Held>> = Mutex::new(None);
static CUT: AtomicBool = AtomicBool::new(false);

/// A terminal that was taken.
#[derive(Debug)]
pub(crate) struct Held {
    /// The terminal.
    pub(crate) tty: Tty,
    /// Its line discipline as it was found.
    pub(crate) found: Termios,
    /// What leaves its modes.
    pub(crate) leave: Vec<u8>,
    /// The console's log level as it was found.
    pub(crate) printk: Option<Lowered>,
}

/// Remembers a terminal that is about to be taken.
pub(crate) fn hold(held: Held) {
    *HELD.lock().unwrap_or_else(PoisonError::into_inner) = Some(held);
}

/// Other modes are on now than when the terminal was taken.
pub(crate) fn leave_with(leave: Vec<u8>) {
    if let Some(held) = HELD.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
        held.leave = leave;
    }
}

/// Whether a frame was written in part: an escape sequence may be cut off.
pub(crate) fn set_cut(cut: bool) {
    CUT.store(cut, Ordering::Relaxed);
}

/// Gives the terminal back. Does nothing where there is nothing to give back, so every way out may call it.
pub(crate) fn give_back() {
    let held = HELD.lock().unwrap_or_else(PoisonError::into_inner).take();
    let Some(Held { tty, found, leave, printk }) = held else { return };
    let cut = CUT.swap(false, Ordering::Relaxed);
    if cut || !tty.push(&leave) {
        // It doesn't read: what it is given back with takes the place of the frame that nobody saw.
        tty.drop_unread();
        let _ = tty.push(&[&[CANCEL], leave.as_slice()].concat());
    }
    let _ = tty.set_termios(&found);
    if let Some(lowered) = printk {
        lowered.restore();
    }
}
