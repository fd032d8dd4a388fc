//! Job control: stopping where somebody can let the program go on, and only there.

use rustix::process::{Pid, Signal, getpgid, getpid, getsid, kill_current_process_group};
use std::{fs, io};

/// How many ancestors are looked at: a program that was started by wrappers of its own job.
const DEPTH: usize = 16;

/// Stops the whole job, as a shell's job control expects it. Says whether it did: a job that no shell looks after would
/// never go on (an orphaned process group, POSIX 3.264), and the kernel wouldn't stop it on SIGTSTP either. SIGTSTP
/// itself is listened to, so it is SIGSTOP that stops.
///
/// # Errors
/// The operating system refuses.
pub(crate) fn stop() -> io::Result<bool> {
    let is_looked_after = is_looked_after(getpid()).unwrap_or(false);
    if is_looked_after {
        kill_current_process_group(Signal::STOP)?;
    }
    Ok(is_looked_after)
}

/// Whether this process or an ancestor in its job is the child of another job of the same session.
fn is_looked_after(me: Pid) -> Option<bool> {
    let (session, job) = (getsid(Some(me)).ok()?, getpgid(Some(me)).ok()?);
    let mut pid = me;
    for _ in 0..DEPTH {
        pid = parent(pid)?;
        if getsid(Some(pid)).ok()? != session {
            return Some(false);
        }
        if getpgid(Some(pid)).ok()? != job {
            return Some(true);
        }
    }
    None
}

/// The parent of a process: the second field behind its name, which may hold anything (`proc_pid_stat(5)`).
fn parent(pid: Pid) -> Option<Pid> {
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_pid())).ok()?;
    let parent = stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()?;
    Pid::from_raw(parent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::process::getppid;

    #[test]
    fn the_parent_is_found_by_its_number() {
        assert_eq!(parent(getpid()), getppid());
    }
}
