//! `rrddata`: figures of the last hour or more, as `PVE/RRD.pm` gives them. They follow what the guests did since the
//! simulation began; guests that were up by then had been up for long.

use super::{
    Call,
    qemu::{PRESSURE, TRAFFIC, cpu_at},
};
use crate::sim::{
    answer::{Answer, Entry, Refused},
    release::Release,
    state::Vm,
};
use serde_json::{Value, json};

/// Seconds of a row, and rows (`PVE/RRD.pm`, Proxmox VE 9).
fn frame(call: &Call<'_>) -> (u64, u64) {
    match call.text("timeframe").as_deref() {
        Some("day") => (60, 1440),
        Some("week") => (1800, 336),
        Some("month") => (21_600, 121),
        Some("year") => (21_600, 1140),
        Some("decade") => (604_800, 570),
        _ => (60, 60),
    }
}

/// The beginnings of all rows, oldest first; the newest one is complete.
fn times(call: &Call<'_>) -> impl Iterator<Item = u64> {
    let (step, count) = frame(call);
    let end = call.sim.clock.unix() / step * step;
    (1..=count).rev().map(move |back| end.saturating_sub(step * back))
}

/// `GET /nodes/{node}/qemu/{vmid}/rrddata` and the same of a container.
pub(super) fn guest(call: &Call<'_>) -> Result<Answer, Refused> {
    let vmid = call.vmid();
    let state = call.sim.state();
    let container = call.endpoint.path.contains("/lxc/");
    let found = state.vms.get(&vmid).filter(|vm| vm.spec.container == container);
    let Some(vm) = found else {
        let kind = if call.release() == Release::V8 { "pve2-vm" } else { "pve-vm-9.0" };
        let file = format!("/var/lib/rrdcached/db/{kind}/{vmid}");
        return Err(Refused::died(format!("RRD error: opening '{file}': No such file or directory")));
    };
    Ok(Value::Array(times(call).map(|time| guest_row(call, vmid, vm, time)).collect()).into())
}

fn guest_row(call: &Call<'_>, vmid: u32, vm: &Vm, time: u64) -> Value {
    let spec = &vm.spec;
    let mut row =
        json!({"time": time, "maxcpu": spec.cpus(), "maxmem": spec.max_mem(), "disk": 0, "maxdisk": spec.disk});
    if ran(call, vm, time) {
        let cpu = cpu_at(call, vmid, vm, time);
        let busy = if call.sim.world.lively { 1.0 + 4_000.0 * cpu } else { 1.0 };
        row.set("cpu", json!(cpu));
        row.set("mem", json!(memory(vm)));
        row.set("memhost", json!(memory(vm)));
        row.set("netin", json!(TRAFFIC.0 * busy));
        row.set("netout", json!(TRAFFIC.1 * busy));
        row.set("diskread", 0);
        row.set("diskwrite", 0);
        for name in PRESSURE {
            row.set(name, 0);
        }
    }
    if spec.container { row.without(&["memhost"]) } else { row }
}

/// What it takes when it is on.
fn memory(vm: &Vm) -> u64 {
    if vm.spec.pins_memory() { vm.spec.max_mem() } else { vm.spec.max_mem() / 10 * 7 }
}

/// Whether a guest was on at a time.
fn ran(call: &Call<'_>, vm: &Vm, time: u64) -> bool {
    let now = call.sim.clock.unix();
    let on = vm.power.is_on() && time >= now.saturating_sub(vm.uptime());
    on || vm.past.iter().any(|(from, to)| (*from..*to).contains(&time))
}

/// `GET /nodes/{node}/rrddata`: nothing from before the host's own start.
pub(super) fn node(call: &Call<'_>) -> Answer {
    let state = call.sim.state();
    let boot = call.sim.clock.unix_at(call.sim.clock.start()).saturating_sub(call.sim.world.node.uptime);
    let row = |time| if time < boot { json!({"time": time}) } else { node_row(call, &state.vms, time) };
    Value::Array(times(call).map(row).collect()).into()
}

fn node_row(call: &Call<'_>, vms: &std::collections::BTreeMap<u32, Vm>, time: u64) -> Value {
    let node = &call.sim.world.node;
    let (mut busy, mut memory_of_guests) = (0.0, 0);
    for (vmid, vm) in vms.iter().filter(|(_, vm)| ran(call, vm, time)) {
        #[expect(clippy::cast_precision_loss, reason = "numbers of CPUs are small")]
        let cpus = vm.spec.cpus() as f64;
        busy += cpu_at(call, *vmid, vm, time) * cpus;
        memory_of_guests += memory(vm);
    }
    #[expect(clippy::cast_precision_loss, reason = "numbers of CPUs are small")]
    let cpu = (node.cpu + busy / node.cpus.max(1) as f64).min(1.0);
    let used = node.memory.used + memory_of_guests;
    let mut row = json!({
        "time": time, "arcsize": 0, "cpu": cpu, "iowait": 0.001, "loadavg": busy + 0.2, "maxcpu": node.cpus,
        "memavailable": node.memory.total.saturating_sub(used), "memtotal": node.memory.total, "memused": used,
        "netin": 0, "netout": 0, "rootused": node.rootfs_used, "roottotal": node.rootfs, "swaptotal": 0, "swapused": 0,
    });
    if call.release() == Release::V8 {
        return row.without(&["arcsize", "memavailable"]);
    }
    for name in PRESSURE.into_iter().filter(|name| *name != "pressurecpufull") {
        row.set(name, 0);
    }
    row
}
