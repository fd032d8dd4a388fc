//! What makes a guest a node of a forest: `NimsForest`'s files, its NATS server's, and the units that run both.
//!
//! Files and environment as `NimsForest` reads them since January 2026 (nimsforest2
//! `internal/natsclusterconfig/config.go`, `cmd/forest/main.go`): `NATS_CLUSTER_NODE_INFO` names `node-info.json` with
//! `forest_id` and `node_id`, `NATS_CLUSTER_REGISTRY` names `registry.json` with the nodes of each forest, and
//! `JETSTREAM_DIR` where it keeps its streams. It brings a NATS server of its own (`internal/natsembed/server.go`):
//! monitoring on 8222, a port for clients that the system chooses, and 6222 for peers only where its list has some. It
//! ends where the guest has no IPv6 address. Releases are for Linux alone (`.github/workflows/release.yml`).

use super::{
    Answers, File, Secrets,
    answers::{Forest, Machine, Nats, Registry},
    nats,
    registry::Document,
};
use crate::domain::mode::Os;
use secrecy::ExposeSecret;
use serde_json::json;

/// Where the Linux set-up puts `NimsForest`'s program.
pub const LINUX_BINARY: &str = "/usr/local/bin/nimsforest";
/// What gets its peers.
const LINUX_REGISTRY: &str = "/usr/local/lib/morpheus/registry";
/// The name of the unit or Windows service of the guest's own NATS server.
pub const NATS_SERVICE: &str = "nats-server";
/// The name of `NimsForest`'s unit; the Windows service is `NimsForest`.
pub const LINUX_SERVICE: &str = "nimsforest";

/// A guest's id in the registry and in `node-info.json`.
#[must_use]
pub fn node_id(machine: &Machine) -> &str {
    &machine.name
}

/// The guests that run `NimsForest`, Linux first: they are the forest's nodes, and no other guest is.
#[must_use]
pub fn nodes(answers: &Answers) -> Vec<&Machine> {
    let windows = answers.windows.as_ref().map(|windows| (Os::Windows, &windows.machine));
    let guests = [Some((Os::Linux, &answers.linux.machine)), windows];
    let runs = |(os, machine)| answers.forest.nimsforest(os).map(|_| machine);
    guests.into_iter().flatten().filter_map(runs).collect()
}

/// TCP ports of a guest that the others of its cluster must reach. A leaf node calls its hubs itself and needs none;
/// `NimsForest` has peers only from a registry that the guest reads.
#[must_use]
pub fn open_ports(forest: &Forest, nimsforest: bool) -> Vec<u16> {
    let cluster = matches!(forest.nats, Nats::Cluster(_)).then(|| nats::cluster_port(nimsforest));
    let embedded = (nimsforest && readable_registry(forest).is_some()).then(|| nats::cluster_port(false));
    embedded.into_iter().chain(cluster).collect()
}

/// Files of the Linux guest, at absolute places. Those with a secret are root's alone (mode 0600), the others may be
/// read by everybody. The units are `nats-server.service` and `nimsforest.service`.
#[must_use]
pub fn linux_files(answers: &Answers, secrets: &Secrets) -> Vec<File> {
    let (forest, machine) = (&answers.forest, &answers.linux.machine);
    let mut files = Vec::new();
    let beside = forest.nimsforest(Os::Linux).is_some();
    if let Some(conf) = nats::conf(forest, machine, beside, nats::LINUX) {
        let credentials = credentials(forest, secrets, "/etc/nats/forest.creds");
        let unit = include_str!("../../../assets/plant/linux/nats-server.service");
        let unit = if takes_credentials(forest) { unit.to_owned() } else { without(unit, "LoadCredential=") };
        files.push(File::new("/etc/nats/morpheus.conf", conf, "The guest's own NATS server."));
        files.extend(credentials);
        files.push(File::new("/etc/systemd/system/nats-server.service", unit, "Runs it, and drains it when it stops."));
    }
    let Some(id) = forest.id.as_deref().filter(|_| beside) else { return files };
    files.push(File::new(
        "/etc/nimsforest/node-info.json",
        node_info(id, machine, answers),
        "Who the guest is to NimsForest.",
    ));
    files.push(File::new("/mnt/forest/registry.json", Document::empty(id).text(), "NimsForest's peers; none yet."));
    let unit = include_str!("../../../assets/plant/linux/nimsforest.service");
    let unit = match readable_registry(forest) {
        Some(url) => {
            let script = include_str!("../../../assets/plant/linux/registry.sh");
            files.push(File::new(LINUX_REGISTRY, script, "Gets NimsForest's peers before it starts."));
            unit.replace("@REGISTRY@", &in_unit(url))
        }
        None => without(unit, "ExecStartPre="),
    };
    files.push(File::new("/etc/systemd/system/nimsforest.service", unit, "Runs NimsForest."));
    files
}

/// Files of the Windows guest, relative to [`WINDOWS_DIR`](super::contract::WINDOWS_DIR).
#[must_use]
pub fn windows_files(answers: &Answers, secrets: &Secrets) -> Vec<File> {
    let (forest, Some(windows)) = (&answers.forest, &answers.windows) else { return Vec::new() };
    let beside = forest.nimsforest(Os::Windows).is_some();
    let mut files = Vec::new();
    let conf = nats::conf(forest, &windows.machine, beside, nats::WINDOWS).filter(|_| forest.windows_nats.is_some());
    if let Some(conf) = conf {
        files.push(File::new("nats/nats.conf", crlf(&conf), "The guest's own NATS server."));
        files.extend(credentials(forest, secrets, "nats/forest.creds"));
    }
    if let Some(id) = forest.id.as_deref().filter(|_| beside) {
        let about = "Who the guest is to NimsForest.";
        files.push(File::new("nimsforest/node-info.json", node_info(id, &windows.machine, answers), about));
        let none = Document::empty(id).text();
        files.push(File::new("nimsforest/registry.json", none, "NimsForest's peers; none yet."));
    }
    files
}

/// The registry's address, where a guest may read it without a token: no guest is ever given the token, for it writes.
#[must_use]
pub fn readable_registry(forest: &Forest) -> Option<&str> {
    match &forest.registry {
        Some(Registry::Url { url, token_file: None }) => Some(url),
        _ => None,
    }
}

/// Lines that end as Windows' do.
#[must_use]
pub fn crlf(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\n', "\r\n")
}

fn takes_credentials(forest: &Forest) -> bool {
    matches!(&forest.nats, Nats::Leaf(peers) if peers.credentials_file.is_some())
}

fn credentials(forest: &Forest, secrets: &Secrets, path: &str) -> Option<File> {
    let text = secrets.nats_credentials.as_ref().filter(|_| takes_credentials(forest))?;
    let about = "What the forest's NATS servers know the guest by.";
    Some(File::new(path, text.expose_secret(), about).with_secret())
}

/// Who a guest is. `NimsForest` reads the first two; the others are what the cloud images of its maker say of a node: its
/// place, from 0, among the nodes that were made with it, and how many these are (nimsforest/morpheus
/// `pkg/cloudinit/templates.go`, `pkg/forest/provisioner.go`).
fn node_info(forest: &str, machine: &Machine, answers: &Answers) -> String {
    let nodes = nodes(answers);
    let info = json!({
        "forest_id": forest,
        "node_id": node_id(machine),
        "node_index": nodes.iter().position(|node| node.vmid == machine.vmid),
        "cluster_size": nodes.len(),
        "provisioner": "morpheus",
    });
    format!("{info:#}\n")
}

fn without(unit: &str, line: &str) -> String {
    unit.split_inclusive('\n').filter(|one| !one.starts_with(line)).collect()
}

/// A word of a unit's command line: quoted, with `%` and `$` doubled (systemd.service, "Command lines").
fn in_unit(word: &str) -> String {
    let escaped = word.replace('\\', "\\\\").replace('"', "\\\"").replace('%', "%%").replace('$', "$$");
    format!("\"{escaped}\"")
}

#[cfg(test)]
#[path = "forest_tests.rs"]
mod tests;
