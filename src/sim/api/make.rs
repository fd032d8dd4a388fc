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
    let allowed = sim.access().require(&who, &format!("/vms/{vmid}"), &["VM.Allocate"], false);
    allowed.map_err(|_| Refused::unnamed())?;
    let given = given(call);
    for (key, value) in &given {
        settings::check_script(sim, key, value)?;
        settings::check(sim, &who, vmid, key, value)?;
        check_disk(call, key, value)?;
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

/// What becomes of drives is looked at before anything is made.
fn check_disk(call: &Call<'_>, key: &str, value: &str) -> Result<(), Refused> {
    if is_disk(key) { settings::check_drive(call.sim, &call.who(), key, value) } else { Ok(()) }
}

/// What a change sets and takes away.
struct Change {
    set: BTreeMap<String, String>,
    delete: Vec<String>,
    revert: Vec<String>,
}

impl Change {
    /// Reads and checks what is asked for (`API2/Qemu.pm:update_vm_api`).
    fn read(call: &Call<'_>) -> Result<Self, Refused> {
        let (sim, vmid, who) = (call.sim, call.vmid(), call.who());
        if call.flag("skiplock") && !who.is_root() {
            return Err(Refused::param("skiplock", "Only root may use this option."));
        }
        let list = |name: &str| -> Vec<String> {
            let text = call.text(name).unwrap_or_default();
            super::words(&text).map(|key| if key == "cdrom" { "ide2" } else { key }.to_owned()).collect()
        };
        let change = Self { set: given(call), delete: list("delete"), revert: list("revert") };
        if change.set.is_empty() && change.delete.is_empty() && change.revert.is_empty() {
            return Err(Refused::died("no options specified"));
        }
        change.is_consistent(call)?;
        let known = {
            let state = sim.state();
            find_vm(&state, &sim.world, vmid).map_err(Refused::Died)?.settings(true)
        };
        let old = |key: &str| known.get(key).map(super::plain);
        for (key, value) in &change.set {
            settings::check_script(sim, key, value)?;
        }
        for (key, value) in &change.set {
            if let Some(old) = old(key).filter(|_| settings::is_device(key) && !is_disk(key)) {
                settings::check(sim, &who, vmid, key, &old)?;
            }
            settings::check(sim, &who, vmid, key, value)?;
            check_disk(call, key, value)?;
        }
        for key in &change.delete {
            match old(key) {
                None if settings::is_device(key) => {}
                old => settings::check(sim, &who, vmid, key, &old.unwrap_or_default())?,
            }
        }
        if let Some(boot) = change.set.get("boot").and_then(|boot| settings::property(boot, "order")) {
            let there = |device: &&str| known.contains_key(*device) || change.set.contains_key(*device);
            if let Some(missing) = boot.split(';').find(|device| !device.is_empty() && !there(device)) {
                return Err(Refused::died(format!("invalid bootorder: device '{missing}' does not exist'")));
            }
        }
        Ok(change)
    }

    /// Keys that there are, and each only once.
    fn is_consistent(&self, call: &Call<'_>) -> Result<(), Refused> {
        let declared = call.endpoint.declared(call.release());
        let unknown = |key: &str| key != "lock" && declared.param(key).is_none();
        for key in &self.revert {
            if unknown(key) {
                return Err(Refused::param("revert", format!("unknown option '{key}'")));
            }
            if self.set.contains_key(key) {
                let why = format!("you can't use '-{key}' and -revert {key}' at the same time");
                return Err(Refused::param("delete", why));
            }
        }
        for key in &self.delete {
            if self.set.contains_key(key) {
                let why = format!("you can't use '-{key}' and -delete {key}' at the same time");
                return Err(Refused::param("delete", why));
            }
            if self.revert.contains(key) {
                let why = format!("you can't use '-delete {key}' and -revert {key}' at the same time");
                return Err(Refused::param("revert", why));
            }
            if unknown(key) {
                return Err(Refused::param("delete", format!("unknown option '{key}'")));
            }
        }
        Ok(())
    }
}

/// `PUT config`: at once, or after 10 s not at all while a task holds the guest's lock file. What a running guest can't
/// take waits for its next start.
pub(super) async fn configure(call: &Call<'_>) -> Result<Answer, Refused> {
    let (sim, vmid) = (call.sim, call.vmid());
    let change = Change::read(call)?;
    let _lock = job::lock_config(sim, vmid).await.map_err(Refused::Died)?;
    apply(call, vmid, &change)?;
    Ok(Value::Null.into())
}

fn apply(call: &Call<'_>, vmid: u32, changed: &Change) -> Result<(), Refused> {
    let sim = call.sim;
    let (known, lock) = {
        let state = sim.state();
        let vm = find_vm(&state, &sim.world, vmid).map_err(Refused::Died)?;
        (vm.settings(true), vm.lock.clone())
    };
    if call.text("digest").is_some_and(|digest| digest != super::qemu::stamp(&known)) {
        return Err(Refused::died("checksum mismatch (file change by other user?)"));
    }
    if let Some(lock) = lock.filter(|_| !call.flag("skiplock")) {
        return Err(Refused::died(format!("VM is locked ({lock})")));
    }
    let ostype = known.get("ostype").map(super::plain).unwrap_or_default();
    if let Some(vm) = sim.state().vms.get_mut(&vmid) {
        vm.pending.retain(|key, _| !changed.revert.contains(key));
    }
    let replaced = changed.set.keys().chain(&changed.delete).filter(|key| is_disk(key));
    let replaced: Vec<String> = replaced.filter_map(|key| Some(super::plain(known.get(key)?))).collect();
    for (key, value) in &changed.set {
        let value = if is_disk(key) {
            json!(settings::drive(sim, vmid, key, value).map_err(Refused::Died)?)
        } else {
            settings::kept(vmid, key, value, &ostype)
        };
        change(call, vmid, key, Some(value))?;
    }
    for key in &changed.delete {
        change(call, vmid, key, None)?;
    }
    if let Some(order) = order_without(&known, &changed.delete) {
        change(call, vmid, "boot", Some(json!(order)))?;
    }
    keep_unused(call, vmid, &replaced);
    Ok(())
}

/// The order of a guest's start without devices that are taken away; none if none of them is in it.
fn order_without(known: &BTreeMap<String, Value>, gone: &[String]) -> Option<String> {
    let boot = super::plain(known.get("boot")?);
    let order: Vec<&str> = boot.strip_prefix("order=")?.split(';').collect();
    let kept: Vec<&str> = order.iter().copied().filter(|device| !gone.iter().any(|key| key == device)).collect();
    match kept.len() {
        all if all == order.len() => None,
        0 => Some(" ".to_owned()),
        _ => Some(format!("order={}", kept.join(";"))),
    }
}

/// Disks that no drive names any more stay, as unused ones.
fn keep_unused(call: &Call<'_>, vmid: u32, replaced: &[String]) {
    let mut state = call.sim.state();
    let Some(vm) = state.vms.get_mut(&vmid) else { return };
    let own = format!("vm-{vmid}-");
    for volid in replaced.iter().filter_map(|text| text.split(',').next()).filter(|volid| volid.contains(&own)) {
        let settings = vm.settings(true);
        let named = |value: &Value| super::plain(value).split(',').next() == Some(volid);
        if settings.values().any(named) {
            continue;
        }
        let free = (0..256).map(|number| format!("unused{number}")).find(|key| !settings.contains_key(key));
        if let Some(key) = free {
            vm.spec.config.insert(key, json!(volid));
        }
    }
}

fn change(call: &Call<'_>, vmid: u32, key: &str, value: Option<Value>) -> Result<(), Refused> {
    let mut state = call.sim.state();
    let vm = state.vms.get_mut(&vmid).ok_or_else(|| Refused::Died(no_config(&call.sim.world, vmid)))?;
    if key == "lock" {
        vm.lock = value.as_ref().map(super::plain);
        return Ok(());
    }
    let waits = ["boot", "hostpci", "cores", "memory", "machine", "bios", "cpu", "efidisk", "tpmstate"];
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
