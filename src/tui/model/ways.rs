//! Ways to the guest itself: its shell, its console.

use super::Model;
use crate::domain::{finding::FindingId, guest::GuestKind, switch::refusal::Refusal, text::safe};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::net::IpAddr;

/// What a part of a query may not hold as it is (RFC 3986, unreserved characters).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

impl Model {
    /// Whether the host is only simulated. Its addresses may be those of real machines nearby.
    fn is_demo(&self) -> bool {
        self.setup.label.as_deref() == Some("demo")
    }

    /// The address at which a shell in the selected guest can be asked for.
    ///
    /// # Errors
    /// Why there is none.
    pub fn shell_address(&self) -> Result<IpAddr, Refusal> {
        let no = |finding, text: String| Err(Refusal::new(finding, text));
        let Some(row) = self.subject() else { return Err(nothing()) };
        if self.is_demo() {
            return no(FindingId::GuestNoAddress, "The demo's guests aren't real: their addresses are others'.".into());
        }
        let Some(guest) = row.guest else {
            return no(FindingId::GuestMissing, format!("The host has no guest {}.", row.vmid));
        };
        let name = safe(&guest.name);
        if !guest.power.holds_devices() {
            return no(FindingId::GuestNoAddress, format!("{name} isn't running."));
        }
        match self.agent_of(guest).and_then(|agent| agent.address) {
            Some(address) => Ok(address),
            None if guest.kind == GuestKind::Lxc => {
                no(FindingId::GuestNoAddress, format!("No address of {name} is known: a container has no guest agent."))
            }
            None => no(FindingId::GuestNoAddress, format!("No address of {name} is known: its agent hasn't told any.")),
        }
    }

    /// The page with the selected guest's console, as Proxmox's own web interface opens it (pve-manager
    /// `Utils.js`, `openVNCViewer`): noVNC for a VM, xterm.js for a container.
    ///
    /// # Errors
    /// Why there is none.
    pub fn console_url(&self) -> Result<String, Refusal> {
        let Some(row) = self.subject() else { return Err(nothing()) };
        if self.is_demo() {
            return Err(Refusal::new(FindingId::GuestStateUnknown, "The demo's host has no web pages."));
        }
        let unknown = |what: &str| Refusal::new(FindingId::GuestStateUnknown, format!("{what} isn't known yet."));
        let web = self.setup.web.as_ref().ok_or_else(|| unknown("The host"))?;
        let node = self.facts.node.as_ref().ok_or_else(|| unknown("The node"))?;
        let guest = row.guest.ok_or_else(|| unknown("The guest"))?;
        let kind = match guest.kind {
            GuestKind::Qemu => "console=kvm&novnc=1",
            GuestKind::Lxc => "console=lxc&xtermjs=1",
        };
        let name = utf8_percent_encode(&guest.name, RESERVED);
        let node = utf8_percent_encode(node.as_str(), RESERVED);
        Ok(format!("{web}/?{kind}&vmid={}&vmname={name}&node={node}", guest.vmid))
    }
}

fn nothing() -> Refusal {
    Refusal::new(FindingId::ModeUnknown, "Nothing is selected.")
}
