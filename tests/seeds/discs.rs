//! Discs.

use crate::{said, tools};
use morpheus::domain::plant::{File, iso};
use std::fs;

/// Files such as both guests' seeds have: dots, long names, `$`, directories, several blocks, nothing.
fn files() -> Vec<File> {
    let file = |path: &str, text: &str| File::new(path, text, "");
    vec![
        file("user-data", "#cloud-config\n"),
        file("meta-data", ""),
        file("network-config", &"# a long one\n".repeat(400)),
        file("autounattend.xml", "<unattend/>\r\n"),
        file("$OEM$/$1/morpheus/a name with blanks and more than thirty-one letters.ps1", "exit 0\r\n"),
    ]
}

#[test]
fn a_disc_is_listed_and_read_by_isoinfo() {
    if !tools::has("isoinfo", "genisoimage") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let disc = dir.path().join("seed.iso");
    fs::write(&disc, iso::build("CIDATA", &files()).unwrap()).unwrap();
    let disc = disc.to_str().unwrap();
    let said = |arguments: &[&str]| said::said("isoinfo", &[&["-i", disc], arguments].concat());
    let about = String::from_utf8(said(&["-d"])).unwrap();
    assert!(about.contains("Volume id: CIDATA") && about.contains("Joliet with UCS level 3 found"), "{about}");
    let listed = String::from_utf8(said(&["-J", "-f"])).unwrap();
    for file in files() {
        let path = format!("/{}", file.path);
        assert!(listed.lines().any(|line| line == path), "{path} in {listed}");
        assert_eq!(String::from_utf8(said(&["-J", "-x", &path])).unwrap(), file.text, "{path}");
    }
    let short = String::from_utf8(said(&["-f"])).unwrap();
    assert!(short.contains("/_OEM_/_1/MORPHEUS/A_NAME_W.PS1;1"), "{short}");
    assert_eq!(String::from_utf8(said(&["-x", "/USER_DAT.;1"])).unwrap(), "#cloud-config\n");
}

#[test]
fn a_disc_is_found_by_its_label() {
    if !tools::has("blkid", "util-linux") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let disc = dir.path().join("seed.iso");
    fs::write(&disc, iso::build("CIDATA", &files()).unwrap()).unwrap();
    let about = said::said("blkid", &["-p".as_ref(), "-o".as_ref(), "export".as_ref(), disc.as_os_str()]);
    let about = String::from_utf8(about).unwrap();
    for line in ["LABEL=CIDATA", "TYPE=iso9660", "BLOCK_SIZE=2048"] {
        assert!(about.lines().any(|other| other == line), "{line} in {about}");
    }
}
