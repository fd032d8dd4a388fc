//! The detached process that carries an operation out.

use morpheus::ops::Store;
use serde_json::Value;
use std::{fs, path::Path};

/// `kill -9`.
pub(crate) fn kill(pid: u32) {
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
}

/// The process that the lines of a journal tell of last.
pub(crate) fn runner(lines: &[Value]) -> Option<u32> {
    let pid = lines.iter().rev().find_map(|line| line["pid"].as_u64())?;
    u32::try_from(pid).ok()
}

/// The lines of a journal; of one that is being written the whole ones.
pub(crate) fn lines(journal: &Path) -> Vec<Value> {
    let text = fs::read_to_string(journal).unwrap_or_default();
    text.split_inclusive('\n').filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// Ends what a test, which may have failed, left at work in this directory of journals.
pub(crate) fn end_runner(ops: &Path) {
    for id in Store::open(ops.to_owned()).running() {
        runner(&lines(&ops.join(format!("{id}.jsonl")))).into_iter().for_each(kill);
    }
}
