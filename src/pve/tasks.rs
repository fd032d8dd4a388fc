//! `/nodes/{node}/tasks`. Most refusals of a start or stop show up only here.

use super::{
    client::Client,
    error::Error,
    form,
    wire::{Object, list},
};
use crate::domain::{
    facts::RunningTask,
    ids::{NodeName, Upid, Vmid},
};
use serde_json::Value;

/// How far a task is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum TaskStatus {
    /// Not done yet.
    Running,
    /// Done.
    Ended {
        /// `OK`, `WARNINGS: n`, or what went wrong.
        exit: String,
        /// Whether it did what it should; with warnings it did.
        ok: bool,
    },
}

impl Client {
    /// The tasks that a node is running now, anybody's that may be seen: of others only with Sys.Audit on the node.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn tasks_active(&self, node: &NodeName) -> Result<Vec<RunningTask>, Error> {
        let params = [("source", "active".to_owned()), ("limit", "500".to_owned())];
        let data = self.get(format!("/nodes/{}/tasks", form::encode(node)), &params).await?;
        let mut tasks = Vec::new();
        for entry in list(&data, "tasks")? {
            let entry = Object::new(entry, "tasks")?;
            let ended = entry.get("endtime").is_some() || entry.word("status").is_some_and(|word| word != "RUNNING");
            let Some(upid) = entry.word("upid").map(Upid).filter(|_| !ended) else { continue };
            tasks.push(RunningTask {
                kind: entry.word("type").or_else(|| upid.kind().map(str::to_owned)).unwrap_or_default(),
                vmid: entry.text("id").and_then(|id| id.parse::<Vmid>().ok()),
                user: entry.text("user").unwrap_or_default(),
                upid,
            });
        }
        Ok(tasks)
    }

    /// Who started a VM the last time, `user@realm!token`; none where no such task may be seen. A running task carries
    /// the token in `user`, a finished one beside it.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn who_started(&self, node: &NodeName, vmid: Vmid) -> Result<Option<String>, Error> {
        let params = [("source", "all"), ("typefilter", "qmstart"), ("limit", "20")];
        let params: Vec<_> = params
            .map(|(key, value)| (key, value.to_owned()))
            .into_iter()
            .chain([("vmid", vmid.to_string())])
            .collect();
        let data = self.get(format!("/nodes/{}/tasks", form::encode(node)), &params).await?;
        let mut newest: Option<(u64, String)> = None;
        for entry in list(&data, "tasks")? {
            let entry = Object::new(entry, "tasks")?;
            let (Some(user), started) = (entry.word("user"), entry.uint("starttime").unwrap_or(0)) else { continue };
            if newest.as_ref().is_some_and(|(before, _)| *before >= started) {
                continue;
            }
            let who = entry.word("tokenid").map_or_else(|| user.clone(), |token| format!("{user}!{token}"));
            newest = Some((started, who));
        }
        Ok(newest.map(|(_, who)| who))
    }

    /// How far a task is, asked of the node that runs it.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn task_status(&self, upid: &Upid) -> Result<TaskStatus, Error> {
        let data = self.get(task(upid, "status")?, &[]).await?;
        let status = Object::new(&data, "task status")?;
        match status.text("status").as_deref() {
            Some("running") => Ok(TaskStatus::Running),
            Some("stopped") => {
                let exit = status.word("exitstatus").unwrap_or_else(|| "unexpected status".to_owned());
                let ok = exit == "OK" || exit.starts_with("WARNINGS");
                Ok(TaskStatus::Ended { exit, ok })
            }
            _ => Err(Error::Protocol("task status: neither running nor stopped".to_owned())),
        }
    }

    /// Ends a task: one of our own user's, or anybody's with Sys.Modify on the node.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn stop_task(&self, upid: &Upid) -> Result<(), Error> {
        let node = upid.node().ok_or_else(|| Error::NotFound(format!("'{upid}' is no task")))?;
        self.delete(format!("/nodes/{}/tasks/{}", form::encode(node), form::encode(upid))).await.map(drop)
    }

    /// The last lines of a task's log, at most `last`: those of one of our own user's, or of anybody's with Sys.Audit on
    /// the node. One request; a second where the log is long.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn task_log(&self, upid: &Upid, last: usize) -> Result<Vec<String>, Error> {
        let (mut lines, whole) = self.log_from(upid, 0, ONCE.max(last)).await?;
        if whole > lines.len() {
            (lines, _) = self.log_from(upid, whole.saturating_sub(last), last).await?;
        }
        let surplus = lines.len().saturating_sub(last);
        Ok(lines.split_off(surplus))
    }

    /// Lines of a log, and how many there are in all.
    async fn log_from(&self, upid: &Upid, start: usize, limit: usize) -> Result<(Vec<String>, usize), Error> {
        let params = [("start", start.to_string()), ("limit", limit.to_string())];
        let (data, total) = self.get_with_total(task(upid, "log")?, &params).await?;
        let lines = list(&data, "task log")?.iter();
        let lines: Vec<String> = lines
            .map(|line| Ok(Object::new(line, "task log")?.text("t").unwrap_or_default()))
            .collect::<Result<_, Error>>()?;
        let whole = total.unwrap_or(start + lines.len());
        Ok((lines, whole))
    }
}

/// Lines of a log that are asked for at first: more than nearly every task writes.
const ONCE: usize = 500;

fn task(upid: &Upid, rest: &str) -> Result<String, Error> {
    let node = upid.node().ok_or_else(|| Error::NotFound(format!("'{upid}' is no task")))?;
    Ok(format!("/nodes/{}/tasks/{}/{rest}", form::encode(node), form::encode(upid)))
}

/// The task that a request started.
pub(crate) fn read_upid(data: &Value) -> Result<Upid, Error> {
    let upid = data.as_str().filter(|text| text.starts_with("UPID:"));
    upid.map(Upid::from).ok_or_else(|| Error::OutcomeUnknown("the answer names no task".to_owned()))
}
