//! The plan: what an operation would do, as plain data.

use crate::domain::{
    finding::FindingId,
    gpu::PciAddr,
    guest::Power,
    ids::{Millis, ModeName, Vmid},
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What a person wants.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Intent {
    /// What to do with the mode.
    pub verb: Verb,
    /// The mode; none for [`Verb::Restore`].
    pub mode: Option<ModeName>,
    /// Guests that should run and guests that should be stopped, for [`Verb::Restore`] only.
    pub restore: Option<Restore>,
    /// Leave compatible modes running.
    pub keep: bool,
    /// Stop conflicting modes and foreign holders of the GPU too.
    pub replace: bool,
    /// Stop hard what can't be asked to shut down.
    pub force: bool,
    /// Settings of the operation.
    pub options: Options,
}

/// What to do with a mode.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// Make it the only running mode (or, with `keep`, one of them).
    Switch,
    /// Start it beside what runs.
    Start,
    /// Stop it.
    Stop,
    /// Bring guests back to what they were before an operation.
    Restore,
}

/// The states that an undo brings back.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Restore {
    /// Guests to stop, first.
    pub stop: Vec<Vmid>,
    /// Guests to start, then.
    pub start: Vec<Vmid>,
}

/// How an operation behaves; from the configuration and flags.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Options {
    /// Seconds that a guest gets to shut down.
    pub shutdown_timeout: u64,
    /// What follows when it doesn't. Already resolved: `Ask` only if a person is there, `Stop` only by a person's word.
    pub fallback: Fallback,
    /// Seconds that a guest gets before that to leave NATS and `NimsForest`; 0: it isn't told.
    #[serde(default)]
    pub drain_timeout: u64,
    /// Seconds that a guest gets from its start to an address.
    pub startup_timeout: u64,
    /// Wait for the guest's address and services.
    pub wait_for_network: bool,
    /// Start again what was stopped if the target doesn't come up.
    pub rollback: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            shutdown_timeout: 60,
            fallback: Fallback::StopIdle,
            drain_timeout: 45,
            startup_timeout: 180,
            wait_for_network: true,
            rollback: true,
        }
    }
}

/// What follows when a guest doesn't shut down in time.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fallback {
    /// Ask the person: wait on, stop hard, or abort.
    Ask,
    /// Stop it hard, unless somebody uses it or nobody can tell; then give up. For when no person is there to ask and
    /// none has said that work in the guest may be lost.
    StopIdle,
    /// Stop it hard.
    Stop,
    /// Give up; the guest stays as it is.
    Fail,
}

/// A guest in a plan.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Party {
    /// Its number.
    pub vmid: Vmid,
    /// Its mode, if it has one.
    pub mode: Option<ModeName>,
    /// Its name on the host.
    pub name: String,
    /// Whether it is a container.
    #[serde(default)]
    pub container: bool,
}

impl fmt::Display for Party {
    /// `linuxvrstreaming (VM 101)`, or `VM 110 "gaming"` for a guest of no mode.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(mode) = &self.mode {
            return write!(f, "{mode} (VM {})", self.vmid);
        }
        let kind = if self.container { "CT" } else { "VM" };
        write!(f, "{kind} {} \"{}\"", self.vmid, crate::domain::text::safe(&self.name))
    }
}

/// One step of a plan.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Step {
    /// Its place in the plan, from 0. Steps of a rollback go on counting after the plan's.
    pub id: u16,
    /// What is done.
    pub action: StepAction,
    /// To whom.
    pub party: Party,
    /// Seconds after which it counts as failed.
    pub deadline: u64,
}

/// What a step does.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum StepAction {
    /// Tell the guest to leave NATS and `NimsForest`, and see them gone. It never fails: what can't be told or takes
    /// too long is noted, for a guest that can't be reached is shut down all the same.
    Drain,
    /// Tell a guest that stays after all to join them again.
    Rejoin,
    /// Ask the guest to shut down, and see it stopped.
    Shutdown {
        /// What follows when it doesn't.
        fallback: Fallback,
    },
    /// Stop the guest hard at once: it can't be asked (paused).
    HardStop {
        /// It has powered off; only its QEMU process is left, and nothing can be lost.
        #[serde(default)]
        off: bool,
    },
    /// Wait until nobody holds the functions that the target needs.
    Release {
        /// Those functions.
        functions: Vec<PciAddr>,
    },
    /// Start the guest, and see it running.
    Start {
        /// It was running before, and is brought back if need be: it may never have gone.
        again: bool,
        /// It is hibernated: its start resumes it from what was saved of its memory.
        #[serde(default)]
        resumes: bool,
    },
    /// Wait for the guest's address.
    Network,
    /// Ask the mode's services.
    Services,
}

impl StepAction {
    /// Whether it stops a guest.
    #[must_use]
    pub const fn stops(&self) -> bool {
        matches!(self, Self::Shutdown { .. } | Self::HardStop { .. })
    }
}

impl Step {
    /// The step as a line of progress, such as `Shutting down linuxvrstreaming (VM 101)`.
    #[must_use]
    pub fn title(&self) -> String {
        let party = &self.party;
        match &self.action {
            StepAction::Drain => format!("Draining {party}"),
            StepAction::Rejoin => format!("Letting {party} join its forest again"),
            StepAction::Shutdown { .. } => format!("Shutting down {party}"),
            StepAction::HardStop { off: false } => format!("Stopping {party} hard"),
            StepAction::HardStop { off: true } => format!("Ending what is left of {party}"),
            StepAction::Release { .. } => "Waiting for the GPU to be free".to_owned(),
            StepAction::Start { resumes: true, .. } => format!("Resuming {party}"),
            StepAction::Start { again: false, .. } => format!("Starting {party}"),
            StepAction::Start { again: true, .. } => format!("Bringing {party} back"),
            StepAction::Network => "Waiting for network".to_owned(),
            StepAction::Services => "Checking services".to_owned(),
        }
    }

    /// What the step changes and how that is undone, if it changes anything.
    #[must_use]
    pub fn undo(&self) -> Option<String> {
        match &self.action {
            StepAction::Shutdown { .. } | StepAction::HardStop { off: false } => {
                Some(format!("start {} again", self.party))
            }
            StepAction::Start { .. } => Some(format!("shut {} down", self.party)),
            // What runs again after a shutdown has joined by itself.
            StepAction::Drain
            | StepAction::HardStop { off: true }
            | StepAction::Rejoin
            | StepAction::Release { .. }
            | StepAction::Network
            | StepAction::Services => None,
        }
    }
}

/// How much of a confirmation a plan needs.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(tag = "rung", rename_all = "snake_case")]
pub enum Rung {
    /// Nothing is stopped: no confirmation.
    None,
    /// The plan is shown and confirmed.
    Confirm,
    /// One of these names is typed, because work may be lost.
    TypeName {
        /// Accepted names: what may lose work first, then the target.
        names: Vec<String>,
        /// Why.
        because: Vec<String>,
    },
}

/// A risk that a plan names.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Warning {
    /// Its kind.
    pub finding: FindingId,
    /// This case.
    pub message: String,
}

/// A guest's facts that the plan was made from.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct BasisGuest {
    /// Who.
    pub party: Party,
    /// What it was doing.
    pub power: Power,
    /// Its lock.
    pub lock: Option<String>,
    /// The functions it would hold, as text.
    pub devices: Vec<String>,
    /// Since when it had been running, if it was. Told for the history; that it grows is no change of the plan.
    #[serde(default)]
    pub up_since: Option<Millis>,
}

/// What an operation would do.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Plan {
    /// What was wanted.
    pub intent: Intent,
    /// Modes running before, in the file's order.
    pub from: Vec<Party>,
    /// The guest that shall run, if one shall.
    pub target: Option<Party>,
    /// What happens, in order. Empty: everything is already as wanted.
    pub steps: Vec<Step>,
    /// Guests that lose the GPU.
    pub loses_gpu: Vec<Party>,
    /// Risks, said beforehand.
    pub warnings: Vec<Warning>,
    /// The confirmation that it needs.
    pub rung: Rung,
    /// The facts it was made from.
    pub basis: Vec<BasisGuest>,
}

impl Plan {
    /// Whether nothing has to be done.
    #[must_use]
    pub fn is_already_there(&self) -> bool {
        self.steps.is_empty()
    }

    /// `Switching linuxvrstreaming -> windowsvrstreaming`, `Starting ...`, `Stopping ...`.
    #[must_use]
    pub fn title(&self) -> String {
        let name =
            |party: &Party| party.mode.as_ref().map_or_else(|| format!("VM {}", party.vmid), ToString::to_string);
        let target = self.target.as_ref().map(name);
        let from: Vec<String> = self.from.iter().map(name).collect();
        match (self.intent.verb, target) {
            (Verb::Switch, Some(target)) if from.is_empty() => format!("Switching to {target}"),
            (Verb::Switch, Some(target)) => format!("Switching {} -> {target}", from.join(", ")),
            (Verb::Restore, _) => "Going back".to_owned(),
            (Verb::Stop, _) => {
                let stops: Vec<String> = self.stops().map(name).collect();
                format!("Stopping {}", if stops.is_empty() { from.join(", ") } else { stops.join(", ") })
            }
            (_, Some(target)) => format!("Starting {target}"),
            (_, None) => "Nothing to do".to_owned(),
        }
    }

    /// Guests that are stopped.
    pub fn stops(&self) -> impl Iterator<Item = &Party> {
        self.steps.iter().filter(|step| step.action.stops()).map(|step| &step.party)
    }

    /// Guests that are started.
    pub fn starts(&self) -> impl Iterator<Item = &Party> {
        self.steps.iter().filter(|s| matches!(s.action, StepAction::Start { .. })).map(|step| &step.party)
    }
}
