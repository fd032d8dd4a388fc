//! What programs say.

use crate::tools::command;
use std::{ffi::OsStr, process::Output};

/// What a program that ends well says.
pub(crate) fn said<S: AsRef<OsStr>>(program: &str, arguments: &[S]) -> Vec<u8> {
    let Output { status, stdout, stderr } = command(program).args(arguments).output().unwrap();
    let words = String::from_utf8_lossy(&stderr);
    assert!(status.success(), "{program}: {status}: {words} {}", String::from_utf8_lossy(&stdout));
    stdout
}
