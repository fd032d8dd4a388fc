//! What is known of a planting: a fold over its journal, nothing else.

use super::{Event, Plan, Step, Thing, What, event::End};
use crate::domain::{
    facts::Trouble,
    ids::{Millis, Upid},
    journal::{Origin, Told},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A planting as its journal tells it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct State {
    /// The plan that was confirmed.
    pub plan: Plan,
    /// Where it belongs: its host, and its place among the operations of this machine.
    #[serde(flatten)]
    pub origin: Origin,
    /// When it was begun.
    pub started: Millis,
    /// The plan's steps; a step's id is its place here.
    pub steps: Vec<StepState>,
    /// What was made, or was about to be, and isn't known to be gone; in the order in which it was made.
    pub made: Vec<Thing>,
    /// What an undo didn't remove, and why.
    pub kept: Vec<(Thing, Trouble)>,
    /// Whether a person wants everything undone.
    pub undoing: bool,
    /// Why the last runner stopped, until another takes over.
    pub halted: Option<Trouble>,
    /// The last runner's process.
    pub runner: Option<u32>,
    /// When that runner took over. Deadlines count from here.
    pub runner_since: Option<Millis>,
    /// When the last line was written.
    pub last: Millis,
    /// The number of the next line.
    pub next_seq: u32,
    /// The end, and when.
    pub finished: Option<(End, Millis)>,
}

/// A step and what happened to it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct StepState {
    /// The step.
    pub step: Step,
    /// Where it stands.
    pub phase: Phase,
    /// When it began, at its last try.
    pub begun: Option<Millis>,
    /// When it was done or failed.
    pub ended: Option<Millis>,
    /// The newest task of Proxmox that works for it.
    pub task: Option<Upid>,
    /// How far it is, in words.
    pub progress: Option<String>,
    /// How far of a hundred.
    pub percent: Option<u8>,
    /// What was found at its end.
    pub notes: Vec<String>,
    /// Why it failed.
    pub trouble: Option<Trouble>,
}

/// Where a step stands.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Not begun.
    Waiting,
    /// Begun.
    Running,
    /// Its fact was seen.
    Done,
    /// It failed; a resume tries it again.
    Failed,
}

impl Told for State {
    const PLANT: bool = true;

    type What = What;

    fn begin(first: &Event) -> Option<Self> {
        let What::Planned { plan, origin } = &first.what else { return None };
        Some(Self {
            steps: plan.steps.iter().cloned().map(StepState::waiting).collect(),
            plan: Plan::clone(plan),
            origin: origin.clone(),
            started: first.at,
            made: Vec::new(),
            kept: Vec::new(),
            undoing: false,
            halted: None,
            runner: None,
            runner_since: None,
            last: first.at,
            next_seq: first.seq + 1,
            finished: None,
        })
    }

    fn apply(&mut self, event: &Event) {
        self.last = event.at;
        self.next_seq = event.seq + 1;
        match &event.what {
            What::Planned { .. } | What::Removing { .. } => {}
            What::RunnerStarted { pid } => {
                (self.runner, self.runner_since, self.halted) = (Some(*pid), Some(event.at), None);
            }
            What::Making { thing, .. } => {
                if !self.made.contains(thing) {
                    self.made.push(thing.clone());
                }
            }
            What::Halted { because } => self.halted = Some(because.clone()),
            What::UndoRequested => {
                self.undoing = true;
                // What had ended goes on: backwards.
                (self.finished, self.halted) = (None, None);
                self.kept.clear();
            }
            What::Removed { thing } => self.made.retain(|made| made != thing),
            What::Kept { thing, trouble } => self.kept.push((thing.clone(), trouble.clone())),
            What::Finished { end } => self.finished = Some((*end, event.at)),
            What::StepBegun { step }
            | What::TaskStarted { step, .. }
            | What::Progress { step, .. }
            | What::StepDone { step, .. }
            | What::StepFailed { step, .. } => {
                if let Some(state) = self.steps.get_mut(usize::from(*step)) {
                    state.apply(event);
                }
            }
        }
    }

    fn next_seq(&self) -> u32 {
        self.next_seq
    }

    fn is_end(what: &What) -> bool {
        matches!(what, What::Finished { .. })
    }

    fn origin(&self) -> &Origin {
        &self.origin
    }

    fn is_untouched(&self) -> bool {
        self.steps.iter().all(|step| step.phase == Phase::Waiting)
    }

    fn had_runner(&self) -> bool {
        self.runner.is_some()
    }

    fn ended(&self) -> Option<&'static str> {
        self.finished.map(|(end, _)| end.word())
    }

    fn trouble(&self) -> Option<&Trouble> {
        self.halted.as_ref()
    }

    fn taken_over(pid: u32) -> What {
        What::RunnerStarted { pid }
    }

    fn refused(because: Trouble) -> Vec<What> {
        vec![What::Halted { because }, What::Finished { end: End::Refused }]
    }
}

impl State {
    /// The step that runs or failed, or else the next one.
    #[must_use]
    pub fn current(&self) -> Option<&StepState> {
        self.steps.iter().find(|step| step.phase != Phase::Done)
    }

    /// The names of guests that are asked for before an undo, and why.
    #[must_use]
    pub fn asks(&self) -> Vec<(&str, String)> {
        let mut known = BTreeSet::new();
        self.made.iter().filter_map(Thing::asks).filter(|(name, _)| known.insert(*name)).collect()
    }

    /// How many steps are done.
    #[must_use]
    pub fn done(&self) -> usize {
        self.steps.iter().filter(|step| step.phase == Phase::Done).count()
    }
}

impl StepState {
    const fn waiting(step: Step) -> Self {
        Self {
            step,
            phase: Phase::Waiting,
            begun: None,
            ended: None,
            task: None,
            progress: None,
            percent: None,
            notes: Vec::new(),
            trouble: None,
        }
    }

    fn apply(&mut self, event: &Event) {
        match &event.what {
            What::StepBegun { .. } => {
                (self.phase, self.begun, self.ended) = (Phase::Running, Some(event.at), None);
                (self.trouble, self.progress, self.percent) = (None, None, None);
            }
            What::TaskStarted { upid, .. } => self.task = Some(upid.clone()),
            What::Progress { text, percent, .. } => {
                (self.progress, self.percent) = (Some(text.clone()), *percent);
            }
            What::StepDone { notes, .. } => {
                (self.phase, self.ended) = (Phase::Done, Some(event.at));
                self.notes.clone_from(notes);
            }
            What::StepFailed { trouble, .. } => {
                (self.phase, self.ended) = (Phase::Failed, Some(event.at));
                self.trouble = Some(trouble.clone());
            }
            _ => {}
        }
    }

    /// Milliseconds that the step has taken at its last try, up to `now` while it runs.
    #[must_use]
    pub fn elapsed(&self, now: Millis) -> Option<u64> {
        Some(self.ended.unwrap_or(now).since(self.begun?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        finding::FindingId,
        plant::{Key, plan, testing},
    };

    /// What was changed is asked for by the guest's name once, is kept with a reason, and goes with another undo.
    #[test]
    fn changes_of_a_guest_that_stood_before_are_folded_like_what_was_made() {
        let before = testing::form();
        let plan = plan(&before.clone().with(Key::LinuxMemory, "24576"), &testing::planted(&before)).unwrap();
        let change = plan.steps[0].makes().unwrap();
        let Thing::Settings { vmid, stood, .. } = change.clone() else { panic!("{change:?}") };
        let other = Thing::Settings { vmid, stood, set: [("memory".to_owned(), "30000".to_owned())].into() };
        let kept = Trouble { finding: FindingId::PlantNotOurs, message: "It is somebody else's.".to_owned() };
        let lines = [
            What::Planned { plan: Box::new(plan), origin: Origin::default() },
            What::Making { step: 0, thing: change.clone() },
            What::Making { step: 0, thing: change.clone() },
            What::Making { step: 0, thing: other.clone() },
            What::UndoRequested,
            What::Removed { thing: other },
            What::Kept { thing: change.clone(), trouble: kept.clone() },
            What::UndoRequested,
            What::Removed { thing: change.clone() },
        ];
        let events: Vec<Event> =
            lines.into_iter().zip(0..).map(|(what, seq)| Event { seq, at: Millis(0), what }).collect();
        let after = |lines: usize| State::fold(&events[..lines]).unwrap();
        assert_eq!((after(4).made.len(), after(4).asks().len()), (2, 1));
        assert_eq!(after(4).asks()[0].0, "vr-linux");
        let mut mixed = after(4);
        mixed.made.insert(1, Thing::Guest { vmid, name: "vr-windows".to_owned() });
        let names: Vec<String> = mixed.asks().into_iter().map(|(name, _)| name.to_owned()).collect();
        assert_eq!(names, ["vr-linux", "vr-windows"], "each once, whatever lies between");
        assert_eq!((after(7).made, after(7).kept), (vec![change.clone()], vec![(change, kept)]));
        assert_eq!((after(9).made, after(9).kept), (vec![], vec![]));
    }
}
