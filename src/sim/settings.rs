//! Changing a guest's settings: who may, and what becomes of drives (qemu-server `API2/Qemu.pm:119-250, 789-1042`).

use super::{
    Sim,
    access::Identity,
    answer::Refused,
    release::Release,
    volume::{self, Volume, is_disk},
};
use serde_json::{Value, json};

/// The privilege that a key needs on the guest; none where only root may.
fn right(key: &str, value: &str) -> Option<&'static str> {
    let kind = key.trim_end_matches(|c: char| c.is_ascii_digit());
    Some(match kind {
        "cores" | "cpu" | "cpulimit" | "cpuunits" | "numa" | "smp" | "sockets" | "vcpus" => "VM.Config.CPU",
        "balloon" | "memory" | "shares" => "VM.Config.Memory",
        "acpi" | "audio" | "hotplug" | "kvm" | "machine" | "rng" | "scsihw" | "smbios" | "tablet" | "vga"
        | "watchdog" | "usb" | "hostpci" => "VM.Config.HWType",
        "agent" | "autostart" | "bios" | "description" | "keyboard" | "localtime" | "migrate_downtime"
        | "migrate_speed" | "name" | "onboot" | "ostype" | "protection" | "reboot" | "startdate" | "startup"
        | "tags" | "tdf" | "template" => "VM.Config.Options",
        "boot" | "bootdisk" | "vmstatestorage" => "VM.Config.Disk",
        "net" => "VM.Config.Network",
        "serial" if value == "socket" => "VM.Config.HWType",
        _ if is_disk(key) && value.contains("media=cdrom") => "VM.Config.CDROM",
        _ if is_disk(key) => "VM.Config.Disk",
        _ => return None,
    })
}

/// Settings of cloud-init, which two privileges allow.
fn is_cloudinit(key: &str) -> bool {
    let more = ["ciuser", "cipassword", "cicustom", "citype", "ciupgrade", "nameserver", "searchdomain", "sshkeys"];
    key.starts_with("ipconfig") || more.contains(&key)
}

/// Whether a key isn't looked at when it is taken away although it isn't set: devices and drives.
pub(crate) fn is_device(key: &str) -> bool {
    let kind = key.trim_end_matches(|c: char| c.is_ascii_digit());
    is_disk(key) || (kind != key && matches!(kind, "hostpci" | "usb" | "serial"))
}

/// A part of a property string.
pub(crate) fn property<'a>(value: &'a str, name: &str) -> Option<&'a str> {
    value.split(',').find_map(|part| part.strip_prefix(name)?.strip_prefix('='))
}

/// Checks that `who` may set a key to a value, or take it away with the value that it has.
///
/// # Errors
/// A 403, or the words for what only root may.
pub(crate) fn check(sim: &Sim, who: &Identity, vmid: u32, key: &str, value: &str) -> Result<(), Refused> {
    if who.is_root() {
        return Ok(());
    }
    let (access, path) = (sim.access(), format!("/vms/{vmid}"));
    if is_cloudinit(key) {
        return access.require(who, &path, &["VM.Config.Cloudinit", "VM.Config.Network"], true);
    }
    let kind = key.trim_end_matches(|c: char| c.is_ascii_digit());
    let (mapping, first) = (property(value, "mapping"), value.split(',').next().unwrap_or_default());
    let host = property(value, "host").or_else(|| Some(first).filter(|first| !first.contains('=')));
    let only = |what: &str| Err(Refused::died(format!("only root can {what}")));
    match (kind, host) {
        ("serial", _) if value != "socket" => return only(&format!("modify '{key}' config for real devices")),
        ("hostpci", Some(_)) => return only(&format!("set '{key}' config for non-mapped devices")),
        ("usb", Some(host)) if !host.eq_ignore_ascii_case("spice") => {
            return only(&format!("set '{key}' config for real devices"));
        }
        _ => {}
    }
    let Some(privilege) = right(key, value) else { return only(&format!("set '{key}' config")) };
    access.require(who, &path, &[privilege], false)?;
    if key == "startup" {
        access.require(who, "/", &["Sys.Modify"], false)?;
    }
    if let (Some(mapping), "hostpci" | "usb") = (mapping, kind) {
        let class = if kind == "usb" { "usb" } else { "pci" };
        access.require(who, &format!("/mapping/{class}/{mapping}"), &["Mapping.Use"], false)?;
    }
    if kind == "hostpci" && property(value, "romfile").is_some() {
        return Err(Refused::param(key, "only root@pam can set 'romfile' option"));
    }
    if let Some(bridge) = property(value, "bridge").filter(|_| privilege == "VM.Config.Network") {
        access.require(who, &format!("/sdn/zones/localnetwork/{bridge}"), &["SDN.Use"], false)?;
    }
    let storage = value.split_once(':').map(|(storage, _)| format!("/storage/{storage}"));
    match (privilege, storage) {
        ("VM.Config.CDROM", Some(path)) => {
            access.require(who, &path, &["Datastore.AllocateSpace", "Datastore.Audit"], true)
        }
        ("VM.Config.Disk", Some(path)) if is_disk(key) => {
            access.require(who, &path, &["Datastore.AllocateSpace"], false)
        }
        _ => Ok(()),
    }
}

/// Checks what a drive is made of: a storage that takes disks of guests, a source that can be imported
/// (`API2/Qemu.pm:check_storage_access`).
///
/// # Errors
/// A 400 for the drive or its storage; the words for a path that only root may name.
pub(crate) fn check_drive(sim: &Sim, who: &Identity, key: &str, value: &str) -> Result<(), Refused> {
    let first = value.split(',').next().unwrap_or_default();
    let Some((storage, rest)) = first.strip_prefix("file=").unwrap_or(first).split_once(':') else { return Ok(()) };
    if rest.parse::<u64>().is_ok()
        && let Some(spec) = sim.world.storages.get(storage)
        && !spec.content.iter().any(|content| content == "images")
    {
        return Err(Refused::param("storage", format!("storage '{storage}' does not support vm images")));
    }
    let Some(source) = property(value, "import-from") else { return Ok(()) };
    if source.starts_with('/') && !who.is_root() {
        let line = if sim.world.release() == Release::V8 { 581 } else { 651 };
        let place = format!("/usr/share/perl5/PVE/Storage.pm line {line}.");
        return Err(Refused::died(format!("Only root can pass arbitrary filesystem paths. at {place}")));
    }
    let kind = sim.state().volumes.get(source).map(|volume| volume.content.clone());
    match kind.as_deref() {
        None | Some("images" | "import") => Ok(()),
        Some(kind) => {
            let why = format!("{source} has wrong type '{kind}' - needs to be 'images' or 'import'");
            Err(Refused::param(key, why))
        }
    }
}

/// Checks a hook script, which is done before anything else of a change. Whether it can be run isn't known.
///
/// # Errors
/// A 400: no script, or not where scripts are.
pub(crate) fn check_script(sim: &Sim, key: &str, value: &str) -> Result<(), Refused> {
    if key != "hookscript" {
        return Ok(());
    }
    if !value.split_once(':').is_some_and(|(_, name)| name.starts_with("snippets/")) {
        return Err(Refused::param(key, format!("'{value}' is not in the snippets directory\n")));
    }
    if sim.state().volumes.contains_key(value) {
        return Ok(());
    }
    Err(Refused::param(key, format!("script '{value}' does not exist\n")))
}

/// What a drive's setting makes of it: an existing volume gets its size, a wanted one is made.
///
/// # Errors
/// No such storage or volume, or no room.
pub(crate) fn drive(sim: &Sim, vmid: u32, key: &str, value: &str) -> Result<String, String> {
    let first = value.split(',').next().unwrap_or_default();
    let first = first.strip_prefix("file=").unwrap_or(first);
    let Some((storage, rest)) = first.split_once(':') else { return Ok(value.to_owned()) };
    let mut state = sim.state();
    let spec = sim.world.storages.get(storage).ok_or_else(|| format!("storage '{storage}' does not exist"))?;
    let Ok(gib) = rest.parse::<u64>() else {
        let known = state.volumes.get(first).ok_or_else(|| format!("volume '{first}' does not exist"))?;
        let sized = format!("{value},size={}", short(known.size));
        return Ok(if property(value, "size").is_some() { value.to_owned() } else { sized });
    };
    let size = match (property(value, "import-from"), key) {
        (Some(from), _) => {
            let missing = || format!("failed to stat '/var/lib/vz/{}'", from.split(':').nth(1).unwrap_or(from));
            state.volumes.get(from).map(|_| 2 << 30).ok_or_else(missing)?
        }
        (None, "efidisk0" | "tpmstate0") => 4 << 20,
        (None, _) => gib << 30,
    };
    if !spec.is_thin() && volume::free(&sim.world, &state.volumes, storage) < size {
        return Err("No space left on device".to_owned());
    }
    let dir = if spec.is_thin() { String::new() } else { format!("{vmid}/") };
    let ending = if spec.is_thin() { "" } else { ".raw" };
    let name = |number: u32| format!("{storage}:{dir}vm-{vmid}-disk-{number}{ending}");
    let volid = (0..1_000).map(name).find(|volid| !state.volumes.contains_key(volid)).unwrap_or_default();
    let made = Volume { vmid: Some(vmid), ..Volume::new("images", size, sim.clock.unix()) };
    state.volumes.insert(volid.clone(), made);
    let options = value.split(',').skip(1).filter(|part| !part.starts_with("import-from="));
    let parts: Vec<&str> = std::iter::once(volid.as_str()).chain(options).collect();
    Ok(format!("{},size={}", parts.join(","), short(size)))
}

/// A size as Proxmox writes it.
fn short(size: u64) -> String {
    match size {
        size if size.is_multiple_of(1 << 30) => format!("{}G", size >> 30),
        size if size.is_multiple_of(1 << 20) => format!("{}M", size >> 20),
        size => format!("{}K", size.div_ceil(1 << 10)),
    }
}

/// A setting as it is kept: a card gets an address, Windows' machine its version.
pub(crate) fn kept(vmid: u32, key: &str, value: &str, ostype: &str) -> Value {
    if key.starts_with("net") && !value.contains(':') {
        let index: u32 = key.trim_start_matches("net").parse().unwrap_or_default();
        let mac = format!("BC:24:11:{:02X}:{:02X}:{index:02X}", (vmid >> 8) & 0xff, vmid & 0xff);
        return json!(value.replacen("virtio", &format!("virtio={mac}"), 1));
    }
    if key == "machine" && ostype.starts_with("win") {
        return json!(value.replacen("q35", "pc-q35-10.1", 1));
    }
    match value.parse::<u64>() {
        Ok(number) if key != "memory" => json!(number),
        _ => json!(value),
    }
}
