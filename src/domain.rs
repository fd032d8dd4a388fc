//! What is true of a machine that lends one GPU to several guests.
//!
//! Pure: nothing in here is async or touches a clock, a file, the network or the terminal. Time enters as
//! [`Millis`](ids::Millis), facts as [`Facts`](facts::Facts).

pub mod address;
pub mod backup;
pub mod doctor;
pub mod drain;
pub mod facts;
pub mod finding;
pub mod gpu;
pub mod guest;
pub mod held;
pub mod host_id;
pub mod hostplan;
pub mod ids;
pub mod iommu;
pub mod journal;
pub mod load;
pub mod lock;
pub mod mapping;
pub mod mode;
pub mod plant;
pub mod policy;
pub mod probe;
pub mod release;
pub mod service;
pub mod setup;
pub mod switch;
pub mod task;
#[cfg(test)]
pub(crate) mod testing;
pub mod text;
pub mod traffic;
pub mod usage;
pub mod wivrn;
