//! Times on screen, and when the next of them changes. Nothing else makes the dashboard wake up.

use super::{Model, layer::Layer};
use crate::{
    domain::{ids::Millis, text},
    tui::msg::Link,
};

/// Milliseconds after which data counts as old and shows its age.
const OLD: u64 = 20_000;

/// Milliseconds after which an agent's answer shows its age.
pub const ASKED: u64 = 60_000;

/// An age in steps that grow with it, so that it seldom changes: seconds, from ten on in tens, minutes, hours, days.
#[must_use]
pub fn age_of(ms: u64) -> String {
    text::duration(ms / 1000 / step(ms) * step(ms)).split(' ').next().unwrap_or_default().to_owned()
}

/// A moment in the past: `just now`, `5m ago`, `2h ago`.
#[must_use]
pub fn ago(now: Millis, then: Millis) -> String {
    match now.since(then) {
        0..60_000 => "just now".to_owned(),
        ms => format!("{} ago", age_of(ms)),
    }
}

/// Seconds from one value of an age to the next.
const fn step(ms: u64) -> u64 {
    match ms / 1000 {
        0..10 => 1,
        10..60 => 10,
        60..3600 => 60,
        3600..86_400 => 3600,
        _ => 86_400,
    }
}

/// When an age that began at `then` shows another value.
fn next_age(now: Millis, then: Millis) -> Millis {
    let ms = now.since(then);
    let step = step(ms) * 1000;
    then.plus((ms / step + 1) * step)
}

/// When a counter of whole seconds that began at `then` shows another value.
const fn next_second(now: Millis, then: Millis) -> Millis {
    then.plus((now.since(then) / 1000 + 1) * 1000)
}

impl Model {
    /// A moment by the clock on the wall in eight columns: `20:15:03`, and on another day `Fr 20:15`.
    #[must_use]
    pub fn wall(&self, at: Millis) -> String {
        const DAYS: [&str; 7] = ["Th", "Fr", "Sa", "Su", "Mo", "Tu", "We"];
        let local = |at: Millis| (at.0 / 1000).saturating_add_signed(self.setup.zone.into());
        let (now, then) = (local(self.now), local(at));
        let (hour, minute, second) = (then / 3600 % 24, then / 60 % 60, then % 60);
        let day = then / 86_400;
        match DAYS.iter().cycle().nth(usize::try_from(day % 7).unwrap_or_default()) {
            Some(name) if day != now / 86_400 => format!("{name} {hour:02}:{minute:02}"),
            _ => format!("{hour:02}:{minute:02}:{second:02}"),
        }
    }

    /// How local time differs from UTC: `UTC`, `UTC+1`, `UTC-3:30`.
    #[must_use]
    pub fn zone(&self) -> String {
        let minutes = self.setup.zone / 60;
        let sign = if minutes < 0 { '-' } else { '+' };
        match (minutes.abs() / 60, minutes.abs() % 60) {
            (0, 0) => "UTC".to_owned(),
            (hours, 0) => format!("UTC{sign}{hours}"),
            (hours, minutes) => format!("UTC{sign}{hours}:{minutes:02}"),
        }
    }

    /// When the runtime must send the next [`Msg::Clock`](crate::tui::msg::Msg::Clock) even if nothing else happens;
    /// none means that no timer is needed. It is always later than [`Model::now`].
    #[must_use]
    pub fn next_deadline(&self) -> Option<Millis> {
        let later = |at: &Millis| *at > self.now;
        let toast = self.ui.toasts.iter().map(|toast| toast.until).min();
        [toast, self.ui.leaving_until, self.next_counter(), self.next_look_age()]
            .into_iter()
            .flatten()
            .filter(later)
            .min()
    }

    /// Age of what the host's lists say; none if nothing was seen yet or it is fresh.
    #[must_use]
    pub fn old(&self) -> Option<u64> {
        let age = self.now.since(self.facts.qemu.seen?);
        (age >= OLD).then_some(age)
    }

    fn next_look_age(&self) -> Option<Millis> {
        let down = match &self.link {
            Link::Down { since, .. } => Some(next_age(self.now, *since)),
            _ => None,
        };
        let seen = self.facts.qemu.seen.map(|seen| match self.old() {
            Some(_) => next_age(self.now, seen),
            None => seen.plus(OLD),
        });
        down.into_iter().chain(seen).chain(self.next_part_age()).min()
    }

    /// The ages of what couldn't be looked at anew, and of what the selected guest's agent said.
    fn next_part_age(&self) -> Option<Millis> {
        let lists = [&self.facts.qemu, &self.facts.lxc];
        let lists = lists.into_iter().filter(|list| list.error.is_some()).filter_map(|list| list.seen);
        let subject = self.subject().map(|row| row.vmid);
        let config = subject.and_then(|vmid| self.facts.configs.get(&vmid));
        let config = config.filter(|part| part.error.is_some()).and_then(|part| part.seen);
        let agent = subject.and_then(|vmid| self.facts.agents.get(&vmid)).and_then(|part| {
            let at = part.value.as_ref()?.at;
            Some(if part.error.is_some() || self.now.since(at) >= ASKED {
                next_age(self.now, at)
            } else {
                at.plus(ASKED)
            })
        });
        lists.chain(config).map(|seen| next_age(self.now, seen)).chain(agent).min()
    }

    /// The elapsed seconds of what runs now.
    fn next_counter(&self) -> Option<Millis> {
        let looking = self.ui.layers.iter().find_map(|layer| match layer {
            Layer::Looking { since, .. } => Some(next_second(self.now, *since)),
            _ => None,
        });
        let running = self.running_op().map(|op| {
            let begun = op.state.current().and_then(|step| step.begun);
            next_second(self.now, begun.unwrap_or(op.state.started))
        });
        looking.into_iter().chain(running).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_change_seldom() {
        let ages = [0, 4_999, 23_000, 59_000, 61_000, 3_599_000, 7_300_000, 200_000_000];
        assert_eq!(ages.map(age_of), ["0s", "4s", "20s", "50s", "1m", "59m", "2h", "2d"]);
        assert_eq!(next_age(Millis(23_000), Millis(0)), Millis(30_000));
        assert_eq!(next_age(Millis(3_200), Millis(0)), Millis(4_000));
        assert_eq!(next_age(Millis(61_000), Millis(0)), Millis(120_000));
        assert_eq!(next_second(Millis(1_000), Millis(0)), Millis(2_000));
        assert_eq!(ago(Millis(7_300_000), Millis(0)), "2h ago");
    }
}
