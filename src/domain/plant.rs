//! Planting: from a bare Proxmox host to a machine with one or two VR guests on one card.
//!
//! ```text
//! Form (text by Key) ──> Answers (typed) ──┐
//!                                          ├─> plan ──> Plan: steps, each with what it makes and how that is undone
//! Site (what the host has) ────────────────┘
//! ```
//!
//! A [`Form`] is what a person fills in: the wizard's fields, the answers file and what is kept when the wizard closes
//! are the same map. [`Answers`] is what it means once every field is right. A [`Site`] is everything that was looked
//! at. The same [`Plan`] is shown, printed and run; its journal is folded into a [`State`].

pub mod answers;
pub mod check;
pub mod contract;
pub mod defaults;
pub mod event;
pub mod file;
pub mod forest;
pub mod form;
pub mod iso;
pub mod key;
pub mod linux;
pub mod nats;
pub mod plan;
pub mod registry;
pub mod rights;
pub mod secrets;
pub mod site;
pub mod state;
pub mod step;
pub mod suit;
#[cfg(test)]
pub(crate) mod testing;
pub mod windows;

pub use answers::{Answers, Forest};
pub use event::{Event, What};
pub use file::File;
pub use form::Form;
pub use key::{Key, Kind, Section};
pub use plan::plan;
pub use secrets::Secrets;
pub use site::Site;
pub use state::State;
pub use step::{Action, Plan, Step, Stood, Thing, Who};
