//! After a panic the session is written to a file, whatever else goes wrong.

use super::tape;
use crate::ops::Clock;
use std::{
    io::{self, Write as _},
    panic,
    sync::{
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

/// How long the file may take.
const PATIENCE: Duration = Duration::from_secs(5);

static WRITTEN: AtomicBool = AtomicBool::new(false);

/// Makes a panic write the session once its report is printed, and say where. To be called after
/// [`rescue::before_panic_reports`](crate::tui::term::rescue::before_panic_reports).
pub(crate) fn after_panic_reports() {
    let report = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        report(info);
        // The first one tells what went wrong; those that follow from it, or from writing the file, don't.
        if !WRITTEN.swap(true, Ordering::SeqCst) {
            write(info.location().map(|at| format!("{}:{}", at.file(), at.line())));
        }
    }));
}

/// In a thread of its own: a panic in here would end the process at once, and a disk that hangs would hold it up.
fn write(location: Option<String>) {
    let (done, written) = mpsc::sync_channel(1);
    let write = move || {
        if let Some(job) = tape::last(Clock::System.now(), location) {
            let _ = done.send(job.write());
        }
    };
    if thread::Builder::new().name("dump".into()).spawn(write).is_err() {
        return;
    }
    let words = match written.recv_timeout(PATIENCE) {
        Ok(Ok(path)) => format!("The session until then is in {path}; `morpheus replay` shows it. It holds no secret."),
        Ok(Err(why)) => format!("The session couldn't be written: {why}"),
        Err(_) => return,
    };
    let _ = writeln!(io::stderr(), "{words}");
}
