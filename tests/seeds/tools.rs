//! Programs of the system that tests need.

use std::{
    env,
    ffi::OsStr,
    io::{Write, stderr},
    process::{Command, Output},
};

/// Whether a program of a Debian package is there. Where it isn't the test says so and is passed by; where everything
/// is to be tested (`CI` is set) it fails.
pub(crate) fn has(program: &str, package: &str) -> bool {
    let there = command(program).arg("--version").output().is_ok();
    let must = env::var_os("CI").is_some_and(|ci| !ci.is_empty());
    assert!(there || !must, "{program} is missing: install {package}");
    if !there {
        // Past the harness, which keeps what passed tests say.
        let words = format!("NOT TESTED: {program} is missing; install {package}\n");
        stderr().write_all(words.as_bytes()).unwrap();
    }
    there
}

/// A program; the directories of the system's own are searched too.
pub(crate) fn command(program: &str) -> Command {
    let path = env::var("PATH").unwrap_or_default();
    let mut command = Command::new(program);
    command.env("PATH", format!("{path}:/usr/sbin:/sbin")).env("LC_ALL", "C.UTF-8");
    command
}

/// What a program that ends well says.
pub(crate) fn said<S: AsRef<OsStr>>(program: &str, arguments: &[S]) -> Vec<u8> {
    let Output { status, stdout, stderr } = command(program).args(arguments).output().unwrap();
    let words = String::from_utf8_lossy(&stderr);
    assert!(status.success(), "{program}: {status}: {words} {}", String::from_utf8_lossy(&stdout));
    stdout
}
