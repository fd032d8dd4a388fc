//! Guests: lists, state and configuration.

use super::Call;
use crate::sim::{
    answer::{Answer, Entry, Refused},
    auth::digest,
    find_vm,
    planted::Planted,
    release::Release,
    state::{Power, Vm},
};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// `GET /nodes/{node}/qemu`: those that the asker may see.
pub(super) fn list(call: &Call<'_>) -> Answer {
    let full = call.flag("full");
    let state = call.sim.state();
    let seen = state.vms.iter().filter(|(vmid, vm)| !vm.spec.container && may_see(call, **vmid));
    let entries = seen.map(|(vmid, vm)| {
        let mut entry = summary(call, *vmid, vm);
        if full {
            entry.set("qmpstatus", json!(vm.power.qmp()));
        }
        entry
    });
    Value::Array(entries.collect()).into()
}

/// Whether the asker may see a guest.
pub(super) fn may_see(call: &Call<'_>, vmid: u32) -> bool {
    call.may(&format!("/vms/{vmid}"), &["VM.Audit"])
}

/// Pressure figures that running guests have; Proxmox VE 8 has none of them.
pub(super) const PRESSURE: [&str; 6] = [
    "pressurecpufull",
    "pressurecpusome",
    "pressureiofull",
    "pressureiosome",
    "pressurememoryfull",
    "pressurememorysome",
];

/// Bytes that a guest receives and sends in a second, unless the world is lively.
pub(super) const TRAFFIC: (f64, f64) = (1840.0, 920.0);

fn netin(call: &Call<'_>, vm: &Vm) -> u64 {
    carried(call, vm, TRAFFIC.0)
}

fn netout(call: &Call<'_>, vm: &Vm) -> u64 {
    carried(call, vm, TRAFFIC.1)
}

/// What a guest has carried since its start. In a lively world it carries more the more it computes, now more and now
/// less; the sum of it never falls.
fn carried(call: &Call<'_>, vm: &Vm, rate: f64) -> u64 {
    #[expect(clippy::cast_precision_loss, reason = "seconds of an uptime")]
    let seconds = vm.uptime() as f64;
    let factor = if call.sim.world.lively { 1.0 + 4_000.0 * vm.spec.cpu } else { 1.0 };
    let swing = if call.sim.world.lively { 30.0 * wave(vm.uptime(), 283) } else { 0.0 };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive, and small enough")]
    let bytes = (rate * factor * (seconds + swing)) as u64;
    bytes
}

/// What every list says of a guest.
pub(super) fn summary(call: &Call<'_>, vmid: u32, vm: &Vm) -> Value {
    let spec = &vm.spec;
    let name = if spec.name().is_empty() { format!("VM {vmid}") } else { spec.name() };
    let uptime = vm.uptime();
    let mut entry = json!({
        "cpu": cpu(call, vmid, vm), "cpus": spec.cpus(), "disk": 0, "maxdisk": spec.disk, "maxmem": spec.max_mem(),
        "mem": vm.memory(), "memhost": vm.memory(), "name": name, "netin": netin(call, vm), "netout": netout(call, vm),
        "status": if vm.power.is_on() { "running" } else { "stopped" }, "uptime": uptime, "vmid": vmid,
    });
    if vm.power.is_on() {
        entry.set("pid", json!(vm.pid));
        if call.release() > Release::V8 {
            for name in PRESSURE {
                entry.set(name, 0);
            }
        }
    }
    if call.release() == Release::V8 {
        entry = entry.without(&["memhost"]);
    }
    if let Some(lock) = &vm.lock {
        entry.set("lock", json!(lock));
    }
    if let Some(tags) = spec.text("tags") {
        entry.set("tags", json!(tags));
    }
    if spec.is_template() {
        entry.set("template", 1);
    }
    if spec.config.contains_key("serial0") {
        entry.set("serial", 1);
    }
    entry
}

/// CPU use, moving a little in worlds that are lively.
fn cpu(call: &Call<'_>, vmid: u32, vm: &Vm) -> f64 {
    if vm.power == Power::Running { cpu_at(call, vmid, vm, call.sim.clock.unix()) } else { 0.0 }
}

/// CPU use of a guest that runs, at a time in seconds since the Unix epoch.
pub(super) fn cpu_at(call: &Call<'_>, vmid: u32, vm: &Vm, unix: u64) -> f64 {
    let seconds = unix + u64::from(vmid) * 700;
    let swing = 0.3 * wave(seconds, 44) + 0.4 * wave(seconds, 2_513);
    (vm.spec.cpu * if call.sim.world.lively { 1.0 + swing } else { 1.0 }).clamp(0.0, 1.0)
}

/// What goes up and down between -1 and 1, once in a period of seconds; steepest, as at its beginning, it changes by 8
/// in a period. Two parabolas: a sine would be all that the program needs the C library's mathematics for.
fn wave(seconds: u64, period: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "the remainder of a small number")]
    let at = (seconds % period) as f64 / period as f64;
    if at < 0.5 { 16.0 * at * (0.5 - at) } else { -16.0 * (at - 0.5) * (1.0 - at) }
}

/// `GET /nodes/{node}/qemu/{vmid}/status/current`.
pub(super) fn current(call: &Call<'_>) -> Result<Answer, Refused> {
    let vmid = call.vmid();
    let state = call.sim.state();
    let vm = find_vm(&state, &call.sim.world, vmid).map_err(Refused::Died)?;
    let mut entry = summary(call, vmid, vm);
    entry.set("qmpstatus", json!(vm.power.qmp()));
    entry.set(
        "ha",
        match &vm.spec.ha {
            Some(_) => json!({"managed": 1, "state": if vm.power.is_on() { "started" } else { "stopped" }}),
            None => json!({"managed": 0}),
        },
    );
    if vm.spec.agent_enabled() {
        entry.set("agent", 1);
    }
    if vm.power.is_on() && vm.spec.config.contains_key("net0") {
        entry.set("nics", json!({format!("tap{vmid}i0"): {"netin": netin(call, vm), "netout": netout(call, vm)}}));
    }
    if let Some(written) = vm.planted.as_ref().and_then(Planted::written) {
        entry.set("diskwrite", written);
    }
    if vm.power.is_on() && vm.spec.config.contains_key("vga") {
        entry.set("clipboard", Value::Null);
    }
    Ok(entry.into())
}

/// `GET /nodes/{node}/qemu/{vmid}/config`.
pub(super) fn config(call: &Call<'_>) -> Result<Answer, Refused> {
    let vmid = call.vmid();
    let state = call.sim.state();
    let vm = find_vm(&state, &call.sim.world, vmid).map_err(Refused::Died)?;
    if let Some(name) = call.text("snapshot") {
        return Err(Refused::died(format!("snapshot '{name}' does not exist")));
    }
    let stamp = stamp(&vm.settings(true));
    let mut config: Map<String, Value> = vm.settings(!call.flag("current")).into_iter().collect();
    config.insert("digest".to_owned(), json!(stamp));
    if let Some(lock) = &vm.lock {
        config.insert("lock".to_owned(), json!(lock));
    }
    Ok(Value::Object(config).into())
}

/// `GET /nodes/{node}/qemu/{vmid}/pending`: what holds now, and what will from the next start.
pub(super) fn pending(call: &Call<'_>) -> Result<Answer, Refused> {
    let state = call.sim.state();
    let vm = find_vm(&state, &call.sim.world, call.vmid()).map_err(Refused::Died)?;
    let keys: BTreeSet<&String> = vm.spec.config.keys().chain(vm.pending.keys()).collect();
    let mut entries: Vec<Value> = keys
        .into_iter()
        .map(|key| {
            let mut entry = json!({ "key": key });
            if let Some(value) = vm.spec.config.get(key) {
                entry.set("value", value.clone());
            }
            match vm.pending.get(key) {
                Some(Some(value)) => entry.set("pending", value.clone()),
                Some(None) => entry.set("delete", 1),
                None => {}
            }
            entry
        })
        .collect();
    entries.push(json!({"key": "digest", "value": stamp(&vm.settings(true))}));
    Ok(Value::Array(entries).into())
}

/// What tells one state of a configuration from another.
pub(super) fn stamp(settings: &BTreeMap<String, Value>) -> String {
    let text = Value::Object(settings.clone().into_iter().collect()).to_string();
    digest(&text).chars().take(40).collect()
}

/// Guests among the cluster's resources.
pub(super) fn resources(call: &Call<'_>) -> Vec<Value> {
    let state = call.sim.state();
    let seen = state.vms.iter().filter(|(vmid, _)| may_see(call, **vmid));
    seen.map(|(vmid, vm)| {
        let kind = if vm.spec.container { "lxc" } else { "qemu" };
        let mut entry = summary(call, *vmid, vm);
        entry.set("id", json!(format!("{kind}/{vmid}")));
        entry.set("type", json!(kind));
        entry.set("node", json!(call.sim.world.node.name));
        entry.set("maxcpu", vm.spec.cpus());
        entry.set("template", json!(u8::from(vm.spec.is_template())));
        entry.set("diskread", 0);
        entry.set("diskwrite", 0);
        entry.without(&["cpus", "pid", "serial"]).without(&PRESSURE)
    })
    .collect()
}
