//! The terminal: what it can do, taking it, painting on it, and giving it back exactly as it was found.

pub mod env;
