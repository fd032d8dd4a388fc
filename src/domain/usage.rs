//! Whether somebody is using a guest right now: the one answer for plans, dialogs and the machine that stops guests.
//!
//! A stream is seen by what the guest sends. That takes two samples a second apart; with fewer, nobody knows, and who
//! isn't known to be idle counts as in use.

use super::{facts::Facts, gpu, guest::Power, ids::Vmid, text};
use std::fmt;

/// Bytes per second above which a guest is taken to be streaming: 5 Mbit/s. VR streams are 50 to 200.
const STREAMING: u64 = 5_000_000 / 8;

/// Whether somebody is using a guest.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Usage {
    /// Nobody is.
    Idle,
    /// It sends so many bytes per second, as a stream does.
    Sending(u64),
    /// Nobody can tell, and why not.
    Unknown(&'static str),
}

impl fmt::Display for Usage {
    /// What a sentence about the guest goes on with: `is in use: it is sending 12 MB per second`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Idle => f.write_str("is idle"),
            Self::Sending(rate) => write!(f, "is in use: it is sending {} per second", text::bytes(*rate)),
            Self::Unknown(why) => write!(f, "may be in use: {why}"),
        }
    }
}

impl Facts {
    /// Whether somebody is using a guest that runs.
    #[must_use]
    pub fn usage(&self, vmid: Vmid) -> Usage {
        if self.power(vmid) != Power::Running {
            return Usage::Unknown("it isn't running normally");
        }
        let Some(seen) = self.qemu.seen else { return Usage::Unknown("it wasn't seen") };
        match self.traffic.rate(vmid, seen) {
            Some(rate) if rate >= STREAMING => Usage::Sending(rate),
            Some(_) if self.has_own_network(vmid) => {
                Usage::Unknown("a network card of the host is passed through to it")
            }
            Some(_) => Usage::Idle,
            None => Usage::Unknown("what it sends couldn't be measured"),
        }
    }

    /// Whether a guest may send past the host: over a network card that is passed through to it.
    fn has_own_network(&self, vmid: Vmid) -> bool {
        let claims = self.claims(vmid).unwrap_or_default();
        let held: Vec<_> = claims.iter().flat_map(gpu::functions).collect();
        let mut devices = self.pci.value.iter().flat_map(|pci| &pci.devices);
        devices.any(|device| device.class.is_network() && held.iter().any(|addr| addr.overlaps(device.addr)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        ids::Millis,
        testing::{self, LINUX, change, id},
    };

    #[test]
    fn who_is_not_known_to_be_idle_is_not_idle() {
        let mut facts = testing::facts(&[LINUX]);
        let vmid = id(LINUX);
        assert_eq!(facts.usage(vmid), Usage::Idle);
        facts.traffic.saw(vmid, 30_000_000, Millis(1_000_000));
        assert_eq!(facts.usage(vmid), Usage::Sending(30_000_000));
        facts.traffic.forget(vmid);
        assert!(matches!(facts.usage(vmid), Usage::Unknown(_)));
        change(&mut facts, LINUX, |guest| guest.power = Power::Paused);
        assert!(matches!(facts.usage(vmid), Usage::Unknown(_)));
    }
}
