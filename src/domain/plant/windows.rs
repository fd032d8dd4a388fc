//! What a Windows guest is set up by: an answer file for Microsoft's Setup, and scripts that go on after the first
//! logon.
//!
//! Setup looks for `autounattend.xml` at the root of every disc ("Methods for Running Windows Setup"). The scripts are
//! the same for everybody; what differs is in `settings.json`. They begin at the first logon, go on at each logon by a
//! scheduled task, and tell how far they are by the files of [`contract`](super::contract).

mod unattend;

use super::{
    Answers, File, Secrets,
    answers::{Download, Forest, Nats, Windows},
    contract::WINDOWS_DIR,
    forest, nats,
};
use crate::domain::{ids::OpId, mode::Os};
use serde_json::{Value, json};

/// The label of the disc with the seed.
pub const SEED_LABEL: &str = "MORPHEUS";

/// Where the scripts and their files are on the disc.
const DIR: &str = "morpheus";

/// The scripts: name, text, what it is for.
const SCRIPTS: &[(&str, &str, &str)] = &[
    (
        "setup.ps1",
        include_str!("../../../assets/plant/windows/setup.ps1"),
        "Sets the guest up, part by part, and goes on at the part it was at after a restart.",
    ),
    (
        "tell.ps1",
        include_str!("../../../assets/plant/windows/tell.ps1"),
        "Tells how far it is, and tries again what depends on the network.",
    ),
    (
        "system.ps1",
        include_str!("../../../assets/plant/windows/system.ps1"),
        "Guest tools, power, firewall, logon; takes the secrets away at the end.",
    ),
    (
        "apps.ps1",
        include_str!("../../../assets/plant/windows/apps.ps1"),
        "The card's driver from Windows Update; Steam and Virtual Desktop.",
    ),
    ("forest.ps1", include_str!("../../../assets/plant/windows/forest.ps1"), "nats-server and NimsForest as services."),
    (
        "service.cs",
        include_str!("../../../assets/plant/windows/service.cs"),
        "Runs NimsForest as a service, and stops it as Ctrl-C would.",
    ),
    (
        "autologon.cs",
        include_str!("../../../assets/plant/windows/autologon.cs"),
        "Keeps the password of the automatic logon where only the system reads it.",
    ),
];

/// Windows' own name of a guest: the first 15 characters of its name (`NetBIOS`).
#[must_use]
pub fn computer_name(name: &str) -> &str {
    name.get(..15).unwrap_or(name).trim_end_matches('-')
}

/// The files of the Windows guest's seed, relative to its root; none where no Windows guest is wanted.
#[must_use]
pub fn seed(answers: &Answers, secrets: &Secrets, plant: &OpId) -> Vec<File> {
    let Some(windows) = &answers.windows else { return Vec::new() };
    let place = |name: &str| format!("{DIR}/{name}");
    let mut files = vec![unattend::file(windows, secrets)];
    let settings = forest::crlf(&format!("{:#}\n", settings(windows, &answers.forest, plant)));
    files.push(File::new(place("settings.json"), settings, "What the scripts set up, and for which planting."));
    let script = |(name, text, about): &(&str, &str, &str)| File::new(place(name), forest::crlf(text), *about);
    files.extend(SCRIPTS.iter().map(script));
    let of_forest = forest::windows_files(answers, secrets);
    files.extend(of_forest.into_iter().map(|file| File { path: place(&format!("files/{}", file.path)), ..file }));
    files
}

/// What the scripts read. No secret is in it.
fn settings(windows: &Windows, forest: &Forest, plant: &OpId) -> Value {
    let nats = forest.windows_nats.as_ref().filter(|_| forest.nats != Nats::None);
    let nimsforest = forest.nimsforest(Os::Windows);
    json!({
        "plant": plant.as_str(),
        "directory": WINDOWS_DIR,
        "hibernate": windows.hibernate,
        "virtual_desktop": windows.virtual_desktop,
        "nats": nats.map(download),
        "nimsforest": nimsforest.map(|from| {
            json!({ "url": from.url, "sha256": from.sha256, "registry": forest::readable_registry(forest) })
        }),
        "firewall": firewall(forest, nats.is_some(), nimsforest.is_some()),
    })
}

fn download(from: &Download) -> Value {
    json!({ "url": from.url, "sha256": from.sha256 })
}

/// Ports that are let in. Steam Link: Valve's "Steam Link - Suggested Network Settings", where 10400 and 10401 are those
/// of VR. Virtual Desktop's programs are let in by their names when they are installed, for its maker publishes no ports.
/// Headsets are of the home's networks; peers of a cluster may be anywhere.
fn firewall(forest: &Forest, nats: bool, nimsforest: bool) -> Value {
    let rule = |name: &str, protocol: &str, ports: &[&str], home: bool| json!({ "name": name, "protocol": protocol, "ports": ports, "home": home });
    let mut rules = vec![
        rule("Steam Link", "TCP", &["27036", "27037"], true),
        rule("Steam Link", "UDP", &["27031-27036", "10400-10401"], true),
    ];
    if nats && matches!(forest.nats, Nats::Cluster(_)) {
        rules.push(rule("NATS", "TCP", &[&nats::cluster_port(nimsforest).to_string()], false));
    }
    if nimsforest {
        rules.push(rule("NimsForest", "TCP", &[&nats::cluster_port(false).to_string()], false));
    }
    Value::Array(rules)
}

#[cfg(test)]
#[path = "windows_tests.rs"]
mod tests;
