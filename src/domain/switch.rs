//! Switching: from what a person wants to a plan, and from a plan to facts.
//!
//! [`plan`] computes the ordered steps from fresh facts; the dialog shows that value, `--dry-run` prints it, the
//! operation runs it. [`machine`] decides what to do next from the journal and the newest look; it never does anything
//! itself. Everything that is known of an operation is a fold ([`state`]) over its journal ([`event`]).

pub mod event;
pub mod machine;
pub mod plan;
pub mod planner;
pub mod refusal;
pub mod state;
