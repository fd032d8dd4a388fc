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
    let result = match command {
        "exec" => {
            let input = call.text("input-data");
            let pid = agent::start(sim, vmid, &argv(call), input.as_deref()).await?;
            return Ok(json!({"pid": pid}).into());
        }
        "file-read" => return agent::read(sim, vmid, &call.text("file").unwrap_or_default()).map(Into::into),
        "file-write" => {
            let (file, content) = (call.text("file").unwrap_or_default(), call.text("content").unwrap_or_default());
            let plain = call.text("encode").as_deref() != Some("0");
            return agent::write(sim, vmid, &file, &content, plain).map(Into::into);
        }
        "exec-status" => return Ok(agent::status(sim, vmid, call.number("pid").unwrap_or_default())?.into()),
        "network-get-interfaces" => agent::interfaces(&guest),
        "get-osinfo" => agent::osinfo(&guest),
        "get-users" => agent::users(&guest, sim.clock.unix()),
        "info" => agent::info(),
        _ => json!({}),
    };
    Ok(json!({ "result": result }).into())
}

/// The `command` parameter: repeated fields, a JSON array, or one program name.
fn argv(call: &Call<'_>) -> Vec<String> {
    match call.params.get("command") {
        Some(Value::Array(words)) => words.iter().map(super::plain).collect(),
        Some(word) => vec![super::plain(word)],
        None => Vec::new(),
    }
}
