use super::*;
use crate::domain::plant::{Form, Key, testing};
use std::fmt::Write as _;

fn answers(change: impl Fn(Form) -> Form) -> Answers {
    Answers::read(&change(testing::form())).expect("a good form")
}

fn secrets() -> Secrets {
    Secrets { nats_credentials: Some("-----BEGIN NATS USER JWT-----\n".into()), ..Secrets::default() }
}

fn with_windows(form: Form) -> Form {
    let sum = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    form.with(Key::ForestWindowsNats, "https://example.org/nats-server-v2.11.4-windows-amd64.zip")
        .with(Key::ForestWindowsNatsSha256, sum)
        .with(Key::ForestWindowsBinary, "https://example.org/nimsforest-windows-amd64.exe")
        .with(Key::ForestWindowsBinarySha256, sum)
}

fn shown(files: &[File]) -> String {
    files.iter().fold(String::new(), |mut text, file| {
        let secret = if file.secret { " (secret)" } else { "" };
        let body = if file.secret { "...\n" } else { &file.text };
        let _ = write!(text, "=== {}{secret}\n    {}\n{}", file.path, file.about, body.replace('\r', ""));
        text
    })
}

#[test]
fn a_linux_node_has_its_server_its_identity_and_its_units() {
    let files = linux_files(&answers(|form| form), &secrets());
    testing::snapshot("plant_forest_linux", &shown(&files));
}

#[test]
fn a_windows_node_has_them_where_there_are_builds() {
    let files = windows_files(&answers(with_windows), &secrets());
    testing::snapshot("plant_forest_windows", &shown(&files));
    assert!(windows_files(&answers(|form| form), &secrets()).is_empty(), "no builds, nothing to run");
}

/// The nodes are those that run `NimsForest`, counted as they were made.
#[test]
fn a_node_says_its_place_among_those_that_run_nimsforest() {
    let said = |files: &[File]| {
        let file = files.iter().find(|file| file.path.ends_with("node-info.json"))?;
        let info: serde_json::Value = serde_json::from_str(&file.text).unwrap();
        assert_eq!((info["forest_id"].as_str(), info["provisioner"].as_str()), (Some("home"), Some("morpheus")));
        Some((info["node_id"].as_str()?.to_owned(), info["node_index"].as_u64()?, info["cluster_size"].as_u64()?))
    };
    let node = |name: &str, index: u64, size: u64| Some((name.to_owned(), index, size));
    let linux = answers(|form| form);
    assert_eq!(said(&linux_files(&linux, &secrets())), node("vr-linux", 0, 1));
    let both = answers(with_windows);
    assert_eq!(said(&linux_files(&both, &secrets())), node("vr-linux", 0, 2));
    assert_eq!(said(&windows_files(&both, &secrets())), node("vr-windows", 1, 2));
    let windows = answers(|form| with_windows(form).with(Key::ForestBinary, ""));
    assert_eq!(said(&linux_files(&windows, &secrets())), None);
    assert_eq!(said(&windows_files(&windows, &secrets())), node("vr-windows", 0, 1));
}

#[test]
fn the_port_that_was_said_is_the_one_that_clients_reach() {
    let answers = answers(|form| with_windows(form).with(Key::ForestNatsPort, "4333"));
    let listens = |files: &[File], path: &str| {
        let file = files.iter().find(|file| file.path == path).expect("the configuration");
        file.text.lines().find(|line| line.starts_with("listen:")).unwrap().trim_end().to_owned()
    };
    let listen = "listen: \"127.0.0.1:4333\"";
    assert_eq!(listens(&linux_files(&answers, &secrets()), "/etc/nats/morpheus.conf"), listen);
    assert_eq!(listens(&windows_files(&answers, &secrets()), "nats/nats.conf"), listen);
    let known = crate::domain::mode::ModeSet::default();
    let entries = crate::domain::plant::plan::entries(&answers, &known);
    for entry in entries {
        assert_eq!(entry.services.last().unwrap(), "{ name: NATS, nats: 4333, monitor: 8322 }", "{}", entry.word);
    }
}

#[test]
fn only_the_credentials_are_secret_and_nothing_else_has_them() {
    for file in linux_files(&answers(|form| form), &secrets()) {
        assert_eq!(file.secret, file.text.contains("BEGIN NATS"), "{}", file.path);
    }
    let without = linux_files(&answers(|form| form.with(Key::ForestCredentialsFile, "")), &Secrets::default());
    assert!(without.iter().all(|file| !file.text.contains("forest.creds")), "nothing points at what isn't there");
}

#[test]
fn without_nimsforest_the_server_has_the_usual_ports_and_no_unit_stands_beside() {
    let bare = |form: Form| form.with(Key::ForestBinary, "").with(Key::ForestBinarySha256, "");
    let files = linux_files(&answers(bare), &secrets());
    let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths, ["/etc/nats/morpheus.conf", "/etc/nats/forest.creds", "/etc/systemd/system/nats-server.service"]);
    assert!(files[0].text.contains("127.0.0.1:4222"), "{}", files[0].text);
    let none = |form: Form| bare(form).with(Key::ForestNats, "none");
    assert!(linux_files(&answers(none), &Secrets::default()).is_empty());
}

#[test]
fn a_registry_that_needs_a_token_is_not_read_by_guests() {
    let token = |form: Form| form.with(Key::ForestRegistryTokenFile, "/etc/morpheus/token");
    for (answers, reads) in [(answers(|form| form), true), (answers(token), false)] {
        let files = linux_files(&answers, &secrets());
        let unit = files.iter().find(|file| file.path.ends_with("nimsforest.service")).expect("the unit");
        assert_eq!(unit.text.contains("registry.example.org"), reads, "{}", unit.text);
        assert!(!unit.text.contains('@'), "{}", unit.text);
    }
}

#[test]
fn an_odd_address_stays_one_word_of_the_unit() {
    assert_eq!(in_unit("https://x/%41?a=$b"), "\"https://x/%%41?a=$$b\"");
}

#[test]
fn peers_reach_a_cluster_and_nobody_a_leaf() {
    let leaf = answers(|form| form);
    assert_eq!(open_ports(&leaf.forest, false), Vec::<u16>::new());
    let cluster = answers(|form| form.with(Key::ForestNats, "cluster").with(Key::ForestHubs, "nats://peer:6222"));
    assert_eq!(open_ports(&cluster.forest, false), [6222]);
    assert_eq!(open_ports(&cluster.forest, true), [6222, 6322]);
    // Without a list that the guest reads NimsForest has no peers, and doesn't listen for any.
    let alone = answers(|form| form.with(Key::ForestRegistry, "/var/lib/morpheus/forest.json"));
    assert_eq!(open_ports(&alone.forest, true), Vec::<u16>::new());
}
