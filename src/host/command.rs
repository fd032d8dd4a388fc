//! Commands of this machine. Never run for another root: they would speak of this one.

use super::root::Root;
use crate::domain::hostplan::Run;
use std::{
    io::{self, BufRead as _, BufReader, Write},
    process::{Command, Stdio},
};

/// Runs a command of this machine and copies what it says. Gives whether it ended well.
///
/// # Errors
/// It can't be started, or `root` isn't this machine.
pub fn run(root: &Root, run: &Run, says: &mut dyn Write) -> io::Result<bool> {
    let Some((program, args)) = run.argv.split_first().filter(|_| root.is_this_machine()) else {
        return Err(io::Error::other("commands are run on this machine's own root only"));
    };
    let mut child = Command::new(program).args(args).stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
    if let Some(out) = child.stdout.take() {
        for line in BufReader::new(out).split(b'\n') {
            writeln!(says, "  {}", crate::domain::text::safe(&String::from_utf8_lossy(&line?)))?;
        }
    }
    Ok(child.wait()?.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn echo(root: &Root) -> (io::Result<bool>, String) {
        let mut said = Vec::new();
        let argv = vec!["echo".to_owned(), "hello".to_owned()];
        let done = run(root, &Run { argv, why: String::new() }, &mut said);
        (done, String::from_utf8(said).unwrap())
    }

    #[test]
    fn a_command_is_run_for_this_machine_only() {
        let dir = tempfile::tempdir().unwrap();
        let (done, said) = echo(&Root::at(dir.path()).unwrap());
        assert!(done.is_err() && said.is_empty());
        let (done, said) = echo(&Root::this_machine());
        assert_eq!((done.unwrap(), said.as_str()), (true, "  hello\n"));
    }
}
