//! The configuration of a guest's own NATS server. It needs nats-server 2.9 or later (Debian 12 has 2.9.10, Arch
//! and Debian 13 have 2.10 or later).
//!
//! Keys and their rules: nats-server's `server/opts.go`. A leaf node has a `JetStream` domain of its own, so that
//! what it keeps stays with it and the hub's quorum never counts on a guest that is mostly off.
//!
//! A remote's `tls://` alone asks for nothing: the server then does what the hub's first line says, and a hub without
//! TLS, or whoever poses as one, gets the credentials in the clear. Only a `tls` block insists (`server/leafnode.go`,
//! `leafNodeGetTLSConfigForSolicit`); `wss://` always does.

use super::answers::{Forest, Machine, Nats, Peers};
use std::fmt::Write as _;

/// The port of a cluster's routes; beside `NimsForest`, whose own server takes 6222 once it has peers, it is 6322.
#[must_use]
pub const fn cluster_port(beside_nimsforest: bool) -> u16 {
    if beside_nimsforest { 6322 } else { 6222 }
}

/// What else listens on a port of a guest, so that its server can't: programs that planting brings, and Windows' own.
#[must_use]
pub const fn taken(port: u16) -> Option<&'static str> {
    match port {
        22 => Some("SSH"),
        135 | 139 | 445 | 3389 => Some("Windows"),
        6222 | 6322 => Some("the routes of a cluster"),
        8080 => Some("NimsForest's API"),
        8222 | 8322 => Some("the monitoring of NATS"),
        9757 => Some("WiVRn"),
        27036 | 27037 => Some("Steam Link"),
        _ => None,
    }
}

/// Where a server finds and keeps things in its guest.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Places {
    /// The directory of its streams.
    pub store: &'static str,
    /// The file with its credentials.
    pub credentials: &'static str,
}

/// In a Linux guest. The unit hands the credentials over; the file itself is root's (`LoadCredential=`, systemd.exec).
pub const LINUX: Places =
    Places { store: "/var/lib/nats/jetstream", credentials: "/run/credentials/nats-server.service/forest.creds" };

/// In a Windows guest.
pub const WINDOWS: Places = Places {
    store: "C:/ProgramData/morpheus/nats/jetstream",
    credentials: "C:/ProgramData/morpheus/nats/forest.creds",
};

/// The text of the configuration file; nothing where guests have no server of their own.
#[must_use]
pub fn conf(forest: &Forest, machine: &Machine, beside_nimsforest: bool, places: Places) -> Option<String> {
    let role = match &forest.nats {
        Nats::None => return None,
        Nats::Leaf(_) => "a leaf node of",
        Nats::Cluster(_) => "a peer in",
    };
    let (port, monitor) = forest.nats_ports(beside_nimsforest);
    let name = quoted(&machine.name);
    let mut text = format!(
        "# The NATS server of {}: {role} the forest's NATS. Made by morpheus, for nats-server 2.9 or later.\n\
         server_name: {name}\n\n\
         # Only for programs of this guest: whoever reaches these ports speaks with the rights of this server.\n\
         listen: \"127.0.0.1:{port}\"\n\
         http: \"127.0.0.1:{monitor}\"\n",
        machine.name,
    );
    match &forest.nats {
        Nats::None => {}
        Nats::Leaf(peers) => leaf(&mut text, peers, &name, places),
        Nats::Cluster(peers) => cluster(&mut text, forest, peers, beside_nimsforest, places),
    }
    // The shortest that the server allows; a client that doesn't go by itself is closed within it.
    text.push_str(
        "\n# Before the guest goes, the server is told to drain (lame duck mode); clients then move to another one.\n\
         lame_duck_grace_period: \"2s\"\n\
         lame_duck_duration: \"30s\"\n",
    );
    Some(text)
}

fn leaf(text: &mut String, peers: &Peers, name: &str, places: Places) {
    let _ = write!(
        text,
        "\n# Streams of this guest live in a domain of its own: they go on without the forest, and it without them.\n\
         jetstream {{\n  store_dir: {}\n  domain: {name}\n}}\n\n\
         leafnodes {{\n  remotes: [\n    {{\n      urls: [{}]\n",
        quoted(places.store),
        list(&peers.urls)
    );
    if peers.credentials_file.is_some() {
        let _ = writeln!(text, "      credentials: {}", quoted(places.credentials));
    }
    if peers.urls.iter().any(|url| url.starts_with("tls://")) {
        text.push_str("      # Without this block a hub that offers no TLS is joined all the same.\n      tls {}\n");
    }
    text.push_str("    }\n  ]\n}\n");
}

fn cluster(text: &mut String, forest: &Forest, peers: &Peers, beside_nimsforest: bool, places: Places) {
    let _ = write!(
        text,
        "\njetstream {{\n  store_dir: {}\n}}\n\n\
         cluster {{\n  name: {}\n  listen: \"0.0.0.0:{}\"\n  routes: [{}]\n}}\n",
        quoted(places.store),
        quoted(forest.id.as_deref().unwrap_or("forest")),
        cluster_port(beside_nimsforest),
        list(&peers.urls)
    );
}

fn list(urls: &[String]) -> String {
    urls.iter().map(|url| quoted(url)).collect::<Vec<_>>().join(", ")
}

/// A text in double quotes, with the escapes that nats-server's `conf/lex.go` knows: `\"`, `\\` and `\xHH`.
fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_ascii_control() => {
                let _ = write!(quoted, "\\x{:02X}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::plant::{Answers, Form, Key, testing};

    fn answers(change: impl Fn(Form) -> Form) -> Answers {
        Answers::read(&change(testing::form())).expect("a good form")
    }

    #[test]
    fn a_leaf_has_its_name_its_domain_and_its_hubs() {
        let answers = answers(|form| form);
        let conf = conf(&answers.forest, &answers.linux.machine, true, LINUX).expect("a leaf");
        testing::snapshot("plant_nats_leaf", &conf);
    }

    #[test]
    fn a_peer_has_the_cluster_of_its_forest() {
        let answers = answers(|form| form.with(Key::ForestNats, "cluster").with(Key::ForestHubs, "nats://peer:6222"));
        let windows = answers.windows.as_ref().expect("windows");
        let conf = conf(&answers.forest, &windows.machine, false, WINDOWS).expect("a peer");
        testing::snapshot("plant_nats_cluster", &conf);
    }

    #[test]
    fn without_nats_there_is_nothing() {
        let answers = answers(|form| form.with(Key::ForestNats, "none"));
        assert_eq!(conf(&answers.forest, &answers.linux.machine, false, LINUX), None);
    }

    #[test]
    fn no_text_gets_out_of_its_quotes() {
        assert_eq!(quoted("a\"b\\c\nd$e é"), r#""a\"b\\c\x0Ad$e é""#);
    }
}
