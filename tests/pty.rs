//! The real binary in a terminal, as a person has it before them.

#[path = "pty/manners.rs"]
mod manners;
#[path = "support/terminal.rs"]
mod terminal;
