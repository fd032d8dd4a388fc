//! Faults: which request or task is hit, when, and how.

use super::clock::Clock;
use serde::{Deserialize, Serialize};
use std::sync::{Mutex, PoisonError};

/// A fault.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// Which requests: a method or `*`, a space, and a path below `/api2/json` in which `*` stands for one segment and
    /// a `**` at the end for the rest. Or which tasks: `task qmstart 101`, with `*` for any guest.
    pub on: String,
    /// When; always if absent.
    #[serde(default)]
    pub when: When,
    /// How.
    pub then: Effect,
}

/// When a fault hits. What is absent doesn't matter; the rest must hold together.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct When {
    /// Only the n-th match, from 1.
    pub nth: Option<u32>,
    /// Each n-th match.
    pub every: Option<u32>,
    /// The first n matches.
    pub first: Option<u32>,
    /// From so many seconds after the beginning, in the host's time.
    pub after: Option<f64>,
    /// Until then.
    pub until: Option<f64>,
}

/// What a fault does.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Another answer; the request has no effect.
    Answer {
        /// Status code.
        status: u16,
        /// Reason phrase.
        reason: String,
        /// Body; if absent, the host's own for an error with this reason.
        #[serde(default)]
        body: Option<String>,
    },
    /// The request has its effect, but another answer comes.
    AnswerAfter {
        /// Status code.
        status: u16,
        /// Reason phrase.
        reason: String,
    },
    /// No answer, no effect.
    Never,
    /// The request has its effect, but no answer comes.
    NeverAfter,
    /// The connection is cut before the request has an effect.
    Cut,
    /// The connection is cut after the request had its effect.
    CutAfter,
    /// The answer is so many seconds late.
    Slow(f64),
    /// The task is slow or fails.
    Task {
        /// Seconds before it begins its work.
        #[serde(default)]
        delay: f64,
        /// Its error; none: it goes on.
        #[serde(default)]
        error: Option<String>,
        /// Whether it fails only after its work is done.
        #[serde(default)]
        late: bool,
        /// What its log says before the error.
        #[serde(default)]
        log: Vec<String>,
    },
}

impl Fault {
    /// Says what is wrong with a fault that could never hit.
    pub(crate) fn mistake(&self) -> Option<String> {
        let words: Vec<&str> = self.on.split_whitespace().collect();
        let of_task = matches!(self.then, Effect::Task { .. });
        let why = match words.as_slice() {
            ["task", _, _] if !of_task => "only the effect 'task' hits tasks",
            [_, path] if !(path.starts_with('/') || *path == "**") => "the path begins with '/'",
            [method, _] if !["GET", "POST", "PUT", "DELETE", "*"].contains(method) => "there is no such method",
            [_, _] if of_task => "the effect 'task' hits tasks only",
            ["task", _, _] | [_, _] => "",
            _ => "expected 'METHOD /path' or 'task KIND ID'",
        };
        let why = Some(why).filter(|why| !why.is_empty())?;
        Some(format!("fault on '{}': {why}", self.on))
    }
}

/// What a task has to suffer.
#[derive(Clone, Debug, Default)]
pub(crate) struct TaskFault {
    pub(crate) delay: f64,
    pub(crate) error: Option<String>,
    pub(crate) late: bool,
    pub(crate) log: Vec<String>,
}

/// The faults of a scenario, with how often each was matched.
#[derive(Debug, Default)]
pub(crate) struct Faults(Mutex<Vec<(Fault, u32)>>);

impl Faults {
    pub(crate) fn new(faults: Vec<Fault>) -> Self {
        Self(Mutex::new(faults.into_iter().map(|fault| (fault, 0)).collect()))
    }

    /// What hits this request, if anything does. `path` is below `/api2/json`.
    pub(crate) fn request(&self, clock: &Clock, method: &str, path: &str) -> Option<Effect> {
        self.find(clock, |on| matches_request(on, method, path))
    }

    /// What hits this task, if anything does.
    pub(crate) fn task(&self, clock: &Clock, kind: &str, id: &str) -> Option<TaskFault> {
        let matches = |on: &str| {
            let words: Vec<&str> = on.split_whitespace().collect();
            matches!(words.as_slice(), ["task", k, i] if (*k == kind || *k == "*") && (*i == id || *i == "*"))
        };
        match self.find(clock, matches)? {
            Effect::Task { delay, error, late, log } => Some(TaskFault { delay, error, late, log }),
            _ => None,
        }
    }

    fn find(&self, clock: &Clock, matches: impl Fn(&str) -> bool) -> Option<Effect> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let passed = |seconds| clock.has_passed(clock.start(), seconds);
        all.iter_mut().find_map(|(fault, seen)| {
            let When { nth, every, first, after, until } = fault.when;
            if !matches(&fault.on) || after.is_some_and(|s| !passed(s)) || until.is_some_and(passed) {
                return None;
            }
            *seen += 1;
            let hit = nth.is_none_or(|n| *seen == n)
                && every.is_none_or(|n| n > 0 && seen.is_multiple_of(n))
                && first.is_none_or(|n| *seen <= n);
            hit.then(|| fault.then.clone())
        })
    }
}

fn matches_request(on: &str, method: &str, path: &str) -> bool {
    let Some((wanted_method, pattern)) = on.split_once(' ') else { return false };
    if wanted_method != "*" && wanted_method != method {
        return false;
    }
    let (mut wanted, mut given) = (pattern.trim().split('/'), path.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (Some("**"), _) | (None, None) => return true,
            (Some("*"), Some(_)) => {}
            (Some(wanted), Some(given)) if wanted == given => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_segments() {
        let hits = |on, path| matches_request(on, "POST", path);
        assert!(hits("POST /nodes/*/qemu/101/status/start", "/nodes/pve/qemu/101/status/start"));
        assert!(hits("* /nodes/**", "/nodes/pve/qemu"));
        assert!(hits("* **", "/version"));
        assert!(!hits("GET /nodes/**", "/nodes/pve/qemu"));
        assert!(!hits("POST /nodes/*", "/nodes/pve/qemu"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_fault_hits_when_it_is_due() {
        let clock = Clock::new(0, 1.0);
        let when = When { nth: Some(2), after: Some(5.0), ..When::default() };
        let faults = Faults::new(vec![Fault { on: "GET /version".into(), when, then: Effect::Never }]);
        let ask = || faults.request(&clock, "GET", "/version");
        assert_eq!([ask(), ask(), ask()], [None, None, None]);
        tokio::time::advance(std::time::Duration::from_secs(5)).await;
        assert_eq!([ask(), ask(), ask()], [None, Some(Effect::Never), None]);
    }
}
