//! Questions to guest agents, beside the looks at the host: each with a deadline, one at a time for a guest, and at
//! growing intervals to a guest that doesn't answer.

use super::poller::tell;
use crate::{
    domain::{
        facts::{Facts, Part},
        guest::{AgentFacts, Health, Power},
        ids::{Millis, Vmid},
    },
    guest::Backoff,
    ops::Host,
    tui::{effect::Scope, msg::Msg},
};
use std::{collections::BTreeMap, time::Duration};
use tokio::{sync::mpsc::Sender, task::JoinSet, time::timeout};

/// How long all questions to one guest may take. A dead agent costs the host 3 s for each (`Agent.pm:109-113`).
const DEADLINE: Duration = Duration::from_secs(15);
/// A guest in which something isn't up yet is asked on every so manieth look at the host.
const LOOKS: u64 = 3;
/// What one says in which all is well changes slowly.
const LOOKS_AT_A_HEALTHY_ONE: u64 = 12;

/// Which guests were asked, and when each may be asked again.
pub(super) struct Agents {
    /// Milliseconds between two looks at the host.
    every: u64,
    inbox: Sender<Msg>,
    asked: BTreeMap<Vmid, Asked>,
    tasks: JoinSet<(Vmid, Part<AgentFacts>)>,
}

#[derive(Default)]
struct Asked {
    backoff: Backoff,
    last: Option<Millis>,
    uptime: Option<u64>,
    healthy: bool,
    under_way: bool,
}

impl Agents {
    pub(super) fn new(every: Duration, inbox: Sender<Msg>) -> Self {
        let every = u64::try_from(every.as_millis()).unwrap_or(u64::MAX);
        Self { every, inbox, asked: BTreeMap::new(), tasks: JoinSet::new() }
    }

    /// Asks whoever is due; answers come as messages. A guest that was restarted is asked like a new one.
    pub(super) fn ask(&mut self, host: &Host, scope: &Scope, known: &Facts, now: Millis) {
        self.collect(now);
        for vmid in &scope.agent {
            let (Some(guest), Some(config)) = (known.guest(*vmid), known.configs.get(vmid)) else { continue };
            let asked = self.asked.entry(*vmid).or_default();
            let runs = guest.power == Power::Running;
            let uptime = guest.uptime.filter(|_| runs);
            asked.backoff.saw_uptime(uptime);
            if uptime < asked.uptime {
                asked.last = None;
            }
            asked.uptime = uptime;
            let wait = self.every.saturating_mul(if asked.healthy { LOOKS_AT_A_HEALTHY_ONE } else { LOOKS });
            let rested = asked.last.is_none_or(|last| now.since(last) >= wait);
            if runs && rested && !asked.under_way && asked.backoff.due(now) {
                (asked.under_way, asked.last) = (true, Some(now));
                let known = Facts { configs: [(*vmid, config.clone())].into(), ..Facts::default() };
                self.tasks.spawn(question(host.clone(), *vmid, known, self.inbox.clone()));
            }
        }
    }

    /// Forgets all waiting: a person wants to know now.
    pub(super) fn forget(&mut self) {
        self.asked.values_mut().for_each(|asked| (asked.backoff, asked.last) = (Backoff::default(), None));
    }

    fn collect(&mut self, now: Millis) {
        while let Some(ended) = self.tasks.try_join_next() {
            let (vmid, part) = match ended {
                Ok(answer) => answer,
                Err(error) => match error.try_into_panic() {
                    Ok(panic) => std::panic::resume_unwind(panic),
                    Err(_) => continue,
                },
            };
            if let Some(asked) = self.asked.get_mut(&vmid) {
                asked.under_way = false;
                asked.healthy = is_healthy(&part);
                asked.backoff.take(&part, now);
            }
        }
    }
}

fn is_healthy(part: &Part<AgentFacts>) -> bool {
    part.fresh().is_some_and(|said| said.services.iter().all(|service| service.health == Health::Up))
}

async fn question(host: Host, vmid: Vmid, known: Facts, inbox: Sender<Msg>) -> (Vmid, Part<AgentFacts>) {
    // No answer in time leaves what is known as it is, and its age shows.
    let Ok(facts) = timeout(DEADLINE, host.agent(vmid, &known)).await else { return (vmid, Part::default()) };
    let part = facts.agents.get(&vmid).cloned().unwrap_or_default();
    tell(&inbox, Msg::Seen(Box::new(facts))).await;
    (vmid, part)
}
