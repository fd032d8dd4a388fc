//! `/nodes/{node}/qemu/{vmid}/status`: everything that starts, stops or halts a guest (`API2/Qemu.pm:3560-4130`).

use super::Call;
use crate::sim::{
    Sim,
    access::Identity,
    answer::{Answer, Refused},
    job::{self, Shutdown},
    state::Power,
    task::spawn,
    volume,
};
use serde_json::json;
use std::sync::Arc;

/// Parameters that only a root ticket may use, by command.
const ROOT_ONLY: [(&str, &[&str]); 7] = [
    (
        "start",
        &[
            "stateuri",
            "skiplock",
            "migratedfrom",
            "migration_type",
            "migration_network",
            "targetstorage",
            "force-cpu",
            "nets-host-mtu",
            "with-conntrack-state",
        ],
    ),
    ("stop", &["skiplock", "keepActive", "migratedfrom"]),
    ("shutdown", &["skiplock", "keepActive"]),
    ("suspend", &["skiplock"]),
    ("resume", &["skiplock", "nocheck"]),
    ("reset", &["skiplock"]),
    ("reboot", &[]),
];

/// Starts the worker for a command and answers its UPID.
pub(super) fn handle(call: &Call<'_>, command: &str) -> Result<Answer, Refused> {
    let who = call.who();
    let root_only = ROOT_ONLY.iter().find(|(name, _)| *name == command).map_or(&[][..], |(_, names)| names);
    if let Some(name) = root_only.iter().find(|name| call.flag(name) || is_text(call, name))
        && !who.is_root()
    {
        return Err(Refused::param(name, "Only root may use this option."));
    }
    let (sim, vmid) = (call.sim, call.vmid());
    let upid = match command {
        "start" => start(sim, vmid, &who),
        "shutdown" => shutdown(call, vmid, &who)?,
        "stop" => stop(call, vmid, &who),
        "reboot" => {
            must_run(sim, vmid)?;
            is_not_paused(sim, vmid)?;
            let how = Shutdown { timeout: seconds(call), force: false, reboot: true };
            spawn(sim, ("qmreboot", &vmid.to_string()), &who, |w| job::shutdown(w, vmid, how))
        }
        "reset" => {
            must_run(sim, vmid)?;
            spawn(sim, ("qmreset", &vmid.to_string()), &who, |w| job::reset(w, vmid))
        }
        "suspend" if call.flag("todisk") => {
            let storage = call.text("statestorage").unwrap_or_else(|| state_storage(sim, vmid));
            sim.access().require(&who, &format!("/storage/{storage}"), &["Datastore.AllocateSpace"], false)?;
            must_run(sim, vmid)?;
            can_be_saved(sim, vmid)?;
            spawn(sim, ("qmsuspend", &vmid.to_string()), &who, |w| job::to_disk(w, vmid))
        }
        "suspend" => {
            must_run(sim, vmid)?;
            spawn(sim, ("qmpause", &vmid.to_string()), &who, |w| job::pause(w, vmid))
        }
        // One that was saved to disk is started.
        _ if is_hibernated(sim, vmid) => spawn(sim, ("qmresume", &vmid.to_string()), &who, |w| job::start(w, vmid)),
        _ => {
            must_run(sim, vmid)?;
            spawn(sim, ("qmresume", &vmid.to_string()), &who, |w| job::resume(w, vmid))
        }
    };
    Ok(json!(upid).into())
}

/// Whether a parameter that isn't a switch is given.
fn is_text(call: &Call<'_>, name: &str) -> bool {
    call.text(name).is_some_and(|text| text != "0" && text != "1")
}

fn seconds(call: &Call<'_>) -> Option<f64> {
    call.text("timeout")?.parse().ok()
}

fn must_run(sim: &Sim, vmid: u32) -> Result<(), Refused> {
    let power = sim.state().vms.get(&vmid).map(|vm| vm.power);
    match power {
        Some(power) if power.is_on() => Ok(()),
        Some(_) => Err(Refused::died(format!("VM {vmid} not running"))),
        None => {
            let node = &sim.world.node.name;
            Err(Refused::died(format!("unable to find configuration file for VM {vmid} on node '{node}'")))
        }
    }
}

fn is_not_paused(sim: &Sim, vmid: u32) -> Result<(), Refused> {
    let paused = sim.state().vms.get(&vmid).is_some_and(|vm| vm.power == Power::Paused);
    if paused { Err(Refused::died("VM is paused - cannot shutdown")) } else { Ok(()) }
}

fn is_hibernated(sim: &Sim, vmid: u32) -> bool {
    sim.state().vms.get(&vmid).is_some_and(|vm| vm.lock.as_deref() == Some("suspended"))
}

/// Where a guest's memory is saved that names no storage for it: with its first disk.
fn state_storage(sim: &Sim, vmid: u32) -> String {
    let state = sim.state();
    let disks = state.vms.get(&vmid).map(|vm| volume::disks(&vm.spec)).unwrap_or_default();
    let first = disks.first().and_then(|(volid, _)| volid.split_once(':'));
    first.map_or_else(|| "local".to_owned(), |(storage, _)| storage.to_owned())
}

fn can_be_saved(sim: &Sim, vmid: u32) -> Result<(), Refused> {
    let passed = |vm: &crate::sim::state::Vm| vm.spec.config.keys().any(|key| key.starts_with("hostpci"));
    if sim.state().vms.get(&vmid).is_some_and(passed) {
        let why = "cannot suspend VM to disk due to passed-through PCI device(s), which lack the possibility to \
                   save/restore their internal state";
        return Err(Refused::died(why));
    }
    Ok(())
}

/// Seconds that the HA manager takes, if it runs the guest.
fn ha_delay(sim: &Sim, vmid: u32) -> Option<f64> {
    sim.state().vms.get(&vmid)?.spec.ha.as_ref().map(|ha| ha.delay)
}

fn start(sim: &Arc<Sim>, vmid: u32, who: &Identity) -> String {
    match ha_delay(sim, vmid) {
        Some(delay) => by_manager(sim, ("hastart", vmid), who, delay, move |sim, root| {
            spawn(sim, ("qmstart", &vmid.to_string()), root, |w| job::start(w, vmid));
        }),
        None => spawn(sim, ("qmstart", &vmid.to_string()), who, |w| job::start(w, vmid)),
    }
}

fn shutdown(call: &Call<'_>, vmid: u32, who: &Identity) -> Result<String, Refused> {
    let (sim, force) = (call.sim, call.flag("forceStop"));
    let paused = is_not_paused(sim, vmid);
    if !force {
        paused.clone()?;
    }
    let paused = paused.is_err();
    let how = Shutdown { timeout: if paused { Some(0.0) } else { seconds(call) }, force, reboot: false };
    Ok(match ha_delay(sim, vmid) {
        Some(delay) => by_manager(sim, ("hastop", vmid), who, delay, move |sim, root| {
            spawn(sim, ("qmshutdown", &vmid.to_string()), root, |w| job::shutdown(w, vmid, how));
        }),
        None => spawn(sim, ("qmshutdown", &vmid.to_string()), who, |w| job::shutdown(w, vmid, how)),
    })
}

fn stop(call: &Call<'_>, vmid: u32, who: &Identity) -> String {
    let sim = call.sim;
    let overrule = call.flag("overrule-shutdown").then(|| who.clone());
    match ha_delay(sim, vmid) {
        Some(delay) => by_manager(sim, ("hastop", vmid), who, delay, move |sim, root| {
            spawn(sim, ("qmstop", &vmid.to_string()), root, |w| job::stop(w, vmid, None));
        }),
        None => spawn(sim, ("qmstop", &vmid.to_string()), who, |w| job::stop(w, vmid, overrule)),
    }
}

/// A request to the HA manager: its task ends at once, the manager acts later, as root.
fn by_manager(
    sim: &Arc<Sim>,
    (kind, vmid): (&'static str, u32),
    who: &Identity,
    delay: f64,
    act: impl FnOnce(&Arc<Sim>, &Identity) + Send + 'static,
) -> String {
    spawn(sim, (kind, &vmid.to_string()), who, |worker| async move {
        let verb = if kind == "hastart" { "start" } else { "stop" };
        worker.log(format!("Requesting HA {verb} for VM {vmid}"));
        let sim = worker.sim.clone();
        tokio::spawn(async move {
            sim.clock.sleep(delay).await;
            act(&sim, &Identity { user: "root@pam".to_owned(), token: None });
        });
        Ok(())
    })
}
