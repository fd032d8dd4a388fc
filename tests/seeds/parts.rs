//! Parts of the set-up, each with what it asks in a place of its own.

use crate::tools::command;
use std::{fs, os::unix::fs::PermissionsExt, path::Path};

const SETUP: &str = include_str!("../../assets/plant/linux/setup.sh");
const LOADER: &str = "/lib/ld-linux-x86-64.so.2";

/// A function of the set-up.
fn function(name: &str) -> String {
    let start = SETUP.find(&format!("\n{name}() {{\n")).unwrap();
    let rest = &SETUP[start..];
    rest[..rest.find("\n}\n").unwrap() + 3].to_owned()
}

/// The end of the repositories' names, with a loader that says these levels and a processor.
fn level(dir: &Path, levels: &str, vendor: &str, family: u32) -> String {
    let (loader, cpuinfo) = (dir.join("loader"), dir.join("cpuinfo"));
    // More than a pipe takes comes behind: who stops reading at the first match has it killed.
    let script = format!(
        "#!/bin/bash\nfor level in 4 3 2; do case {levels} in *$level*) echo \"  x86-64-v$level (supported, searched)\" ;; \
         *) echo \"  x86-64-v$level\" ;; esac; done\nfor n in {{1..20000}}; do echo \"  and more: $n\"; done || exit 1\n"
    );
    fs::write(&loader, script).unwrap();
    fs::set_permissions(&loader, fs::Permissions::from_mode(0o755)).unwrap();
    let about = format!(
        "processor\t: 0\nvendor_id\t: {vendor}\ncpu family\t: {family}\nmodel\t\t: 97\nmodel name\t: {vendor}\n\n\
         processor\t: 1\nvendor_id\t: other\ncpu family\t: 6\n"
    );
    fs::write(&cpuinfo, about).unwrap();
    let functions: String = ["level", "has_level", "is_zen4"].map(function).concat();
    let functions =
        functions.replace(LOADER, loader.to_str().unwrap()).replace("/proc/cpuinfo", cpuinfo.to_str().unwrap());
    let run = command("bash").args(["-c", &format!("set -euo pipefail\n{functions}\nlevel")]).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    String::from_utf8(run.stdout).unwrap().trim().to_owned()
}

#[test]
fn the_repositories_fit_the_processor() {
    let dir = tempfile::tempdir().unwrap();
    for (levels, vendor, family, wanted) in [
        ("234", "AuthenticAMD", 25, "znver4"),
        ("234", "AuthenticAMD", 26, "znver4"),
        ("234", "GenuineIntel", 6, "v4"),
        ("23", "AuthenticAMD", 25, "v3"),
        ("23", "GenuineIntel", 6, "v3"),
        ("2", "AuthenticAMD", 23, ""),
    ] {
        assert_eq!(level(dir.path(), levels, vendor, family), wanted, "{levels} {vendor} {family}");
    }
}

#[test]
fn each_level_has_its_repositories_before_those_of_every_processor() {
    let repositories = |level: &str| {
        let script = format!("set -euo pipefail\n{}\nrepositories '{level}'", function("repositories"));
        let run = command("bash").args(["-c", &script]).output().unwrap();
        let words = String::from_utf8(run.stdout).unwrap();
        let lines = words.lines().filter(|line| line.starts_with(['[', 'I', 'A']));
        lines.collect::<Vec<_>>().join(" ")
    };
    let all = "[cachyos] Include = /etc/pacman.d/cachyos-mirrorlist";
    assert_eq!(repositories(""), format!("[options] {all}"));
    let include = "Include = /etc/pacman.d/cachyos-v4-mirrorlist";
    let both = "Architecture = x86_64_v3 Architecture = x86_64_v4";
    for level in ["v4", "znver4"] {
        let own =
            format!("[cachyos-{level}] {include} [cachyos-core-{level}] {include} [cachyos-extra-{level}] {include}");
        assert_eq!(repositories(level), format!("[options] {both} {own} {all}"));
    }
}
