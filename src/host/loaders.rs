//! Command lines in the files of boot loaders that leave no trace of their own in a running system.

use super::root::{Bad, Root, is_conf};
use crate::domain::setup::{CommandLine, Loader};

/// Where `loader/entries` is: the ESP or the extended boot partition (<https://uapi-group.org/specifications/specs/boot_loader_specification/>).
const ENTRIES: [&str; 3] = ["/boot/loader/entries", "/efi/loader/entries", "/boot/efi/loader/entries"];
/// Where Limine looks for its configuration on the usual mount points.
const LIMINE: [&str; 5] = [
    "/boot/limine.conf",
    "/boot/limine/limine.conf",
    "/boot/EFI/limine/limine.conf",
    "/efi/limine.conf",
    "/boot/efi/limine.conf",
];

/// rEFInd's options are beside the kernel, on whatever file system that is.
const REFIND: [&str; 3] = ["/boot/refind_linux.conf", "/efi/refind_linux.conf", "/boot/efi/refind_linux.conf"];

/// Each command line that a loader would give to a kernel, and the file that it is in.
pub(super) fn configured(root: &Root) -> Result<Vec<(Loader, String, CommandLine)>, Bad> {
    let mut found = Vec::new();
    for path in entries(root) {
        let text = root.text(&path)?.unwrap_or_default();
        let options: Vec<&str> = text.lines().filter_map(|line| line.trim().strip_prefix("options")).collect();
        found.push((Loader::SystemdBoot, path, CommandLine::read(&options.join(" "))));
    }
    for path in LIMINE {
        let text = root.text(path)?.unwrap_or_default();
        let keys = ["cmdline:", "kernel_cmdline:"];
        let lines = text.lines().filter_map(|line| keys.iter().find_map(|key| line.trim().strip_prefix(key)));
        found.extend(lines.map(|line| (Loader::Limine, path.to_owned(), CommandLine::read(line))));
    }
    for path in REFIND {
        // Lines of a title and the options, each in quotes (rEFInd's manual, "Fine-tuning Linux boot options").
        let text = root.text(path)?.unwrap_or_default();
        let options = text.lines().filter_map(|line| line.trim().strip_prefix('"')?.split('"').nth(2));
        found.extend(options.map(|options| (Loader::Refind, path.to_owned(), CommandLine::read(options))));
    }
    let limine = root.text("/etc/default/limine")?.unwrap_or_default();
    let given = limine.lines().filter_map(|line| line.trim().strip_prefix("KERNEL_CMDLINE[default]"));
    let words: Vec<&str> = given
        .filter_map(|rest| Some(rest.trim_start_matches('+').strip_prefix('=')?.trim_matches(['"', '\''])))
        .collect();
    if !words.is_empty() {
        found.push((Loader::Limine, "/etc/default/limine".to_owned(), CommandLine::read(&words.join(" "))));
    }
    Ok(found)
}

/// systemd-boot's entries. A list that can't be read (an ESP that only root may look into) is no list.
pub(super) fn entries(root: &Root) -> Vec<String> {
    let mut found = Vec::new();
    for place in ENTRIES {
        let names = root.list(place).unwrap_or_default();
        found.extend(names.iter().filter(|name| is_conf(name)).map(|name| format!("{place}/{name}")));
    }
    found
}
