//! The runner dies at every request and after every line of its journal; a resume and an undo reach a safe state.

use crate::harness::{Machine, switch};
use morpheus::{
    domain::switch::event::Outcome,
    ops::{Control, operate},
    pve::transport::{Request, Sending, Transport},
    sim::Scenario,
};
use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::sync::Notify;

/// A transport that never comes back from its n-th request, before or after it had its effect.
struct Mortal {
    inner: Arc<dyn Transport>,
    left: AtomicUsize,
    after: bool,
    dead: Notify,
}

impl Transport for Mortal {
    fn send(&self, request: Request) -> Sending<'_> {
        Box::pin(async move {
            let last = self.left.fetch_sub(1, Ordering::Relaxed) == 1;
            if last && !self.after {
                self.dead.notify_one();
                return pending().await;
            }
            let answer = self.inner.send(request).await;
            if last {
                self.dead.notify_one();
                return pending().await;
            }
            answer
        })
    }
}

/// How the second runner ends the work of the first.
#[derive(Clone, Copy, Debug)]
enum Ending {
    Resume,
    Undo,
}

/// Lets the runner die at its n-th request; returns whether it got that far.
async fn die_and_end(scenario: Scenario, nth: usize, after: bool, torn: usize, rest: u64, ending: Ending) -> bool {
    let machine = Machine::new(scenario);
    let plan = machine.plan(&switch("windowsvrstreaming")).await.unwrap();
    let id = machine.store.create(&plan, &machine.host.id(), machine.clock.now()).await.unwrap();
    let left = AtomicUsize::new(nth);
    let mortal = Arc::new(Mortal { inner: machine.sim.transport(), left, after, dead: Notify::new() });
    let host = machine.through(mortal.clone());
    tokio::select! {
        biased;
        () = mortal.dead.notified() => {}
        outcome = operate(&machine.store, &id, &host, &|| {}) => {
            assert_eq!(outcome.unwrap(), Outcome::Done);
            return false;
        }
    }
    // A death between two lines leaves fewer of those that need no request between them.
    if !tear(&machine.journal(&id), torn) {
        return true;
    }
    tokio::time::sleep(Duration::from_secs(rest)).await;
    if let Ending::Undo = ending {
        machine.store.control(&id, Control::Cancel { go_back: true }).unwrap();
    }
    let (outcome, _) = machine.go_on(&id).await;
    let text = std::fs::read_to_string(machine.journal(&id)).unwrap();
    let case = format!("request {nth}, after {after}, torn {torn}, rest {rest}, {ending:?}: {outcome:?}\n{text}");
    let violations = machine.sim.violations();
    assert!(violations.is_empty(), "{violations:?} {case}");
    let changed_since = outcome == Outcome::Refused;
    match ending {
        Ending::Resume => assert_eq!((outcome, machine.running()), (Outcome::Done, vec![102]), "{case}"),
        Ending::Undo if !changed_since => {
            assert_eq!((outcome, machine.running()), (Outcome::Cancelled, vec![101]), "{case}");
        }
        Ending::Undo => assert_eq!(machine.running(), [101], "{case}"),
    }
    true
}

/// Takes this many lines off the end, if they are all of the kind that needs no request in between.
fn tear(path: &std::path::Path, lines: usize) -> bool {
    let text = std::fs::read_to_string(path).unwrap();
    let all: Vec<&str> = text.lines().collect();
    let keep = all.len().saturating_sub(lines);
    let quiet =
        |line: &&str| ["step_begun", "step_done"].iter().any(|kind| line.contains(&format!("\"event\":\"{kind}\"")));
    if !all[keep..].iter().all(quiet) {
        return false;
    }
    let kept = all[..keep].join("\n");
    std::fs::write(path, format!("{kept}\n")).unwrap();
    true
}

#[tokio::test(start_paused = true)]
async fn whenever_the_runner_dies_a_resume_and_an_undo_reach_a_safe_state() {
    for ending in [Ending::Resume, Ending::Undo] {
        for (torn, rest) in [(0, 0), (0, 300), (1, 4), (2, 30)] {
            for after in [false, true] {
                let mut nth = 1;
                while die_and_end(Scenario::default(), nth, after, torn, rest, ending).await {
                    // Every request of the beginning; after that the many alike ones of the long waits by samples.
                    nth += if nth < 40 { 1 } else { 29 };
                }
                assert!(nth > 40, "the runner got {nth} requests far");
            }
        }
    }
}
