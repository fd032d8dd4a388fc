//! `/cluster`: resources, status, resource mappings.

use super::{Call, node, qemu};
use crate::sim::{
    answer::{Answer, Entry},
    auth::digest,
};
use serde_json::{Value, json};

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
        found.push(json!({
            "id": format!("network/{name}/zone/{zone}"), "network": zone, "network-type": "zone", "node": name,
            "status": "ok", "type": "network",
        }));
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

/// `GET /cluster/mapping/pci`: those that the asker may see.
pub(super) fn mappings(call: &Call<'_>) -> Answer {
    let audit = ["Mapping.Modify", "Mapping.Use", "Mapping.Audit"];
    let all = &call.sim.world.mappings;
    let seen = all.iter().filter(|(id, _)| call.may(&format!("/mapping/pci/{id}"), &audit));
    let entries = seen.map(|(id, mapping)| {
        let mut entry = json!({
            "id": id, "type": "pci", "map": mapping.map,
            "digest": digest(&format!("{all:?}")).get(..40).unwrap_or_default(),
        });
        if let Some(description) = &mapping.description {
            entry.set("description", json!(description));
        }
        if call.text("check-node").is_some() {
            entry.set("checks", json!([]));
        }
        entry
    });
    Value::Array(entries.collect()).into()
}
