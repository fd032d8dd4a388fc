//! What to do next, decided from the journal and the newest look.

pub mod words;
