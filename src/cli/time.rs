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

fn formatted(at: Millis, format: &str) -> String {
    let stamp = i64::try_from(at.0).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    stamp.map_or_else(String::new, |stamp| stamp.to_zoned(TimeZone::system()).strftime(format).to_string())
}
