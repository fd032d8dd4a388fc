//! How a host is set up, read from its files. Nothing is run: what a command would say of another root would be about
//! this machine.

use super::{
    efivars, loaders,
    root::{Bad, Root, is_conf},
};
use crate::domain::{
    iommu::Known,
    setup::{
        Boot, Clues, CommandLine, Cpu, CpuVendor, Directive, Family, Framebuffer, Initramfs, Load, Release, Setup,
        WaysIn, directives, framebuffers, loads,
    },
};
use std::collections::{BTreeMap, BTreeSet};

/// Places of modprobe's configuration, the most important first: a file hides others of its name (modprobe.d(5)).
const MODPROBE: [&str; 5] =
    ["/etc/modprobe.d", "/run/modprobe.d", "/usr/local/lib/modprobe.d", "/usr/lib/modprobe.d", "/lib/modprobe.d"];
/// The same for modules-load.d(5).
const MODULES_LOAD: [&str; 4] =
    ["/etc/modules-load.d", "/run/modules-load.d", "/usr/local/lib/modules-load.d", "/usr/lib/modules-load.d"];
/// Names the ESPs that proxmox-boot-tool looks after, one a line.
const PROXMOX_ESPS: &str = "/etc/kernel/proxmox-boot-uuids";

/// Reads how a host is set up. What it doesn't show stays unknown.
///
/// # Errors
/// A file that is there can't be read.
pub fn setup(root: &Root) -> Result<Setup, Bad> {
    let cmdline = root.text("/proc/cmdline")?.map(|text| CommandLine::read(&text));
    let release = root.text("/proc/sys/kernel/osrelease")?.and_then(|text| Release::read(&text));
    let kernel = release.or_else(|| cmdline.as_ref()?.kernel());
    let os = os(root)?;
    let family = family(root, &os, kernel.as_ref(), cmdline.as_ref());
    Ok(Setup {
        family,
        os: os.get("ID").cloned().into(),
        pve: pve(root)?.into(),
        boot: boot(root, family, cmdline.as_ref())?,
        initramfs: initramfs(root, family).into(),
        kernel: kernel.into(),
        cmdline: cmdline.into(),
        tables: some(root.list("/sys/firmware/acpi/tables")?).map(BTreeSet::from_iter).into(),
        cpu: cpu(root)?,
        secure_boot: efivars::secure_boot(root)?.into(),
        modprobe: modprobe(root)?,
        passed_over: passed_over(root)?,
        load: modules_load(root)?,
        modules: some(root.list("/sys/module")?).map(BTreeSet::from_iter).into(),
        framebuffers: iomem(root)?,
        ways_in: ways_in(root)?,
        sleep: words(root, "/sys/power/state")?,
        mem_sleep: words(root, "/sys/power/mem_sleep")?,
        memory: memory(root)?.into(),
    })
}

/// A list that is empty only where nothing is shown.
fn some(names: Vec<String>) -> Option<Vec<String>> {
    Some(names).filter(|names| !names.is_empty())
}

fn words(root: &Root, path: &str) -> Result<Known<Vec<String>>, Bad> {
    Ok(root.text(path)?.map(|text| text.split_whitespace().map(str::to_owned).collect()).into())
}

/// The keys of os-release(5).
fn os(root: &Root) -> Result<BTreeMap<String, String>, Bad> {
    let text = match root.text("/etc/os-release")? {
        None => root.text("/usr/lib/os-release")?,
        found => found,
    };
    let pair = |line: &str| {
        let (key, value) = line.split_once('=')?;
        Some((key.trim().to_owned(), value.trim().trim_matches(['"', '\'']).to_owned()))
    };
    Ok(text.unwrap_or_default().lines().filter_map(pair).collect())
}

/// Proxmox calls itself Debian, so its own traces count first.
fn family(root: &Root, os: &BTreeMap<String, String>, kernel: Option<&Release>, told: Option<&CommandLine>) -> Family {
    let is = |name: &str| {
        let like = ["ID", "ID_LIKE"].into_iter().filter_map(|key| os.get(key));
        like.flat_map(|value| value.split_whitespace()).any(|word| word == name)
    };
    let kernel = kernel.map(|release| release.text.as_str()).unwrap_or_default();
    let proxmox = ["/etc/pve", PROXMOX_ESPS, "/usr/bin/pveversion", "/usr/share/perl5/PVE/pvecfg.pm"];
    if kernel.ends_with("-pve")
        || told.is_some_and(CommandLine::is_from_proxmox_esp)
        || proxmox.iter().any(|path| root.has(path))
    {
        Family::Proxmox
    } else if is("debian") || is("ubuntu") || root.has("/etc/debian_version") {
        Family::Debian
    } else if is("arch") || is("cachyos") || root.has("/etc/pacman.conf") {
        Family::Arch
    } else {
        Family::Other
    }
}

/// What is installed, as dpkg notes it.
fn pve(root: &Root) -> Result<Option<String>, Bad> {
    let Some(status) = root.text("/var/lib/dpkg/status")? else { return Ok(None) };
    let Some((_, package)) = status.split_once("Package: pve-manager\n") else { return Ok(None) };
    let lines = package.lines().take_while(|line| !line.is_empty());
    Ok(lines.filter_map(|line| line.strip_prefix("Version: ")).map(str::to_owned).next())
}

fn boot(root: &Root, family: Family, cmdline: Option<&CommandLine>) -> Result<Boot, Bad> {
    let esps = root.text(PROXMOX_ESPS)?.unwrap_or_default();
    let named = esps.lines().any(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#'));
    let efi = root.has("/sys/firmware").then(|| root.has("/sys/firmware/efi"));
    Ok(Boot::judge(&Clues {
        efi: efi.into(),
        entry: efivars::booted(root)?,
        loader_info: efivars::loader_info(root)?,
        cmdline: cmdline.cloned(),
        managed: named || cmdline.is_some_and(CommandLine::is_from_proxmox_esp),
        debian: matches!(family, Family::Proxmox | Family::Debian),
        configured: loaders::configured(root)?,
    }))
}

fn initramfs(root: &Root, family: Family) -> Option<Initramfs> {
    let has = |paths: &[&str]| paths.iter().any(|path| root.has(path));
    let tools = [
        (Initramfs::Tools, has(&["/usr/sbin/update-initramfs", "/etc/initramfs-tools"])),
        (Initramfs::Mkinitcpio, has(&["/usr/bin/mkinitcpio", "/etc/mkinitcpio.conf", "/etc/mkinitcpio.d"])),
        (Initramfs::Dracut, has(&["/usr/bin/dracut"])),
    ];
    let found: Vec<Initramfs> = tools.into_iter().filter(|(_, there)| *there).map(|(tool, _)| tool).collect();
    match (found.as_slice(), family) {
        ([only], _) => Some(*only),
        // Proxmox needs initramfs-tools; a bare tree doesn't show its programs.
        (_, Family::Proxmox) | ([], Family::Debian) => Some(Initramfs::Tools),
        ([], Family::Arch) => Some(Initramfs::Mkinitcpio),
        _ => None,
    }
}

fn cpu(root: &Root) -> Result<Cpu, Bad> {
    let Some(text) = root.text("/proc/cpuinfo")? else { return Ok(Cpu::default()) };
    let value = |key: &str| {
        let pairs = text.lines().filter_map(|line| line.split_once(':'));
        pairs.filter(|(found, _)| found.trim() == key).map(|(_, value)| value.trim().to_owned()).next()
    };
    let vendor = value("vendor_id").map(|vendor| match vendor.as_str() {
        "GenuineIntel" => CpuVendor::Intel,
        "AuthenticAMD" => CpuVendor::Amd,
        _ => CpuVendor::Other,
    });
    let flags = value("flags");
    let virtualisation = flags.map(|flags| flags.split_whitespace().any(|flag| matches!(flag, "vmx" | "svm")));
    Ok(Cpu { vendor: vendor.into(), model: value("model name").into(), virtualisation: virtualisation.into() })
}

/// The files of a configuration in several places, by name; `/lib` may be the same directory as `/usr/lib`.
fn drop_ins(root: &Root, places: &[&str]) -> Result<Vec<(String, String)>, Bad> {
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    for place in places {
        for name in root.list(place)?.into_iter().filter(|name| is_conf(name)) {
            files.entry(name.clone()).or_insert_with(|| format!("{place}/{name}"));
        }
    }
    let text = |path: String| Ok(root.text(&path)?.map(|text| (path, text)));
    files.into_values().map(text).filter_map(Result::transpose).collect()
}

fn modprobe(root: &Root) -> Result<Vec<Directive>, Bad> {
    Ok(drop_ins(root, &MODPROBE)?.iter().flat_map(|(path, text)| directives(path, text)).collect())
}

/// Files without an ending; one such as `.bak` or `.disabled` is meant to be passed over. One that can't be read does
/// no harm: nobody reads it.
fn passed_over(root: &Root) -> Result<Vec<Directive>, Bad> {
    let mut found = Vec::new();
    for name in root.list("/etc/modprobe.d")?.into_iter().filter(|name| !name.contains(['.', '~'])) {
        let path = format!("/etc/modprobe.d/{name}");
        let text = root.whole_text(&path).ok().flatten();
        found.extend(text.into_iter().flat_map(|text| directives(&path, &text)));
    }
    Ok(found)
}

/// Debian links `/etc/modules-load.d/modules.conf` to `/etc/modules`.
fn modules_load(root: &Root) -> Result<Vec<Load>, Bad> {
    let etc = "/etc/modules";
    let linked = root.resolve(etc).ok();
    let mut files = drop_ins(root, &MODULES_LOAD)?;
    files.retain(|(path, _)| linked.is_none() || root.resolve(path).ok() != linked);
    let own = root.text(etc)?.map(|text| (etc.to_owned(), text));
    Ok(own.iter().chain(&files).flat_map(|(path, text)| loads(path, text)).collect())
}

/// The kernel shows this file's addresses to root only; a container may not show it at all.
fn iomem(root: &Root) -> Result<Vec<Framebuffer>, Bad> {
    match root.text("/proc/iomem") {
        Err(bad) if bad.source.kind() == std::io::ErrorKind::PermissionDenied => Ok(Vec::new()),
        read => Ok(framebuffers(&read?.unwrap_or_default())),
    }
}

fn ways_in(root: &Root) -> Result<WaysIn, Bad> {
    let interfaces = root.text("/etc/network/interfaces")?.unwrap_or_default();
    let named = interfaces.lines().filter_map(|line| line.trim().strip_prefix("iface ")?.split_whitespace().next());
    let seen = root.list("/sys/class/net")?;
    let others = ["/etc/systemd/network", "/etc/NetworkManager/system-connections", "/etc/netplan"];
    let configured = others.iter().any(|path| root.list(path).is_ok_and(|names| !names.is_empty()));
    let is_real = |name: &str| name != "lo";
    Ok(WaysIn {
        web: root.has("/etc/pve") || root.has("/usr/bin/pveproxy"),
        ssh: root.has("/etc/ssh/sshd_config"),
        network: configured || named.chain(seen.iter().map(String::as_str)).any(is_real),
    })
}

/// `MemTotal` is in KiB.
fn memory(root: &Root) -> Result<Option<u64>, Bad> {
    let text = root.text("/proc/meminfo")?.unwrap_or_default();
    let total = text.lines().find_map(|line| line.strip_prefix("MemTotal:")?.split_whitespace().next()?.parse().ok());
    Ok(total.map(|total: u64| total * 1024))
}
