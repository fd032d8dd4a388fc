//! `/cluster`: resources, status, backup jobs.

use super::{Call, node, qemu};
use crate::sim::{
    answer::{Answer, Refused},
    release::Release,
};
use serde_json::{Value, json};

/// `GET /cluster/nextid`: the lowest free number, or the given one if it is free. A text, unlike what the schema says.
pub(super) fn next_id(call: &Call<'_>) -> Result<Answer, Refused> {
    let state = call.sim.state();
    let taken = |vmid: u64| u32::try_from(vmid).is_ok_and(|vmid| state.vms.contains_key(&vmid));
    match call.number("vmid") {
        Some(vmid) if taken(vmid) => Err(Refused::param("vmid", format!("VM {vmid} already exists"))),
        Some(vmid) => Ok(json!(vmid.to_string()).into()),
        None => Ok(json!((100..1_000_000).find(|vmid| !taken(*vmid)).unwrap_or(100).to_string()).into()),
    }
}

/// `GET /cluster/resources`. The real one is up to 10 s old; this one is fresh.
pub(super) fn resources(call: &Call<'_>) -> Answer {
    let kind = call.text("type");
    let wanted = |name: &str| kind.as_deref().is_none_or(|kind| kind == name);
    let mut found: Vec<Value> = Vec::new();
    if wanted("vm") {
        found.extend(qemu::resources(call));
    }
    if wanted("node") {
        found.push(node::resource(call));
    }
    if wanted("storage") {
        found.extend(node::storage_resources(call));
    }
    if wanted("sdn") && call.may("/sdn/zones/localnetwork", &["SDN.Audit", "SDN.Use", "SDN.Allocate"]) {
        let name = &call.sim.world.node.name;
        let zone = "localnetwork";
        found.push(match call.release() {
            Release::V8 => json!({
                "id": format!("sdn/{name}/{zone}"), "sdn": zone, "node": name, "status": "ok", "type": "sdn",
            }),
            Release::V9 => json!({
                "id": format!("network/{name}/zone/{zone}"), "network": zone, "network-type": "zone", "node": name,
                "status": "ok", "type": "network",
            }),
        });
    }
    Value::Array(found).into()
}

/// `GET /cluster/status` of a node that is in no cluster.
pub(super) fn status(call: &Call<'_>) -> Answer {
    let name = &call.sim.world.node.name;
    let entry = json!({
        "id": format!("node/{name}"), "ip": "127.0.0.1", "level": "", "local": 1, "name": name, "nodeid": 0,
        "online": 1, "type": "node",
    });
    Value::Array(vec![entry]).into()
}

/// `GET /cluster/backup`.
pub(super) fn backups(call: &Call<'_>) -> Answer {
    json!(call.sim.world.backups).into()
}
