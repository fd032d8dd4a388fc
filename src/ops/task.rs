//! Why tasks of the host failed.

use super::Host;
use crate::domain::{ids::Upid, task};

/// Lines at the end of a log among which the cause is looked for.
const LAST: usize = 200;

impl Host {
    /// What the log of a task that failed says of the cause. Nothing where it can't be read, for the exit status is known
    /// anyway; one that says that it may pass needs no log.
    pub(super) async fn why_failed(&self, upid: &Upid, exit: &str) -> Vec<String> {
        if task::may_pass(exit) {
            return Vec::new();
        }
        let log = self.client().task_log(upid, LAST).await;
        log.map(|lines| task::telling(exit, &lines)).unwrap_or_default()
    }
}
