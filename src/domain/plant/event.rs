//! The lines of a planting's journal: what happened, in order.

use super::{Plan, Thing};
use crate::domain::{
    facts::Trouble,
    ids::Upid,
    journal::{Line, Origin},
};
use serde::{Deserialize, Serialize};

/// One line of a planting's journal.
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
    /// A runner took it over; again after each resume.
    RunnerStarted {
        /// Its process.
        pid: u32,
    },
    /// A step begins; written before its first request. Again when it is tried anew.
    StepBegun {
        /// The step.
        step: u16,
    },
    /// The step is about to make this, and it wasn't there before; written before the request.
    Making {
        /// The step.
        step: u16,
        /// What.
        thing: Thing,
    },
    /// Proxmox works on a request of the step.
    TaskStarted {
        /// The step.
        step: u16,
        /// The task.
        upid: Upid,
    },
    /// How far the step is.
    Progress {
        /// The step.
        step: u16,
        /// In words.
        text: String,
        /// Of a hundred, where that is known.
        percent: Option<u8>,
    },
    /// The step's fact was seen.
    StepDone {
        /// The step.
        step: u16,
        /// What was found, such as versions; empty lines aren't shown.
        notes: Vec<String>,
    },
    /// The step failed. What was made is kept; the planting can be resumed or undone.
    StepFailed {
        /// The step.
        step: u16,
        /// Why.
        trouble: Trouble,
    },
    /// The runner stops here, because of a failure or because a person wants it to.
    Halted {
        /// Why.
        because: Trouble,
    },
    /// A person wants everything undone that was made.
    UndoRequested,
    /// This is about to be removed.
    Removing {
        /// What.
        thing: Thing,
    },
    /// It is gone.
    Removed {
        /// What.
        thing: Thing,
    },
    /// It wasn't removed.
    Kept {
        /// What.
        thing: Thing,
        /// Why.
        trouble: Trouble,
    },
    /// The last line.
    Finished {
        /// How it ended.
        end: End,
    },
}

/// How a planting ended.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// As planned.
    Done,
    /// Nothing was changed: the facts were others than those of the plan.
    Refused,
    /// Everything that was made is gone again.
    Undone,
}

impl End {
    /// In words.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Undone => "undone",
        }
    }
}
