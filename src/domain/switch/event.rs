//! The journal's lines: what happened in an operation, in order. The command line, the dashboard, `--json` and a
//! resumed runner all read the same lines.

use super::plan::{Plan, Step};
use crate::domain::{
    facts::Trouble,
    guest::ServiceState,
    ids::{Millis, Upid, Vmid},
    journal::{Line, Origin},
};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// One line of a switch's journal.
pub type Event = Line<What>;

/// What happened.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum What {
    /// The first line: the plan that was confirmed.
    Planned {
        /// The plan.
        plan: Box<Plan>,
        /// Where it belongs.
        #[serde(flatten)]
        origin: Origin,
    },
    /// A runner took the operation over; again after each resume.
    RunnerStarted {
        /// Its process.
        pid: u32,
    },
    /// A step begins; written before its first request.
    StepBegun {
        /// The step.
        step: u16,
    },
    /// A changing request is about to be sent.
    Calling {
        /// The step.
        step: u16,
        /// The request.
        call: Call,
    },
    /// It was accepted; Proxmox works on it.
    Called {
        /// The step.
        step: u16,
        /// The task, where Proxmox gave one.
        upid: Option<Upid>,
    },
    /// It was refused, or nobody knows.
    CallFailed {
        /// The step.
        step: u16,
        /// Why.
        trouble: Trouble,
        /// The request may have been carried out all the same.
        outcome_unknown: bool,
        /// Sending it again after a while may help (a lock, a leftover reservation).
        retry: bool,
    },
    /// A task ended.
    TaskEnded {
        /// The step.
        step: u16,
        /// The task.
        upid: Upid,
        /// Proxmox's own words: `OK`, `WARNINGS: n` or an error.
        exit: String,
        /// Whether that is a success.
        ok: bool,
        /// What the log of one that failed says of the cause ([`task::telling`](crate::domain::task::telling)).
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        log: Vec<String>,
    },
    /// Something worth knowing.
    Note {
        /// The step.
        step: u16,
        /// In words.
        text: String,
    },
    /// A guest doesn't shut down, and a person is asked.
    Asked {
        /// The step.
        step: u16,
        /// The question.
        question: String,
        /// What follows without an answer by then is [`Answer::Abort`].
        until: Millis,
    },
    /// The answer, or what the guest did by itself meanwhile.
    Answered {
        /// The step.
        step: u16,
        /// The answer.
        answer: Answer,
    },
    /// The step's fact was seen.
    StepDone {
        /// The step.
        step: u16,
        /// The guest's address, from the network step.
        address: Option<IpAddr>,
        /// The guest's services, from the services step.
        services: Vec<ServiceState>,
    },
    /// The step failed.
    StepFailed {
        /// The step.
        step: u16,
        /// Why.
        trouble: Trouble,
    },
    /// A person wants the operation to end.
    CancelRequested {
        /// Undo what was done even if the target runs already; else a running target is left running.
        go_back: bool,
    },
    /// What was done is being undone by these steps.
    RollingBack {
        /// Ids go on after the plan's.
        steps: Vec<Step>,
        /// Why.
        because: Option<Trouble>,
    },
    /// The last line.
    Finished {
        /// How it ended.
        outcome: Outcome,
        /// Why, unless all went well.
        trouble: Option<Trouble>,
        /// The GPU that the target has, by name.
        gpu: Option<String>,
    },
}

/// A changing request.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(tag = "request", rename_all = "snake_case")]
pub enum Call {
    /// `POST status/shutdown`.
    Shutdown {
        /// Whom.
        vmid: Vmid,
        /// Seconds that Proxmox gives the guest.
        timeout: u64,
    },
    /// `POST status/stop`: pulls the plug.
    Stop {
        /// Whom.
        vmid: Vmid,
        /// A shutdown task of ours still runs and is to be ended.
        overrule: bool,
        /// The guest has powered off; only its QEMU process is left, and nothing can be lost.
        #[serde(default)]
        off: bool,
    },
    /// `POST agent/exec`: tell the guest to leave NATS and `NimsForest`, or to join them again.
    Drain {
        /// Whom.
        vmid: Vmid,
        /// To leave; else to join again.
        leave: bool,
        /// Seconds that it may take.
        seconds: u64,
    },
    /// `POST status/start`.
    Start {
        /// Whom.
        vmid: Vmid,
    },
}

/// What a person wants done with a guest that doesn't shut down.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Ask it again and wait as long as before.
    Wait,
    /// Stop it hard.
    Stop,
    /// End the operation; the guest stays.
    Abort,
    /// The guest shut down by itself before anybody answered.
    Settled,
}

/// How an operation ended.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// As planned.
    Done,
    /// Nothing was changed: refused at the last look.
    Refused,
    /// It failed, and what it had changed was undone.
    RolledBack,
    /// It failed, and something is not as it was before.
    NotRolledBack,
    /// A person ended it.
    Cancelled,
}

impl Outcome {
    /// The command line's exit code for it.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Refused => 3,
            Self::RolledBack => 6,
            Self::NotRolledBack => 7,
            Self::Cancelled => 8,
        }
    }

    /// In words.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
            Self::RolledBack => "failed, rolled back",
            Self::NotRolledBack => "failed, not rolled back",
            Self::Cancelled => "cancelled",
        }
    }
}
