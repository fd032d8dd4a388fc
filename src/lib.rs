//! morpheus hands one big GPU from one Proxmox VM to another.
//!
//! The house, from the ground up; nothing uses a room above its own:
//!
//! - [`domain`]: what is true. Pure.
//! - `files`: how files of this machine are opened and written.
//! - [`config`], [`pve`], [`guest`], [`host`]: files, the Proxmox API, guests, this machine's hardware.
//! - [`ops`]: where plans meet the world; shared by command line and dashboard.
//! - [`cli`], [`tui`]: the two faces.
//! - [`sim`]: a simulated host that speaks the real API; knows only [`domain`] and the wire types of [`pve`].

pub mod cli;
pub mod config;
pub mod domain;
mod files;
pub mod guest;
pub mod host;
pub mod ops;
pub mod pve;
pub mod sim;
pub mod tui;
