//! A toy host for the machine's tests: guests that stop and start after a while, requests that fail as a script says,
//! a card that is never lent twice, runners that crash. It keeps the truth; the machine sees only looks.

use super::{Look, Next, Wants, next, open_tasks};
use crate::domain::{
    facts::{Facts, Part, RunningTask, Trouble},
    finding::FindingId,
    guest::{AgentFacts, AgentState, Health, Power, ServiceState},
    ids::{Millis, Upid, Vmid},
    journal::Told,
    mode::ModeSet,
    service,
    switch::{
        event::{Call, Event, Outcome, What},
        plan::{Plan, StepAction, Verb},
        planner,
        state::State,
    },
    testing::{self, change},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Fortune {
    /// Carried out after so many milliseconds.
    Works(u64),
    /// The task ends well at once, the effect comes later (HA).
    Later(u64),
    /// The task fails after a while; nothing happens.
    Fails(u64),
    /// The task meets a leftover reservation or lock.
    Busy,
    /// Refused at once.
    Refused,
    /// Carried out, but the answer is lost.
    AnswerLost(u64),
    /// Lost on the way.
    RequestLost,
    /// The runner dies after sending.
    Crash(u64),
}

#[derive(Clone, Debug)]
struct Task {
    vmid: Vmid,
    kind: &'static str,
    ends: u64,
    exit: String,
}

#[derive(Clone)]
pub(super) struct Toy {
    pub(super) now: u64,
    running: BTreeMap<u32, bool>,
    pending: Vec<(u64, u32, bool)>,
    /// What others do to guests, each at its time; a start that meets a taken card comes to nothing.
    pub(super) others: Vec<(u64, u32, bool)>,
    tasks: BTreeMap<Upid, Task>,
    fortunes: Vec<Fortune>,
    /// What becomes of requests to leave the forest or to join it again.
    drains: Vec<Fortune>,
    /// Guests whose forest doesn't answer any more.
    drained: BTreeSet<u32>,
    modes: ModeSet,
    /// Milliseconds from a guest's start to its address; none: never.
    boots: Option<u64>,
    started: BTreeMap<u32, u64>,
    pub(super) journal: Vec<Event>,
    pub(super) facts: Facts,
    looked: u64,
    saw_holders: bool,
    crashed: bool,
    /// What the logs of tasks that fail say.
    pub(super) log: Vec<String>,
    /// What the guests' agents refuse.
    pub(super) refused: BTreeMap<String, String>,
    /// Starts that were sent while somebody else held the card, and shutdowns of guests that nobody told.
    pub(super) rash: Vec<String>,
}

/// The modes of a machine; with a forest, both VR guests are of it.
fn modes(forest: bool) -> ModeSet {
    let mut modes = testing::modes();
    for mode in modes.0.iter_mut().take(if forest { 2 } else { 0 }) {
        mode.services.extend(service::forest(mode.os, service::Forest::default()));
    }
    modes
}

impl fmt::Debug for Toy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plan = self.plan();
        write!(f, "{} {:?}, boots {:?}, left {:?}", plan.title(), plan.intent.verb, self.boots, self.fortunes)?;
        self.journal
            .iter()
            .skip(1)
            .try_for_each(|e| write!(f, "\n  {:>3} {:>7} {:?}", e.seq, e.at.0 - 1_000_000, e.what))
    }
}

impl Toy {
    pub(super) fn new(verb: Verb, mode: &str, running: &[u32], fortunes: Vec<Fortune>, boots: Option<u64>) -> Self {
        Self::of(modes(false), verb, mode, running, fortunes, boots)
    }

    /// The same with guests of a forest, and what becomes of telling them.
    pub(super) fn in_forest(
        verb: Verb,
        mode: &str,
        running: &[u32],
        drains: Vec<Fortune>,
        fortunes: Vec<Fortune>,
        boots: Option<u64>,
    ) -> Self {
        Self { drains, ..Self::of(modes(true), verb, mode, running, fortunes, boots) }
    }

    fn of(modes: ModeSet, verb: Verb, mode: &str, running: &[u32], fortunes: Vec<Fortune>, boots: Option<u64>) -> Self {
        let mut facts = testing::facts(running);
        let by_manager = fortunes.iter().any(|fortune| matches!(fortune, Fortune::Later(_)));
        for guest in facts.qemu.value.iter_mut().flatten() {
            guest.ha = Some(by_manager);
        }
        let mut intent = testing::intent(verb, mode);
        intent.replace = true;
        let plan = planner::plan(&intent, &modes, &facts).unwrap();
        let mut toy = Self {
            now: 1_000_000,
            running: facts.guests().map(|g| (g.vmid.get(), g.power == Power::Running)).collect(),
            pending: vec![],
            others: vec![],
            tasks: BTreeMap::new(),
            fortunes,
            drains: vec![],
            drained: BTreeSet::new(),
            modes,
            boots,
            started: BTreeMap::new(),
            journal: vec![],
            facts,
            looked: 0,
            saw_holders: false,
            crashed: false,
            log: vec![],
            refused: BTreeMap::new(),
            rash: vec![],
        };
        toy.write(What::Planned { plan: Box::new(plan), origin: crate::domain::journal::Origin::default() });
        toy
    }

    pub(super) fn plan(&self) -> Plan {
        self.state().plan
    }

    pub(super) fn state(&self) -> State {
        State::fold(&self.journal).unwrap()
    }

    pub(super) fn outcome(&self) -> Option<Outcome> {
        self.state().finished.map(|finish| finish.outcome)
    }

    pub(super) fn is_running(&self, vmid: u32) -> bool {
        self.running[&vmid]
    }

    pub(super) fn is_without_forest(&self, vmid: u32) -> bool {
        self.drained.contains(&vmid)
    }

    pub(super) fn write(&mut self, what: What) {
        let seq = u32::try_from(self.journal.len()).unwrap();
        self.journal.push(Event { seq, at: Millis(self.now), what });
    }

    fn pass(&mut self, ms: u64) {
        self.now += ms;
        let mut due: Vec<_> =
            self.pending.iter().chain(&self.others).copied().filter(|(at, ..)| *at <= self.now).collect();
        due.sort_unstable();
        for waiting in [&mut self.pending, &mut self.others] {
            waiting.retain(|(at, ..)| *at > self.now);
        }
        for (at, vmid, on) in due {
            if on && self.holder(vmid).is_some() {
                continue;
            }
            if !on {
                self.drained.remove(&vmid);
            }
            self.running.insert(vmid, on);
            if on {
                self.started.insert(vmid, at);
            }
        }
    }

    /// Another running guest with the card that `vmid` wants.
    fn holder(&self, vmid: u32) -> Option<u32> {
        let with_card = |v: u32| ![testing::NOGPU, testing::NAS].contains(&v);
        if !with_card(vmid) {
            return None;
        }
        self.running.iter().find(|(v, on)| **on && **v != vmid && with_card(**v)).map(|(v, _)| *v)
    }

    /// Sees what is asked for and nothing else.
    fn look(&mut self, wants: &Wants) {
        (self.looked, self.saw_holders) = (self.now, wants.holders);
        let at = Millis(self.now);
        let asked = |vmid: &u32| wants.holders || wants.status.iter().any(|asked| asked.get() == *vmid);
        for (vmid, on) in self.running.clone().into_iter().filter(|(vmid, _)| asked(vmid)) {
            let power = if on { Power::Running } else { Power::Stopped };
            change(&mut self.facts, vmid, |guest| guest.power = power);
        }
        let working = self.tasks.iter().filter(|(_, task)| task.ends > self.now);
        let working = working.map(|(upid, task)| RunningTask {
            upid: upid.clone(),
            kind: task.kind.into(),
            vmid: Some(task.vmid),
            user: "morpheus@pam".into(),
        });
        if wants.tasks {
            self.facts.tasks = Part::good(working.collect(), at);
        }
        if let Some(vmid) = wants.starter {
            self.facts.starters.insert(vmid, Part::good(Some("else@pam!where".into()), at));
        }
        for vmid in wants.address.iter().chain(&wants.services) {
            let up = match self.started.get(&vmid.get()) {
                Some(since) => self.boots.is_some_and(|ms| self.now >= since + ms),
                None => self.running[&vmid.get()],
            };
            let services = self.modes.of(*vmid).map(|mode| mode.services.clone()).unwrap_or_default();
            let services = services.into_iter().map(|service| ServiceState {
                health: if service.is_of_forest() && self.drained.contains(&vmid.get()) {
                    Health::Down
                } else if self.refused.contains_key("exec") {
                    Health::Unknown
                } else {
                    Health::Up
                },
                name: service.name,
                detail: None,
                note: None,
            });
            let facts = AgentFacts {
                agent: if up { AgentState::Alive } else { AgentState::NotRunning },
                address: (up && !self.refused.contains_key("network-get-interfaces"))
                    .then(|| "192.168.1.150".parse().unwrap()),
                os: None,
                gpu: None,
                load: None,
                wivrn: None,
                services: services.collect(),
                users: vec![],
                refused: self.refused.clone(),
                at,
            };
            self.facts.agents.insert(*vmid, Part::good(facts, at));
        }
    }

    /// What a runner sees when it begins.
    fn look_around(&mut self) {
        self.look(&Wants { holders: true, tasks: true, ..Wants::default() });
    }

    fn ended_tasks(&mut self) -> bool {
        let open = open_tasks(&self.state());
        let ended = open.into_iter().find(|(_, upid)| self.tasks.get(upid).is_some_and(|task| task.ends <= self.now));
        let Some((step, upid)) = ended else { return false };
        let exit = self.tasks[&upid].exit.clone();
        let log = if exit == "OK" { vec![] } else { self.log.clone() };
        self.write(What::TaskEnded { step, upid, ok: exit == "OK", exit, log });
        true
    }

    /// A request to the guest itself.
    fn tell(&mut self, step: u16, vmid: Vmid, leave: bool) {
        let fortune = self.drains.pop().unwrap_or(Fortune::Works(0));
        let lost = matches!(fortune, Fortune::Refused | Fortune::RequestLost);
        if !(lost || leave && matches!(fortune, Fortune::Fails(_) | Fortune::Busy)) {
            let _ = if leave { self.drained.insert(vmid.get()) } else { self.drained.remove(&vmid.get()) };
        }
        match fortune {
            Fortune::Crash(_) => self.crashed = true,
            Fortune::Refused | Fortune::AnswerLost(_) | Fortune::RequestLost => {
                let trouble = Trouble { finding: FindingId::PveRefused, message: "no".into() };
                let outcome_unknown = fortune != Fortune::Refused;
                self.write(What::CallFailed { step, trouble, outcome_unknown, retry: false });
            }
            _ => self.write(What::Called { step, upid: None }),
        }
    }

    /// Whether the machine did what it could before a guest goes: it left, or why it didn't is noted.
    fn was_told(&self, vmid: Vmid) -> bool {
        let of_forest = self.modes.of(vmid).is_some_and(crate::domain::mode::Mode::is_of_forest);
        let noted = |s: &super::StepState| {
            s.step.action == StepAction::Drain && s.step.party.vmid == vmid && !s.notes.is_empty()
        };
        !of_forest || self.drained.contains(&vmid.get()) || self.state().steps.iter().any(noted)
    }

    fn send(&mut self, step: u16, call: Call) {
        self.write(What::Calling { step, call });
        let (vmid, on) = match call {
            Call::Start { vmid } => (vmid, true),
            Call::Shutdown { vmid, .. } | Call::Stop { vmid, .. } => (vmid, false),
            Call::Drain { vmid, leave, .. } => return self.tell(step, vmid, leave),
        };
        let up_before = !self.started.contains_key(&vmid.get()) && self.running[&vmid.get()];
        if !on && up_before && !self.was_told(vmid) {
            self.rash.push(format!("shutdown of {vmid}, which nobody told, at event {}", self.journal.len()));
        }
        if on && let Some(holder) = self.holder(vmid.get()) {
            self.rash.push(format!("start of {vmid} while {holder} runs, at event {}", self.journal.len()));
        }
        let working = self.tasks.values().any(|task| task.vmid == vmid && task.ends > self.now);
        if !on && !working {
            // The HA manager forgets a start that it hasn't carried out yet.
            self.pending.retain(|(_, guest, start)| !(*start && *guest == vmid.get()));
        }
        let fortune = self.fortunes.pop().unwrap_or(Fortune::Works(1_000));
        let upid = Upid(format!("UPID:toy:{}", self.journal.len()));
        let mut task = |ends: u64, exit: &str| {
            self.tasks.insert(
                upid.clone(),
                Task { vmid, kind: if on { "qmstart" } else { "qmshutdown" }, ends, exit: exit.to_owned() },
            );
        };
        let timeout = match call {
            Call::Shutdown { timeout, .. } => timeout * 1_000,
            Call::Stop { .. } | Call::Start { .. } | Call::Drain { .. } => 3_000,
        };
        match fortune {
            Fortune::Works(ms) | Fortune::Crash(ms) | Fortune::AnswerLost(ms) => {
                task(self.now + ms, "OK");
                self.pending.push((self.now + ms, vmid.get(), on));
            }
            Fortune::Later(ms) => {
                task(self.now, "OK");
                self.pending.push((self.now + ms, vmid.get(), on));
            }
            Fortune::Fails(ms) if on => task(self.now + ms, "start failed: QEMU exited with code 1"),
            Fortune::Fails(_) => task(self.now + timeout, "VM quit/powerdown failed - got timeout"),
            Fortune::Busy => task(self.now + 10, "can't lock file '/var/lock/qemu-server/lock-101.conf' - got timeout"),
            Fortune::Refused | Fortune::RequestLost => {}
        }
        let failed = |outcome_unknown| What::CallFailed {
            step,
            trouble: Trouble { finding: FindingId::PveRefused, message: "no".into() },
            outcome_unknown,
            retry: false,
        };
        match fortune {
            Fortune::Crash(_) => self.crashed = true,
            Fortune::AnswerLost(_) | Fortune::RequestLost => self.write(failed(true)),
            Fortune::Refused => self.write(failed(false)),
            Fortune::Works(_) | Fortune::Later(_) | Fortune::Fails(_) | Fortune::Busy => {
                self.write(What::Called { step, upid: Some(upid) });
            }
        }
    }

    /// Runs to the end with these fortunes, the last first.
    pub(super) fn run_with(&mut self, fortunes: Vec<Fortune>) {
        self.fortunes = fortunes;
        self.run(|_| {});
    }

    /// Runs to the end. Calls `each` after every line of the journal.
    pub(super) fn run(&mut self, mut each: impl FnMut(&Self)) {
        self.look_around();
        for _ in 0..20_000 {
            let lines = self.journal.len();
            if self.ended_tasks() {
                each(self);
                continue;
            }
            let state = self.state();
            let look = Look {
                facts: &self.facts,
                modes: &self.modes,
                at: Millis(self.looked),
                holders: self.saw_holders,
                now: Millis(self.now),
            };
            match next(&state, &look) {
                Next::End => return,
                Next::Record(what) => self.write(what),
                Next::Send { step, call } => self.send(step, call),
                Next::Wait { ms, wants } => {
                    self.pass(ms.max(1));
                    self.look(&wants);
                }
            }
            if self.crashed {
                self.crashed = false;
                self.pass(30_000);
                self.look_around();
            }
            if self.journal.len() != lines {
                each(self);
            }
        }
        panic!("the operation doesn't end: {:#?}", self.journal.iter().map(|e| &e.what).collect::<Vec<_>>());
    }

    /// Goes on until nothing is pending any more.
    pub(super) fn settle(&mut self) {
        self.pass(600_000);
    }
}
