//! Configurations and units are accepted by the programs that read them.

use crate::{
    planting::answers,
    tools::{command, has},
};
use morpheus::domain::plant::{
    Answers, File, Secrets,
    answers::{Nats, Peers},
    forest, nats,
};
use std::fs;

/// Asks `nats-server` whether it would start with a configuration.
fn ask(conf: &str) -> Result<(), String> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("nats.conf");
    fs::write(&path, conf).unwrap();
    let run = command("nats-server").arg("-t").arg("--config").arg(&path).output().unwrap();
    let words = String::from_utf8_lossy(&run.stderr).into_owned();
    if run.status.success() { Ok(()) } else { Err(words) }
}

fn file<'a>(files: &'a [File], end: &str) -> &'a File {
    files.iter().find(|file| file.path.ends_with(end)).unwrap()
}

fn secrets() -> Secrets {
    Secrets { nats_credentials: Some("-----BEGIN NATS USER JWT-----\n".into()), ..Secrets::default() }
}

#[test]
fn nats_server_takes_every_configuration() {
    if !has("nats-server", "nats-server") {
        return;
    }
    for (kind, hubs) in [
        ("leaf", "tls://hub-a:7422,tls://hub-b:7422"),
        ("leaf", "wss://hub.example.org:443/leaf"),
        ("cluster", "nats://[2001:db8::1]:6222,nats://me:secret@peer:6222"),
    ] {
        let answers = answers(&[("forest.nats", kind), ("forest.hubs", hubs)]);
        let linux = forest::linux_files(&answers, &secrets());
        let windows = forest::windows_files(&answers, &secrets());
        for conf in [file(&linux, "morpheus.conf"), file(&windows, "nats.conf")] {
            assert_eq!(ask(&conf.text), Ok(()), "{kind} {hubs}: {}", conf.text);
        }
    }
    let refused = ask("lame_duck_duration: \"1s\"").unwrap_err();
    assert!(refused.contains("lame_duck_duration"), "it does look: {refused}");
}

/// What stands in quotes is read as what it was, whatever it is.
#[test]
fn nats_server_reads_odd_names_as_they_are() {
    if !has("nats-server", "nats-server") {
        return;
    }
    let mut answers: Answers = answers(&[]);
    answers.linux.machine.name = "a\"b\\c $HOME } é".to_owned();
    answers.forest.nats = Nats::Leaf(Peers { urls: vec!["nats://h:7422".to_owned()], credentials_file: None });
    let conf = nats::conf(&answers.forest, &answers.linux.machine, false, nats::LINUX).unwrap();
    let conf = conf.replace("  domain: \"a\\\"b\\\\c $HOME } é\"\n", "");
    assert_eq!(ask(&conf), Ok(()), "{conf}");
}

#[test]
fn systemd_takes_the_units() {
    if !has("systemd-analyze", "systemd") || !has("nats-server", "nats-server") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let answers = answers(&[("forest.registry", "https://registry.example.org/a%20b.json?x=$y")]);
    for unit in ["nats-server.service", "nimsforest.service"] {
        let files = forest::linux_files(&answers, &secrets());
        // A program that isn't installed here is no fault of the unit.
        let text = file(&files, unit).text.replace(forest::LINUX_BINARY, "/bin/true");
        let path = dir.path().join(unit);
        fs::write(&path, text).unwrap();
        let run = command("systemd-analyze").args(["verify", "--man=no", "--recursive-errors=no"]).arg(&path).output();
        let run = run.unwrap();
        let words = String::from_utf8_lossy(&run.stderr);
        assert!(run.status.success() && !words.contains(unit), "{words}");
    }
}
