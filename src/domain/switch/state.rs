//! What is known of an operation: a fold over its journal, nothing else. Progress on screen, `op status`, the decision
//! what to do next and the decision how to go back all read this value.

use super::{
    event::{Answer, Call, Event, Outcome, What},
    plan::{Party, Plan, Step, StepAction},
};
use crate::domain::{
    facts::Trouble,
    guest::{Health, ServiceState},
    ids::{Millis, Upid, Vmid},
    journal::{Origin, Told},
    task, text,
};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// What stands for the end of a task that the host doesn't show, or doesn't know any more: it may still run.
pub const TASK_UNSEEN: &str = "not to be seen";

/// An operation as its journal tells it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct State {
    /// The plan that was confirmed.
    pub plan: Plan,
    /// Where it belongs: its host, and its place among the operations of this machine.
    #[serde(flatten)]
    pub origin: Origin,
    /// When it was begun.
    pub started: Millis,
    /// The plan's steps, then the rollback's. A step's id is its place here.
    pub steps: Vec<StepState>,
    /// Where the rollback's steps begin, once there is a rollback.
    pub rollback_from: Option<usize>,
    /// What led to the rollback or to the end.
    pub trouble: Option<Trouble>,
    /// A cancel that was asked for: whether to go back from a running target too.
    pub cancel: Option<bool>,
    /// The last runner's process.
    pub runner: Option<u32>,
    /// When that runner took over. Deadlines count from here: time in which nobody looked is not held against a guest.
    pub runner_since: Option<Millis>,
    /// When the last line was written.
    pub last: Millis,
    /// The number of the next line.
    pub next_seq: u32,
    /// The end.
    pub finished: Option<Finish>,
}

/// How an operation ended.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Finish {
    /// How.
    pub outcome: Outcome,
    /// When.
    pub at: Millis,
    /// The GPU of the target, by name.
    pub gpu: Option<String>,
}

/// A step and what happened to it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct StepState {
    /// The step.
    pub step: Step,
    /// Where it stands.
    pub phase: Phase,
    /// When it began.
    pub begun: Option<Millis>,
    /// When it was done or failed.
    pub ended: Option<Millis>,
    /// Its requests, in order.
    pub calls: Vec<CallState>,
    /// The open question.
    pub question: Option<Question>,
    /// The answer to the last question, until another request is sent.
    pub answer: Option<Answer>,
    /// Remarks, in order.
    pub notes: Vec<String>,
    /// Why it failed.
    pub trouble: Option<Trouble>,
    /// The guest's address, from the network step.
    pub address: Option<IpAddr>,
    /// The guest's services, from the services step.
    pub services: Vec<ServiceState>,
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
    /// It failed.
    Failed,
}

/// A question that waits for a person.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Question {
    /// In words.
    pub text: String,
    /// Without an answer by then, the operation gives up.
    pub until: Millis,
}

/// A changing request and what became of it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct CallState {
    /// The request.
    pub call: Call,
    /// When it was about to be sent.
    pub sent: Millis,
    /// What is known of it.
    pub fate: Fate,
}

/// What is known of a request.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// Nobody knows whether it arrived: the runner ended, or the connection broke.
    Unknown,
    /// Proxmox works on it.
    Task(Option<Upid>),
    /// The task ended well.
    Ok,
    /// The task failed, or the request was refused.
    Failed {
        /// In Proxmox's words.
        trouble: Trouble,
        /// A leftover lock or reservation: sending it again after a while may help.
        retry: bool,
        /// When.
        at: Millis,
    },
}

impl Told for State {
    const PLANT: bool = false;

    type What = What;

    fn begin(first: &Event) -> Option<Self> {
        let What::Planned { plan, origin } = &first.what else { return None };
        Some(Self {
            steps: plan.steps.iter().cloned().map(StepState::waiting).collect(),
            plan: Plan::clone(plan),
            origin: origin.clone(),
            started: first.at,
            rollback_from: None,
            trouble: None,
            cancel: None,
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
            What::Planned { .. } => {}
            What::RunnerStarted { pid } => (self.runner, self.runner_since) = (Some(*pid), Some(event.at)),
            What::CancelRequested { go_back } => self.cancel = Some(self.cancel.unwrap_or(false) || *go_back),
            What::RollingBack { steps, because } => {
                self.trouble = self.trouble.take().or_else(|| because.clone());
                self.rollback_from = Some(self.steps.len());
                self.steps.extend(steps.iter().cloned().map(StepState::waiting));
            }
            What::Finished { outcome, trouble, gpu } => {
                self.trouble = self.trouble.take().or_else(|| trouble.clone());
                self.finished = Some(Finish { outcome: *outcome, at: event.at, gpu: gpu.clone() });
            }
            What::StepFailed { step, trouble } => {
                self.trouble = self.trouble.take().or_else(|| Some(trouble.clone()));
                self.with(*step, |s| s.apply(event));
            }
            What::StepBegun { step }
            | What::Calling { step, .. }
            | What::Called { step, .. }
            | What::CallFailed { step, .. }
            | What::TaskEnded { step, .. }
            | What::Note { step, .. }
            | What::Asked { step, .. }
            | What::Answered { step, .. }
            | What::StepDone { step, .. } => self.with(*step, |s| s.apply(event)),
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
        self.finished.as_ref().map(|finish| finish.outcome.word())
    }

    fn trouble(&self) -> Option<&Trouble> {
        self.trouble.as_ref()
    }

    fn taken_over(pid: u32) -> What {
        What::RunnerStarted { pid }
    }

    fn refused(because: Trouble) -> Vec<What> {
        vec![What::Finished { outcome: Outcome::Refused, trouble: Some(because), gpu: None }]
    }
}

impl State {
    fn with(&mut self, step: u16, change: impl FnOnce(&mut StepState)) {
        if let Some(state) = self.steps.get_mut(usize::from(step)) {
            change(state);
        }
    }

    /// Whether it is going back.
    #[must_use]
    pub const fn is_rolling_back(&self) -> bool {
        self.rollback_from.is_some()
    }

    /// The step that runs, or else the next one in the present direction.
    #[must_use]
    pub fn current(&self) -> Option<&StepState> {
        let range = match self.rollback_from {
            Some(from) => self.steps.get(from..),
            None => self.steps.get(..),
        };
        range?.iter().find(|step| matches!(step.phase, Phase::Running | Phase::Waiting))
    }

    /// The open question, with its step.
    #[must_use]
    pub fn question(&self) -> Option<(u16, &Question)> {
        self.steps.iter().find_map(|s| Some((s.step.id, s.question.as_ref()?)))
    }

    /// The address that was found.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        self.steps.iter().find_map(|step| step.address)
    }

    /// Services as they were last seen.
    #[must_use]
    pub fn services(&self) -> &[ServiceState] {
        self.steps.iter().map(|s| s.services.as_slice()).find(|services| !services.is_empty()).unwrap_or_default()
    }

    /// Guests that were asked to stop, in that order, whether or not they did. Each once.
    #[must_use]
    pub fn asked_to_stop(&self) -> Vec<Vmid> {
        self.called(|call| match call {
            Call::Shutdown { vmid, .. } | Call::Stop { vmid, .. } => Some(vmid),
            Call::Start { .. } | Call::Drain { .. } => None,
        })
    }

    /// Guests whose start was requested, in that order. Each once.
    #[must_use]
    pub fn asked_to_start(&self) -> Vec<Vmid> {
        self.called(|call| match call {
            Call::Start { vmid } => Some(vmid),
            Call::Shutdown { .. } | Call::Stop { .. } | Call::Drain { .. } => None,
        })
    }

    /// Guests that were told to leave their forest and not to join it again since. Each once.
    #[must_use]
    pub fn told_to_leave(&self) -> Vec<Vmid> {
        let mut found = Vec::new();
        for call in self.steps.iter().flat_map(|step| &step.calls) {
            let Call::Drain { vmid, leave, .. } = call.call else { continue };
            match (leave, &call.fate) {
                (true, Fate::Failed { .. }) | (false, Fate::Failed { .. } | Fate::Unknown) => {}
                (true, _) if found.contains(&vmid) => {}
                (true, _) => found.push(vmid),
                (false, _) => found.retain(|one| *one != vmid),
            }
        }
        found
    }

    fn called(&self, pick: impl Fn(Call) -> Option<Vmid>) -> Vec<Vmid> {
        let mut found = Vec::new();
        for vmid in self.steps.iter().flat_map(|s| &s.calls).filter_map(|c| pick(c.call)) {
            if !found.contains(&vmid) {
                found.push(vmid);
            }
        }
        found
    }

    /// Guests that were stopped hard.
    pub fn hard_stops(&self) -> impl Iterator<Item = &Party> {
        self.steps.iter().filter(|step| step.is_hard()).map(|step| &step.step.party)
    }

    /// Names of services that didn't answer at the end.
    pub fn services_down(&self) -> impl Iterator<Item = &str> {
        let down = |s: &&ServiceState| s.health == Health::Down;
        self.services().iter().filter(down).map(|s| s.name.as_str())
    }

    /// Services that couldn't be asked at the end, and why not where that is known: `WiVRn, NATS (Command ...)`.
    #[must_use]
    pub fn services_unknown(&self) -> Option<String> {
        let unknown: Vec<&ServiceState> = self.services().iter().filter(|s| s.health == Health::Unknown).collect();
        let why = unknown.iter().find_map(|service| service.detail.as_deref());
        let why = why.map(|why| format!(" ({})", text::safe(why))).unwrap_or_default();
        let names: Vec<&str> = unknown.iter().map(|service| service.name.as_str()).collect();
        (!names.is_empty()).then(|| text::safe(&names.join(", ")) + &why)
    }
}

impl CallState {
    /// Whether the host may still be working on it.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        matches!(self.fate, Fate::Task(_) | Fate::Unknown)
    }
}

impl StepState {
    const fn waiting(step: Step) -> Self {
        Self {
            step,
            phase: Phase::Waiting,
            begun: None,
            ended: None,
            calls: Vec::new(),
            question: None,
            answer: None,
            notes: Vec::new(),
            trouble: None,
            address: None,
            services: Vec::new(),
        }
    }

    fn apply(&mut self, event: &Event) {
        match &event.what {
            What::StepBegun { .. } => {
                self.phase = Phase::Running;
                self.begun = self.begun.or(Some(event.at));
            }
            What::Calling { call, .. } => {
                self.answer = None;
                self.calls.push(CallState { call: *call, sent: event.at, fate: Fate::Unknown });
            }
            What::Called { upid, .. } => self.fate(Fate::Task(upid.clone())),
            What::CallFailed { trouble, outcome_unknown: false, retry, .. } => {
                self.fate(Fate::Failed { trouble: trouble.clone(), retry: *retry, at: event.at });
            }
            What::TaskEnded { ok: true, upid, exit, .. } if exit == TASK_UNSEEN => {
                self.task_ended(upid, Fate::Task(None));
            }
            What::TaskEnded { ok: true, upid, .. } => self.task_ended(upid, Fate::Ok),
            What::TaskEnded { ok: false, upid, exit, log, .. } => {
                let (trouble, retry) = task::trouble(exit, log);
                self.task_ended(upid, Fate::Failed { trouble, retry, at: event.at });
            }
            What::Note { text, .. } => self.notes.push(text.clone()),
            What::Asked { question, until, .. } => {
                self.question = Some(Question { text: question.clone(), until: *until });
            }
            What::Answered { answer, .. } => {
                self.question = None;
                self.answer = Some(*answer);
            }
            What::StepDone { address, services, .. } => {
                self.end(Phase::Done, event.at);
                self.address = *address;
                self.services.clone_from(services);
            }
            What::StepFailed { trouble, .. } => {
                self.end(Phase::Failed, event.at);
                self.trouble = Some(trouble.clone());
            }
            What::CallFailed { .. }
            | What::Planned { .. }
            | What::RunnerStarted { .. }
            | What::CancelRequested { .. }
            | What::RollingBack { .. }
            | What::Finished { .. } => {}
        }
    }

    fn fate(&mut self, fate: Fate) {
        if let Some(call) = self.calls.last_mut() {
            call.fate = fate;
        }
    }

    /// A task's end belongs to the request that began it: one that was overruled ends after the next was sent.
    fn task_ended(&mut self, upid: &Upid, fate: Fate) {
        let of_task = |call: &&mut CallState| matches!(&call.fate, Fate::Task(Some(task)) if task == upid);
        if let Some(call) = self.calls.iter_mut().find(of_task) {
            call.fate = fate;
        }
    }

    fn end(&mut self, phase: Phase, at: Millis) {
        self.phase = phase;
        self.ended = Some(at);
        self.question = None;
    }

    /// Whether the guest was stopped hard, or is being: its plug was pulled, planned so or because it didn't shut down.
    #[must_use]
    pub fn is_hard(&self) -> bool {
        self.calls.iter().any(|call| matches!(call.call, Call::Stop { off: false, .. }))
    }

    /// The step as a line of progress, by what it came to: a shutdown that became a hard stop is called one.
    #[must_use]
    pub fn title(&self) -> String {
        match self.step.action {
            StepAction::Shutdown { .. } if self.is_hard() => format!("Stopping {} hard", self.step.party),
            _ => self.step.title(),
        }
    }

    /// The newest request.
    #[must_use]
    pub fn last_call(&self) -> Option<&CallState> {
        self.calls.last()
    }

    /// Milliseconds that the step has taken, up to `now` while it runs.
    #[must_use]
    pub fn elapsed(&self, now: Millis) -> Option<u64> {
        Some(self.ended.unwrap_or(now).since(self.begun?))
    }

    /// Whether a step that is done didn't see what it waited for: no address, or services that couldn't be asked.
    #[must_use]
    pub fn is_unseen(&self) -> bool {
        self.phase == Phase::Done
            && match self.step.action {
                StepAction::Network => self.address.is_none(),
                StepAction::Services => self.services.iter().any(|service| service.health == Health::Unknown),
                _ => false,
            }
    }

    /// Whether people want to see the step as a line of its own: waiting for a device is one only when it takes long.
    #[must_use]
    pub fn is_worth_a_line(&self, now: Millis) -> bool {
        let quiet = matches!(self.step.action, StepAction::Release { .. });
        !quiet || self.phase == Phase::Failed || self.elapsed(now).is_some_and(|ms| ms >= 2_000)
    }
}
