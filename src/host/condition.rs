//! What else the doctor looks at: kernel options in files of boot loaders, remapped interrupts, wake-on-LAN.

use super::{
    loaders,
    root::{Bad, Root},
};
use crate::domain::{
    doctor::{BootFile, Condition},
    hostplan::{Files, grub_words},
    iommu::Known,
    setup::{CommandLine, Family, Loader, unread_lines},
};
use std::collections::BTreeMap;

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
        let mut files = Files::from([(grub.to_owned(), text)]);
        for name in root.list("/etc/default/grub.d")? {
            let path = format!("/etc/default/grub.d/{name}");
            files.extend(root.text(&path)?.map(|text| (path, text)));
        }
        found.extend(grub_words(&files).map(|words| BootFile {
            loader: Loader::Grub,
            path: grub.to_owned(),
            line: CommandLine::read(&words),
            unread: Vec::new(),
        }));
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
    fn options_of_grub_are_those_that_count_in_the_end() {
        let dir = tempfile::tempdir().unwrap();
        let root = Root::at(dir.path()).unwrap();
        fs::create_dir_all(dir.path().join("etc/default/grub.d")).unwrap();
        let words = |text: &str, drop_in: &str| {
            fs::write(dir.path().join("etc/default/grub"), text).unwrap();
            fs::write(dir.path().join("etc/default/grub.d/50-own.cfg"), drop_in).unwrap();
            let found = condition(&root, Family::Proxmox).unwrap().boot_files;
            found.first().map(|file| file.line.tokens().map(str::to_owned).collect::<Vec<_>>().join(" "))
        };
        let text = "# GRUB_CMDLINE_LINUX=\"old\"\nGRUB_TIMEOUT=5\nGRUB_CMDLINE_LINUX_DEFAULT='quiet iommu=pt' # x\n\
                    GRUB_CMDLINE_LINUX=splash\nGRUB_CMDLINE_LINUX_DEFAULT+=\" a=b \\\n  c\"\n";
        assert_eq!(words(text, "").as_deref(), Some("quiet iommu=pt splash a=b c"));
        let twice = "GRUB_CMDLINE_LINUX_DEFAULT=\"intel_iommu=on\"\nGRUB_CMDLINE_LINUX_DEFAULT=\"quiet\"\n";
        assert_eq!(words(twice, "").as_deref(), Some("quiet"), "the last one counts");
        let own = "GRUB_CMDLINE_LINUX_DEFAULT=\"$GRUB_CMDLINE_LINUX_DEFAULT x\"\n";
        assert_eq!(words(twice, own).as_deref(), Some("quiet x"));
        assert_eq!(words(twice, "GRUB_CMDLINE_LINUX_DEFAULT=\"$(cat /x)\"\n"), None, "nobody can tell");
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
