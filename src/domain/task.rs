//! Why a task of the host failed: its exit status, and the lines of its log that tell the cause.
//!
//! The exit status alone often says little (`start failed: QEMU exited with code 1`, `download failed: exit code 8`);
//! the words of QEMU, wget or a hookscript are only in the log. One table says what is known of all these words.

use super::{facts::Trouble, finding::FindingId, ids::Vmid, text};

/// Lines of a log that are kept at most.
const MOST_LINES: usize = 3;
/// Characters of a line that are kept at most.
const MOST_CHARACTERS: usize = 400;

/// Words that are known.
struct Known {
    /// Both of these are in them; the second may be empty.
    says: [&'static str; 2],
    /// What they are a case of; [`FindingId::PveRefused`] where nothing more is known than that it failed.
    finding: FindingId,
    /// What they mean, as the end of a sentence; empty where they say it well enough.
    means: &'static str,
}

const fn known(says: [&'static str; 2], finding: FindingId, means: &'static str) -> Known {
    Known { says, finding, means }
}

/// What Proxmox, QEMU and wget say, the first that fits. Sources: qemu-server `QemuServer/PCI.pm` (devices, mappings,
/// reservations), `QemuServer.pm` (starts, stops), pve-guest-common (locks, hookscripts), pve-common `Tools.pm`
/// (downloads), QEMU `hw/vfio/container.c`; most were seen in logs of real tasks.
const KNOWN: &[Known] = &[
    known(["already in use by VMID", ""], FindingId::GpuTaken, ""),
    known(["reserved for use by VMID", ""], FindingId::GpuTaken, ""),
    known(["can't lock file", ""], FindingId::PveLocked, "another task held its lock"),
    known(["unable to acquire lock", ""], FindingId::PveLocked, "another task held its lock"),
    known(["is locked (", ""], FindingId::GuestLocked, ""),
    known(["Permission check failed", ""], FindingId::PveForbidden, ""),
    known(["PCI device mapping not found", ""], FindingId::VmMappingMissing, "its mapping isn't there on this node"),
    known(["USB device mapping not found", ""], FindingId::PveRefused, "its USB mapping isn't there on this node"),
    known(["USB Mapping invalid", ""], FindingId::PveRefused, "a USB device isn't plugged in as its mapping says"),
    known(["mapping invalid", ""], FindingId::GpuMappingStale, "its mapping no longer fits the hardware"),
    known(["no PCI device found for", ""], FindingId::VmDeviceMissing, "the host has no device at that address"),
    known(
        ["is not viable", ""],
        FindingId::IommuDirtyGroup,
        "a driver of the host still has another device of the card's IOMMU group",
    ),
    known(
        ["/dev/vfio/", "Device or resource busy"],
        FindingId::GpuTaken,
        "another process of the host has the card's IOMMU group open, such as a VM with the device in its args",
    ),
    known(["/dev/vfio/", "No such file or directory"], FindingId::GpuNativeDriver, "the card isn't bound to vfio-pci"),
    known(["et iommu for container", ""], FindingId::IommuNoRemapping, "the host doesn't remap interrupts"),
    known(["no iommu_group found", ""], FindingId::IommuOff, "the host's IOMMU is off"),
    known(["IOMMU not present", ""], FindingId::IommuOff, "the host's IOMMU is off"),
    known(["Cannot allocate memory", ""], FindingId::MemoryShort, "the host has too little free memory"),
    known(["q35 machine model is not enabled", ""], FindingId::VmPcieNeedsQ35, "pcie=1 needs the machine type q35"),
    known(["cannot use mediated device", ""], FindingId::VmMdevFunctions, "mdev needs a single function"),
    known(["device assigned more than once", ""], FindingId::VmDeviceTwice, "two of its lines name one device"),
    known(["KVM virtualisation configured", ""], FindingId::HostNoVirtualisation, "the host has no KVM"),
    known(["hookscript error", ""], FindingId::PveRefused, "its hookscript failed"),
    known(["bridge '", "does not exist"], FindingId::PveRefused, "the host has no such bridge"),
    known(["volume '", "does not exist"], FindingId::PveRefused, "a disk or image is gone"),
    known(["Configuration file", "does not exist"], FindingId::PveNotFound, ""),
    known(["No space left on device", ""], FindingId::PveRefused, FULL),
    known(["out of space", ""], FindingId::PveRefused, FULL),
    known(["nsufficient free space", ""], FindingId::PveRefused, FULL),
    known(["checksum mismatch", ""], FindingId::PveRefused, "the file has another checksum than the one given"),
    known(["ERROR 404", ""], FindingId::PveRefused, "the server has no such file (404)"),
    known(["ERROR 403", ""], FindingId::PveRefused, "the server refuses the file (403)"),
    known(["unable to resolve host address", ""], FindingId::PveRefused, "the host can't resolve the server's name"),
    known(["failed: Connection refused", ""], FindingId::PveRefused, "nothing answers at the server's port"),
    known(["certificate of", ""], FindingId::PveRefused, "the host doesn't trust the server's certificate"),
    known(["download failed", "received interrupt"], FindingId::PveRefused, "somebody stopped the task"),
    known(["Image is not in", ""], FindingId::PveRefused, "the file isn't an image of this kind"),
    known(["refusing to override", ""], FindingId::PveRefused, "a file of this name is there already"),
    known(
        ["start failed", "got timeout"],
        FindingId::PveRefused,
        "QEMU took longer to start than Proxmox waits for it",
    ),
    known(["quit/powerdown failed", ""], FindingId::GuestStuck, ""),
    known(["received interrupt", ""], FindingId::GuestStuck, "somebody stopped the task"),
    known(["is paused", ""], FindingId::GuestPaused, ""),
    known(["it's a template", ""], FindingId::GuestTemplate, ""),
];

/// What the words of the kernel, of ZFS and of LVM mean (`strerror(ENOSPC)`, `libzfs_util.c`, `lv_manip.c`).
const FULL: &str = "a storage of the host is full";

fn find(words: &str) -> Option<&'static Known> {
    KNOWN.iter().find(|known| known.says.iter().all(|part| words.contains(part)))
}

/// What words about a failure mean, as the end of a sentence; none where they aren't known or say it well enough.
#[must_use]
pub fn means(words: &str) -> Option<&'static str> {
    find(words).map(|known| known.means).filter(|means| !means.is_empty())
}

/// What words about a failure are a case of: [`FindingId::PveRefused`] where nothing more is known.
#[must_use]
pub fn finding(words: &str) -> FindingId {
    find(words).map_or(FindingId::PveRefused, |known| known.finding)
}

/// Whether a storage has no more room.
#[must_use]
pub fn is_full(words: &str) -> bool {
    means(words) == Some(FULL)
}

/// Whether the same may go well in a moment: a lock is held, or a device's reservation is left over from a guest that
/// just stopped (`QemuServer/PCI.pm:823-834`).
#[must_use]
pub fn may_pass(exit: &str) -> bool {
    find(exit).is_some_and(|known| match known.finding {
        FindingId::GpuTaken => holder(exit).is_some(),
        finding => matches!(finding, FindingId::PveLocked | FindingId::GuestLocked),
    })
}

/// What a failed task's words mean, and whether trying again may help. `log` is what [`telling`] kept of its log.
#[must_use]
pub fn trouble(exit: &str, log: &[String]) -> (Trouble, bool) {
    let message = words(exit, log);
    (Trouble { finding: finding(&message), message }, may_pass(exit))
}

/// The words of a failed task as one line: its exit status, then what its log says.
#[must_use]
pub fn words(exit: &str, log: &[String]) -> String {
    let exit = line(exit);
    if log.is_empty() { exit } else { format!("{exit}; its log: {}", log.join(" / ")) }
}

/// The VMID that Proxmox names as the holder of a device.
#[must_use]
pub fn holder(words: &str) -> Option<Vmid> {
    let (_, rest) = words.split_once("by VMID '")?;
    rest.split('\'').next()?.parse().ok()
}

/// The lines of a task's log that tell why it failed: the last of those that speak of an error, else the last ones
/// where the exit status says no more than a number. Bounded, without control characters, credentials, and what the
/// exit status says anyway.
#[must_use]
pub fn telling(exit: &str, log: &[String]) -> Vec<String> {
    let lines = log.iter().map(|line| line.trim()).filter(|line| !line.is_empty() && !is_frame(line));
    let mut lines: Vec<&str> = lines.filter(|line| !exit.contains(line)).collect();
    lines.dedup();
    let errors: Vec<&str> = lines.iter().copied().filter(|line| speaks_of_error(line)).collect();
    let kept = if errors.is_empty() && says_only_a_number(exit) { lines } else { errors };
    kept.iter().skip(kept.len().saturating_sub(MOST_LINES)).map(|text| line(text)).collect()
}

/// What a task writes around everything, and warnings that don't make it fail.
fn is_frame(line: &str) -> bool {
    ["TASK ", "WARN", "starting file import", "transferred "].iter().any(|word| line.starts_with(word))
}

fn says_only_a_number(exit: &str) -> bool {
    ["exit code", "exited with code", "job errors"].iter().any(|part| exit.contains(part))
}

fn speaks_of_error(line: &str) -> bool {
    const WORDS: [&str; 20] = [
        "kvm:",
        "qemu",
        "error",
        "fail",
        "cannot",
        "can't",
        "could not",
        "couldn't",
        "unable",
        "denied",
        "not found",
        "no such",
        "not exist",
        "refus",
        "mismatch",
        "invalid",
        "timed out",
        "timeout",
        "no space",
        "abort",
    ];
    let lower = line.to_ascii_lowercase();
    find(line).is_some() || WORDS.iter().any(|word| lower.contains(word))
}

/// A line as it may be kept and shown. Proxmox puts whole command lines of QEMU into some: the middle goes.
fn line(text: &str) -> String {
    let clean: String =
        text.trim().chars().map(|c| if c == '\t' { ' ' } else { c }).filter(|c| !c.is_control()).collect();
    let clean = without_credentials(&text::safe(&clean));
    let length = clean.chars().count();
    if length <= MOST_CHARACTERS {
        return clean;
    }
    let half = MOST_CHARACTERS / 2;
    let first: String = clean.chars().take(half).collect();
    let last: String = clean.chars().skip(length - half).collect();
    format!("{first} ... {last}")
}

/// A text without what opens doors: a user in an address, what follows its `?`, values of passwords and tokens.
fn without_credentials(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut secret_follows = false;
    for word in text.split_inclusive(ENDS) {
        let (body, end) = word.split_at(word.trim_end_matches(ENDS).len());
        if secret_follows && !body.is_empty() {
            kept.push_str("...");
        } else {
            kept.push_str(&hidden(body));
        }
        kept.push_str(end);
        secret_follows = is_secret(body) && body.ends_with(['=', ':']) || secret_follows && body.is_empty();
    }
    kept
}

/// What ends a word.
const ENDS: [char; 5] = [' ', ',', ';', '\'', '"'];

fn is_secret(word: &str) -> bool {
    let lower = word.to_ascii_lowercase();
    ["password", "passwd", "secret", "token", "credential", "apikey"].iter().any(|part| lower.contains(part))
}

fn hidden(body: &str) -> String {
    if let Some((scheme, rest)) = body.split_once("://") {
        let (place, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let place = place.rsplit_once('@').map_or(place, |(_, place)| place);
        let path = path.split_once('?').map_or_else(|| path.to_owned(), |(path, _)| format!("{path}?..."));
        return format!("{scheme}://{place}{path}");
    }
    match body.split_once(['=', ':']) {
        Some((key, value)) if !value.is_empty() && is_secret(key) => format!("{key}=..."),
        _ => body.to_owned(),
    }
}

#[cfg(test)]
#[path = "task_tests.rs"]
mod tests;
