//! The real binary in a terminal, as a person has it before them.

#[cfg(test)]
#[path = "pty/manners.rs"]
mod manners;
#[cfg(test)]
#[path = "support/terminal.rs"]
mod terminal;
