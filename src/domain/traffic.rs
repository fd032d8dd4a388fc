//! What guests send, measured: a rate takes two samples a second apart.

use super::{
    guest::Guest,
    ids::{Millis, Vmid},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Milliseconds that lie between two samples at least.
pub const APART: u64 = 1_000;
/// Milliseconds after which a sample says nothing of now.
const STALE: u64 = 30_000;

/// What a guest had sent since its start at a moment.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
struct Sample {
    at: Millis,
    sent: u64,
}

/// What guests send, as far as two samples of each could be compared.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct Traffic {
    samples: BTreeMap<Vmid, Sample>,
    rates: BTreeMap<Vmid, u64>,
}

impl Traffic {
    /// Takes what a guest has sent by `at`. A sample that comes too early after the last one waits for a later one; a
    /// counter that fell belongs to a new start.
    pub fn count(&mut self, guest: &Guest, at: Millis) {
        let vmid = guest.vmid;
        let Some(sent) = guest.netout.filter(|_| guest.power.holds_devices()) else {
            self.samples.remove(&vmid);
            self.rates.remove(&vmid);
            return;
        };
        if let Some(before) = self.samples.get(&vmid) {
            let elapsed = at.since(before.at);
            match sent.checked_sub(before.sent) {
                Some(_) if elapsed < APART => return,
                Some(more) => self.rates.insert(vmid, more.saturating_mul(1_000) / elapsed),
                None => self.rates.remove(&vmid),
            };
        }
        self.samples.insert(vmid, Sample { at, sent });
    }

    /// Takes newer measurements in.
    pub fn merge(&mut self, newer: Self) {
        for (vmid, sample) in newer.samples {
            let rate = newer.rates.get(&vmid).copied();
            if rate.is_some() || !self.samples.contains_key(&vmid) {
                self.samples.insert(vmid, sample);
                self.rates.extend(rate.map(|rate| (vmid, rate)));
            }
        }
    }

    /// Bytes per second that a guest sends, measured not long before `now`.
    #[must_use]
    pub fn rate(&self, vmid: Vmid, now: Millis) -> Option<u64> {
        let sample = self.samples.get(&vmid)?;
        self.rates.get(&vmid).copied().filter(|_| now.since(sample.at) <= STALE)
    }

    /// A guest that was seen to send so much.
    #[cfg(test)]
    pub(crate) fn saw(&mut self, vmid: Vmid, rate: u64, at: Millis) {
        self.samples.insert(vmid, Sample { at, sent: 0 });
        self.rates.insert(vmid, rate);
    }

    /// A guest that nobody has measured.
    #[cfg(test)]
    pub(crate) fn forget(&mut self, vmid: Vmid) {
        self.samples.remove(&vmid);
        self.rates.remove(&vmid);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        guest::Power,
        testing::{self, LINUX, id},
    };

    fn sample(sent: u64) -> Guest {
        Guest { netout: Some(sent), ..testing::guest(LINUX, Power::Running) }
    }

    #[test]
    fn a_rate_takes_two_samples_a_second_apart_of_one_start() {
        let (mut traffic, vmid) = (Traffic::default(), id(LINUX));
        for (at, sent, rate) in [
            (0, 1_000, None),
            (999, 9_000, None),
            (2_000, 21_000, Some(10_000)),
            (2_500, 400_000, Some(10_000)),
            (3_000, 421_000, Some(400_000)),
            (4_000, 5, None),
            (5_000, 10, Some(5)),
        ] {
            traffic.count(&sample(sent), Millis(at));
            assert_eq!(traffic.rate(vmid, Millis(at)), rate, "at {at}");
        }
        assert_eq!(traffic.rate(vmid, Millis(60_000)), None, "long ago");
        traffic.count(&testing::guest(LINUX, Power::Stopped), Millis(6_000));
        assert_eq!(traffic.rate(vmid, Millis(6_000)), None);
    }
}
