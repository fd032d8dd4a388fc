//! Making, changing and removing VMs (qemu-server `API2/Qemu.pm`).

use super::Call;
use crate::sim::{
    answer::{Answer, Refused},
    find_vm, job, no_config, planted, settings,
    state::Vm,
    task::spawn,
    volume::is_disk,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Parameters of a creation that are no settings.
const OTHER: [&str; 11] = [
    "node",
    "vmid",
    "archive",
    "bwlimit",
    "force",
    "ha-managed",
    "import-working-storage",
    "live-restore",
    "pool",
    "start",
    "unique",
];

/// The settings among the parameters.
fn given(call: &Call<'_>) -> BTreeMap<String, String> {
    let more = ["delete", "digest", "revert", "skiplock", "storage"];
    let other = |key: &str| OTHER.contains(&key) || more.contains(&key);
    call.params.keys().filter(|key| !other(key)).filter_map(|key| Some((key.clone(), call.text(key)?))).collect()
}

/// `POST qemu`: the number is taken at once, the disks are made by a task.
pub(super) fn create(call: &Call<'_>) -> Result<Answer, Refused> {
    let (sim, vmid, who) = (call.sim, call.vmid(), call.who());
    sim.access().require(&who, &format!("/vms/{vmid}"), &["VM.Allocate"], false)?;
    let given = given(call);
    for (key, value) in &given {
        settings::check(sim, &who, vmid, key, value)?;
    }
    let mut state = sim.state();
    if state.vms.contains_key(&vmid) {
        let node = &sim.world.node.name;
        return Err(Refused::died(format!("unable to create VM {vmid} - VM {vmid} already exists on node '{node}'")));
    }
    let mut vm = Vm::new(planted::spec());
    vm.lock = Some("create".to_owned());
    state.vms.insert(vmid, vm);
    drop(state);
    Ok(json!(spawn(sim, ("qmcreate", &vmid.to_string()), &who, |w| job::create(w, vmid, given))).into())
}

/// `DELETE qemu/{vmid}`.
pub(super) fn destroy(call: &Call<'_>) -> Result<Answer, Refused> {
    let (sim, vmid) = (call.sim, call.vmid());
    let state = sim.state();
    let vm = find_vm(&state, &sim.world, vmid).map_err(Refused::Died)?;
    if vm.spec.number("protection") == Some(1) {
        return Err(Refused::died(format!("can't remove VM {vmid} - protection mode enabled")));
    }
    if vm.power.is_on() {
        return Err(Refused::died(format!("VM {vmid} is running - destroy failed")));
    }
    drop(state);
    let all = call.flag("destroy-unreferenced-disks");
    Ok(json!(spawn(sim, ("qmdestroy", &vmid.to_string()), &call.who(), |w| job::destroy(w, vmid, all))).into())
}

/// `PUT config`: at once. What a running guest can't take waits for its next start.
pub(super) fn configure(call: &Call<'_>) -> Result<Answer, Refused> {
    let (sim, vmid, who) = (call.sim, call.vmid(), call.who());
    let set = given(call);
    let delete = call.text("delete").unwrap_or_default();
    let delete: Vec<&str> = delete.split([',', ';', ' ']).filter(|key| !key.is_empty()).collect();
    if set.is_empty() && delete.is_empty() && call.text("revert").is_none() {
        return Err(Refused::died("no options specified"));
    }
    let known = {
        let state = sim.state();
        find_vm(&state, &sim.world, vmid).map_err(Refused::Died)?.settings(true)
    };
    for (key, value) in &set {
        settings::check(sim, &who, vmid, key, value)?;
        if let Some(old) = known.get(key).filter(|_| key.starts_with("hostpci")) {
            settings::check(sim, &who, vmid, key, &super::plain(old))?;
        }
    }
    for key in &delete {
        let old = known.get(*key).map(super::plain).unwrap_or_default();
        let mapped = if key.starts_with("hostpci") && old.is_empty() { "mapping=none".to_owned() } else { old };
        settings::check(sim, &who, vmid, key, &mapped)?;
    }
    if call.text("digest").is_some_and(|digest| digest != super::qemu::stamp(&known)) {
        return Err(Refused::died("checksum mismatch (file change by other user?)"));
    }
    let locked = sim.state().vms.get(&vmid).and_then(|vm| vm.lock.clone());
    if let Some(lock) = locked {
        return Err(Refused::died(format!("VM is locked ({lock})")));
    }
    let ostype = known.get("ostype").map(super::plain).unwrap_or_default();
    for (key, value) in &set {
        let value = if is_disk(key) {
            json!(settings::drive(sim, vmid, key, value).map_err(Refused::Died)?)
        } else {
            settings::kept(vmid, key, value, &ostype)
        };
        change(call, vmid, key, Some(value))?;
    }
    for key in delete {
        change(call, vmid, key, None)?;
    }
    Ok(Value::Null.into())
}

fn change(call: &Call<'_>, vmid: u32, key: &str, value: Option<Value>) -> Result<(), Refused> {
    let mut state = call.sim.state();
    let vm = state.vms.get_mut(&vmid).ok_or_else(|| Refused::Died(no_config(&call.sim.world, vmid)))?;
    let waits = ["hostpci", "cores", "memory", "machine", "bios", "cpu", "efidisk", "tpmstate"];
    if vm.power.is_on() && waits.iter().any(|kind| key.starts_with(kind)) {
        vm.pending.insert(key.to_owned(), value);
        return Ok(());
    }
    match value {
        Some(value) => vm.spec.config.insert(key.to_owned(), value),
        None => vm.spec.config.remove(key),
    };
    Ok(())
}

/// `PUT resize`.
pub(super) fn resize(call: &Call<'_>) -> Result<Answer, Refused> {
    let (sim, vmid, who) = (call.sim, call.vmid(), call.who());
    find_vm(&sim.state(), &sim.world, vmid).map_err(Refused::Died)?;
    let (disk, size) = (call.text("disk").unwrap_or_default(), call.text("size").unwrap_or_default());
    let asker = who.clone();
    Ok(json!(spawn(sim, ("resize", &vmid.to_string()), &who, |w| job::resize(w, asker, vmid, disk, size))).into())
}

/// `PUT sendkey`.
pub(super) fn press(call: &Call<'_>) -> Result<Answer, Refused> {
    let (sim, vmid) = (call.sim, call.vmid());
    let mut state = sim.state();
    find_vm(&state, &sim.world, vmid).map_err(Refused::Died)?;
    let Some(vm) = state.vms.get_mut(&vmid).filter(|vm| vm.power.is_on()) else {
        return Err(Refused::died(format!("VM {vmid} not running")));
    };
    planted::press(&sim.clock, vm);
    Ok(Value::Null.into())
}
