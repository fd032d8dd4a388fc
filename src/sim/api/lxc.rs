//! Containers: lists, state and configuration.

use super::{
    Call,
    qemu::{may_see, stamp, summary},
};
use crate::sim::{
    answer::{Answer, Entry, Refused},
    state::{State, Vm},
};
use serde_json::{Map, Value, json};

/// `GET /nodes/{node}/lxc`: those that the asker may see.
pub(super) fn list(call: &Call<'_>) -> Answer {
    let state = call.sim.state();
    let seen = state.vms.iter().filter(|(vmid, vm)| vm.spec.container && may_see(call, **vmid));
    Value::Array(seen.map(|(vmid, vm)| row(call, *vmid, vm)).collect()).into()
}

/// What lists and states say of a container.
fn row(call: &Call<'_>, vmid: u32, vm: &Vm) -> Value {
    let mut entry = summary(call, vmid, vm);
    entry.set("type", json!("lxc"));
    entry.set("swap", 0);
    entry.set("maxswap", json!(vm.spec.number("swap").unwrap_or(512) << 20));
    entry.set("diskread", 0);
    entry.set("diskwrite", 0);
    entry.without(&["memhost"])
}

/// A container by its number.
fn find<'a>(call: &Call<'_>, state: &'a State) -> Result<&'a Vm, Refused> {
    let (vmid, node) = (call.vmid(), &call.sim.world.node.name);
    let missing = || Refused::died(format!("Configuration file 'nodes/{node}/lxc/{vmid}.conf' does not exist"));
    state.vms.get(&vmid).filter(|vm| vm.spec.container).ok_or_else(missing)
}

/// `GET /nodes/{node}/lxc/{vmid}/status/current`.
pub(super) fn current(call: &Call<'_>) -> Result<Answer, Refused> {
    let state = call.sim.state();
    let mut entry = row(call, call.vmid(), find(call, &state)?);
    entry.set("ha", json!({"managed": 0}));
    Ok(entry.into())
}

/// `GET /nodes/{node}/lxc/{vmid}/config`.
pub(super) fn config(call: &Call<'_>) -> Result<Answer, Refused> {
    let state = call.sim.state();
    let vm = find(call, &state)?;
    if let Some(name) = call.text("snapshot") {
        return Err(Refused::died(format!("snapshot '{name}' does not exist")));
    }
    let settings = vm.settings(true);
    let digest = stamp(&settings);
    let mut config: Map<String, Value> = settings.into_iter().collect();
    config.insert("digest".to_owned(), json!(digest));
    if let Some(lock) = &vm.lock {
        config.insert("lock".to_owned(), json!(lock));
    }
    Ok(Value::Object(config).into())
}
