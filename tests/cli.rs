//! The program from outside: the real binary against a simulated host over real HTTPS.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops at the first surprise")]

#[path = "support/machine.rs"]
#[expect(dead_code, reason = "the library's tests look at more of it")]
mod machine;
#[path = "cli/rig.rs"]
mod rig;
#[path = "support/runner.rs"]
mod runner;
#[path = "support/served.rs"]
mod served;

#[path = "cli/doctor.rs"]
mod doctor;
#[path = "cli/exits.rs"]
mod exits;
#[path = "cli/hardware.rs"]
mod hardware;
#[path = "cli/hosts.rs"]
mod hosts;
#[path = "cli/killed.rs"]
mod killed;
#[path = "cli/lines.rs"]
mod lines;
#[path = "cli/mappings.rs"]
mod mappings;
#[path = "cli/operations.rs"]
mod operations;
#[path = "cli/plain.rs"]
mod plain;
#[path = "cli/planting.rs"]
mod planting;
#[path = "cli/reading.rs"]
mod reading;
#[path = "cli/ready.rs"]
mod ready;
#[path = "cli/rivals.rs"]
mod rivals;
#[path = "cli/surface.rs"]
mod surface;
#[path = "cli/switching.rs"]
mod switching;
#[path = "cli/terminal.rs"]
mod terminal;
#[path = "cli/tools.rs"]
mod tools;
#[path = "cli/wire.rs"]
mod wire;
#[path = "cli/words.rs"]
mod words;
