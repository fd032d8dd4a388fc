//! How fast the line to the terminal is, and so how much may be under way on it.
//!
//! Between here and the screen lie buffers of many kilobytes that nobody can look into: on a line of 9,600 baud they
//! hold a minute of output, and the answer to a key would stand at the end of it. So where the line's speed is known, no
//! more is sent than it carries in a moment.

use std::time::Duration;
use tokio::time::Instant;

/// Pseudo terminals say that they have this many bits per second, whatever lies behind them; it says nothing.
const UNKNOWN: u32 = 38_400;
/// Bits on the line for a byte: one starts it and one stops it.
const BITS: u32 = 10;
/// How far what is sent may run ahead of the line.
const AHEAD: Duration = Duration::from_millis(160);
/// More is sent once it is no further ahead than this.
const NEARLY: Duration = Duration::from_millis(60);
/// Bytes at once where the terminal has begun to refuse more.
const SIP: usize = 512;

/// The line to the terminal.
#[derive(Debug)]
pub(crate) struct Line {
    /// Bytes per second; none if nobody knows.
    rate: Option<u32>,
    /// When the line will have carried all that was sent.
    free: Instant,
    /// The terminal refused to take more for a while.
    busy: bool,
}

impl Line {
    /// A line of so many bits per second, as the terminal's device has it (`termios(3)`).
    pub(crate) fn of(bits_per_second: u32, now: Instant) -> Self {
        let known = (BITS..UNKNOWN).contains(&bits_per_second);
        Self { rate: known.then_some(bits_per_second / BITS), free: now, busy: false }
    }

    /// So many bytes were sent.
    pub(crate) fn sent(&mut self, bytes: usize, now: Instant) {
        if let Some(rate) = self.rate {
            let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
            self.free = self.free.max(now) + Duration::from_secs(1) * bytes / rate;
        }
    }

    /// The terminal refused to take more, or took everything.
    pub(crate) const fn refused(&mut self, busy: bool) {
        self.busy = busy;
    }

    /// When the next bytes may be sent.
    pub(crate) fn next(&self) -> Instant {
        self.free.checked_sub(NEARLY).unwrap_or(self.free)
    }

    /// How many bytes may be sent now.
    pub(crate) fn room(&self, now: Instant) -> usize {
        let Some(rate) = self.rate else { return if self.busy { SIP } else { usize::MAX } };
        if now < self.next() {
            return 0;
        }
        let ahead = AHEAD.saturating_sub(self.free.saturating_duration_since(now));
        let room = ahead.as_millis() * u128::from(rate) / 1000;
        usize::try_from(room).unwrap_or(usize::MAX).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_line_is_never_far_behind() {
        let start = Instant::now();
        let mut line = Line::of(9_600, start);
        let (mut now, mut sent) = (start, 0);
        while now < start + Duration::from_secs(10) {
            let room = line.room(now);
            assert!(room <= 154, "{room}");
            line.sent(room, now);
            sent += room;
            now = line.next().max(now + Duration::from_millis(1));
        }
        assert!((9_400..9_900).contains(&sent), "the line is used: {sent}");
    }

    #[test]
    fn a_line_that_nobody_knows_takes_all_until_it_refuses() {
        let now = Instant::now();
        for speed in [0, 38_400, 4_000_000] {
            let mut line = Line::of(speed, now);
            line.sent(1_000_000, now);
            assert_eq!(line.room(now), usize::MAX);
            line.refused(true);
            assert_eq!(line.room(now), SIP);
        }
    }
}
