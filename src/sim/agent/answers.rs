//! Answers that don't run anything in the guest.

use crate::sim::{
    Sim,
    answer::Entry,
    world::{AgentSpec, NicSpec},
};
use serde_json::{Value, json};

/// `network-get-interfaces`.
pub(crate) fn interfaces(agent: &AgentSpec) -> Value {
    agent.nics.iter().map(interface).collect()
}

fn interface(nic: &NicSpec) -> Value {
    let mut entry = json!({
        "name": nic.name,
        "statistics": {
            "rx-bytes": 0, "rx-dropped": 0, "rx-errs": 0, "rx-packets": 0,
            "tx-bytes": 0, "tx-dropped": 0, "tx-errs": 0, "tx-packets": 0,
        },
    });
    if let Some(mac) = &nic.mac {
        entry.set("hardware-address", json!(mac));
    }
    if let Some(addresses) = &nic.addresses {
        entry.set("ip-addresses", addresses.iter().map(|text| address(text)).collect::<Vec<_>>());
    }
    entry
}

fn address(text: &str) -> Value {
    let (ip, prefix) = text.split_once('/').unwrap_or((text, "32"));
    let kind = if ip.contains(':') { "ipv6" } else { "ipv4" };
    json!({"ip-address": ip, "ip-address-type": kind, "prefix": prefix.parse::<u8>().unwrap_or(32)})
}

/// `get-osinfo`.
pub(crate) fn osinfo(agent: &AgentSpec) -> Value {
    let mut value = serde_json::to_value(&agent.os).unwrap_or_default();
    if let Some(entries) = value.as_object_mut() {
        entries.retain(|_, entry| !entry.is_null());
    }
    value
}

/// `get-users`.
pub(crate) fn users(agent: &AgentSpec, now: u64) -> Value {
    agent.users.iter().map(|user| json!({"user": user, "login-time": now.saturating_sub(3600)})).collect()
}

/// `get-vcpus`: the first one can't be taken away.
pub(crate) fn vcpus(sim: &Sim, vmid: u32) -> Value {
    let count = sim.state().vms.get(&vmid).map_or(1, |vm| vm.spec.cpus());
    (0..count).map(|id| json!({"logical-id": id, "online": true, "can-offline": id > 0})).collect()
}

/// `get-host-name`: the guest's name.
pub(crate) fn host_name(sim: &Sim, vmid: u32) -> String {
    sim.state().vms.get(&vmid).map(|vm| vm.spec.name()).unwrap_or_default()
}

/// What the agent says of a command that it refuses (QEMU `qapi/qmp-dispatch.c`); none of one that it takes. Files are
/// opened before anything else.
pub(crate) fn refusal(agent: &AgentSpec, command: &str) -> Option<String> {
    let parts: &[&str] = match command {
        "file-read" => &["file-open", "file-read", "file-close"],
        "file-write" => &["file-open", "file-write", "file-close"],
        command => &[command],
    };
    let first = parts.iter().find(|part| agent.forbids.iter().any(|forbidden| forbidden == *part))?;
    Some(format!("Command guest-{first} has been disabled: the command is not allowed"))
}

/// `info`: version and commands.
pub(crate) fn info(agent: &AgentSpec) -> Value {
    const COMMANDS: [(&str, bool); 14] = [
        ("guest-exec", true),
        ("guest-exec-status", true),
        ("guest-file-open", true),
        ("guest-file-read", true),
        ("guest-file-write", true),
        ("guest-fsfreeze-status", true),
        ("guest-get-fsinfo", true),
        ("guest-get-host-name", true),
        ("guest-get-osinfo", true),
        ("guest-get-users", true),
        ("guest-network-get-interfaces", true),
        ("guest-ping", true),
        ("guest-shutdown", false),
        ("guest-suspend-ram", false),
    ];
    let commands: Vec<Value> = COMMANDS
        .iter()
        .map(|(name, responds)| {
            json!({
                "name": name,
                "enabled": !agent.forbids.iter().any(|forbidden| name.strip_prefix("guest-") == Some(forbidden)),
                "success-response": responds,
            })
        })
        .collect();
    json!({"version": "10.0.2", "supported_commands": commands})
}
