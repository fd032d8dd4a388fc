//! The program: parse, set up logging and reports, dispatch.

fn main() {}
