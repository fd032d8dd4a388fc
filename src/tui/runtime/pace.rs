//! How long to wait before asking again.

use std::time::Duration;

/// The longest that an unreachable host is left alone.
const LONGEST: Duration = Duration::from_mins(1);
/// How much less often is enough while nobody looks.
const UNWATCHED: u32 = 6;
/// How much less often is enough while nothing happens, neither there nor here.
const QUIET: u32 = 3;

/// Who is likely to look at the screen.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Watched {
    /// A person who is at it, or who wants to see what is changing.
    Closely,
    /// Perhaps somebody: nothing changed and no key was pressed for a while.
    Idly,
    /// Nobody: another window has the focus.
    ByNobody,
}

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
    pub(crate) fn wait(&self, watched: Watched) -> Duration {
        let doublings = self.failures.saturating_sub(1).min(16);
        let wait = self.usual.saturating_mul(1 << doublings).min(self.longest);
        let times = match watched {
            Watched::Closely => return wait,
            Watched::Idly => QUIET,
            Watched::ByNobody => UNWATCHED,
        };
        wait.max(self.usual.saturating_mul(times).min(self.longest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unreachable_host_is_asked_less_and_less_often() {
        let mut pace = Pace::of_host(Duration::from_secs(5));
        let mut waits = vec![pace.wait(Watched::Closely).as_secs()];
        for _ in 0..40 {
            pace.failed();
            waits.push(pace.wait(Watched::Closely).as_secs());
        }
        assert_eq!(waits[..7], [5, 5, 10, 20, 40, 60, 60]);
        assert_eq!(waits.last(), Some(&60));
        pace.answered();
        assert_eq!(pace.wait(Watched::Closely).as_secs(), 5);
    }

    #[test]
    fn a_host_that_nobody_watches_is_looked_at_less_often() {
        let pace = Pace::of_host(Duration::from_secs(4));
        let waits = [Watched::Closely, Watched::Idly, Watched::ByNobody].map(|watched| pace.wait(watched).as_secs());
        assert_eq!(waits, [4, 12, 24]);
        assert_eq!(Pace::of_host(Duration::from_mins(2)).wait(Watched::Closely).as_secs(), 120);
    }
}
