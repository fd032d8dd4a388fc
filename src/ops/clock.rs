//! What time it is: the only reader of the system's clock.

use crate::domain::ids::Millis;
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::time::Instant;

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
}
