//! What is said to a planted guest's agent, and what it answers: files and programs.

use super::{Boot, Planted};
use crate::{
    domain::plant::contract::{LINUX_DIR, PROGRESS, Progress, READY, Ready, Stage, WINDOWS_DIR},
    sim::{clock::Clock, state::Vm},
};
use serde_json::json;
use std::collections::BTreeMap;

/// The text of a file; none if there isn't one.
pub(crate) fn read(vm: &Vm, clock: &Clock, path: &str) -> Option<Vec<u8>> {
    let Some(planted) = &vm.planted else { return vm.files.get(path).cloned() };
    let (dir, slash) = if planted.windows { (WINDOWS_DIR, "\\") } else { (LINUX_DIR, "/") };
    let told = |name: &str| format!("{dir}{slash}{name}");
    if path == told(READY) {
        return serde_json::to_vec(&planted.reached(vm, clock)?).ok();
    }
    if path == told(PROGRESS) {
        return serde_json::to_vec(&planted.progress(vm, clock)?).ok();
    }
    planted.files.get(path).cloned()
}

/// A file is written.
pub(crate) fn write(vm: &mut Vm, path: &str, bytes: Vec<u8>) {
    if let Some(planted) = &mut vm.planted {
        if let Some(plant) = super::plant_in(&bytes) {
            planted.plant = plant;
        }
        planted.files.insert(path.to_owned(), bytes);
    } else {
        vm.files.insert(path.to_owned(), bytes);
    }
}

/// Folders that every Linux has.
const FOLDERS: [&str; 12] = [
    "",
    "/boot",
    "/etc",
    "/etc/systemd/system",
    "/home",
    "/opt",
    "/root",
    "/run",
    "/srv",
    "/tmp",
    "/usr/local/bin",
    "/var/tmp",
];

/// Whether a path is a folder's that every Linux has.
pub(crate) fn is_folder(path: &str) -> bool {
    FOLDERS.contains(&path)
}

/// Whether the folder is there that a file would be written into: a usual one, one that was made, one that has a file
/// already. In Windows nothing is known of folders.
pub(crate) fn has_folder_of(vm: &Vm, path: &str) -> bool {
    let Some((folder, _)) = path.rsplit_once('/').filter(|_| path.starts_with('/')) else { return true };
    let Some(planted) = &vm.planted else { return FOLDERS.contains(&folder) };
    let inside = |known: &str| known.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let set_up = planted.boot == Boot::Disk || planted.installing.is_some();
    FOLDERS.contains(&folder)
        || (set_up && inside(LINUX_DIR))
        || planted.folders.iter().any(|known| inside(known))
        || planted.files.keys().any(|known| inside(known))
}

/// A program is started. True if the guest turns itself off by it.
pub(crate) fn run(vm: &mut Vm, argv: &[String]) -> bool {
    let line = argv.join(" ");
    let Some(planted) = &mut vm.planted else { return false };
    if line.contains("mkdir") || line.contains("install -d") {
        let words = line.split([' ', ';', '\n', '"', '\'']).filter(|word| word.starts_with('/'));
        planted.folders.extend(words.map(|word| word.trim_end_matches('/').to_owned()));
    }
    let named = planted.files.keys().any(|path| line.contains(path.as_str()));
    let installs = planted.boot == Boot::Live && !line.contains("mkdir") && (named || line.contains("install"));
    if installs && planted.installing.is_none() {
        planted.installing = Some(Clock::now());
    }
    line.contains("poweroff")
}

/// What a program prints.
pub(crate) fn answer(vm: &Vm, argv: &[String]) -> Option<String> {
    let joined = vm.planted.as_ref()?.timing.joined;
    let line = argv.join(" ");
    if line.contains("/leafz") {
        return Some(json!({"server_id": "NA", "leafnodes": joined, "leafs": []}).to_string());
    }
    if line.contains("/routez") {
        return Some(json!({"server_id": "NA", "num_routes": joined, "routes": []}).to_string());
    }
    Some(String::new())
}

impl Planted {
    fn reached(&self, vm: &Vm, clock: &Clock) -> Option<Ready> {
        let ready = self.is_ready(vm, clock);
        let stage = match self.boot {
            Boot::Live | Boot::Setup if self.is_done(vm, clock) => {
                if self.windows {
                    Stage::Base
                } else {
                    Stage::Installed
                }
            }
            Boot::Disk if ready => Stage::Ready,
            Boot::Disk if self.windows => Stage::Base,
            _ => return None,
        };
        let versions = [("kernel", "6.17.8-2-cachyos"), ("driver", "580.105.08")];
        let versions: BTreeMap<String, String> =
            versions.into_iter().map(|(name, version)| (name.to_owned(), version.to_owned())).collect();
        let versions = if stage == Stage::Ready { versions } else { BTreeMap::new() };
        Some(Ready { plant: self.plant.clone(), stage, versions, errors: Vec::new() })
    }

    fn progress(&self, vm: &Vm, clock: &Clock) -> Option<Progress> {
        if self.timing.silent || (self.boot == Boot::Live && self.installing.is_none()) {
            return None;
        }
        let half = vm.is_up_for(clock, self.timing.agent + self.timing.setup / 2.0);
        let (part, doing) = if half { (2, "installing the desktop") } else { (1, "updating the system") };
        Some(Progress { doing: doing.to_owned(), part, of: 2, error: self.timing.error.clone() })
    }
}
