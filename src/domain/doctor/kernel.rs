//! Processor, firmware, kernel options: what holds for the host as a whole.

use super::{BootFile, Finding, Machine, Report, and};
use crate::domain::{
    finding::FindingId,
    hostplan,
    setup::{CommandLine, Loader, Off, Setup, same_module},
};
use std::collections::BTreeSet;

/// Proxmox's own words when there is no IOMMU (qemu-server `QemuServer/PCI.pm:711-712`).
pub(super) const NO_IOMMU: &str = "Proxmox says \"cannot prepare PCI pass-through, IOMMU not present\" then";

/// Options of the kernel that passthrough depends on; the rest of a command line is nobody's business here.
const RELEVANT: [&str; 11] = [
    "intel_iommu",
    "amd_iommu",
    "iommu",
    "pcie_acs_override",
    "vfio-pci.ids",
    "vfio-pci.disable_vga",
    "vfio_iommu_type1.allow_unsafe_interrupts",
    "initcall_blacklist",
    "module_blacklist",
    "modprobe.blacklist",
    "video",
];

/// Options that did something once, and what does it now.
const OBSOLETE: [(&str, &str); 3] = [
    ("video=efifb:off", "since Linux 6.0 vfio-pci takes the framebuffer away by itself"),
    ("video=vesafb:off", "since Linux 6.0 vfio-pci takes the framebuffer away by itself"),
    ("video=simplefb:off", "since Linux 6.0 vfio-pci takes the framebuffer away by itself"),
];

/// Checks the host as a whole.
pub(super) fn examine(machine: &Machine, report: &mut Report) {
    let setup = &machine.setup;
    processor(setup, report);
    iommu(machine, report);
    options(setup, report);
    for load in setup.load.iter().filter(|load| same_module(&load.module, "vfio_virqfd")) {
        let words = format!("{} line {} loads vfio_virqfd; since Linux 6.2 it is a part of vfio", load.file, load.line);
        report.add(Finding::of_host(FindingId::HostObsolete, words));
    }
    boot_files(machine, report);
    remapping(machine, report);
    sleep(machine, report);
}

fn processor(setup: &Setup, report: &mut Report) {
    match setup.cpu.virtualisation.get() {
        None => report.unseen("whether the processor can run virtual machines", "/proc/cpuinfo doesn't say"),
        Some(true) => {}
        Some(false) => {
            let model = setup.cpu.model.get().map_or("the processor", String::as_str);
            let words = format!("{model} shows neither vmx nor svm in /proc/cpuinfo");
            report.add(Finding::of_host(FindingId::HostNoVirtualisation, words));
        }
    }
    match setup.boot.efi.get() {
        None => report.unseen("whether the firmware is UEFI", "/sys/firmware isn't there"),
        Some(true) => {}
        Some(false) => {
            report.add(Finding::of_host(FindingId::HostLegacyBios, "there is no /sys/firmware/efi"));
        }
    }
}

/// Firmware off is told from kernel off by the ACPI tables.
fn iommu(machine: &Machine, report: &mut Report) {
    let Some(off) = machine.setup.iommu_off(&machine.inventory) else { return };
    let asked = options_like(&machine.setup, &["intel_iommu", "amd_iommu", "iommu"]);
    let told = if asked.is_empty() { String::new() } else { format!(" although the kernel was told {}", and(&asked)) };
    let finding = match off {
        Off::Firmware => {
            let words = format!("there is no ACPI table DMAR or IVRS{told}; {NO_IOMMU}");
            Finding::of_host(FindingId::IommuNoFirmware, words)
        }
        Off::Kernel => {
            let table = machine.setup.iommu_table().get().copied().flatten().unwrap_or("DMAR");
            let told = if asked.is_empty() { String::new() } else { format!("; it was told {}", and(&asked)) };
            let words = format!("the ACPI table {table} is there, but the kernel uses no IOMMU{told}; {NO_IOMMU}");
            Finding::of_host(FindingId::IommuNoKernel, words)
        }
        Off::Unknown => {
            let words = format!("the kernel uses no IOMMU, and the ACPI tables can't be seen; {NO_IOMMU}");
            Finding::of_host(FindingId::IommuOff, words)
        }
    };
    report.add(finding);
}

fn options(setup: &Setup, report: &mut Report) {
    let Some(line) = setup.cmdline.get() else {
        return report.unseen("what the kernel was told", "/proc/cmdline isn't there");
    };
    if line.has("amd_iommu=on") {
        report.add(Finding::of_host(FindingId::IommuAmdNoop, "amd_iommu=on is on the kernel's command line"));
    }
    for (word, since) in OBSOLETE {
        if line.has(word) {
            let words = format!("{word} is on the kernel's command line; {since}");
            report.add(Finding::of_host(FindingId::HostObsolete, words));
        }
    }
    if let Some(value) = line.last("pcie_acs_override") {
        let words = format!("the kernel was told pcie_acs_override={value}");
        report.add(Finding::of_host(FindingId::IommuAcsActive, words));
    }
}

/// The words of the kernel's command line with one of these keys.
fn options_like(setup: &Setup, keys: &[&str]) -> Vec<String> {
    let words = setup.cmdline.get().into_iter().flat_map(CommandLine::tokens);
    words.filter(|word| is_one_of(word, keys)).map(str::to_owned).collect()
}

/// Whether a word has one of these keys, in which dashes and underscores are the same.
fn is_one_of(word: &str, keys: &[&str]) -> bool {
    let key = word.split('=').next().unwrap_or_default();
    keys.iter().any(|known| same_module(known, key))
}

fn relevant(line: &CommandLine) -> BTreeSet<&str> {
    line.tokens().filter(|word| is_one_of(word, &RELEVANT)).collect()
}

/// The file of the loader in use must say what the kernel was told. That of another loader may say less, as it does
/// after an installation; but `/etc/kernel/cmdline` says all that the kernel is told, so that a difference misleads.
fn boot_files(machine: &Machine, report: &mut Report) {
    let setup = &machine.setup;
    let Some(line) = setup.cmdline.get() else { return };
    let Some(loader) = setup.boot.loader.get() else {
        let why = setup.boot.doubt().unwrap_or_default();
        return report.unseen("whether the boot loader's file has the kernel's options", why.trim_end_matches('.'));
    };
    let grub = machine.condition.boot_files.iter().any(|file| file.loader == Loader::Grub);
    if *loader == Loader::Grub && !grub {
        let why = "/etc/default/grub isn't there, or only a shell could work it out";
        report.unseen("whether the boot loader's file has the kernel's options", why);
    }
    let running = relevant(line);
    for file in &machine.condition.boot_files {
        if file.loader == *loader && !file.unread.is_empty() {
            let words = format!("{} has more lines than the first: {}", file.path, and(&file.unread));
            report.add(Finding::of_host(FindingId::HostCmdlineLines, words));
        }
        let written = relevant(&file.line);
        let differs = match (file.loader == *loader, file.loader) {
            (true, _) | (false, Loader::SystemdBoot) => written != running,
            (false, _) => !written.is_subset(&running),
        };
        if !differs {
            continue;
        }
        let says = |words: &BTreeSet<&str>| match words.len() {
            0 => "nothing of it".to_owned(),
            _ => words.iter().copied().collect::<Vec<_>>().join(" "),
        };
        let told = if running.is_empty() { "nothing for passthrough".to_owned() } else { says(&running) };
        let words = format!("the kernel was told {told}; {} says {}", file.path, says(&written));
        report.add(if file.loader == *loader {
            Finding::of_host(FindingId::HostCmdlineStale, words)
                .fix(format!("{}, then start the host again", apply(setup)))
        } else {
            let used = machine.condition.boot_files.iter().find(|other| other.loader == *loader);
            other_file(file, used, *loader, setup, &words)
        });
    }
}

fn other_file(file: &BootFile, used: Option<&BootFile>, loader: Loader, setup: &Setup, words: &str) -> Finding {
    let finding = Finding::of_host(FindingId::HostOtherBootFile, format!("{loader} started this host; {words}"));
    match used {
        None => finding.fix(format!("{} isn't read at a start; don't edit it", file.path)),
        Some(used) => finding.fix(format!("edit {}, not {}; then {}", used.path, file.path, apply(setup))),
    }
}

/// What brings a changed file to the boot loader.
fn apply(setup: &Setup) -> String {
    let command = hostplan::applied_by(setup).map(|command| format!("run `{command}`"));
    command.unwrap_or_else(|| "have your boot loader take it over".to_owned())
}

/// Only what is known without remapping is a finding; most trees don't show interrupts at all.
fn remapping(machine: &Machine, report: &mut Report) {
    let setup = &machine.setup;
    let unsafe_by = super::modules::option(setup, "vfio_iommu_type1", "allow_unsafe_interrupts");
    if let Some((_, value)) = unsafe_by.iter().find(|(_, value)| matches!(value.as_str(), "1" | "y" | "Y")) {
        let place = unsafe_by.iter().map(|(place, _)| place.clone()).collect::<Vec<_>>();
        let words = format!("allow_unsafe_interrupts={value} ({})", and(&place));
        report.add(Finding::of_host(FindingId::IommuUnsafeInterrupts, words));
    }
    if !machine.inventory.is_on() {
        return;
    }
    match machine.condition.remapping.get() {
        None => report.unseen("whether interrupts are remapped", "/proc/interrupts isn't there"),
        Some(true) => {}
        Some(false) => {
            let words = "no interrupt controller in /proc/interrupts begins with IR-";
            report.add(Finding::of_host(FindingId::IommuNoRemapping, words));
        }
    }
}

fn sleep(machine: &Machine, report: &mut Report) {
    let setup = &machine.setup;
    match (setup.sleep.get(), setup.mem_sleep.get()) {
        (None, None) => report.unseen("whether the host can sleep", "/sys/power isn't shown"),
        (Some(states), _) if !states.iter().any(|state| state == "mem") => {
            let words = format!("/sys/power/state has \"{}\"", states.join(" "));
            report.add(Finding::of_host(FindingId::HostNoSleep, words));
        }
        (_, Some(kinds)) if !kinds.iter().any(|kind| kind.trim_matches(['[', ']']) == "deep") => {
            let words = format!("/sys/power/mem_sleep has \"{}\", not deep", kinds.join(" "));
            report.add(Finding::of_host(FindingId::HostNoSleep, words));
        }
        _ => {}
    }
    let wake = &machine.condition.wake;
    if wake.is_empty() {
        report
            .unseen("whether wake-on-LAN is armed", "no network interface says; `ethtool INTERFACE` on the host does");
    } else if !wake.values().any(|armed| *armed) {
        let names: Vec<String> = wake.keys().cloned().collect();
        report.add(Finding::of_host(FindingId::HostNoWake, format!("{}: power/wakeup is disabled", and(&names))));
    }
}
