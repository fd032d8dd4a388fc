//! `services` of a mode: well-known names, or maps with a name and probes.

use super::{
    node::Value,
    reader::{Field, Reader, Said, Section, one_of},
    shown,
};
use crate::domain::{
    mode::Os,
    service::{self, Forest, NATS_MONITOR, Probe, ServiceCheck},
    text,
};

const ALLOWED: &str = "a list of services such as [wivrn, nats]";
const PORT: &str = "a number from 1 to 65535";
const WELL_KNOWN: [&str; 6] = ["wivrn", "steam-link", "steamvr", "virtual-desktop", "nimsforest", "nats"];
const KINDS: [&str; 8] = ["http", "tcp", "udp", "systemd", "systemd-user", "process", "winsvc", "nats"];

/// Reads the list; none if it isn't one.
pub(super) fn read(
    reader: &mut Reader<'_>,
    field: &Field<'_>,
    os: Option<Os>,
    forest: Forest<'_>,
) -> Option<Vec<ServiceCheck>> {
    let items = reader.list(field, ALLOWED)?;
    Some(items.into_iter().filter_map(|item| one(reader, item, os, forest)).collect())
}

fn one(reader: &mut Reader<'_>, item: Field<'_>, os: Option<Os>, forest: Forest<'_>) -> Option<ServiceCheck> {
    if matches!(item.node.value, Value::Scalar(_)) {
        let said = reader.scalar(&item, ALLOWED)?;
        let found = well_known(&said.text.trim().to_ascii_lowercase(), os, forest);
        if found.is_none() {
            let allowed = format!("{}, or a map with name and probes", one_of(&WELL_KNOWN));
            reader.refuse(&said, &allowed, text::nearest(&said.text, WELL_KNOWN));
        }
        return found;
    }
    let section = reader.section(item)?;
    let before = reader.problems.len();
    let probes = probes(reader, &section);
    let clean = reader.problems.len() == before;
    let name = section.get("name").and_then(|field| reader.scalar(&field, "a text"));
    let place = reader.place(section.at);
    let Some(name) = name.map(|said| said.text.trim().to_owned()).filter(|name| !name.is_empty()) else {
        reader.problem(place, format!("{}.name", section.key), "the name of the service is missing; use a text");
        return None;
    };
    if probes.is_empty() && clean {
        let message = format!("the service '{}' has no probe; use {}", shown::value(&name), one_of(&KINDS));
        reader.problem(place, section.key, message);
    }
    Some(ServiceCheck { name, probes, note: None })
}

/// The services that go by a short name.
fn well_known(name: &str, os: Option<Os>, forest: Forest<'_>) -> Option<ServiceCheck> {
    let of_forest = service::forest(os, forest).into_iter().find(|check| check.name.eq_ignore_ascii_case(name));
    of_forest.or_else(|| service::vr(os, Some(name)))
}

/// The probes of a service, in the file's order. A key may have a list of values: one probe for each.
fn probes(reader: &mut Reader<'_>, section: &Section<'_>) -> Vec<Probe> {
    let outside = section.get("outside").and_then(|field| {
        let said = reader.scalar(&field, "true or false")?;
        reader.boolean(&said)
    });
    let user = section.get("user").and_then(|field| {
        let said = reader.scalar(&field, "a name")?;
        name(reader, &said)
    });
    let monitor = section.get("monitor").and_then(|field| {
        let said = reader.scalar(&field, PORT)?;
        port(reader, &said)
    });
    let more = More { outside: outside.unwrap_or(false), user, monitor: monitor.unwrap_or(NATS_MONITOR) };
    let mut probes = Vec::new();
    for (kind, field) in section.fields().filter(|(kind, _)| KINDS.contains(kind)) {
        for said in reader.texts(&field, "a value or a list of values") {
            probes.extend(probe(reader, kind, &said, &more));
        }
    }
    probes
}

/// What a service says of its probes.
struct More {
    outside: bool,
    user: Option<String>,
    monitor: u16,
}

fn port(reader: &mut Reader<'_>, said: &Said) -> Option<u16> {
    reader.number(said, 1..=65535, "").and_then(|port| u16::try_from(port).ok())
}

fn probe(reader: &mut Reader<'_>, kind: &str, said: &Said, more: &More) -> Option<Probe> {
    Some(match kind {
        "http" => Probe::Http { url: super::other::url(reader, said)? },
        "tcp" => Probe::Tcp { port: port(reader, said)?, udp: false, outside: more.outside },
        "udp" => Probe::Tcp { port: port(reader, said)?, udp: true, outside: false },
        "nats" => Probe::Nats { port: port(reader, said)?, monitor: more.monitor },
        "systemd" => Probe::Systemd { unit: name(reader, said)? },
        "systemd-user" => Probe::SystemdUser { unit: name(reader, said)?, user: more.user.clone() },
        "process" => Probe::Process { process: name(reader, said)? },
        _ => Probe::Winsvc { service: name(reader, said)? },
    })
}

/// A name of a unit, process, service or user: printable, on one line.
fn name(reader: &mut Reader<'_>, said: &Said) -> Option<String> {
    let name = said.text.trim();
    if name.is_empty() || name.starts_with('-') || text::safe(name) != name {
        reader.refuse(said, "a name that doesn't begin with '-'", None);
        return None;
    }
    Some(name.to_owned())
}
