//! Job control: stopping where somebody can let the program go on, and only there.

use rustix::process::{Pid, Signal, getpid, kill_current_process_group};
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
    let is_looked_after = is_looked_after(getpid(), Kin::of).unwrap_or(false);
    if is_looked_after {
        kill_current_process_group(Signal::STOP)?;
    }
    Ok(is_looked_after)
}

/// Whether the process or an ancestor in its job is the child of another job of the same session.
fn is_looked_after(me: Pid, of: impl Fn(i32) -> Option<Kin>) -> Option<bool> {
    let mine = of(me.as_raw_pid())?;
    let mut kin = mine;
    for _ in 0..DEPTH {
        kin = of(kin.parent)?;
        if kin.session != mine.session {
            return Some(false);
        }
        if kin.job != mine.job {
            return Some(true);
        }
    }
    None
}

/// Where a process belongs. Each number is 0 where it names what this process's PID namespace can't see, as in a
/// container whose first process was put into a terminal from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Kin {
    parent: i32,
    job: i32,
    session: i32,
}

impl Kin {
    /// Asks the kernel. `getsid(2)` isn't taken: its 0 for a session of another namespace is no number to rustix.
    fn of(pid: i32) -> Option<Self> {
        Self::parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
    }

    /// The second to fourth field behind the name, which may hold anything (`proc_pid_stat(5)`).
    fn parse(stat: &str) -> Option<Self> {
        let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(1).map_while(|field| field.parse().ok());
        Some(Self { parent: fields.next()?, job: fields.next()?, session: fields.next()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::process::{getpgid, getppid};

    const ME: Pid = Pid::INIT;

    #[test]
    fn where_a_process_belongs_is_read_behind_its_name() {
        let kin = Kin { parent: 12, job: 30, session: 7 };
        assert_eq!(Kin::parse("31 (a) b (c) S 12 30 7 34816 31 4194560"), Some(kin));
        assert_eq!(Kin::parse("31 (sh) S 12"), None);
        let mine = Kin::of(getpid().as_raw_pid()).unwrap();
        assert_eq!((Pid::from_raw(mine.parent), Pid::from_raw(mine.job)), (getppid(), getpgid(None).ok()));
    }

    #[test]
    fn only_another_job_of_the_session_looks_after_one() {
        let family = |parent: Kin| {
            is_looked_after(ME, move |pid| match pid {
                1 => Some(Kin { parent: 2, job: 1, session: 9 }),
                2 => Some(parent),
                3 => Some(Kin { parent: 4, job: 9, session: 9 }),
                _ => None,
            })
        };
        assert_eq!(family(Kin { parent: 8, job: 9, session: 9 }), Some(true));
        assert_eq!(family(Kin { parent: 3, job: 1, session: 9 }), Some(true));
        assert_eq!(family(Kin { parent: 8, job: 8, session: 8 }), Some(false));
        assert_eq!(family(Kin { parent: 8, job: 1, session: 9 }), None);
    }

    #[test]
    fn a_parent_that_cannot_be_seen_looks_after_nobody() {
        let first = is_looked_after(ME, |pid| (pid == 1).then_some(Kin { parent: 0, job: 1, session: 1 }));
        assert_eq!(first, None);
        let outside = Kin { parent: 0, job: 0, session: 0 };
        let entered = |pid| Some(if pid == 1 { Kin { parent: 5, job: 1, session: 1 } } else { outside });
        assert_eq!(is_looked_after(ME, entered), Some(false));
    }
}
