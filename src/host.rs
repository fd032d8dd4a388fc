//! This machine, or a directory that stands for one: its hardware as the kernel shows it.
//!
//! Every path goes through a [`Root`], so that a test, a rescue system or another machine's copy can be looked at. Links
//! are followed inside of the root, as `chroot` would. Reading runs nothing and wakes no device; what changes the host is in
//! [`change`], [`bind`] and [`command`].

pub mod bind;
pub mod change;
pub mod command;
mod condition;
mod disks;
mod efivars;
mod files;
mod loaders;
mod names;
mod networks;
mod root;
mod setup;
mod sysfs;

pub use condition::condition;
pub use files::files;
pub use root::{Bad, Root};
pub use setup::setup;
pub use sysfs::inventory;

#[cfg(test)]
mod plan_tests;
#[cfg(test)]
pub(crate) mod tests;
