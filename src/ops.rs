//! The only place where plans meet the world: looking at the host, keeping journals, carrying plans out, following
//! those that run. The command line and the dashboard share all of it.
//!
//! Starting an operation ([`Client`]) writes its plan to a journal in the [`Store`]; a detached runner carries it out with
//! [`operate`]; everybody else only follows. An operation ends when its journal says so, not when a screen closes. It
//! knows its host, and is begun, gone on with, undone, cancelled and followed on no other.

mod agent;
mod client;
pub mod clock;
mod control;
mod doctor;
mod error;
mod follow;
mod hardware;
mod hints;
mod host;
mod identity;
mod journal;
mod launch;
mod lock;
mod look;
mod operate;
mod paths;
pub mod plant;
pub mod registry;
mod store;
mod take;
mod task;
mod usage;

pub use client::Client;
pub(crate) use client::in_thread;
pub use clock::Clock;
pub use control::Control;
pub use error::Error;
pub use follow::Followed;
pub use hardware::is_this_machine;
pub use hints::hints;
pub use host::Host;
pub use journal::Journal;
pub use launch::{Launch, Report};
pub use operate::operate;
pub use paths::{answers_file, dumps_dir, state_dir};
pub use store::{Brief, Store};
