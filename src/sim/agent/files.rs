//! Files of a guest, through its agent.

use crate::sim::{Sim, answer::Refused, planted};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

/// `file-read`: each byte becomes one character, or base64 gives the bytes.
///
/// # Errors
/// There is no such file, in the agent's words.
pub(crate) fn read(sim: &Sim, vmid: u32, path: &str, plain: bool) -> Result<Value, Refused> {
    if planted::is_folder(path) {
        return Err(Refused::died("Agent error: failed to read file: Is a directory"));
    }
    let state = sim.state();
    let bytes = state.vms.get(&vmid).and_then(|vm| planted::read(vm, &sim.clock, path));
    let missing = || {
        let why = format!("failed to open file '{path}' (mode: 'r'): No such file or directory");
        Refused::died(format!("Agent error: {why}"))
    };
    let bytes = bytes.ok_or_else(missing)?;
    if !plain {
        return Ok(json!({"bytes-read": bytes.len(), "content": STANDARD.encode(&bytes)}));
    }
    let content: String = bytes.iter().map(|byte| char::from(*byte)).collect();
    Ok(json!({"bytes-read": bytes.len(), "content": content}))
}

/// `file-write`: plain text arrives as Latin-1; else it is base64 of the bytes.
///
/// # Errors
/// Characters that can't be written, what isn't base64, and a folder that there isn't.
pub(crate) fn write(sim: &Sim, vmid: u32, path: &str, content: &str, plain: bool) -> Result<Value, Refused> {
    let wide = || {
        let place = "/usr/share/perl5/PVE/API2/Qemu/Agent.pm line 624.";
        Refused::died(format!("Wide character in subroutine entry at {place}"))
    };
    let bytes = if plain {
        content.chars().map(|c| u8::try_from(u32::from(c)).map_err(|_| wide())).collect::<Result<Vec<u8>, _>>()?
    } else {
        let bad = |_| Refused::died("Agent error: Base64 data contains invalid characters");
        STANDARD.decode(content).map_err(bad)?
    };
    if let Some(vm) = sim.state().vms.get_mut(&vmid) {
        if !planted::has_folder_of(vm, path) {
            let why = format!("failed to open file '{path}' (mode: 'wb'): No such file or directory");
            return Err(Refused::died(format!("Agent error: {why}")));
        }
        planted::write(vm, path, bytes);
    }
    Ok(Value::Null)
}
