//! What a new guest is made from, against the programs that read it: discs and files by the tools
//! for them, and all together by a guest that is booted from it.

#![expect(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test's helpers fail as tests do")]

#[path = "seeds/agent.rs"]
mod agent;
#[path = "seeds/debian.rs"]
mod debian;
#[path = "seeds/discs.rs"]
mod discs;
#[path = "seeds/files.rs"]
mod files;
#[path = "seeds/guest.rs"]
mod guest;
#[path = "seeds/installer.rs"]
mod installer;
#[path = "seeds/live.rs"]
mod live;
#[path = "seeds/parts.rs"]
mod parts;
#[path = "support/planting.rs"]
mod planting;
#[path = "seeds/said.rs"]
mod said;
#[path = "seeds/seed.rs"]
mod seed;
#[path = "support/tools.rs"]
mod tools;
