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

/// A time below the first that reduced motion tells.
const SHORT: &str = "<10s";

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

impl Model {
    /// Milliseconds below which a time counts as none yet, and the least from one value of a time to the next.
    #[must_use]
    pub const fn beat(&self) -> u64 {
        if self.setup.reduced_motion { 10_000 } else { 1_000 }
    }

    /// The elapsed time of what began at `then` and goes on: in seconds, and with reduced motion in tens of them and
    /// then in minutes.
    #[must_use]
    pub fn elapsed(&self, then: Millis) -> String {
        let seconds = self.told(then).since(then) / 1000;
        match seconds {
            _ if !self.setup.reduced_motion => text::duration(seconds),
            0 => SHORT.to_owned(),
            1..3600 => age_of(seconds * 1000),
            _ => text::duration(seconds),
        }
    }

    /// An age as [`age_of`] says it, with reduced motion no finer than in tens of seconds.
    #[must_use]
    pub fn age(&self, ms: u64) -> String {
        if self.setup.reduced_motion && ms < self.beat() { SHORT.to_owned() } else { age_of(ms) }
    }

    /// The moment up to which the elapsed time of what began at `then` is told.
    #[must_use]
    pub const fn told(&self, then: Millis) -> Millis {
        let ms = self.now.since(then);
        then.plus(ms / self.pace(ms) * self.pace(ms))
    }

    /// Milliseconds from one value of an elapsed time to the next.
    const fn pace(&self, ms: u64) -> u64 {
        if self.setup.reduced_motion && ms >= 60_000 { 60_000 } else { self.beat() }
    }

    /// When [`elapsed`](Self::elapsed) says something else.
    const fn next_elapsed(&self, then: Millis) -> Millis {
        self.told(then).plus(self.pace(self.now.since(then)))
    }

    /// When [`age`](Self::age) says something else.
    fn next_age(&self, then: Millis) -> Millis {
        let ms = self.now.since(then);
        let step = (step(ms) * 1000).max(self.beat());
        then.plus((ms / step + 1) * step)
    }

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
            Link::Down { since, .. } => Some(self.next_age(*since)),
            _ => None,
        };
        let seen = self.facts.qemu.seen.map(|seen| match self.old() {
            Some(_) => self.next_age(seen),
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
            Some(if part.error.is_some() || self.now.since(at) >= ASKED { self.next_age(at) } else { at.plus(ASKED) })
        });
        lists.chain(config).map(|seen| self.next_age(seen)).chain(agent).min()
    }

    /// The elapsed times of what runs now. An operation's own counts as one with its step's, unless they seldom change.
    fn next_counter(&self) -> Option<Millis> {
        let looking = self.ui.layers.iter().find_map(|layer| match layer {
            Layer::Looking { since, .. } => Some(self.next_elapsed(*since)),
            _ => None,
        });
        let running = self.running_op().and_then(|op| {
            let begun = op.state.current().and_then(|step| step.begun);
            let whole = Some(op.state.started).filter(|_| begun.is_none() || self.setup.reduced_motion);
            begun.into_iter().chain(whole).map(|then| self.next_elapsed(then)).min()
        });
        let planting = self.plant.live_run().and_then(|run| {
            let begun = run.state.current().and_then(|step| step.begun);
            begun.into_iter().chain([run.state.started]).map(|then| self.next_elapsed(then)).min()
        });
        let wizard = self.plant.looking.filter(|_| self.is_planting_shown()).map(|(_, since)| self.next_elapsed(since));
        looking.into_iter().chain(running).chain(planting).chain(wizard).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_change_seldom() {
        let ages = [0, 4_999, 23_000, 59_000, 61_000, 3_599_000, 7_300_000, 200_000_000];
        assert_eq!(ages.map(age_of), ["0s", "4s", "20s", "50s", "1m", "59m", "2h", "2d"]);
        let next = [23_000, 3_200, 61_000].map(|ms| at(ms, false).next_age(Millis(0)).0);
        assert_eq!(next, [30_000, 4_000, 120_000]);
        assert_eq!(at(1_000, false).next_elapsed(Millis(0)), Millis(2_000));
        assert_eq!(ago(Millis(7_300_000), Millis(0)), "2h ago");
    }

    #[test]
    fn with_reduced_motion_times_go_in_coarse_steps() {
        let times = [0, 9_999, 10_000, 59_000, 61_000, 179_000, 3_725_000];
        let elapsed = times.map(|ms| at(ms, true).elapsed(Millis(0)));
        assert_eq!(elapsed, ["<10s", "<10s", "10s", "50s", "1m", "2m", "1h 02m"]);
        assert_eq!(times.map(|ms| at(ms, true).age(ms)), ["<10s", "<10s", "10s", "50s", "1m", "2m", "1h"]);
        assert_eq!(times.map(|ms| at(ms, false).elapsed(Millis(0)))[1..4], ["9s", "10s", "59s"]);
    }

    #[test]
    fn a_time_says_the_same_until_its_next_value_is_due() {
        for (ms, reduced) in (0..200_000).step_by(333).flat_map(|ms| [(ms, false), (ms, true)]) {
            let now = at(ms, reduced);
            let (elapsed, age) = (now.next_elapsed(Millis(0)).0, now.next_age(Millis(0)).0);
            assert_eq!(at(elapsed - 1, reduced).elapsed(Millis(0)), now.elapsed(Millis(0)));
            assert_ne!(at(elapsed, reduced).elapsed(Millis(0)), now.elapsed(Millis(0)), "{ms}");
            assert_eq!(at(age - 1, reduced).age(age - 1), now.age(ms));
            assert_ne!(at(age, reduced).age(age), now.age(ms), "{ms}");
        }
    }

    fn at(ms: u64, reduced_motion: bool) -> Model {
        // Reading the keymap takes longer than all the rest.
        static MODEL: std::sync::LazyLock<Model> = std::sync::LazyLock::new(Model::default);
        let mut model = MODEL.clone();
        (model.now, model.setup.reduced_motion) = (Millis(ms), reduced_motion);
        model
    }
}
