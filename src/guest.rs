//! What a guest says about itself, through its QEMU guest agent: whether it lives, its address, its system, who is
//! logged in, and whether the services that make a mode useful really answer.
//!
//! An agent serves one question at a time, and a dead one costs three seconds a question: it is pinged first, all
//! checks of a round go into one script, and [`Backoff`] says when to try a dead one again.

mod ask;
mod backoff;
pub mod drain;
mod linux;
mod outside;
pub mod services;
mod windows;

pub use ask::{Question, ask};
pub use backoff::Backoff;
pub use linux::command as linux_checks;
