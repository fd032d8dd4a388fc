//! Tasks: their identities, logs and ends.

use super::{Sim, access::Identity, clock::Clock};
use std::{fmt::Write as _, sync::Arc};
use tokio::{sync::Notify, time::Instant};

/// A worker of the host.
#[derive(Clone, Debug)]
pub(crate) struct Task {
    pub(crate) upid: String,
    /// Worker type such as `qmstart`.
    pub(crate) kind: &'static str,
    /// What it works on, such as a VMID.
    pub(crate) id: String,
    pub(crate) who: Identity,
    pub(crate) pid: u32,
    pub(crate) pstart: u64,
    /// Seconds since the Unix epoch.
    pub(crate) starttime: u64,
    pub(crate) endtime: Option<u64>,
    /// `OK`, `WARNINGS: n` or an error; none while it runs.
    pub(crate) exit: Option<String>,
    pub(crate) log: Vec<String>,
    pub(crate) warnings: u32,
    /// Told when somebody stops the task.
    pub(crate) interrupt: Arc<Notify>,
    /// When a task without a worker of its own ends: backups that scenarios make.
    pub(crate) ends: Option<Instant>,
}

impl Task {
    pub(crate) fn new(clock: &Clock, node: &str, pid: u32, (kind, id): (&'static str, &str), who: &Identity) -> Self {
        let starttime = clock.unix();
        let pstart = u64::try_from(clock.start().elapsed().as_millis() / 10).unwrap_or_default() + 500_000;
        let mut upid = format!("UPID:{node}:{pid:08X}:{pstart:08X}:{starttime:08X}:{kind}:{id}:");
        let _ = write!(upid, "{}:", who.full());
        Self {
            upid,
            kind,
            id: id.to_owned(),
            who: who.clone(),
            pid,
            pstart,
            starttime,
            endtime: None,
            exit: None,
            log: Vec::new(),
            warnings: 0,
            interrupt: Arc::new(Notify::new()),
            ends: None,
        }
    }

    pub(crate) fn is_running(&self) -> bool {
        self.exit.is_none()
    }

    /// Ends the task; the last line of its log says how.
    pub(crate) fn end(&mut self, now: u64, result: Result<(), String>) {
        if !self.is_running() {
            return;
        }
        let (line, exit) = match result {
            Ok(()) if self.warnings > 0 => {
                (format!("TASK WARNINGS: {}", self.warnings), format!("WARNINGS: {}", self.warnings))
            }
            Ok(()) => ("TASK OK".to_owned(), "OK".to_owned()),
            // An error of several lines is told in one.
            Err(error) => {
                let error = error.replace('\n', " ");
                (format!("TASK ERROR: {error}"), error)
            }
        };
        self.log.push(line);
        self.exit = Some(exit);
        self.endtime = Some(now);
    }
}

/// What a worker knows of itself.
#[derive(Clone)]
pub(crate) struct Worker {
    pub(crate) sim: Arc<Sim>,
    pub(crate) upid: String,
}

impl Worker {
    /// Adds a line to the task's log.
    pub(crate) fn log(&self, line: impl Into<String>) {
        self.with(|task| task.log.push(line.into()));
    }

    /// Adds a warning: the task will end with `WARNINGS`.
    pub(crate) fn warn(&self, line: impl AsRef<str>) {
        self.with(|task| {
            task.warnings += 1;
            task.log.extend(line.as_ref().lines().map(str::to_owned));
        });
    }

    fn with(&self, change: impl FnOnce(&mut Task)) {
        if let Some(task) = self.sim.state().tasks.iter_mut().find(|task| task.upid == self.upid) {
            change(task);
        }
    }
}

/// Starts a worker and gives its UPID. It ends by itself, or with `received interrupt` when it is stopped.
pub(crate) fn spawn<F>(
    sim: &Arc<Sim>,
    (kind, id): (&'static str, &str),
    who: &Identity,
    work: impl FnOnce(Worker) -> F,
) -> String
where
    F: Future<Output = Result<(), String>> + Send + 'static,
{
    let task = sim.state().new_task(&sim.clock, &sim.world.node.name, (kind, id), who);
    let (upid, interrupt) = (task.upid.clone(), task.interrupt.clone());
    let worker = Worker { sim: sim.clone(), upid: upid.clone() };
    let fault = sim.faults.task(&sim.clock, kind, id).unwrap_or_default();
    let work = work(worker.clone());
    tokio::spawn(async move {
        let result = tokio::select! {
            result = async {
                worker.sim.released(kind).await;
                worker.sim.clock.sleep(fault.delay).await;
                fault.log.into_iter().for_each(|line| worker.log(line));
                match fault.error {
                    Some(error) if !fault.late => Err(error),
                    error => work.await.and(error.map_or(Ok(()), Err)),
                }
            } => result,
            () = interrupt.notified() => Err("received interrupt".to_owned()),
        };
        let now = worker.sim.clock.unix();
        worker.with(|task| task.end(now, result));
    });
    upid
}
