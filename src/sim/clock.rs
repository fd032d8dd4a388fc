//! Time as the simulated host sees it: durations can run faster than real ones, clock readings can't.

use std::time::Duration;
use tokio::time::Instant;

/// The host's clock, on tokio's: a paused runtime pauses the host.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    start: Instant,
    epoch: u64,
    speed: f64,
}

impl Clock {
    /// A clock that shows `epoch` (milliseconds) now, and whose durations take 1/`speed` of their length.
    pub(crate) fn new(epoch: u64, speed: f64) -> Self {
        let speed = if speed.is_finite() && speed > 0.0 { speed } else { 1.0 };
        Self { start: Instant::now(), epoch, speed }
    }

    pub(crate) fn now() -> Instant {
        Instant::now()
    }

    /// The moment the simulation began.
    pub(crate) fn start(&self) -> Instant {
        self.start
    }

    /// Seconds since the Unix epoch.
    pub(crate) fn unix(&self) -> u64 {
        (self.epoch + u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX / 2)) / 1000
    }

    /// Seconds since the Unix epoch at `instant`, which may lie before the simulation's beginning.
    pub(crate) fn unix_at(&self, instant: Instant) -> u64 {
        self.unix().saturating_sub(instant.elapsed().as_secs())
    }

    /// A length of `seconds` in this clock's time.
    pub(crate) fn length(&self, seconds: f64) -> Duration {
        Duration::try_from_secs_f64((seconds / self.speed).clamp(0.0, 1e9)).unwrap_or_default()
    }

    /// What `seconds` outside are in this clock's time, where that goes faster.
    pub(crate) fn outside(&self, seconds: f64) -> f64 {
        seconds * self.speed.max(1.0)
    }

    /// The moment `seconds` from now.
    pub(crate) fn after(&self, seconds: f64) -> Instant {
        Self::now() + self.length(seconds)
    }

    /// Whether `seconds` have gone by since `instant`.
    pub(crate) fn has_passed(&self, instant: Instant, seconds: f64) -> bool {
        instant.elapsed() >= self.length(seconds)
    }

    /// Waits `seconds`.
    pub(crate) async fn sleep(&self, seconds: f64) {
        tokio::time::sleep(self.length(seconds)).await;
    }
}
