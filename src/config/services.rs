//! `services` of a mode: well-known names, or maps with a name and probes.

use super::{
    node::Value,
    reader::{Field, Reader, Said, Section, one_of, shown},
};
use crate::domain::{
    mode::Os,
    service::{self, Probe, ServiceCheck},
    text,
};

const ALLOWED: &str = "a list of services such as [wivrn, nats]";
const WELL_KNOWN: [&str; 6] = ["wivrn", "steam-link", "steamvr", "virtual-desktop", "nimsforest", "nats"];
const KINDS: [&str; 7] = ["http", "tcp", "udp", "systemd", "systemd-user", "process", "winsvc"];

/// Reads the list; none if it isn't one.
pub(super) fn read(reader: &mut Reader<'_>, field: &Field<'_>, os: Option<Os>) -> Option<Vec<ServiceCheck>> {
    let items = reader.list(field, ALLOWED)?;
    Some(items.into_iter().filter_map(|item| one(reader, item, os)).collect())
}

fn one(reader: &mut Reader<'_>, item: Field<'_>, os: Option<Os>) -> Option<ServiceCheck> {
    if matches!(item.node.value, Value::Scalar(_)) {
        let said = reader.scalar(&item, ALLOWED)?;
        let found = well_known(&said.text.trim().to_ascii_lowercase(), os);
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
        let message = format!("the service '{}' has no probe; use {}", shown(&name), one_of(&KINDS));
        reader.problem(place, section.key, message);
    }
    Some(ServiceCheck { name, probes })
}

/// The services that go by a short name.
fn well_known(name: &str, os: Option<Os>) -> Option<ServiceCheck> {
    let forest = name == "nimsforest" || name == "nats";
    let known = forest || WELL_KNOWN.contains(&name) || name == "steamlink" || name == "virtualdesktop";
    let defaults = service::defaults(os, Some(name).filter(|_| known), forest);
    defaults.into_iter().find(|check| known && (!forest || check.name.eq_ignore_ascii_case(name)))
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
    let mut probes = Vec::new();
    for (kind, field) in section.fields().filter(|(kind, _)| KINDS.contains(kind)) {
        for said in reader.texts(&field, "a value or a list of values") {
            probes.extend(probe(reader, kind, &said, outside.unwrap_or(false), user.as_ref()));
        }
    }
    probes
}

fn probe(reader: &mut Reader<'_>, kind: &str, said: &Said, outside: bool, user: Option<&String>) -> Option<Probe> {
    let mut port = || reader.number(said, 1..=65535, "").and_then(|port| u16::try_from(port).ok());
    Some(match kind {
        "http" => Probe::Http { url: super::other::url(reader, said)? },
        "tcp" => Probe::Tcp { port: port()?, udp: false, outside },
        "udp" => Probe::Tcp { port: port()?, udp: true, outside: false },
        "systemd" => Probe::Systemd { unit: name(reader, said)? },
        "systemd-user" => Probe::SystemdUser { unit: name(reader, said)?, user: user.cloned() },
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
