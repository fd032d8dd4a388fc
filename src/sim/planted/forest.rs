//! What a planted guest runs of a forest: that which its seed or its installer brought, and nothing else.

use crate::{domain::service::NATS_MONITOR, sim::world::Serves};

/// What only the identity of a node of `NimsForest` has.
const NODE: &[u8] = b"\"provisioner\": \"morpheus\"";
/// What comes before a port in the configuration of a guest's own NATS server: where its clients connect, and where it is
/// monitored.
const LISTEN: [&[u8]; 2] = [b"listen: \"127.0.0.1:", b"http: \"127.0.0.1:"];

/// Has a guest serve what these bytes bring.
pub(super) fn join(serves: &mut Serves, bytes: &[u8], windows: bool) {
    let mut add = |unit: &str, service: &str, ports: &[u16]| {
        let (known, name) = if windows { (&mut serves.winsvc, service) } else { (&mut serves.systemd, unit) };
        if !known.iter().any(|known| known == name) {
            known.push(name.to_owned());
            serves.tcp.extend(ports);
        }
    };
    if find(bytes, NODE).is_some() {
        add("nimsforest.service", "NimsForest", &[NATS_MONITOR]);
    }
    let ports: Vec<u16> = LISTEN.iter().filter_map(|start| port(find(bytes, start)?)).collect();
    if ports.len() == LISTEN.len() {
        add("nats-server.service", "nats-server", &ports);
    }
}

/// What comes after these bytes.
fn find<'a>(bytes: &'a [u8], start: &[u8]) -> Option<&'a [u8]> {
    let at = bytes.windows(start.len()).position(|window| window == start)?;
    bytes.get(at + start.len()..)
}

fn port(bytes: &[u8]) -> Option<u16> {
    let digits: String = bytes.iter().map(|byte| char::from(*byte)).take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}
