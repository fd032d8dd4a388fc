//! Operations against the simulated host, in memory and on a paused clock: every fault, every death, no waiting.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that can't go on fails")]

mod deaths;
mod faults;
mod hand_over;
mod harness;
mod outsiders;
mod rivals;
