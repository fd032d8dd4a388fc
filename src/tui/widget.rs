//! Small parts of a screen that know nothing of what this program is about.

pub mod buttons;
pub mod dialog;
pub mod field;
pub mod frame;
pub mod graph;
pub mod table;
pub mod text;
