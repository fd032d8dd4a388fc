//! The last hour of what is on screen, as the host recorded it: asked for when it comes on screen, and again from time
//! to time. What happens in between is told by the looks.

use super::{
    poller::tell,
    world::{self, Reached},
};
use crate::{
    domain::{guest::GuestKind, ids::Millis, load::Measured},
    ops::{Clock, Host},
    tui::{effect::Scope, msg::Msg},
};
use std::{collections::BTreeMap, time::Duration};
use tokio::{
    sync::{mpsc::Sender, watch},
    time::{sleep, timeout},
};

/// Records are asked for again after this long, milliseconds.
const AGAIN: u64 = 300_000;
/// After a failure, and for what comes on screen again, not before this.
const SOONEST: u64 = 60_000;
/// A cursor that moves on within this time asks for nothing.
const SETTLED: Duration = Duration::from_millis(400);
/// How long an answer may take.
const DEADLINE: Duration = Duration::from_secs(10);

/// What was asked for, and when each may be asked for again.
pub(super) struct Histories {
    clock: Clock,
    inbox: Sender<Msg>,
    scope: watch::Receiver<Scope>,
    due: BTreeMap<Measured, Millis>,
}

impl Histories {
    pub(super) fn new(clock: Clock, inbox: Sender<Msg>, scope: watch::Receiver<Scope>) -> Self {
        Self { clock, inbox, scope, due: BTreeMap::new() }
    }

    /// Asks until the dashboard ends.
    pub(super) async fn run(mut self, reached: Reached) {
        let Ok(host) = world::reached(reached).await else { return };
        loop {
            let scope = self.scope.borrow_and_update().clone();
            let next = self.look(&host, &scope).await;
            let now = self.clock.now();
            let wait = async {
                match next {
                    Some(at) => sleep(Duration::from_millis(at.since(now).max(1))).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = wait => {}
                changed = self.other(&scope) => if !changed { return },
            }
        }
    }

    /// Waits until something else is on screen, and stays there. False when the dashboard has ended.
    async fn other(&self, before: &Scope) -> bool {
        let mut scope = self.scope.clone();
        let differs = |now: &Scope| (now.history, now.host) != (before.history, before.host);
        if scope.wait_for(differs).await.is_err() {
            return false;
        }
        sleep(SETTLED).await;
        true
    }

    /// Asks for what is due, and tells when the next one is.
    async fn look(&mut self, host: &Host, scope: &Scope) -> Option<Millis> {
        let guest = scope.history.map(|(vmid, kind)| (Measured::Guest(vmid), kind));
        let node = scope.host.then_some((Measured::Host, GuestKind::Qemu));
        let wanted: Vec<_> = guest.into_iter().chain(node).collect();
        for (of, kind) in &wanted {
            let now = self.clock.now();
            if self.due.get(of).is_none_or(|due| *due <= now) {
                let asked = timeout(DEADLINE, host.history(*of, *kind)).await;
                let rest = if matches!(asked, Ok(Ok(_))) { AGAIN } else { SOONEST };
                self.due.insert(*of, self.clock.now().plus(rest));
                if let Ok(result) = asked {
                    tell(&self.inbox, Msg::History { of: *of, result }).await;
                }
            }
        }
        self.forget(&wanted);
        wanted.iter().filter_map(|(of, _)| self.due.get(of).copied()).min()
    }

    /// What left the screen long ago needs no entry: it is asked for anew anyway.
    fn forget(&mut self, wanted: &[(Measured, GuestKind)]) {
        let now = self.clock.now();
        self.due.retain(|of, due| *due > now || wanted.iter().any(|(wanted, _)| wanted == of));
    }
}

#[cfg(test)]
#[path = "histories_tests.rs"]
mod tests;
