//! How long to wait before asking again.

use std::time::Duration;

/// The longest that an unreachable host is left alone.
const LONGEST: Duration = Duration::from_mins(1);
/// How much less often is enough while nobody looks.
const UNWATCHED: u32 = 6;

/// The wait between two looks: the usual one, twice as long after each further failure, longer while nobody looks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    usual: Duration,
    longest: Duration,
    failures: u32,
}

impl Pace {
    /// Looks at the host.
    pub(crate) fn of_host(usual: Duration) -> Self {
        Self { usual, longest: LONGEST.max(usual), failures: 0 }
    }

    /// A question was answered.
    pub(crate) const fn answered(&mut self) {
        self.failures = 0;
    }

    /// A question wasn't.
    pub(crate) const fn failed(&mut self) {
        self.failures = self.failures.saturating_add(1);
    }

    /// How long to wait now.
    pub(crate) fn wait(&self, watched: bool) -> Duration {
        let doublings = self.failures.saturating_sub(1).min(16);
        let wait = self.usual.saturating_mul(1 << doublings).min(self.longest);
        if watched { wait } else { wait.max(self.usual.saturating_mul(UNWATCHED)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unreachable_host_is_asked_less_and_less_often() {
        let mut pace = Pace::of_host(Duration::from_secs(5));
        let mut waits = vec![pace.wait(true).as_secs()];
        for _ in 0..40 {
            pace.failed();
            waits.push(pace.wait(true).as_secs());
        }
        assert_eq!(waits[..7], [5, 5, 10, 20, 40, 60, 60]);
        assert_eq!(waits.last(), Some(&60));
        pace.answered();
        assert_eq!(pace.wait(true).as_secs(), 5);
    }

    #[test]
    fn a_host_that_nobody_watches_is_looked_at_less_often() {
        assert_eq!(Pace::of_host(Duration::from_secs(5)).wait(false).as_secs(), 30);
        assert_eq!(Pace::of_host(Duration::from_mins(2)).wait(true).as_secs(), 120);
    }
}
