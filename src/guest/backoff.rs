//! When to ask an agent again that didn't answer.

use crate::domain::{
    facts::Part,
    guest::{AgentFacts, AgentState},
    ids::Millis,
};

/// The first wait, milliseconds.
const FIRST: u64 = 10_000;
/// The longest wait, milliseconds.
const LONGEST: u64 = 300_000;

/// One guest's agent: how often in a row it didn't answer, and when to ask again.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Backoff {
    failures: u32,
    next: Option<Millis>,
    uptime: Option<u64>,
}

impl Backoff {
    /// Whether to ask now.
    #[must_use]
    pub fn due(&self, now: Millis) -> bool {
        self.next.is_none_or(|next| now >= next)
    }

    /// When the next question is due; none if any time is right.
    #[must_use]
    pub const fn next(&self) -> Option<Millis> {
        self.next
    }

    /// Takes an answer in. A guest that is off or has no agent configured costs nothing to ask.
    pub fn take(&mut self, part: &Part<AgentFacts>, now: Millis) {
        let state = part.fresh().map_or(AgentState::Unknown, |facts| facts.agent);
        match state {
            AgentState::Alive | AgentState::NotConfigured | AgentState::GuestOff => self.reset(),
            AgentState::NotRunning | AgentState::Forbidden | AgentState::Unknown => self.failed(now),
        }
    }

    /// Takes the guest's uptime in, seconds, none when it is stopped: after a restart everything is open again.
    pub fn saw_uptime(&mut self, uptime: Option<u64>) {
        let restarted = match (self.uptime, uptime) {
            (Some(before), Some(now)) => now < before,
            (Some(_), None) => true,
            (None, _) => false,
        };
        if restarted {
            self.reset();
        }
        self.uptime = uptime;
    }

    fn reset(&mut self) {
        (self.failures, self.next) = (0, None);
    }

    fn failed(&mut self, now: Millis) {
        let wait = FIRST.saturating_mul(1 << self.failures.min(16)).min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        self.next = Some(now.plus(wait));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{facts::Trouble, finding::FindingId};

    fn said(agent: AgentState) -> Part<AgentFacts> {
        let facts = AgentFacts {
            agent,
            address: None,
            os: None,
            gpu: None,
            load: None,
            wivrn: None,
            services: Vec::new(),
            users: Vec::new(),
            refused: std::collections::BTreeMap::new(),
            at: Millis(0),
        };
        Part::good(facts, Millis(0))
    }

    #[test]
    fn a_dead_agent_is_asked_at_growing_intervals() {
        let mut backoff = Backoff::default();
        let mut now = Millis(0);
        let mut waits = Vec::new();
        for _ in 0..7 {
            assert!(backoff.due(now));
            backoff.take(&said(AgentState::NotRunning), now);
            let next = backoff.next().unwrap();
            assert!(!backoff.due(Millis(next.0 - 1)));
            waits.push(next.since(now) / 1000);
            now = next;
        }
        assert_eq!(waits, [10, 20, 40, 80, 160, 300, 300]);
        backoff.take(&said(AgentState::Alive), now);
        assert_eq!(backoff, Backoff::default());
    }

    #[test]
    fn a_restart_opens_everything_again_and_an_error_does_not() {
        let mut backoff = Backoff::default();
        backoff.saw_uptime(Some(100));
        let trouble = Trouble { finding: FindingId::PveTimeout, message: String::new() };
        backoff.take(&Part::failed(trouble), Millis(0));
        backoff.saw_uptime(Some(102));
        assert!(!backoff.due(Millis(1)));
        backoff.saw_uptime(Some(3));
        assert!(backoff.due(Millis(1)));
        backoff.take(&said(AgentState::Forbidden), Millis(0));
        backoff.saw_uptime(None);
        assert!(backoff.due(Millis(1)));
    }
}
