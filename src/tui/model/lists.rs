//! What the two lists show, and in which order.

use super::{
    Model,
    needle::{Fields, Needle},
};
use crate::domain::{
    guest::{Guest, Power},
    ids::Vmid,
    mode::Mode,
};
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;

/// A column of the guests pane that its rows can stand by.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SortBy {
    /// The number, the lowest first.
    #[default]
    Id,
    /// The name, from a to z.
    Name,
    /// What it is doing: running, held, stopped, template.
    State,
    /// CPU use, the highest first.
    Cpu,
    /// Memory in use, the most first.
    Memory,
}

/// How the guests stand.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct Sort {
    /// By which column.
    pub by: SortBy,
    /// The other way round than that column usually goes.
    pub reversed: bool,
}

impl Sort {
    /// Whether the highest comes first.
    #[must_use]
    pub const fn is_falling(self) -> bool {
        matches!(self.by, SortBy::Cpu | SortBy::Memory) != self.reversed
    }

    /// In words; nothing for the usual order.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match (self.by, self.reversed) {
            (SortBy::Id, false) => "",
            (SortBy::Id, true) => "highest number first",
            (SortBy::Name, false) => "by name",
            (SortBy::Name, true) => "by name, z first",
            (SortBy::State, false) => "running first",
            (SortBy::State, true) => "stopped first",
            (SortBy::Cpu, false) => "most CPU first",
            (SortBy::Cpu, true) => "least CPU first",
            (SortBy::Memory, false) => "most memory first",
            (SortBy::Memory, true) => "least memory first",
        }
    }
}

/// What guests are compared by.
#[derive(Eq, Ord, PartialEq, PartialOrd)]
enum Key {
    Number(u64),
    Text(String),
}

impl Model {
    /// Modes that the filter lets through, in the file's order, whatever the guests stand by.
    #[must_use]
    pub fn shown_modes(&self) -> Vec<&Mode> {
        let needle = Needle::new(&self.ui.filter.text);
        let fits = |mode: &Mode| {
            let guest = self.facts.guest(mode.vmid);
            let text = || format!("{} {} {} {}", mode.name, mode.aliases.join(" "), mode.vmid, mode.description);
            needle.fits(text, &Fields { name: mode.name.as_str(), vmid: mode.vmid, guest })
        };
        self.setup.modes.0.iter().filter(|mode| needle.is_empty() || fits(mode)).collect()
    }

    /// Guests that the filter lets through, VMs and containers together, as they are to stand.
    #[must_use]
    pub fn shown_guests(&self) -> Vec<&Guest> {
        let needle = Needle::new(&self.ui.filter.text);
        let fits = |guest: &Guest| {
            let lock = guest.lock.as_deref().unwrap_or_default();
            let text = || format!("{} {} {} {lock} {}", guest.vmid, guest.name, guest.power, guest.tags.join(" "));
            needle.fits(text, &Fields { name: &guest.name, vmid: guest.vmid, guest: Some(guest) })
        };
        let mut shown = Vec::with_capacity(self.facts.guests().size_hint().0);
        shown.extend(self.facts.guests().filter(|guest| needle.is_empty() || fits(guest)));
        let sort = self.ui.sort;
        match (sort.by, sort.reversed) {
            (SortBy::Id, false) => shown.sort_unstable_by_key(|guest| guest.vmid),
            (SortBy::Id, true) => shown.sort_unstable_by_key(|guest| std::cmp::Reverse(guest.vmid)),
            _ => self.sort_by_value(&mut shown),
        }
        shown
    }

    /// By a value, equal ones by number; who has no such value stands last, whichever way it goes.
    fn sort_by_value(&self, guests: &mut Vec<&Guest>) {
        let falling = self.ui.sort.is_falling();
        let mut keyed: Vec<(Option<Key>, &Guest)> = guests.iter().map(|guest| (self.key(guest), *guest)).collect();
        keyed.sort_by(|(a, one), (b, other)| {
            let order = match (a, b) {
                (Some(a), Some(b)) if falling => b.cmp(a),
                (Some(a), Some(b)) => a.cmp(b),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => Ordering::Equal,
            };
            order.then(one.vmid.cmp(&other.vmid))
        });
        *guests = keyed.into_iter().map(|(_, guest)| guest).collect();
    }

    fn key(&self, guest: &Guest) -> Option<Key> {
        match self.ui.sort.by {
            SortBy::Id => Some(Key::Number(guest.vmid.get().into())),
            SortBy::Name => Some(Key::Text(guest.name.to_lowercase())),
            SortBy::State => match guest.power {
                _ if guest.template => Some(Key::Number(3)),
                Power::Running => Some(Key::Number(0)),
                Power::Paused | Power::Suspended | Power::Prelaunch | Power::Shutdown => Some(Key::Number(1)),
                Power::Stopped => Some(Key::Number(2)),
                Power::Unknown => None,
            },
            SortBy::Cpu | SortBy::Memory => self.ui.ranks.get(&guest.vmid).copied().map(Key::Number),
        }
    }

    /// Takes the live values in that the guests stand by. A guest keeps the value that it was ranked by until the
    /// present one is clearly another (5 points of CPU, a twentieth of the memory): noise moves no row.
    pub(crate) fn rank(&mut self) {
        let value = |guest: &Guest| -> Option<u64> {
            match self.ui.sort.by {
                SortBy::Cpu => guest.cpu.filter(|_| guest.power.holds_devices()).map(per_mille),
                SortBy::Memory => guest.mem.filter(|_| guest.power.holds_devices()),
                SortBy::Id | SortBy::Name | SortBy::State => None,
            }
        };
        let held = |vmid: Vmid, value: u64| match self.ui.ranks.get(&vmid) {
            Some(before) if before.abs_diff(value) <= self.margin(*before) => *before,
            _ => value,
        };
        let ranks = self.facts.guests().filter_map(|guest| Some((guest.vmid, held(guest.vmid, value(guest)?))));
        self.ui.ranks = ranks.collect();
    }

    /// How far a value may be from the one that its guest is ranked by.
    const fn margin(&self, held: u64) -> u64 {
        match self.ui.sort.by {
            SortBy::Cpu => 50,
            _ => held / 20,
        }
    }
}

/// A fraction in thousandths.
fn per_mille(fraction: f64) -> u64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to what fits")]
    let whole = (fraction * 1_000.0).clamp(0.0, 1_000_000.0).round() as u64;
    whole
}
