//! Looking at the host again and again: its two lists, and at most one request for each guest on screen.

use super::{
    agents::Agents,
    pace::Pace,
    world::{self, Reached},
};
use crate::{
    domain::{
        facts::{Facts, Trouble},
        guest::{Guest, GuestKind},
        ids::{Millis, Vmid},
    },
    ops::{Clock, Host},
    tui::{
        effect::Scope,
        msg::{Link, Msg},
    },
};
use futures_util::{StreamExt, stream};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::{
    sync::{Notify, mpsc::Sender, watch},
    time::{sleep, timeout},
};

/// How many guests are asked about side by side: as many as there are lists, so that no further connection is needed.
/// Proxmox closes idle ones after 5 s, and each new one costs both sides a handshake.
const ABREAST: usize = 2;
/// How long the answers about single guests may hold the lists up.
const DETAILS: Duration = Duration::from_secs(3);
/// How old a configuration may get before it is read again in place of the state, milliseconds.
const CONFIG_AGE: u64 = 60_000;

/// Time between two looks at what seldom changes: mappings, devices, memory; milliseconds.
const SURROUNDINGS_AGE: u64 = 300_000;

/// Puts a message into the loop's queue. A loop that is gone needs none.
pub(super) async fn tell(inbox: &Sender<Msg>, msg: Msg) {
    drop(inbox.send(msg).await);
}

/// What is looked at, how often, and what is known so far.
pub(super) struct Poller {
    clock: Clock,
    pace: Pace,
    inbox: Sender<Msg>,
    scope: watch::Receiver<Scope>,
    refresh: Arc<Notify>,
    known: Facts,
    agents: Agents,
    /// Since when and for how many looks the host hasn't answered.
    down: Option<(Millis, u32)>,
    up: bool,
    /// When mappings, devices and memory were last looked at; none if they are to be looked at next.
    surroundings: Option<Millis>,
}

enum Answer {
    Status(Box<Guest>),
    Config(Box<Facts>),
}

impl Poller {
    pub(super) fn new(
        clock: Clock,
        every: Duration,
        inbox: Sender<Msg>,
        scope: watch::Receiver<Scope>,
        refresh: Arc<Notify>,
    ) -> Self {
        let (pace, agents) = (Pace::of_host(every), Agents::new(every, inbox.clone()));
        Self {
            clock,
            pace,
            inbox,
            scope,
            refresh,
            known: Facts::default(),
            agents,
            down: None,
            up: false,
            surroundings: None,
        }
    }

    /// Looks until the dashboard ends. Without a host there is nothing to look at.
    pub(super) async fn run(mut self, reached: Reached) {
        let Ok(host) = world::reached(reached).await else { return };
        loop {
            let scope = self.scope.borrow_and_update().clone();
            self.look(&host, &scope).await;
            self.rest(&scope).await;
        }
    }

    async fn look(&mut self, host: &Host, scope: &Scope) {
        let mut seen = host.poll().await;
        if let Some(trouble) = unanswered(&seen) {
            self.fell(trouble).await;
            self.take(seen).await;
            return;
        }
        self.answered().await;
        if self.known.qemu.value.is_none() {
            // Something to look at soon; the details follow.
            self.take(seen.clone()).await;
        }
        self.details(host, scope, &mut seen).await;
        self.take(seen).await;
        self.look_around(host).await;
        self.agents.ask(host, scope, &self.known, self.clock.now());
    }

    /// What seldom changes, when the dashboard opens, when somebody asks for a look, and once in a while.
    async fn look_around(&mut self, host: &Host) {
        let now = self.clock.now();
        if self.surroundings.is_none_or(|at| now.since(at) >= SURROUNDINGS_AGE) {
            self.surroundings = Some(now);
            if let Ok(seen) = timeout(DETAILS, host.surroundings()).await {
                self.take(seen).await;
            }
        }
    }

    /// One request for each guest on screen: its configuration where that isn't known or has grown old, else its state.
    async fn details(&self, host: &Host, scope: &Scope, seen: &mut Facts) {
        let now = self.clock.now();
        let listed = |vmid: &Vmid| seen.guest(*vmid).is_some_and(|guest| guest.kind == GuestKind::Qemu);
        let wanted: Vec<Vmid> = scope.status.iter().copied().filter(listed).collect();
        let asked = wanted.into_iter().map(|vmid| {
            let config = config_is_due(&self.known, vmid, now);
            async move { (vmid, timeout(DETAILS, detail(host, vmid, config)).await.ok().flatten()) }
        });
        let answers: BTreeMap<Vmid, Option<Answer>> = stream::iter(asked).buffer_unordered(ABREAST).collect().await;
        for (vmid, answer) in answers {
            match answer {
                Some(Answer::Config(facts)) => seen.configs.extend(facts.configs),
                Some(Answer::Status(guest)) => put(seen, *guest),
                None => {}
            }
            self.keep_what_lists_leave_out(vmid, seen);
        }
    }

    /// A list knows neither a paused guest nor the HA manager. Where the exact state wasn't asked for this time, the
    /// last one holds as long as the list doesn't contradict it.
    fn keep_what_lists_leave_out(&self, vmid: Vmid, seen: &mut Facts) {
        let Some(before) = self.known.guest(vmid) else { return };
        let Some(now) = seen.qemu.value.iter_mut().flatten().find(|guest| guest.vmid == vmid) else { return };
        if now.ha.is_none() {
            now.ha = before.ha;
            if now.power.holds_devices() && before.power.holds_devices() {
                now.power = before.power;
            }
        }
    }

    async fn take(&mut self, seen: Facts) {
        self.known.merge(seen.clone());
        tell(&self.inbox, Msg::Seen(Box::new(seen))).await;
    }

    async fn answered(&mut self) {
        self.pace.answered();
        self.down = None;
        if !self.up {
            self.up = true;
            tell(&self.inbox, Msg::Link(Link::Up)).await;
        }
    }

    async fn fell(&mut self, trouble: Trouble) {
        self.pace.failed();
        self.up = false;
        let (since, attempts) = self.down.map_or((self.clock.now(), 1), |(since, n)| (since, n.saturating_add(1)));
        self.down = Some((since, attempts));
        tell(&self.inbox, Msg::Link(Link::Down { trouble, since, attempts })).await;
    }

    /// Waits for the next look: until it is time, somebody asks for it, or there is something new to look at.
    async fn rest(&mut self, before: &Scope) {
        let wait = sleep(self.pace.wait(before.focused));
        tokio::pin!(wait);
        loop {
            tokio::select! {
                () = &mut wait => return,
                () = self.refresh.notified() => {
                    self.pace.answered();
                    self.agents.forget();
                    self.surroundings = None;
                    return;
                }
                changed = self.scope.changed() => {
                    let after = self.scope.borrow().clone();
                    let more = !after.status.is_subset(&before.status) || !after.agent.is_subset(&before.agent);
                    if changed.is_err() || (self.down.is_none() && (more || (after.focused && !before.focused))) {
                        return;
                    }
                }
            }
        }
    }
}

fn unanswered(seen: &Facts) -> Option<Trouble> {
    let (qemu, lxc) = (&seen.qemu, &seen.lxc);
    if qemu.value.is_none() && lxc.value.is_none() { qemu.error.clone().or_else(|| lxc.error.clone()) } else { None }
}

fn config_is_due(known: &Facts, vmid: Vmid, now: Millis) -> bool {
    let seen = known.configs.get(&vmid).and_then(|part| part.seen);
    seen.is_none_or(|at| now.since(at) >= CONFIG_AGE)
}

async fn detail(host: &Host, vmid: Vmid, config: bool) -> Option<Answer> {
    if config {
        return Some(Answer::Config(Box::new(host.config(vmid).await)));
    }
    let node = host.node().await.ok()?;
    host.client().qemu_status(&node, vmid).await.ok().map(Box::new).map(Answer::Status)
}

fn put(seen: &mut Facts, guest: Guest) {
    let place = seen.qemu.value.iter_mut().flatten().find(|place| place.vmid == guest.vmid);
    if let Some(place) = place {
        *place = guest;
    }
}

#[cfg(test)]
#[path = "poller_tests.rs"]
mod tests;
