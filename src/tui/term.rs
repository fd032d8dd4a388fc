//! The terminal: what it can do, taking it, painting on it, and giving it back exactly as it was found.
//!
//! crossterm decodes the keys, in a thread of its own (`keys`). Output doesn't go through crossterm's backend: that one
//! sends the 16 colours as entries of the 256-colour palette, which a Linux console doesn't know, and blocks on a
//! terminal that has stopped reading (`paint`, `screen`).

pub mod env;

pub(crate) mod clipboard;
pub(crate) mod color;
pub(crate) mod jobs;
pub(crate) mod keys;
pub(crate) mod line;
pub(crate) mod modes;
pub(crate) mod paint;
pub(crate) mod printk;
pub(crate) mod rescue;
pub(crate) mod screen;
pub(crate) mod signals;
pub(crate) mod tty;
