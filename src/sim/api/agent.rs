//! `/nodes/{node}/qemu/{vmid}/agent`.

use super::Call;
use crate::sim::{
    agent,
    answer::{Answer, Refused},
};
use serde_json::{Value, json};

/// Answers one command of the agent. All but exec wrap their answer in `result`.
pub(super) async fn handle(call: &Call<'_>, command: &str) -> Result<Answer, Refused> {
    let (sim, vmid) = (call.sim, call.vmid());
    let guest = agent::ready(sim, vmid).await?;
    if let Some(words) = agent::refusal(&guest, command) {
        // Most answers are handed on as they are; these are looked into (qemu-server `QemuServer/Agent.pm`, `agent_cmd`).
        return match command {
            "exec" | "exec-status" | "file-read" | "file-write" | "set-user-password" => {
                Err(Refused::died(format!("Agent error: {words}")))
            }
            _ => Ok(json!({"result": {"error": {"class": "CommandNotFound", "desc": words}}}).into()),
        };
    }
    let result = match command {
        "exec" => {
            let input = call.text("input-data");
            let pid = agent::start(sim, vmid, &argv(call), input.as_deref()).await?;
            return Ok(json!({"pid": pid}).into());
        }
        "file-read" => {
            let plain = call.text("decode").as_deref() != Some("0");
            return agent::read(sim, vmid, &call.text("file").unwrap_or_default(), plain).map(Into::into);
        }
        "file-write" => {
            let (file, content) = (call.text("file").unwrap_or_default(), call.text("content").unwrap_or_default());
            let plain = call.text("encode").as_deref() != Some("0");
            return agent::write(sim, vmid, &file, &content, plain).map(Into::into);
        }
        "exec-status" => return Ok(agent::status(sim, vmid, call.number("pid").unwrap_or_default())?.into()),
        "network-get-interfaces" => agent::interfaces(&guest),
        "get-osinfo" => agent::osinfo(&guest),
        "get-users" => agent::users(&guest, sim.clock.unix()),
        "info" => agent::info(&guest),
        "get-time" => json!(sim.clock.unix() * 1_000_000_000),
        "get-timezone" => json!({"zone": "UTC", "offset": 0}),
        "get-vcpus" => agent::vcpus(sim, vmid),
        "get-host-name" => json!({"host-name": agent::host_name(sim, vmid)}),
        "get-fsinfo" => json!([]),
        "fsfreeze-status" => json!("thawed"),
        _ => json!({}),
    };
    Ok(json!({ "result": result }).into())
}

/// `GET agent`: the commands that are paths of their own.
pub(super) fn index() -> Value {
    const COMMANDS: [&str; 24] = [
        "exec",
        "exec-status",
        "file-read",
        "file-write",
        "fsfreeze-freeze",
        "fsfreeze-status",
        "fsfreeze-thaw",
        "fstrim",
        "get-fsinfo",
        "get-host-name",
        "get-memory-block-info",
        "get-memory-blocks",
        "get-osinfo",
        "get-time",
        "get-timezone",
        "get-users",
        "get-vcpus",
        "info",
        "network-get-interfaces",
        "ping",
        "set-user-password",
        "shutdown",
        "suspend-disk",
        "suspend-ram",
    ];
    COMMANDS.iter().map(|name| json!({ "name": name })).collect()
}

/// The `command` parameter: repeated fields, a JSON array, or one program name.
fn argv(call: &Call<'_>) -> Vec<String> {
    match call.params.get("command") {
        Some(Value::Array(words)) => words.iter().map(super::plain).collect(),
        Some(word) => vec![super::plain(word)],
        None => Vec::new(),
    }
}
