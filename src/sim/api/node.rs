//! The node itself: version, state, configuration, storages, network.

use super::Call;
use crate::sim::{
    answer::{Answer, Entry, Refused},
    auth::digest,
    release::Release,
    state::Vm,
    volume,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// `GET /version`.
pub(super) fn version(call: &Call<'_>) -> Answer {
    let node = &call.sim.world.node;
    let release: Vec<&str> = node.version.split('.').take(2).collect();
    json!({"release": release.join("."), "repoid": node.repoid, "version": node.version}).into()
}

/// `GET /nodes`.
pub(super) fn list(call: &Call<'_>) -> Answer {
    let mut entry = resource(call);
    entry.set("ssl_fingerprint", call.sim.state().fingerprint.as_str());
    Value::Array(vec![entry.without(&["cgroup-mode"])]).into()
}

/// The node among the resources. Its figures are left out for those who may not see them.
pub(super) fn resource(call: &Call<'_>) -> Value {
    let node = &call.sim.world.node;
    let mut entry = json!({
        "cgroup-mode": 2, "id": format!("node/{}", node.name), "level": "", "node": node.name, "status": "online",
        "type": "node",
    });
    if call.may(&format!("/nodes/{}", node.name), &["Sys.Audit"]) {
        entry.set("cpu", json!(cpu(call)));
        entry.set("maxcpu", json!(node.cpus));
        entry.set("mem", json!(memory_used(call)));
        entry.set("maxmem", json!(node.memory.total));
        entry.set("disk", json!(node.rootfs_used));
        entry.set("maxdisk", json!(node.rootfs));
        entry.set("uptime", json!(uptime(call)));
    }
    entry
}

fn uptime(call: &Call<'_>) -> u64 {
    call.sim.world.node.uptime + call.sim.clock.start().elapsed().as_secs()
}

fn memory_used(call: &Call<'_>) -> u64 {
    let guests: u64 = call.sim.state().vms.values().map(Vm::memory).sum();
    call.sim.world.node.memory.used + guests
}

/// Use of all CPUs: the host's own and that of its guests.
fn cpu(call: &Call<'_>) -> f64 {
    let node = &call.sim.world.node;
    let running = |vm: &&Vm| vm.power == crate::sim::state::Power::Running;
    #[expect(clippy::cast_precision_loss, reason = "numbers of CPUs are small")]
    let guests: f64 = call.sim.state().vms.values().filter(running).map(|vm| vm.spec.cpu * vm.spec.cpus() as f64).sum();
    #[expect(clippy::cast_precision_loss, reason = "numbers of CPUs are small")]
    let share = node.cpu + guests / node.cpus.max(1) as f64;
    share.min(1.0)
}

/// `GET /nodes/{node}/status`.
pub(super) fn status(call: &Call<'_>) -> Answer {
    let node = &call.sim.world.node;
    let used = memory_used(call);
    let free = node.memory.total.saturating_sub(used);
    let version = "#1 SMP PREEMPT_DYNAMIC PMX";
    let mut status = json!({
        "boot-info": if node.efi { json!({"mode": "efi", "secureboot": 0}) } else { json!({"mode": "legacy-bios"}) },
        "cpu": cpu(call),
        "cpuinfo": {
            "cores": node.cpus / 2, "cpus": node.cpus, "family": "25", "flags": "fpu vme svm constant_tsc avx2",
            "hvm": "1", "mhz": "4500.000", "model": node.cpu_model, "sockets": 1, "user_hz": 100,
            "vendor": "AuthenticAMD",
        },
        "current-kernel": {"machine": "x86_64", "release": node.kernel, "sysname": "Linux", "version": version},
        "idle": 0,
        "ksm": {"shared": 0},
        "kversion": format!("Linux {} {version}", node.kernel),
        "loadavg": ["0.42", "0.38", "0.31"],
        "memory": {"available": free, "free": free, "total": node.memory.total, "used": used},
        "pveversion": format!("pve-manager/{}/{}", node.version, node.repoid),
        "rootfs": {
            "avail": node.rootfs.saturating_sub(node.rootfs_used), "free": node.rootfs.saturating_sub(node.rootfs_used),
            "total": node.rootfs, "used": node.rootfs_used,
        },
        "swap": {"free": 0, "total": 0, "used": 0},
        "uptime": uptime(call),
        "wait": 0,
    });
    if call.release() == Release::V8 {
        for (part, unknown) in [("cpuinfo", &["family", "vendor"][..]), ("memory", &["available"])] {
            let known = status.get(part).cloned().unwrap_or_default().without(unknown);
            status.set(part, known);
        }
    }
    status.into()
}

/// `GET /nodes/{node}/storage`: those that the asker may see.
pub(super) fn storages(call: &Call<'_>) -> Answer {
    let content = call.text("content");
    let one = call.text("storage");
    let state = call.sim.state();
    let entries = call.sim.world.storages.iter().filter(|(id, storage)| {
        let wanted = content.as_ref().is_none_or(|kinds| {
            kinds.split([',', ';', ' ']).any(|kind| storage.content.iter().any(|held| held == kind))
        });
        wanted && one.as_ref().is_none_or(|one| one == *id) && may_see_storage(call, id)
    });
    let entries = entries.map(|(id, storage)| {
        let used = storage.used + volume::taken(&state.volumes, id, storage.is_thin());
        #[expect(clippy::cast_precision_loss, reason = "a fraction for people")]
        let fraction = used as f64 / storage.total.max(1) as f64;
        json!({
            "active": 1, "avail": storage.total.saturating_sub(used), "content": storage.content.join(","),
            "enabled": 1, "shared": u8::from(storage.shared), "storage": id, "total": storage.total,
            "type": storage.kind, "used": used, "used_fraction": fraction,
        })
    });
    Value::Array(entries.collect()).into()
}

/// Storages among the resources.
pub(super) fn storage_resources(call: &Call<'_>) -> Vec<Value> {
    let node = &call.sim.world.node.name;
    let seen = call.sim.world.storages.iter().filter(|(id, _)| may_see_storage(call, id));
    seen.map(|(id, storage)| {
        json!({
            "content": storage.content.join(","), "disk": storage.used, "id": format!("storage/{node}/{id}"),
            "maxdisk": storage.total, "node": node, "plugintype": storage.kind, "shared": u8::from(storage.shared),
            "status": "available", "storage": id, "type": "storage",
        })
    })
    .collect()
}

fn may_see_storage(call: &Call<'_>, id: &str) -> bool {
    call.may(&format!("/storage/{id}"), &["Datastore.Audit", "Datastore.AllocateSpace"])
}

/// `GET /nodes/{node}/network`: bridges only for those who may use or see them, the cards behind them for everybody.
pub(super) fn network(call: &Call<'_>) -> Answer {
    let kind = call.text("type");
    let wants = |bridge: bool| match kind.as_deref() {
        None | Some("include_sdn") => true,
        Some("bridge" | "any_bridge" | "any_local_bridge") => bridge,
        Some("eth") => !bridge,
        Some(_) => false,
    };
    let may = |name: &str| call.may(&format!("/sdn/zones/localnetwork/{name}"), &["SDN.Audit", "SDN.Use"]);
    let bridges = call.sim.world.node.bridges.iter().filter(|name| wants(true) && may(name));
    // The first of them leads out, whatever its name.
    let outward = call.sim.world.node.bridges.first();
    let bridges = bridges.map(|name| {
        let mut bridge = json!({
            "active": 1, "autostart": 1, "bridge_fd": "0", "bridge_ports": "eno1", "bridge_stp": "off",
            "families": ["inet"], "iface": name, "method": "static", "method6": "manual", "priority": 4,
            "type": "bridge",
        });
        if let Some(bridge) = bridge.as_object_mut().filter(|_| Some(name) == outward) {
            bridge.insert("gateway".to_owned(), json!("192.168.1.1"));
            bridge.insert("address".to_owned(), json!("192.168.1.100"));
            bridge.insert("netmask".to_owned(), json!("24"));
            bridge.insert("cidr".to_owned(), json!("192.168.1.100/24"));
        }
        bridge
    });
    let card = json!({
        "active": 1, "families": ["inet"], "iface": "eno1", "method": "manual", "method6": "manual", "priority": 3,
        "type": "eth",
    });
    Value::Array(bridges.chain(Some(card).filter(|_| wants(false))).collect()).into()
}

/// Properties of a node that are kept, in the order in which they are told.
const KEPT: [&str; 7] =
    ["acme", "ballooning-target", "description", "location", "startall-onboot-delay", "wakeonlan", "digest"];

/// `GET /nodes/{node}/config`.
pub(super) fn config(call: &Call<'_>) -> Answer {
    let state = call.sim.state();
    let mut config = json!({});
    let wanted = call.text("property").filter(|name| name != "all");
    for (key, value) in &state.node_config {
        if wanted.as_ref().is_none_or(|wanted| wanted == key) {
            config.set(key, value.as_str());
        }
    }
    if wanted.is_none() {
        config.set("digest", stamp(&state.node_config));
    }
    config.into()
}

fn stamp(config: &BTreeMap<String, String>) -> String {
    digest(&format!("{config:?}")).chars().take(40).collect()
}

/// `PUT /nodes/{node}/config`.
pub(super) fn configure(call: &Call<'_>) -> Result<Answer, Refused> {
    let mut state = call.sim.state();
    if call.text("digest").is_some_and(|digest| digest != stamp(&state.node_config)) {
        let why = "detected modified configuration - file changed by other user? Try again.";
        return Err(Refused::died(why));
    }
    for key in super::words(&call.text("delete").unwrap_or_default()) {
        state.node_config.remove(key);
    }
    for key in KEPT.into_iter().filter(|key| *key != "digest") {
        if let Some(text) = call.text(key) {
            // A description ends with a line's end in the file.
            let text = if key == "description" { format!("{text}\n") } else { text };
            state.node_config.insert(key.to_owned(), text);
        }
    }
    Ok(Value::Null.into())
}

/// `POST /nodes/{node}/wakeonlan`: a node can't wake itself, and this one is alone.
pub(super) fn wake(call: &Call<'_>) -> Result<Answer, Refused> {
    let node = call.text("node").unwrap_or_default();
    if node == call.sim.world.node.name {
        return Err(Refused::died(format!("'{node}' is local node, cannot wake my self!")));
    }
    Err(Refused::died(format!("no such cluster node '{node}'")))
}
