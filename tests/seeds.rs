//! What a new guest is made from, against the programs that read it: discs by `isoinfo`, `blkid` and a kernel.

#![expect(clippy::unwrap_used, reason = "a test's helpers fail as tests do")]

#[path = "seeds/discs.rs"]
mod discs;
#[path = "seeds/tools.rs"]
mod tools;
