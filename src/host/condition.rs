//! What else the doctor looks at: kernel options in files of boot loaders, remapped interrupts, wake-on-LAN.

use super::{
    loaders,
    root::{Bad, Root},
};
use crate::domain::{
    doctor::{BootFile, Condition},
    iommu::Known,
    setup::{CommandLine, Family, Loader, unread_lines},
};
use std::{collections::BTreeMap, path::Path};

/// Looks at it; `family` tells which files are any loader's.
///
/// # Errors
/// A file that is there can't be read.
pub fn condition(root: &Root, family: Family) -> Result<Condition, Bad> {
    Ok(Condition { boot_files: boot_files(root, family)?, remapping: remapping(root)?, wake: wake(root)? })
}

fn boot_files(root: &Root, family: Family) -> Result<Vec<BootFile>, Bad> {
    let mut found: Vec<BootFile> = Vec::new();
    let grub = "/etc/default/grub";
    if let Some(text) = root.text(grub)? {
        let mut words = options(&text);
        for name in root
            .list("/etc/default/grub.d")?
            .iter()
            .filter(|name| Path::new(name).extension().is_some_and(|kind| kind == "cfg"))
        {
            words.push_str(&options(&root.text(&format!("/etc/default/grub.d/{name}"))?.unwrap_or_default()));
        }
        found.push(BootFile {
            loader: Loader::Grub,
            path: grub.to_owned(),
            line: CommandLine::read(&words),
            unread: Vec::new(),
        });
    }
    let own = "/etc/kernel/cmdline";
    if let Some(text) = root.text(own)?.filter(|_| family == Family::Proxmox) {
        let line = CommandLine::read(text.lines().next().unwrap_or_default());
        let unread = unread_lines(&text).into_iter().map(str::to_owned).collect();
        found.push(BootFile { loader: Loader::SystemdBoot, path: own.to_owned(), line, unread });
    }
    let limine = loaders::configured(root)?.into_iter().filter(|(_, path, _)| path == "/etc/default/limine");
    found.extend(limine.map(|(loader, path, line)| BootFile { loader, path, line, unread: Vec::new() }));
    Ok(found)
}

/// The kernel options in a shell file of GRUB's: what `GRUB_CMDLINE_LINUX` and `GRUB_CMDLINE_LINUX_DEFAULT` are set to.
fn options(text: &str) -> String {
    let joined = text.replace("\\\n", " ");
    let mut words = String::new();
    for line in joined.lines() {
        let Some((name, value)) = line.trim().split_once('=') else { continue };
        if !matches!(name.trim_end_matches('+'), "GRUB_CMDLINE_LINUX" | "GRUB_CMDLINE_LINUX_DEFAULT") {
            continue;
        }
        let value = match value.chars().next() {
            Some(quote @ ('"' | '\'')) => value.trim_start_matches(quote).split(quote).next().unwrap_or_default(),
            _ => value.split([' ', '#']).next().unwrap_or_default(),
        };
        words.push_str(value);
        words.push(' ');
    }
    words
}

/// Names of controllers whose interrupts are remapped begin with `IR-` (`arch/x86/kernel/apic/io_apic.c`,
/// `drivers/iommu/{intel,amd}`).
fn remapping(root: &Root) -> Result<Known<bool>, Bad> {
    let text = root.text("/proc/interrupts")?;
    Ok(text.filter(|text| !text.trim().is_empty()).map(|text| text.contains(" IR-")).into())
}

/// Of interfaces with a device below them, whether it may wake the host (kernel `Documentation/ABI/testing/sysfs-devices-power`).
/// A driver sets it as `ethtool -s … wol` does. Radio cards don't count.
fn wake(root: &Root) -> Result<BTreeMap<String, bool>, Bad> {
    let mut found = BTreeMap::new();
    for name in root.list("/sys/class/net")? {
        let at = format!("/sys/class/net/{name}");
        if root.has(&format!("{at}/phy80211")) {
            continue;
        }
        if let Some(text) = root.text(&format!("{at}/device/power/wakeup"))? {
            found.insert(name, text.trim() == "enabled");
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn options_of_grub_are_found_however_they_are_written() {
        let text = "# GRUB_CMDLINE_LINUX=\"old\"\nGRUB_TIMEOUT=5\nGRUB_CMDLINE_LINUX_DEFAULT='quiet iommu=pt' # x\n\
                    GRUB_CMDLINE_LINUX=splash\nGRUB_CMDLINE_LINUX_DEFAULT+=\" a=b \\\n  c\"\n";
        let words: Vec<String> = options(text).split_whitespace().map(str::to_owned).collect();
        assert_eq!(words, ["quiet", "iommu=pt", "splash", "a=b", "c"]);
    }

    #[test]
    fn what_the_kernel_does_not_show_is_unknown() {
        let dir = tempfile::tempdir().unwrap();
        let root = Root::at(dir.path()).unwrap();
        assert_eq!(condition(&root, Family::Proxmox).unwrap(), Condition::default());
        let write = |path: &str, text: &str| {
            let at = dir.path().join(path);
            fs::create_dir_all(at.parent().unwrap()).unwrap();
            fs::write(at, text).unwrap();
        };
        write("proc/interrupts", "  0:  8  0  IR-IO-APIC  2-edge  timer\n");
        write("sys/class/net/eno1/device/power/wakeup", "enabled\n");
        write("sys/class/net/wlan0/device/power/wakeup", "enabled\n");
        write("sys/class/net/wlan0/phy80211/index", "0\n");
        let seen = condition(&root, Family::Proxmox).unwrap();
        assert_eq!(seen.remapping, Known::Is(true));
        assert_eq!(seen.wake, BTreeMap::from([("eno1".to_owned(), true)]));
        write("proc/interrupts", "  0:  8  0  IO-APIC  2-edge  timer\n");
        assert_eq!(condition(&root, Family::Proxmox).unwrap().remapping, Known::Is(false));
    }
}
