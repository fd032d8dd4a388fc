//! Questions to guest agents, beside the looks at the host: each with a deadline, one at a time for a guest, and at
//! growing intervals to a guest that doesn't answer.

use super::{pace::Pace, poller::tell};
use crate::{
    domain::{
        facts::Facts,
        guest::{AgentState, Power},
        ids::Vmid,
    },
    ops::Host,
    tui::{effect::Scope, msg::Msg},
};
use std::{collections::BTreeMap, time::Duration};
use tokio::{
    sync::mpsc::Sender,
    task::JoinSet,
    time::{Instant, timeout},
};

/// How long all questions to one guest may take. A dead agent costs the host 3 s for each (`Agent.pm:109-113`).
const DEADLINE: Duration = Duration::from_secs(15);

/// Which guests were asked, and when each is to be asked again.
pub(super) struct Agents {
    every: Duration,
    inbox: Sender<Msg>,
    asked: BTreeMap<Vmid, Asked>,
    tasks: JoinSet<(Vmid, bool)>,
}

struct Asked {
    pace: Pace,
    /// When to ask again; none while a question is under way.
    due: Option<Instant>,
}

impl Agents {
    pub(super) fn new(every: Duration, inbox: Sender<Msg>) -> Self {
        Self { every, inbox, asked: BTreeMap::new(), tasks: JoinSet::new() }
    }

    /// Asks whoever is due; answers come as messages. A guest that was off is asked like a new one.
    pub(super) fn ask(&mut self, host: &Host, scope: &Scope, known: &Facts) {
        self.collect();
        let runs = |vmid: &Vmid| known.guest(*vmid).is_some_and(|guest| guest.power == Power::Running);
        self.asked.retain(|vmid, asked| asked.due.is_none() || runs(vmid));
        let now = Instant::now();
        for vmid in scope.agent.iter().copied().filter(runs) {
            let Some(config) = known.configs.get(&vmid) else { continue };
            let fresh = || Asked { pace: Pace::of_agent(self.every), due: Some(now) };
            let asked = self.asked.entry(vmid).or_insert_with(fresh);
            if asked.due.is_some_and(|due| due <= now) {
                asked.due = None;
                let known = Facts { configs: [(vmid, config.clone())].into(), ..Facts::default() };
                self.tasks.spawn(question(host.clone(), vmid, known, self.inbox.clone()));
            }
        }
    }

    /// Forgets all waiting: a person wants to know now.
    pub(super) fn forget(&mut self) {
        self.collect();
        self.asked.retain(|_, asked| asked.due.is_none());
    }

    fn collect(&mut self) {
        while let Some(ended) = self.tasks.try_join_next() {
            let (vmid, answered) = match ended {
                Ok(answer) => answer,
                Err(error) => match error.try_into_panic() {
                    Ok(panic) => std::panic::resume_unwind(panic),
                    Err(_) => continue,
                },
            };
            if let Some(asked) = self.asked.get_mut(&vmid) {
                if answered {
                    asked.pace.answered();
                } else {
                    asked.pace.failed();
                }
                asked.due = Some(Instant::now() + asked.pace.wait(true));
            }
        }
    }
}

async fn question(host: Host, vmid: Vmid, known: Facts, inbox: Sender<Msg>) -> (Vmid, bool) {
    // No answer in time leaves what is known as it is, and its age shows.
    let Ok(facts) = timeout(DEADLINE, host.agent(vmid, &known)).await else { return (vmid, false) };
    let alive = facts.agent(vmid).is_some_and(|facts| facts.agent == AgentState::Alive);
    tell(&inbox, Msg::Seen(Box::new(facts))).await;
    (vmid, alive)
}
