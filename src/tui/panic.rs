//! What a panic does, in any thread and at any time: it gives the terminal back, is reported, leaves the session behind,
//! and ends the program. A dashboard that lost a part of itself must not look healthy, and what runs on the host is
//! made to live through the death of whoever follows it.

use super::{record, term::rescue};
use std::{
    panic,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

/// The exit status that Rust gives a program whose main thread panicked.
const STATUS: i32 = 101;

static ENDING: AtomicBool = AtomicBool::new(false);

/// Makes every panic from now on end the program. The report is that of the hook that was set before.
#[expect(
    clippy::disallowed_methods,
    reason = "nothing is left to be given back, and an abort would leave a core dump with secrets in it"
)]
pub fn end_on_panic() {
    let report = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        // The first one tells what went wrong; those that follow from it wait for the end.
        if ENDING.swap(true, Ordering::SeqCst) {
            loop {
                thread::park();
            }
        }
        rescue::give_back();
        report(info);
        record::panic::write(info.location().map(|at| format!("{}:{}", at.file(), at.line())));
        std::process::exit(STATUS);
    }));
}
