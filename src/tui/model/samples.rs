//! What was measured over the last hour, in slots of half a minute: the host's own records joined with what every look
//! brings. A slot in which nothing was measured stays empty; it is a gap, not a zero.

use crate::domain::{
    facts::{Facts, Trouble},
    guest::Guest,
    ids::Millis,
    load::{GpuLoad, HostStatus, Measured, Reading},
};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Milliseconds of a slot.
const SLOT: u64 = 30_000;
/// Slots of a minute.
const PER_MINUTE: u64 = 2;
/// Slots that are kept: an hour and the minute that isn't full.
const SLOTS: u64 = 122;
/// How many guests' slots are kept, those that were looked at last; about 6 KiB each.
const GUESTS: usize = 16;

/// What is measured.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Series {
    /// CPU use, fraction of all its CPUs.
    Cpu,
    /// Memory in use, bytes.
    Memory,
    /// Received, bytes per second.
    Received,
    /// Sent, bytes per second.
    Sent,
    /// How busy the GPU is, fraction.
    Gpu,
    /// Memory of the GPU in use, bytes.
    GpuMemory,
}

const SERIES: usize = 6;

/// Everything measured of the host and of the guests that were looked at last.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default)]
pub struct Samples {
    /// The one that was looked at last is at the end.
    tracks: Vec<Track>,
}

/// What was measured of the host or of one guest.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Track {
    of: Measured,
    /// Oldest first, without holes.
    slots: VecDeque<[Mean; SERIES]>,
    /// The number of the newest slot, counted from the Unix epoch.
    newest: u64,
    /// The newest look that was taken in.
    seen: Millis,
    /// The newest answer of the guest's agent that was taken in.
    heard: Millis,
    counters: Option<Counters>,
    /// Why the host's own records couldn't be read, the last time.
    pub trouble: Option<Trouble>,
}

/// The mean of what was measured within a slot.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
struct Mean {
    sum: f32,
    count: u8,
    /// From the host's records; gives way to what was seen.
    recorded: bool,
}

/// Counters at an earlier look.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
struct Counters {
    at: Millis,
    received: Option<u64>,
    sent: Option<u64>,
    uptime: Option<u64>,
}

impl Mean {
    fn add(&mut self, value: f32, recorded: bool) {
        if recorded && self.count > 0 {
            return;
        }
        if self.recorded || self.count == u8::MAX {
            *self = Self::default();
        }
        *self = Self { sum: self.sum + value, count: self.count + 1, recorded };
    }

    fn value(self) -> Option<f32> {
        (self.count > 0).then(|| self.sum / f32::from(self.count))
    }
}

impl Samples {
    /// What is known of one; none if nobody has looked at it lately.
    #[must_use]
    pub fn of(&self, of: Measured) -> Option<&Track> {
        self.tracks.iter().find(|track| track.of == of)
    }

    /// From now on this one is measured; the guest that nobody looked at for longest is forgotten for it.
    pub(in crate::tui) fn want(&mut self, of: Measured) {
        let place = self.tracks.iter().position(|track| track.of == of);
        if place.is_some_and(|place| place + 1 == self.tracks.len()) {
            return;
        }
        let track = place.map_or_else(|| Track::new(of), |place| self.tracks.remove(place));
        if self.tracks.len() > GUESTS
            && let Some(oldest) = self.tracks.iter().position(|track| track.of != Measured::Host)
        {
            self.tracks.remove(oldest);
        }
        self.tracks.push(track);
    }

    /// Takes the host's own records in.
    pub(in crate::tui) fn recorded(&mut self, of: Measured, result: Result<Vec<Reading>, Trouble>) {
        let Some(track) = self.tracks.iter_mut().find(|track| track.of == of) else { return };
        match result {
            Ok(rows) => {
                track.trouble = None;
                for row in &rows {
                    track.record(row);
                }
            }
            Err(trouble) => track.trouble = Some(trouble),
        }
    }

    /// Takes a look in.
    pub(in crate::tui) fn seen(&mut self, facts: &Facts) {
        for track in &mut self.tracks {
            match track.of {
                Measured::Host => track.host(facts),
                Measured::Guest(vmid) => {
                    if let (Some(at), Some(guest)) = (facts.qemu.seen, facts.guest(vmid)) {
                        track.guest(guest, at);
                    }
                    if let Some(agent) = facts.agent(vmid)
                        && agent.at > track.heard
                    {
                        track.heard = agent.at;
                        track.gpu(agent.load, agent.at);
                    }
                }
            }
        }
    }
}

impl Track {
    fn new(of: Measured) -> Self {
        let (newest, seen, heard) = (0, Millis(0), Millis(0));
        Self { of, slots: VecDeque::new(), newest, seen, heard, counters: None, trouble: None }
    }

    fn record(&mut self, row: &Reading) {
        let all = [
            (Series::Cpu, row.cpu),
            (Series::Memory, row.memory),
            (Series::Received, row.received),
            (Series::Sent, row.sent),
        ];
        for (series, value) in all {
            for at in (row.at.0..row.at.0.saturating_add(Reading::COVERS)).step_by(30_000) {
                self.put(Millis(at), series, value, true);
            }
        }
    }

    fn host(&mut self, facts: &Facts) {
        let (Some(HostStatus { cpu, memory, .. }), Some(at)) = (&facts.host.value, facts.host.seen) else { return };
        if at > self.seen {
            let since = std::mem::replace(&mut self.seen, at);
            self.over(since, at, Series::Cpu, cpu.map(small));
            self.over(since, at, Series::Memory, Some(big(memory.total.saturating_sub(memory.available))));
        }
    }

    fn guest(&mut self, guest: &Guest, at: Millis) {
        if at <= self.seen {
            return;
        }
        self.seen = at;
        if !guest.power.holds_devices() {
            self.counters = None;
            return;
        }
        let now = Counters { at, received: guest.netin, sent: guest.netout, uptime: guest.uptime };
        // Counters begin anew with every start.
        let before = self.counters.replace(now).filter(|before| before.uptime <= now.uptime);
        let since = before.map_or(at, |before| before.at);
        self.over(since, at, Series::Cpu, guest.cpu.map(small));
        self.over(since, at, Series::Memory, guest.mem.map(big));
        let Some(before) = before.filter(|before| now.at.since(before.at) >= 1_000) else { return };
        let rate = |then: Option<u64>, now: Option<u64>, elapsed| {
            Some(big(now?.checked_sub(then?)?.saturating_mul(1_000) / elapsed))
        };
        let elapsed = now.at.since(before.at);
        self.over(since, at, Series::Received, rate(before.received, now.received, elapsed));
        self.over(since, at, Series::Sent, rate(before.sent, now.sent, elapsed));
    }

    fn gpu(&mut self, load: Option<GpuLoad>, at: Millis) {
        let Some(load) = load else { return };
        self.put(at, Series::Gpu, load.busy.map(|percent| f32::from(percent) / 100.0), false);
        self.put(at, Series::GpuMemory, load.memory.map(|memory| big(memory.used)), false);
    }

    /// What a look brings stands for the time since the look before, if that isn't long ago.
    fn over(&mut self, since: Millis, at: Millis, series: Series, value: Option<f32>) {
        const FAR: u64 = 3;
        let newest = at.0 / SLOT;
        let oldest = since.0 / SLOT + 1;
        let first = if oldest + FAR >= newest { oldest.min(newest) } else { newest };
        for number in first..=newest {
            self.put(Millis(number * SLOT), series, value, false);
        }
    }

    fn put(&mut self, at: Millis, series: Series, value: Option<f32>, recorded: bool) {
        let number = at.0 / SLOT;
        if number > self.newest {
            let fresh = (number - self.newest).min(SLOTS);
            self.slots.extend((0..fresh).map(|_| [Mean::default(); SERIES]));
            self.newest = number;
            while self.slots.len() as u64 > SLOTS {
                self.slots.pop_front();
            }
        }
        let back = self.newest - number;
        let place = (self.slots.len() as u64).checked_sub(back + 1).and_then(|place| usize::try_from(place).ok());
        let slot = place.and_then(|place| self.slots.get_mut(place));
        if let (Some(mean), Some(value)) = (slot.and_then(|slot| slot.get_mut(series as usize)), value) {
            mean.add(value, recorded);
        }
    }

    fn slot(&self, number: u64, series: Series) -> Option<f32> {
        let back = self.newest.checked_sub(number)?;
        let place = usize::try_from((self.slots.len() as u64).checked_sub(back + 1)?).ok()?;
        self.slots.get(place)?.get(series as usize)?.value()
    }

    /// What was measured in the last `count` minutes, oldest first; in more columns than an hour has minutes, the hour
    /// is spread over them. Only whole minutes are shown, so that a picture changes once a minute.
    #[must_use]
    pub fn columns(&self, series: Series, now: Millis, count: u16) -> Vec<Option<f32>> {
        let end = now.0 / (SLOT * PER_MINUTE) * PER_MINUTE;
        let (count, shown) = (u64::from(count), u64::from(minutes_of(count)) * PER_MINUTE);
        let first = end.saturating_sub(shown);
        let column = |i: u64| {
            let from = i * shown / count;
            let until = ((i + 1) * shown / count).max(from + 1);
            let values = (from..until).filter_map(|slot| self.slot(first + slot, series));
            let (sum, found) = values.fold((0.0, 0_u8), |(sum, found), value| (sum + value, found + 1));
            (found > 0).then(|| sum / f32::from(found))
        };
        (0..count).map(column).collect()
    }

    /// What was measured last, if that was within the last minute or so.
    #[must_use]
    pub fn latest(&self, series: Series, now: Millis) -> Option<f32> {
        let newest = now.0 / SLOT;
        (newest.saturating_sub(2)..=newest).rev().find_map(|number| self.slot(number, series))
    }

    /// Whether anything of it was measured in the last hour, but for the minute that isn't full.
    #[must_use]
    pub fn has(&self, series: Series, now: Millis) -> bool {
        self.columns(series, now, 60).iter().any(Option::is_some)
    }
}

/// Minutes that so many columns stand for: one each, and an hour at most.
#[must_use]
pub const fn minutes_of(columns: u16) -> u16 {
    if columns < 60 { columns } else { 60 }
}

#[expect(clippy::cast_possible_truncation, reason = "a fraction for a picture")]
const fn small(fraction: f64) -> f32 {
    fraction as f32
}

#[expect(clippy::cast_precision_loss, reason = "bytes for a picture")]
const fn big(bytes: u64) -> f32 {
    bytes as f32
}

#[cfg(test)]
#[path = "samples_tests.rs"]
mod tests;
