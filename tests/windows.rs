//! What a Windows guest is made from, against `xmllint`.

#![expect(clippy::unwrap_used, reason = "a test's helpers fail as tests do")]

#[path = "support/planting.rs"]
mod planting;
#[path = "support/tools.rs"]
mod tools;

use morpheus::domain::plant::{Answers, Secrets, windows};
use planting::answers;
use std::{fs, process::Output};
use tools::{command, has};

const SCHEMA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/unattend.rng");

fn answer_file(answers: &Answers, password: &str) -> String {
    let secrets = Secrets { windows_password: Some(password.into()), ..Secrets::default() };
    let files = windows::seed(answers, &secrets, &"plant-20260101-120000-abcd".into());
    files.into_iter().find(|file| file.path == "autounattend.xml").unwrap().text
}

fn lint(xml: &str) -> Output {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("autounattend.xml");
    fs::write(&path, xml).unwrap();
    command("xmllint").args(["--noout", "--relaxng", SCHEMA]).arg(&path).output().unwrap()
}

#[test]
fn the_answer_file_is_of_the_shape_that_setup_reads() {
    if !has("xmllint", "libxml2-utils") {
        return;
    }
    for (otherwise, password) in [
        (vec![], "correct horse battery staple"),
        (
            vec![("windows.name", "living-room-windows-machine"), ("windows.language", "zh-Hans-CN")],
            "<&\"'>\u{fc}\u{1f3ae}",
        ),
        (vec![("windows.edition", "Windows 11 Home"), ("windows.timezone", "UTC-11")], "]]>"),
        (vec![("windows.product_key", "abcde-fghij-klmno-pqrst-uvwxy"), ("windows.user", "p.layer_1")], ""),
    ] {
        let xml = answer_file(&answers(&otherwise), password);
        let said = lint(&xml);
        assert!(said.status.success(), "{}\n{xml}", String::from_utf8_lossy(&said.stderr));
    }
}

#[test]
fn another_shape_is_seen() {
    if !has("xmllint", "libxml2-utils") {
        return;
    }
    let xml = answer_file(&answers(&[]), "secret");
    assert!(lint(&xml).status.success());
    for (from, to) in [
        ("pass=\"specialize\"", "pass=\"specialise\""),
        ("<Type>MSR</Type>", "<Type>Primary</Type>"),
        ("amd64\" publicKeyToken", "x86\" publicKeyToken"),
        ("<PlainText>false", "<PlainText>true"),
        ("<ComputerName>vr-windows<", "<ComputerName>a-name-that-is-too-long<"),
        ("<Name>Player</Name>", "<Name>Pl<ayer</Name>"),
        ("<AcceptEula>true</AcceptEula>", ""),
    ] {
        assert!(xml.contains(from), "{from}");
        assert!(!lint(&xml.replacen(from, to, 1)).status.success(), "{from} -> {to}");
    }
}
