//! Looking at the host again and again: its two lists, and for guests on screen what the lists leave out, where it may
//! have changed. One request after the other over one connection, which looks every 4 s keep open: a look on a new one
//! costs both sides a TLS handshake, which is more than the two lists do.

use super::{
    agents::Agents,
    pace::{Pace, Watched},
    world::{self, Reached},
};
use crate::{
    domain::{
        facts::{Facts, Part, Trouble},
        guest::{Guest, GuestKind, Power},
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
    time::{Instant, timeout},
};

/// How many guests are asked about side by side where there are many to ask about.
const ABREAST: usize = 2;
/// As many are asked about one after the other, without a second connection.
const FEW: usize = 4;
/// Of so many running guests that nobody has on screen the configuration is read in a look.
const ASIDE: usize = 4;
/// How long the answers about single guests may hold the lists up.
const DETAILS: Duration = Duration::from_secs(3);
/// How old a configuration may get before it is read again in place of the state, milliseconds.
const CONFIG_AGE: u64 = 120_000;
/// How old the exact state of a VM may get that has a process: one that is paused still runs for the lists.
/// Milliseconds.
const STATE_AGE: u64 = 20_000;
/// How old it may get for a stopped one: only the HA manager isn't in the lists then. Milliseconds.
const STOPPED_AGE: u64 = 120_000;
/// After so long without a key and without a change, looking less often is enough.
const QUIET: Duration = Duration::from_mins(3);

/// How old what the host says of itself may get, milliseconds.
const FIGURES_AGE: u64 = 14_000;

/// Time between two looks at what seldom changes: mappings, devices, memory; milliseconds.
const SURROUNDINGS_AGE: u64 = 300_000;

/// Puts a message into the loop's queue. A loop that is gone needs none.
pub(super) async fn tell(inbox: &Sender<Msg>, msg: Msg) {
    drop(inbox.send(msg).await);
}

/// What the dashboard lets the poller know.
pub(super) struct Wishes {
    /// What is on screen.
    pub(super) scope: watch::Receiver<Scope>,
    /// Somebody asks for a look.
    pub(super) refresh: Arc<Notify>,
    /// When a person last did something here.
    pub(super) touched: watch::Receiver<Instant>,
}

/// What is looked at, how often, and what is known so far.
pub(super) struct Poller {
    clock: Clock,
    pace: Pace,
    inbox: Sender<Msg>,
    wishes: Wishes,
    /// Tells of every look.
    beat: watch::Sender<()>,
    known: Facts,
    /// When the exact state of a VM was last asked for.
    states: BTreeMap<Vmid, Millis>,
    /// When a guest was last seen to change its state.
    changed: Instant,
    agents: Agents,
    /// Since when and for how many looks the host hasn't answered.
    down: Option<(Millis, u32)>,
    up: bool,
    /// When mappings, devices and memory were last looked at; none if they are to be looked at next.
    surroundings: Option<Millis>,
    /// When the host may be asked about itself again; none: now.
    figures: Option<Millis>,
    /// Guests came or went since the host's devices were looked at: other drivers may hold them.
    moved: bool,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Question {
    /// A VM's configuration.
    Config,
    /// A container's.
    Container,
    Status,
}

impl Question {
    /// What a guest has that nobody has on screen.
    const fn of(guest: &Guest) -> Self {
        match guest.kind {
            GuestKind::Qemu => Self::Config,
            GuestKind::Lxc => Self::Container,
        }
    }
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
        wishes: Wishes,
        beat: watch::Sender<()>,
    ) -> Self {
        let (pace, agents) = (Pace::of_host(every), Agents::new(every, inbox.clone()));
        Self {
            clock,
            pace,
            inbox,
            wishes,
            beat,
            known: Facts::default(),
            states: BTreeMap::new(),
            changed: Instant::now(),
            agents,
            down: None,
            up: false,
            surroundings: None,
            figures: None,
            moved: false,
        }
    }

    /// Looks until the dashboard ends. Without a host there is nothing to look at.
    pub(super) async fn run(mut self, reached: Reached) {
        loop {
            let Ok(host) = world::reached(reached.clone()).await else { return };
            let scope = self.wishes.scope.borrow_and_update().clone();
            self.look(&host, &scope).await;
            self.beat.send_replace(());
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
        if scope.host {
            self.figures(host, &mut seen).await;
        }
        self.take(seen).await;
        self.look_around(host).await;
        self.look_at_drivers(host).await;
        self.agents.ask(host, scope, &self.known, self.clock.now());
    }

    /// One request for what the host says of itself, not on every look. Who may not see it is refused seldom.
    async fn figures(&mut self, host: &Host, seen: &mut Facts) {
        let now = self.clock.now();
        if self.figures.is_none_or(|due| now >= due) {
            seen.host = timeout(DETAILS, host.status()).await.unwrap_or_default();
            let rest = if seen.host.error.is_some() { CONFIG_AGE } else { FIGURES_AGE };
            self.figures = Some(now.plus(rest));
        }
    }

    /// What seldom changes, when the dashboard opens, when somebody asks for a look, and once in a while.
    async fn look_around(&mut self, host: &Host) {
        let now = self.clock.now();
        if self.surroundings.is_none_or(|at| now.since(at) >= SURROUNDINGS_AGE) {
            self.surroundings = Some(now);
            self.moved = false;
            if let Ok(seen) = timeout(DETAILS, host.surroundings()).await {
                self.take(seen).await;
            }
        }
    }

    /// Where this machine is the host, its devices again once guests have started or stopped. The API shows no drivers:
    /// there is nothing new to ask for.
    async fn look_at_drivers(&mut self, host: &Host) {
        if std::mem::take(&mut self.moved) && host.is_here().await {
            let pci = host.hardware().await;
            if let Ok(pci) = pci {
                let pci = Part::good(pci, self.clock.now());
                self.take(Facts { pci, ..Facts::default() }).await;
            }
        }
    }

    /// At most one request for each guest on screen: its configuration where that isn't known or has grown old, else
    /// its state where that may be another one. What a few others were started with is read beside: whoever runs may
    /// hold a GPU.
    async fn details(&mut self, host: &Host, scope: &Scope, seen: &mut Facts) {
        let now = self.clock.now();
        let listed: Vec<Vmid> = scope.status.iter().copied().filter(|vmid| is_vm(seen, *vmid)).collect();
        let questions = listed.iter().filter_map(|vmid| Some((*vmid, self.due(seen.guest(*vmid)?, now)?)));
        let aside = self.unread(seen).filter(|guest| !listed.contains(&guest.vmid)).take(ASIDE);
        let aside = aside.map(|guest| (guest.vmid, Question::of(guest)));
        let questions: Vec<(Vmid, Question)> = questions.chain(aside).collect();
        let statuses = questions.iter().filter(|(_, question)| *question == Question::Status);
        self.states.extend(statuses.map(|(vmid, _)| (*vmid, now)));
        let abreast = if questions.len() > FEW { ABREAST } else { 1 };
        let asked = questions.into_iter().map(|(vmid, question)| async move {
            (vmid, timeout(DETAILS, detail(host, vmid, question)).await.ok().flatten())
        });
        let answers: Vec<(Vmid, Option<Answer>)> = stream::iter(asked).buffer_unordered(abreast).collect().await;
        for (vmid, answer) in answers {
            match answer {
                Some(Answer::Config(facts)) => seen.configs.extend(facts.configs),
                Some(Answer::Status(guest)) => put(seen, *guest),
                None => drop(self.states.remove(&vmid)),
            }
        }
        for vmid in listed {
            self.keep_what_lists_leave_out(vmid, seen);
        }
    }

    /// Running guests whose configuration wasn't read since they were started.
    fn unread<'a>(&self, seen: &'a Facts) -> impl Iterator<Item = &'a Guest> {
        let unread = |guest: &&Guest| {
            let up = guest.uptime.unwrap_or_default().saturating_mul(1_000);
            let read = self.known.configs.get(&guest.vmid).and_then(|part| part.seen);
            guest.power.holds_devices() && read.is_none_or(|at| seen.qemu.seen.is_some_and(|now| now.since(at) > up))
        };
        seen.guests().filter(unread)
    }

    /// What to ask about a guest, by its new row. A row that tells of a change makes the exact state due, and so does a
    /// state that no row would show the end of.
    fn due(&self, row: &Guest, now: Millis) -> Option<Question> {
        if config_is_due(&self.known, row.vmid, now) {
            return Some(Question::Config);
        }
        let longest = if row.power.holds_devices() { STATE_AGE } else { STOPPED_AGE };
        let asked = self.states.get(&row.vmid).filter(|at| now.since(**at) < longest);
        let same = self.known.guest(row.vmid).filter(|before| {
            matches!(before.power, Power::Running | Power::Stopped)
                && before.power.holds_devices() == row.power.holds_devices()
                && before.lock == row.lock
                && before.uptime.unwrap_or_default() <= row.uptime.unwrap_or_default()
        });
        (asked.is_none() || same.is_none()).then_some(Question::Status)
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
        if states(&seen).is_some_and(|new| states(&self.known).is_none_or(|old| !new.eq(old))) {
            self.changed = Instant::now();
            self.moved = true;
        }
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
        let began = Instant::now();
        loop {
            let until = began + self.pace.wait(self.watched(before));
            tokio::select! {
                () = self.clock.wait_until(until) => return,
                () = self.wishes.refresh.notified() => {
                    self.pace.answered();
                    self.agents.forget();
                    self.surroundings = None;
                    self.figures = None;
                    self.states.clear();
                    return;
                }
                changed = self.wishes.scope.changed() => {
                    let after = self.wishes.scope.borrow().clone();
                    let more = !after.status.is_subset(&before.status) || !after.agent.is_subset(&before.agent)
                        || (after.host && !before.host);
                    if changed.is_err() || (self.down.is_none() && (more || (after.focused && !before.focused))) {
                        return;
                    }
                }
                // Somebody is there again: the wait is the usual one, and may be over.
                Ok(()) = self.wishes.touched.changed() => {}
            }
        }
    }

    fn watched(&self, scope: &Scope) -> Watched {
        let touched = *self.wishes.touched.borrow();
        let happened = touched.max(self.changed);
        match scope.focused {
            false => Watched::ByNobody,
            true if happened.elapsed() < QUIET => Watched::Closely,
            true => Watched::Idly,
        }
    }
}

/// What tells whether anything happens on a host; its load doesn't.
fn states(facts: &Facts) -> Option<impl Iterator<Item = (Vmid, Power, Option<&str>)>> {
    facts.qemu.value.as_ref()?;
    Some(facts.guests().map(|guest| (guest.vmid, guest.power, guest.lock.as_deref())))
}

fn is_vm(facts: &Facts, vmid: Vmid) -> bool {
    facts.guest(vmid).is_some_and(|guest| guest.kind == GuestKind::Qemu)
}

fn unanswered(seen: &Facts) -> Option<Trouble> {
    let (qemu, lxc) = (&seen.qemu, &seen.lxc);
    if qemu.value.is_none() && lxc.value.is_none() { qemu.error.clone().or_else(|| lxc.error.clone()) } else { None }
}

fn config_is_due(known: &Facts, vmid: Vmid, now: Millis) -> bool {
    let seen = known.configs.get(&vmid).and_then(|part| part.seen);
    seen.is_none_or(|at| now.since(at) >= CONFIG_AGE)
}

async fn detail(host: &Host, vmid: Vmid, question: Question) -> Option<Answer> {
    let kind = match question {
        Question::Config => Some(GuestKind::Qemu),
        Question::Container => Some(GuestKind::Lxc),
        Question::Status => None,
    };
    if let Some(kind) = kind {
        return Some(Answer::Config(Box::new(host.config_of(vmid, kind).await)));
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
