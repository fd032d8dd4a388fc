//! What holds for every session.
