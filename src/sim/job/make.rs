//! `qmcreate`, `qmdestroy` and `resize`.

use super::{check_lock, lock_config};
use crate::sim::{
    access::Identity,
    answer::Refused,
    planted, settings,
    task::Worker,
    volume::{self, is_disk},
};
use serde_json::json;
use std::collections::BTreeMap;

/// Makes a guest's disks and writes its configuration. A guest that can't be made is gone again.
///
/// # Errors
/// The task's last words.
pub(crate) fn create(
    worker: Worker,
    vmid: u32,
    given: BTreeMap<String, String>,
) -> impl Future<Output = Result<(), String>> + Send + 'static {
    // Whatever becomes of the task, also when it is stopped before it begins.
    let undo = Unmade { worker: worker.clone(), vmid, armed: true };
    async move {
        let mut undo = undo;
        build(&worker, vmid, &given).await.map_err(|why| format!("unable to create VM {vmid} - {why}"))?;
        undo.armed = false;
        Ok(())
    }
}

struct Unmade {
    worker: Worker,
    vmid: u32,
    armed: bool,
}

impl Drop for Unmade {
    fn drop(&mut self) {
        if self.armed {
            let mut state = self.worker.sim.state();
            state.vms.remove(&self.vmid);
            state.volumes.retain(|_, volume| volume.vmid != Some(self.vmid));
        }
    }
}

async fn build(worker: &Worker, vmid: u32, given: &BTreeMap<String, String>) -> Result<(), String> {
    let sim = &worker.sim;
    let ostype = given.get("ostype").cloned().unwrap_or_default();
    let mut config = BTreeMap::new();
    for (key, value) in given {
        let value = if is_disk(key) {
            let imports = value.contains("import-from=");
            let value = settings::drive(sim, vmid, key, value)?;
            let timing = &sim.world.planting;
            if !value.contains("media=cdrom") {
                sim.clock.sleep(if imports { timing.import } else { timing.disk }).await;
                worker.log(format!("{key}: successfully created disk '{value}'"));
            }
            json!(value)
        } else {
            settings::kept(vmid, key, value, &ostype)
        };
        config.insert(key.clone(), value);
    }
    if !config.contains_key("boot") {
        config.insert("boot".to_owned(), json!(boot_order(given)));
    }
    config.insert("vmgenid".to_owned(), json!(format!("c5f1c1a3-6b5a-4a55-8a2b-{vmid:012}")));
    config.insert("smbios1".to_owned(), json!(format!("uuid=9aa32263-b85e-48e5-ae2e-{vmid:012}")));
    config.insert("meta".to_owned(), json!(format!("creation-qemu=10.1.2,ctime={}", sim.clock.unix())));
    let mut state = sim.state();
    if let Some(vm) = state.vms.get_mut(&vmid) {
        planted::made(vm, vmid, given, &sim.world.planting);
        vm.spec.config = config;
        vm.lock = None;
    }
    Ok(())
}

/// From what a guest starts that isn't told: the first disk, the first disc, the first network card.
fn boot_order(given: &BTreeMap<String, String>) -> String {
    let drive = |disc: bool| {
        let all = ["ide", "scsi", "virtio", "sata"].into_iter();
        all.flat_map(|kind| given.iter().filter(move |(key, _)| key.starts_with(kind) && is_disk(key)))
            .find(|(_, value)| value.contains("media=cdrom") == disc)
            .map(|(key, _)| key.as_str())
    };
    let card = given.keys().find(|key| key.starts_with("net")).map(String::as_str);
    let order: Vec<&str> = [drive(false), drive(true), card].into_iter().flatten().collect();
    if order.is_empty() { " ".to_owned() } else { format!("order={}", order.join(";")) }
}

/// Removes a guest and its disks.
///
/// # Errors
/// The task's last words.
pub(crate) async fn destroy(worker: Worker, vmid: u32, all: bool) -> Result<(), String> {
    let sim = &worker.sim;
    let _lock = lock_config(sim, vmid).await?;
    let own = {
        let state = sim.state();
        let vm = super::super::find_vm(&state, &sim.world, vmid)?;
        check_lock(vm)?;
        volume::disks(&vm.spec)
    };
    worker.log(format!("purging VM {vmid} from related configurations.."));
    sim.clock.sleep(1.0).await;
    let mut state = sim.state();
    if state.vms.get(&vmid).is_some_and(|vm| vm.power.is_on()) {
        return Err(format!("VM {vmid} is running - destroy failed"));
    }
    state
        .volumes
        .retain(|volid, volume| !(own.iter().any(|(known, _)| known == volid) || (all && volume.vmid == Some(vmid))));
    state.vms.remove(&vmid);
    Ok(())
}

/// Lets a disk grow.
///
/// # Errors
/// The task's last words.
pub(crate) async fn resize(worker: Worker, who: Identity, vmid: u32, disk: String, size: String) -> Result<(), String> {
    let sim = &worker.sim;
    let _lock = lock_config(sim, vmid).await?;
    let mut state = sim.state();
    let vm = state.vms.get_mut(&vmid).ok_or_else(|| super::super::no_config(&sim.world, vmid))?;
    check_lock(vm)?;
    let text = vm.spec.text(&disk).ok_or_else(|| format!("disk '{disk}' does not exist"))?;
    let volid = text.split(',').next().unwrap_or_default().to_owned();
    let storage = volid.split(':').next().unwrap_or_default();
    if let Err(Refused::Forbidden(why)) =
        sim.access().require(&who, &format!("/storage/{storage}"), &["Datastore.AllocateSpace"], false)
    {
        return Err(format!("403 {why}"));
    }
    let known = settings::property(&text, "size").and_then(volume::size).unwrap_or_default();
    let wanted = match size.strip_prefix('+') {
        Some(more) => known + volume::size(more).unwrap_or_default(),
        None => volume::size(&size).unwrap_or_default(),
    };
    if wanted < known {
        return Err("shrinking disks is not supported".to_owned());
    }
    let now = format!("size={}G", wanted >> 30);
    let parts: Vec<&str> =
        text.split(',').map(|part| if part.starts_with("size=") { now.as_str() } else { part }).collect();
    vm.spec.config.insert(disk, json!(parts.join(",")));
    if let Some(volume) = state.volumes.get_mut(&volid) {
        volume.size = wanted;
    }
    Ok(())
}
