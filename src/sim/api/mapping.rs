//! `/cluster/mapping` (pve-manager `API2/Cluster/Mapping/PCI.pm`, `USB.pm`).

use super::Call;
use crate::sim::{
    answer::{Answer, Entry, Refused},
    auth::digest,
    pci::{self, Mappings},
    router::plain,
    state::State,
    world::MappingSpec,
};
use serde_json::{Value, json};

/// `GET /cluster/mapping`.
pub(super) fn index() -> Answer {
    json!([{"name": "dir"}, {"name": "pci"}, {"name": "usb"}]).into()
}

/// `pci` or `usb`.
fn kind(call: &Call<'_>) -> &'static str {
    if call.endpoint.path.contains("/usb") { "usb" } else { "pci" }
}

/// All mappings of the kind that is asked for.
fn all<'a>(call: &Call<'_>, state: &'a mut State) -> &'a mut Mappings {
    if kind(call) == "usb" { &mut state.usb_mappings } else { &mut state.mappings }
}

/// `GET`: those that the asker may see; compared with the hardware if a node is named.
pub(super) fn list(call: &Call<'_>) -> Result<Answer, Refused> {
    let audit = ["Mapping.Modify", "Mapping.Use", "Mapping.Audit"];
    let (world, check) = (&call.sim.world, call.text("check-node"));
    if let Some(node) = check.as_ref().filter(|node| **node != world.node.name && *node != "localhost") {
        let why = format!("failed to get address info for: {node}: Name or service not known");
        return Err(Refused::died(format!("hostname lookup '{node}' failed - {why}")));
    }
    let all = all(call, &mut call.sim.state()).clone();
    let kind = kind(call);
    let seen = all.iter().filter(|(id, _)| call.may(&format!("/mapping/{kind}/{id}"), &audit));
    let entries = seen.map(|(id, mapping)| {
        let mut entry = entry(kind, &all, mapping);
        entry.set("id", id.as_str());
        if check.is_some() {
            // The two kinds have different names for it.
            entry.set(if kind == "usb" { "errors" } else { "checks" }, checks(call, id, mapping));
        }
        entry
    });
    Ok(Value::Array(entries.collect()).into())
}

/// `GET {id}`.
pub(super) fn get(call: &Call<'_>) -> Result<Answer, Refused> {
    let id = call.text("id").unwrap_or_default();
    let all = all(call, &mut call.sim.state()).clone();
    let mapping = all.get(&id).ok_or_else(|| Refused::died(format!("mapping '{id}' not found")))?;
    Ok(entry(kind(call), &all, mapping).into())
}

/// What answers say of a mapping.
fn entry(kind: &str, all: &Mappings, mapping: &MappingSpec) -> Value {
    let mut entry = json!({"type": kind, "map": mapping.map, "digest": stamp(all)});
    if let Some(description) = &mapping.description {
        entry.set("description", json!(description));
    }
    if mapping.mdev {
        entry.set("mdev", 1);
    }
    entry
}

/// What doesn't fit the node's hardware.
fn checks(call: &Call<'_>, id: &str, mapping: &MappingSpec) -> Value {
    let world = &call.sim.world;
    let here: Vec<&String> = mapping.map.iter().filter(|entry| pci::is_on(world, entry)).collect();
    if here.is_empty() {
        return json!([{"severity": "warning", "message": format!("No mapping for node {}.", world.node.name)}]);
    }
    let check = |entry: &String| match kind(call) {
        "usb" => pci::check_usb_entry(world, id, entry),
        _ => pci::check_entry(world, id, entry, mapping.mdev),
    };
    let wrong = here.into_iter().filter_map(|entry| check(entry).err());
    wrong.map(|why| json!({"severity": "error", "message": format!("Invalid configuration: {why}\n")})).collect()
}

/// `POST`: a new mapping. It isn't compared with the hardware.
pub(super) fn create(call: &Call<'_>) -> Result<Answer, Refused> {
    let id = call.text("id").unwrap_or_default();
    let spec = MappingSpec {
        description: call.text("description"),
        mdev: call.flag("mdev"),
        map: entries(call).unwrap_or_default(),
    };
    let mut state = call.sim.state();
    let all = all(call, &mut state);
    if all.contains_key(&id) {
        let kind = kind(call);
        return Err(Refused::died(format!("create hardware mapping failed: {kind} ID '{id}' already defined")));
    }
    all.insert(id, spec);
    Ok(Value::Null.into())
}

/// `PUT`: what is given replaces what there was, the list of entries as a whole.
pub(super) fn update(call: &Call<'_>) -> Result<Answer, Refused> {
    let failed = |why: &str| Refused::died(format!("update hardware mapping failed: {why}"));
    let id = call.text("id").unwrap_or_default();
    let mut state = call.sim.state();
    let all = all(call, &mut state);
    if call.text("digest").is_some_and(|digest| digest != stamp(all)) {
        return Err(failed("detected modified configuration - file changed by other user? Try again."));
    }
    let missing = || failed(&format!("{} ID '{id}' does not exist", kind(call)));
    let mapping = all.get_mut(&id).ok_or_else(missing)?;
    mapping.map = entries(call).ok_or_else(|| failed("missing value for required option 'map'"))?;
    if let Some(description) = call.text("description") {
        mapping.description = Some(description);
    }
    Ok(Value::Null.into())
}

/// `DELETE`: also of a mapping that there isn't, and of one that guests use.
pub(super) fn delete(call: &Call<'_>) -> Answer {
    all(call, &mut call.sim.state()).remove(&call.text("id").unwrap_or_default());
    Value::Null.into()
}

fn entries(call: &Call<'_>) -> Option<Vec<String>> {
    Some(match call.params.get("map")? {
        Value::Array(entries) => entries.iter().map(plain).collect(),
        one => vec![plain(one)],
    })
}

fn stamp(all: &Mappings) -> String {
    digest(&format!("{all:?}")).chars().take(40).collect()
}
