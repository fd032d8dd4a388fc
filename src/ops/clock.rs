//! What time it is: the only reader of the system's clock.

use crate::domain::ids::Millis;
use rustix::time::{Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, timerfd_create, timerfd_settime};
use std::{
    io,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::{
    io::{Interest, unix::AsyncFd},
    time::{Instant, sleep_until},
};

/// A source of time.
#[derive(Clone, Copy, Debug)]
pub enum Clock {
    /// The system's clock.
    System,
    /// Tokio's clock from a given moment on, so that a paused clock in tests is one for everybody.
    Tokio {
        /// The time at `start`.
        base: Millis,
        /// The moment.
        start: Instant,
    },
}

impl Clock {
    /// A clock that starts at `base` and runs with tokio's.
    #[must_use]
    pub fn tokio(base: Millis) -> Self {
        Self::Tokio { base, start: Instant::now() }
    }

    /// Milliseconds since the Unix epoch.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "here is where the system's clock is read, for everybody")]
    pub fn now(&self) -> Millis {
        let ms = |duration: std::time::Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        match self {
            Self::System => Millis(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, ms)),
            Self::Tokio { base, start } => base.plus(ms(start.elapsed())),
        }
    }

    /// Waits until a moment, and wakes the process up once for it. Tokio's own timers wake it two or three times: they
    /// move from wheel to wheel as they come closer.
    pub async fn wait_until(&self, moment: Instant) {
        let patient = match self {
            Self::System => wait(moment.saturating_duration_since(Instant::now())).await.is_ok(),
            Self::Tokio { .. } => false,
        };
        if !patient {
            sleep_until(moment).await;
        }
    }
}

#[expect(deprecated, reason = "its successor is an unsafe function; the descriptor is owned and lives as long")]
async fn wait(duration: Duration) -> io::Result<()> {
    if duration.is_zero() {
        return Ok(());
    }
    let timer = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
    let span = |duration: Duration| duration.try_into().map_err(io::Error::other);
    let once = Itimerspec { it_interval: span(Duration::ZERO)?, it_value: span(duration)? };
    timerfd_settime(&timer, TimerfdTimerFlags::empty(), &once)?;
    drop(AsyncFd::with_interest(timer, Interest::READABLE)?.readable().await?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_systems_clock_waits_as_long_as_it_is_told_to() {
        let moment = Instant::now() + Duration::from_millis(30);
        Clock::System.wait_until(moment).await;
        assert!(Instant::now() >= moment);
        Clock::System.wait_until(moment).await;
    }
}
