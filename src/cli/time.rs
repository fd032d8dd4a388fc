//! Times for people.

use crate::domain::ids::Millis;
use jiff::{Timestamp, tz::TimeZone};

/// Local date and time to the second, such as `2026-11-21 20:15:00`.
pub(crate) fn local(at: Millis) -> String {
    formatted(at, "%Y-%m-%d %H:%M:%S")
}

/// Local day and time to the minute, such as `11-21 20:15`, where the year is said elsewhere.
pub(crate) fn minute(at: Millis) -> String {
    formatted(at, "%m-%d %H:%M")
}

/// Seconds that local time is ahead of UTC at this moment.
pub(crate) fn zone(at: Millis) -> i32 {
    stamp(at).map_or(0, |stamp| TimeZone::system().to_offset(stamp).seconds())
}

fn stamp(at: Millis) -> Option<Timestamp> {
    i64::try_from(at.0).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok())
}

fn formatted(at: Millis, format: &str) -> String {
    stamp(at).map_or_else(String::new, |stamp| stamp.to_zoned(TimeZone::system()).strftime(format).to_string())
}
