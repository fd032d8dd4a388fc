//! After a panic the session is written to a file, whatever else goes wrong.

use super::tape;
use crate::ops::Clock;
use std::{
    io::{self, Write as _},
    sync::mpsc,
    thread,
    time::Duration,
};

/// How long the file may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Writes the session, where one is kept, and says where. In a thread of its own: a disk that hangs, or a panic in here,
/// would hold up the end.
pub(crate) fn write(location: Option<String>) {
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
