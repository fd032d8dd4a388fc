//! Parts of the set-up, each with what it asks in a place of its own.

use crate::tools::{command, has};
use serde_json::{Value, json};
use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Output};

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

/// What `NimsForest` is given of a registry: none if it was left as it was.
fn peers(dir: &Path, registry: &str) -> (Output, Value) {
    let (source, identity, list) = (dir.join("source"), dir.join("node-info.json"), dir.join("registry.json"));
    fs::write(&source, registry).unwrap();
    fs::write(&identity, json!({ "forest_id": "home", "node_id": "vr-linux" }).to_string()).unwrap();
    fs::write(&list, "null").unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/plant/linux/registry.sh");
    let mut bash = command("bash");
    bash.env("NATS_CLUSTER_NODE_INFO", &identity).env("NATS_CLUSTER_REGISTRY", &list);
    let run = bash.arg(script).arg(format!("file://{}", source.display())).output().unwrap();
    let left = fs::read_dir(dir).unwrap().count();
    assert_eq!(left, 3, "nothing is left over");
    (run, serde_json::from_str(&fs::read_to_string(list).unwrap()).unwrap())
}

/// `NimsForest` compares addresses alone: this guest's own entry has another of its addresses, or its name.
#[test]
fn nimsforest_isnt_its_own_peer_and_waits_for_none_that_is_off() {
    if !has("jq", "jq") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let hub = json!({ "id": "hub", "ip": "2001:db8::1", "state": "stopped" });
    let windows = json!({ "id": "vr-windows", "ip": "192.0.2.8", "managed_by": "morpheus", "state": "stopped" });
    let own = json!({ "id": "vr-linux", "ip": "192.0.2.7", "managed_by": "morpheus", "state": "running" });
    let other = json!({ "id": "desk", "ipv4": "192.0.2.9", "managed_by": "morpheus", "state": "running" });
    let nowhere = json!({ "id": "nowhere", "ip": "" });
    let garden = json!([{ "id": "vr-linux", "ip": "192.0.2.1" }]);
    let registry = json!({ "version": 3, "nodes": { "home": [hub, windows, own, other, nowhere], "garden": garden } });
    let (run, peers_of) = peers(dir.path(), &registry.to_string());
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    assert_eq!(peers_of, json!({ "version": 3, "nodes": { "home": [hub, other], "garden": garden } }));
    let (_, none) = peers(dir.path(), r#"{"nodes": {}}"#);
    assert_eq!(none, json!({ "nodes": { "home": [] } }));
}

#[test]
fn what_is_no_registry_leaves_the_peers_as_they_were() {
    if !has("jq", "jq") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    for text in ["<html>", "[]", r#"{"message": "not here"}"#, r#"{"nodes": {"home": {}}}"#, ""] {
        let (run, kept) = peers(dir.path(), text);
        assert!(!run.status.success() && kept.is_null(), "{text}: {kept}");
    }
}

/// `KWin`'s devices, in a guest with these cards: their names and vendors.
fn devices(cards: &[(&str, &str)]) -> String {
    let dir = tempfile::tempdir().unwrap();
    let drm = dir.path().join("drm");
    fs::create_dir(&drm).unwrap();
    for (name, vendor) in cards {
        fs::create_dir_all(drm.join(name).join("device")).unwrap();
        fs::write(drm.join(name).join("device/vendor"), format!("{vendor}\n")).unwrap();
        fs::create_dir_all(drm.join(format!("{name}-HDMI-A-1"))).unwrap();
    }
    let script = include_str!("../../assets/plant/linux/screens.sh").replace("/sys/class/drm", drm.to_str().unwrap());
    // Plasma's own way to read it: a POSIX shell that then tells its environment.
    let run = command("sh").env_remove("KWIN_DRM_DEVICES").args(["-euc", &format!("{script}\nenv")]).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let words = String::from_utf8(run.stdout).unwrap();
    words.lines().find_map(|line| line.strip_prefix("KWIN_DRM_DEVICES=").map(str::to_owned)).unwrap_or_default()
}

#[test]
fn the_desktop_is_drawn_by_the_card_and_shown_on_the_console_too() {
    assert_eq!(devices(&[("card0", "0x1234"), ("card1", "0x10de")]), "/dev/dri/card1:/dev/dri/card0");
    assert_eq!(devices(&[("card0", "0x1002"), ("card1", "0x1af4")]), "/dev/dri/card0:/dev/dri/card1");
    assert_eq!(devices(&[("card0", "0x1002")]), "/dev/dri/card0");
    assert_eq!(devices(&[("card0", "0x1234")]), "", "without a card KWin chooses");
}

/// What `WiVRn` still wants for Steam, as `busctl` prints it.
#[test]
fn launch_options_that_are_still_missing_are_read_whole() {
    let options = |said: &str| {
        let functions = function("steam_options");
        let script = format!(
            "set -euo pipefail\nas_user() {{ \"$@\"; }}\nfail() {{ echo \"$*\" >&2; exit 1; }}\nsleep() {{ :; }}\n\
             busctl() {{ {said}; }}\nGUEST_USER=player\n{functions}\nsteam_options"
        );
        let run = command("bash").args(["-c", &script]).output().unwrap();
        let out = [run.stdout, run.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
        (run.status.success(), out.concat().trim().to_owned())
    };
    assert_eq!(options(r#"echo 's ""'"#), (true, String::new()));
    let wanted = "PRESSURE_VESSEL_IMPORT_OPENXR_1_RUNTIMES=1 %command%";
    assert_eq!(options(&format!("echo 's \"{wanted}\"'")), (true, wanted.to_owned()));
    let (found, words) = options("false");
    assert!(!found && words.contains("journalctl --user --unit wivrn"), "{words}");
}
