//! The dashboard as lines of text: everything once, then what changes. For screen readers, logs, pipes and terminals
//! that can't place a cursor.
//!
//! Pure functions over the same model that the screen is drawn from. Nothing in the lines moves or counts on its own,
//! so nobody is read a line to for nothing.

mod changes;
mod whole;

pub use changes::{Line, changes};
pub use whole::whole;

use super::model::Model;
use crate::domain::{
    finding::FindingId,
    guest::{AgentFacts, Guest, GuestKind},
    ids::Vmid,
    mode::Mode,
    text::safe,
};

/// A guest as people call it: `cachyos-vr (VM 101)`.
fn guest_name(guest: &Guest) -> String {
    let kind = if guest.kind == GuestKind::Qemu { "VM" } else { "container" };
    format!("{} ({kind} {})", safe(&guest.name), guest.vmid)
}

/// The name that a guest goes by: its mode's, where it has one.
fn name_of(model: &Model, vmid: Vmid) -> String {
    match (model.setup.modes.of(vmid), model.facts.guest(vmid)) {
        (Some(mode), _) => safe(mode.name.as_str()),
        (None, Some(guest)) => guest_name(guest),
        (None, None) => format!("VM {vmid}"),
    }
}

/// Whether a mode could be switched to now, in words; none where nobody knows yet.
fn standing(model: &Model, mode: &Mode) -> Option<String> {
    Some(match model.standing_of(&mode.name)? {
        Ok(()) => "ready to switch to".to_owned(),
        Err(no) => match no.finding {
            FindingId::ModeAlready => "the current mode".to_owned(),
            FindingId::OpRunning => "waits for the operation".to_owned(),
            finding => format!("can't be switched to: {} ({finding})", safe(no.message.trim_end_matches('.'))),
        },
    })
}

/// What a guest's agent said since the guest's last start.
fn agent_of(model: &Model, vmid: Vmid) -> Option<&AgentFacts> {
    model.facts.guest(vmid).and_then(|guest| model.agent_of(guest))
}
