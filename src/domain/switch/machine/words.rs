//! Proxmox's words about a failed task, translated.

use crate::domain::{facts::Trouble, finding::FindingId};

/// What a failed task's exit text means, and whether trying again may help.
///
/// The texts are Proxmox's own: qemu-server `QemuServer/PCI.pm:823-834` (reservations), `QemuServer.pm:5531`
/// (already running), pve-guest-common's config lock.
#[must_use]
pub fn task_trouble(exit: &str) -> (Trouble, bool) {
    let has = |needle: &str| exit.contains(needle);
    let (finding, retry) = if has("already in use by VMID") || has("reserved for use by VMID") {
        (FindingId::GpuTaken, true)
    } else if has("can't lock file") || has("unable to acquire lock") {
        (FindingId::PveLocked, true)
    } else if has("VM is locked") || has("is locked (") {
        (FindingId::GuestLocked, true)
    } else if has("powerdown failed - got timeout") || has("received interrupt") {
        (FindingId::GuestStuck, false)
    } else if has("paused") {
        (FindingId::GuestPaused, false)
    } else if has("template") {
        (FindingId::GuestTemplate, false)
    } else if has("Permission check failed") {
        (FindingId::PveForbidden, false)
    } else if has("does not exist") {
        (FindingId::PveNotFound, false)
    } else {
        (FindingId::PveRefused, false)
    };
    (Trouble { finding, message: exit.trim_end().to_owned() }, retry)
}

/// The VMID that Proxmox names as the holder of a device.
#[must_use]
pub fn holder(exit: &str) -> Option<crate::domain::ids::Vmid> {
    let (_, rest) = exit.split_once("by VMID '")?;
    rest.split('\'').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_a_busy_device_name_its_holder_and_may_be_tried_again() {
        let words = "PCI device '0000:01:00.0' already in use by VMID '101'";
        let (trouble, retry) = task_trouble(words);
        assert_eq!((trouble.finding, retry), (FindingId::GpuTaken, true));
        assert_eq!(holder(words).unwrap().get(), 101);
        assert_eq!(holder("got timeout"), None);
    }

    #[test]
    fn other_words_are_kept_as_they_are() {
        let (trouble, retry) = task_trouble("start failed: QEMU exited with code 1\n");
        assert_eq!((trouble.message.as_str(), retry), ("start failed: QEMU exited with code 1", false));
        assert_eq!(trouble.finding, FindingId::PveRefused);
    }
}
