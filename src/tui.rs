//! The dashboard: a pure heart in four vocabularies, and a thin runtime around it.
//!
//! [`msg::Msg`] is what happened, [`action::Action`] what the person meant, [`effect::Effect`] what the world must do,
//! [`model::Model`] all that the screen knows. [`update`](update::update) turns a message into a changed model and
//! effects; [`view`](view::view) draws a model. Neither reads a clock, a file or a terminal, so a session is a list of
//! messages that can be recorded, replayed and fuzzed.

pub mod action;
pub mod canvas;
pub mod caps;
pub mod chord;
pub mod effect;
pub mod keymap;
pub mod layout;
pub mod model;
pub mod msg;
mod panic;
pub mod plain;
pub mod record;
pub mod runtime;
pub mod term;
pub mod theme;
pub mod update;
pub mod view;
pub mod widget;

#[cfg(test)]
mod scene;

pub use panic::end_on_panic;
