//! Which mode ran when, as far as the journals of operations and the guests' uptimes tell.

use super::Model;
use crate::{
    domain::{
        guest::Power,
        ids::{Millis, Vmid},
        switch::{
            plan::StepAction,
            state::{Phase, State},
        },
    },
    tui::msg::OpBrief,
};

/// What a guest was doing for a while.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Was {
    /// It ran: the host counts its uptime.
    On,
    /// It ran when an operation had started it, and nothing speaks against it.
    Left,
    /// It was off when an operation had stopped it, or before one started it, and nothing speaks against it.
    Off,
    /// Nobody knows.
    Unknown,
}

/// A change that an operation saw: when, and whether the guest runs from then on.
type Change = (Millis, bool);

/// What a guest did from `from` to now: when something else began, oldest first.
#[must_use]
pub fn life(model: &Model, vmid: Vmid, from: Millis) -> Vec<(Millis, Was)> {
    let changes = changes(&model.ops, vmid);
    let mut all = vec![(from, Was::Unknown)];
    let begins = |at: Millis| at.max(from);
    for pair in changes.windows(2) {
        let [(at, on), (_, next)] = pair else { continue };
        // Two starts in a row: somebody else stopped it in between, nobody knows when.
        let was = if on == next { Was::Unknown } else { held(*on) };
        all.push((begins(*at), was));
    }
    let up = model.facts.up_since(vmid);
    let runs = model.facts.power(vmid);
    if let Some((at, on)) = changes.last().copied() {
        let agrees = match (runs, up) {
            (Power::Unknown, _) => true,
            (Power::Stopped, _) => !on,
            // Off until it was started elsewhere; or on since the operation, but not if it was started again since.
            (_, Some(up)) => !on || up <= at.plus(START),
            (_, None) => on,
        };
        all.push((begins(at), if agrees { held(on) } else { Was::Unknown }));
    }
    if let Some(up) = up {
        all.retain(|(at, _)| *at < begins(up));
        all.push((begins(up), Was::On));
    }
    all.dedup_by(|later, earlier| {
        let same_time = later.0 == earlier.0;
        if same_time {
            earlier.1 = later.1;
        }
        same_time || later.1 == earlier.1
    });
    all
}

/// How long a start may take to be counted, milliseconds.
const START: u64 = 120_000;

const fn held(on: bool) -> Was {
    if on { Was::Left } else { Was::Off }
}

fn changes(ops: &[OpBrief], vmid: Vmid) -> Vec<Change> {
    let mut all: Vec<Change> = ops.iter().flat_map(|op| of_op(&op.state, vmid)).collect();
    all.sort();
    // What an operation started and a later one found running is one start.
    all.dedup_by(|later, earlier| later.1 && earlier.1 && later.0.since(earlier.0) <= START);
    all
}

/// What an operation changed, and since when the guest had been running that it stopped.
fn of_op(state: &State, vmid: Vmid) -> Vec<Change> {
    let mut all = Vec::new();
    let done = state.steps.iter().filter(|step| step.step.party.vmid == vmid && step.phase == Phase::Done);
    for (step, at) in done.filter_map(|step| Some((step, step.ended?))) {
        match step.step.action {
            StepAction::Start { .. } => all.push((at, true)),
            ref action if action.stops() => {
                let known = state.plan.basis.iter().find(|guest| guest.party.vmid == vmid);
                let since = known.and_then(|guest| guest.up_since).filter(|since| all.is_empty() && *since < at);
                all.extend(since.map(|since| (since, true)));
                all.push((at, false));
            }
            _ => {}
        }
    }
    all
}

/// The same in so many columns of equal length that end now: in each what lasted longest.
#[must_use]
pub fn columns(life: &[(Millis, Was)], from: Millis, now: Millis, count: u16) -> Vec<Was> {
    let whole = now.since(from).max(1);
    let edge = |i: u16| from.0 + whole * u64::from(i) / u64::from(count.max(1));
    let in_column = |i: u16| {
        let (begin, end) = (edge(i), edge(i + 1));
        let overlap = |k: usize, at: Millis| {
            let until = life.get(k + 1).map_or(now.0, |(at, _)| at.0);
            until.min(end).saturating_sub(at.0.max(begin))
        };
        let longest = life.iter().enumerate().map(|(k, (at, was))| (overlap(k, *at), *was)).max_by_key(|(ms, _)| *ms);
        longest.filter(|(ms, _)| *ms > 0).map_or(Was::Unknown, |(_, was)| was)
    };
    (0..count).map(in_column).collect()
}

/// Milliseconds that it ran, as far as anybody knows.
#[must_use]
pub fn ran(life: &[(Millis, Was)], now: Millis) -> u64 {
    let until = |k: usize| life.get(k + 1).map_or(now, |(at, _)| *at);
    let runs = |was: &Was| matches!(was, Was::On | Was::Left);
    life.iter().enumerate().filter(|(_, (_, was))| runs(was)).map(|(k, (at, _))| until(k).since(*at)).sum()
}
