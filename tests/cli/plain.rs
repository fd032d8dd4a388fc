//! The dashboard as lines of text, on a pipe.

use crate::rig::{Rig, bare, finish};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    io::{BufRead as _, BufReader},
    process::{Child, ChildStdout, Stdio},
};

fn start(rig: &Rig) -> (Child, BufReader<ChildStdout>) {
    let mut child =
        rig.command("ops", "--plain --refresh 1").env("TERM", "dumb").stdout(Stdio::piped()).spawn().unwrap();
    let out = BufReader::new(child.stdout.take().unwrap());
    (child, out)
}

/// Reads until a line has this in it.
fn hear(out: &mut BufReader<ChildStdout>, wanted: &str) -> String {
    let mut all = String::new();
    loop {
        let from = all.len();
        assert_ne!(out.read_line(&mut all).unwrap(), 0, "'{wanted}' isn't said, but:\n{all}");
        if all[from..].contains(wanted) {
            return all;
        }
    }
}

#[test]
fn everything_is_printed_once() {
    let rig = Rig::new();
    let said = rig.run("--plain --once");
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{said:?}");
    for words in ["Current mode: linuxvrstreaming.", "windowsvrstreaming: stopped", "ready to switch to", "Address 192"]
    {
        assert!(said.out.contains(words), "{words}:\n{}", said.out);
    }
    assert!(!said.out.contains('\u{1b}'), "{}", said.out);
}

#[test]
fn a_host_that_does_not_answer_is_told_and_is_code_4() {
    let rig = Rig::new();
    let said = rig.run("--plain --once --host 127.0.0.1 --port 9");
    assert_eq!(said.code, Some(4), "{said:?}");
    assert!(said.out.contains("pve.unreachable") && said.out.contains("What is wrong"), "{said:?}");
}

#[test]
fn a_switch_is_announced_and_a_signal_ends_it() {
    let rig = Rig::new();
    let (mut child, mut out) = start(&rig);
    hear(&mut out, "Nothing is wrong.");
    let said = rig.run("mode switch windowsvrstreaming --yes --confirm linuxvrstreaming");
    assert_eq!(said.code, Some(0), "{said:?}");
    let mut said = hear(&mut out, "current mode: windowsvrstreaming");
    if !said.contains("Switching") {
        said += &hear(&mut out, "Switching");
    }
    for words in ["linuxvrstreaming: running -> stopped", "Switching linuxvrstreaming -> windowsvrstreaming"] {
        assert!(said.contains(words), "{words}:\n{said}");
    }
    assert!(!said.contains('\u{1b}') && !said.contains('\r'), "{said}");
    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    kill_process(pid, Signal::TERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(143));
}

#[test]
fn it_ends_when_nobody_reads_any_more() {
    let rig = Rig::new();
    let (mut child, mut out) = start(&rig);
    hear(&mut out, "Current mode");
    drop(out);
    assert_eq!(child.wait().unwrap().code(), Some(130));
}

#[test]
fn it_is_no_json_and_once_belongs_to_it() {
    for line in ["--plain --json", "--once"] {
        let said = finish(bare(line).spawn().unwrap());
        assert_eq!((said.code, said.out.as_str()), (Some(2), ""), "{line}: {said:?}");
    }
}
