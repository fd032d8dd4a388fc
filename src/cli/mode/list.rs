//! `mode list`: all modes in the file's order, and which one is current.

use crate::{
    cli::{failure::Failure, json, shell::Shell, table::table},
    domain::{
        facts::{Facts, Trouble},
        finding::FindingId,
        guest::{Guest, Power},
        ids::{ModeName, NodeName, Vmid},
        mode::{GpuMode, Mode, ModeSet},
        text,
    },
};
use serde::Serialize;

#[derive(Serialize)]
struct Document<'a> {
    host: &'a str,
    node: Option<&'a NodeName>,
    current: Option<&'a ModeName>,
    modes: Vec<Row<'a>>,
}

#[derive(Serialize)]
struct Row<'a> {
    name: &'a ModeName,
    aliases: &'a [String],
    vmid: Vmid,
    status: &'static str,
    lock: Option<&'a str>,
    gpu_mode: Option<GpuMode>,
    current: bool,
    description: &'a str,
}

/// Writes the modes as the newest look saw them.
///
/// # Errors
/// The look brought no list of guests.
pub(crate) fn write(shell: &mut Shell<'_>, host: &str, modes: &ModeSet, facts: &Facts) -> Result<(), Failure> {
    seen(facts)?;
    let current = modes.current(facts);
    let row = |mode: &'_ Mode| -> (&'static str, Option<GpuMode>) { (status(mode, facts), mode.gpu(facts)) };
    if shell.json() {
        let is_current = |mode: &Mode| current.is_some_and(|current| current.name == mode.name);
        let rows = modes.0.iter().map(|mode| {
            let (status, gpu_mode) = row(mode);
            let Mode { name, aliases, vmid, description, .. } = mode;
            let lock = facts.guest(mode.vmid).and_then(|guest| guest.lock.as_deref());
            Row { name, aliases, vmid: *vmid, status, lock, gpu_mode, current: is_current(mode), description }
        });
        let current = current.map(|mode| &mode.name);
        let document = Document { host, node: facts.node.as_ref(), current, modes: rows.collect() };
        return Ok(json::document(shell.out, json::MODES, &document)?);
    }
    let rows = modes.0.iter().map(|mode| {
        let (status, gpu) = row(mode);
        let status = facts.guest(mode.vmid).filter(|guest| guest.is_hibernated()).map_or(status, Guest::state);
        let gpu = gpu.map_or("auto", GpuMode::word);
        [mode.name.to_string(), mode.vmid.to_string(), status.to_owned(), gpu.to_owned(), mode.description.clone()]
    });
    let columns = [("MODE", 0), ("VMID", 5), ("STATUS", 8), ("GPU", 9), ("DESCRIPTION", 0)];
    table(shell.out, columns, rows)?;
    Ok(writeln!(shell.out, "\nCurrent mode: {}", text::safe(&current_words(modes, facts)))?)
}

/// The list of guests was read.
pub(crate) fn seen(facts: &Facts) -> Result<(), Failure> {
    if facts.qemu.fresh().is_some() {
        return Ok(());
    }
    let unknown = || Trouble {
        finding: FindingId::GuestStateUnknown,
        message: "The host's guests couldn't be listed.".to_owned(),
    };
    Err(facts.qemu.error.clone().unwrap_or_else(unknown).into())
}

/// The state of a mode's guest in a word; `missing` where the host doesn't list it.
pub(crate) fn status(mode: &Mode, facts: &Facts) -> &'static str {
    if facts.qemu.fresh().is_some() && facts.guest(mode.vmid).is_none() {
        return "missing";
    }
    facts.power(mode.vmid).word()
}

/// The current mode, or why there is none.
fn current_words(modes: &ModeSet, facts: &Facts) -> String {
    if let Some(mode) = modes.current(facts) {
        return match facts.power(mode.vmid) {
            Power::Running => mode.name.to_string(),
            state => format!("{} ({state})", mode.name),
        };
    }
    let running: Vec<&Mode> = modes.running(facts).filter(|mode| facts.guest(mode.vmid).is_some()).collect();
    let unknown = running.iter().any(|mode| facts.power(mode.vmid) == Power::Unknown);
    let names: Vec<&str> = running.iter().map(|mode| mode.name.as_str()).collect();
    match (names.len(), unknown) {
        (0, _) => "none".to_owned(),
        (1, false) => names.concat(),
        (_, true) => format!("unknown ({})", names.join(", ")),
        (_, false) => format!("none, several run ({})", names.join(", ")),
    }
}
