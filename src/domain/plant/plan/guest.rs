//! What both guests share: settings, changes of one that stands, and the modes that they become.

use super::{CARD, Entry, Found, Maker, compared, joins};
use crate::domain::{
    doctor::Settings,
    ids::ModeName,
    mode::{GpuMode, Mode, ModeSet, Os},
    plant::{
        Answers, Forest, Who,
        answers::Machine,
        site::{PLANTING, TAG},
        step::{Action, Stood},
    },
};
use std::collections::BTreeMap;

/// The guests' machines, Linux first.
pub(super) fn machines(answers: &Answers) -> impl Iterator<Item = &Machine> {
    std::iter::once(&answers.linux.machine).chain(answers.windows.as_ref().map(|windows| &windows.machine))
}

/// Settings that both guests have: q35 and OVMF (`pcie=1` needs q35), the host's own CPU (the default `kvm64` lacks what
/// CachyOS' packages need), no ballooning (a passed-through card pins all memory), the guest agent.
pub(super) fn settings(machine: &Machine) -> BTreeMap<String, String> {
    let vlan = machine.vlan.map(|tag| format!(",tag={tag}")).unwrap_or_default();
    let settings = [
        ("bios", "ovmf".to_owned()),
        ("cpu", "host".to_owned()),
        ("cores", machine.cores.to_string()),
        ("memory", machine.memory.to_string()),
        ("balloon", "0".to_owned()),
        ("agent", "enabled=1".to_owned()),
        ("scsihw", "virtio-scsi-single".to_owned()),
        ("net0", format!("virtio,bridge={}{vlan}", machine.bridge)),
        ("vga", "std".to_owned()),
        ("onboot", "0".to_owned()),
        ("tags", format!("{TAG};{PLANTING}")),
    ];
    settings.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

/// The value of `vga` for a guest whose only display is the card's.
pub(super) const NO_DISPLAY: &str = "none";

/// Where a guest that stands has the lines of the card, or can have them: what is at other numbers is the person's.
fn placed(wanted: &BTreeMap<String, String>, is: &Settings) -> BTreeMap<String, String> {
    let mapping = |value: &str| value.split(',').find_map(|part| part.strip_prefix("mapping=")).map(str::to_owned);
    let has = |value: &str| is.0.iter().any(|(key, is)| key.starts_with(CARD) && mapping(is) == mapping(value));
    let mut placed = wanted.clone();
    for (key, value) in wanted.iter().filter(|(key, _)| key.starts_with(CARD) && *key != "hostpci0") {
        placed.remove(key);
        if has(value) {
            continue;
        }
        let free = |key: &String| is.get(key).is_none() && !placed.contains_key(key);
        // Proxmox has so many of them (qemu-server `PCI.pm`, `MAX_HOSTPCI_DEVICES`).
        let free = (1..16).map(|at| format!("{CARD}{at}")).find(free);
        placed.extend(free.map(|free| (free, value.clone())));
    }
    placed
}

/// The port of the monitoring of a guest's own NATS server.
pub(super) fn monitor(forest: &Forest, os: Os) -> u16 {
    forest.nats_ports(forest.nimsforest(os).is_some()).1
}

impl Maker<'_> {
    /// A guest that is ready: what its answers say otherwise is changed, and nothing else. Says whether it was.
    pub(super) fn standing(&mut self, who: Who, machine: &Machine, wanted: &BTreeMap<String, String>) -> Found {
        let found = self.found(machine.vmid);
        if found == Found::Missing {
            return found;
        }
        let settings = self.site.guest(machine.vmid).and_then(|guest| guest.settings.seen());
        let wanted = &settings.map_or_else(|| wanted.clone(), |is| placed(wanted, is));
        let is = |key: &str| settings.and_then(|settings| settings.get(key));
        let same = |key: &str, value: &str| match (key, is(key)) {
            // Proxmox pins the machine's version; whether it may hibernate is what the answers say.
            // Which display QEMU has is the person's, as long as it has one or hasn't as is wanted.
            ("vga", is) => is.is_some_and(|is| is == NO_DISPLAY) == (value == NO_DISPLAY),
            ("machine", Some(is)) => is.contains("enable-s4=1") == value.contains("enable-s4=1"),
            (_, is) => is.is_some_and(|is| properties(is) == properties(value)),
        };
        let set: BTreeMap<String, String> = compared(wanted)
            .filter(|(key, value)| !same(key, value))
            .map(|(key, value)| {
                // The pinned version is kept: another one would renumber devices.
                let pinned = is("machine").and_then(|is| is.split(',').next()).filter(|_| key == "machine");
                let value = pinned.map_or_else(|| value.clone(), |pinned| value.replacen("q35", pinned, 1));
                (key.clone(), value)
            })
            .collect();
        self.stands.push(format!("VM {} \"{}\" is ready.", machine.vmid, machine.name));
        if !set.is_empty() {
            let differs: Vec<String> =
                set.iter().map(|(key, value)| format!("{key} {} -> {value}", is(key).unwrap_or("none"))).collect();
            let what = format!("change {}; it counts from its next start", differs.join(", "));
            let was = set.keys().map(|key| (key.clone(), is(key).map(str::to_owned))).collect();
            let stood = Some(Stood { name: machine.name.clone(), was });
            self.add(who, Action::Configure { vmid: machine.vmid, what, set, delete: Vec::new(), stood });
        }
        let disk = is("scsi0").and_then(|disk| disk.split(',').find_map(|part| part.strip_prefix("size=")));
        let gib = disk.and_then(|size| size.strip_suffix('G')).and_then(|size| size.parse::<u64>().ok());
        if let Some(was) = gib.filter(|gib| *gib < machine.disk) {
            let (vmid, gib, disk) = (machine.vmid, machine.disk, "scsi0".to_owned());
            let was = [(disk.clone(), Some(format!("{was}G")))].into();
            self.add(who, Action::Grow { vmid, disk, gib, stood: Some(Stood { name: machine.name.clone(), was }) });
        }
        found
    }
}

/// The parts of a property string in an order of their own: Proxmox writes them in its own.
fn properties(value: &str) -> Vec<&str> {
    let mut parts: Vec<&str> = value.split(',').collect();
    parts.sort_unstable();
    parts
}

/// What the configuration is to say of the guests.
pub(super) fn entries(answers: &Answers, known: &ModeSet) -> Vec<Entry> {
    let forest = &answers.forest;
    let linux = &answers.linux;
    let wivrn = linux.wivrn.then_some("wivrn");
    let about = if linux.wivrn { "Linux VR streaming (CachyOS + WiVRn)" } else { "Linux (CachyOS)" };
    let services = services_of(wivrn, forest, Os::Linux, joins(&forest.nats));
    let name = |usual: &str, machine: &Machine| {
        let free = known.find(usual).is_none_or(|mode| mode.vmid == machine.vmid);
        if free { usual.to_owned() } else { machine.name.clone() }
    };
    let first = mode(answers, &name(super::LINUX_MODE, &linux.machine), &linux.machine, (Os::Linux, wivrn), about);
    let mut entries = vec![Entry { word: "linux", mode: first, machine: linux.machine.clone(), services }];
    if let Some(windows) = &answers.windows {
        let (software, about) = if windows.virtual_desktop {
            ("virtual-desktop", "Windows VR streaming (Steam Link, Virtual Desktop)")
        } else {
            ("steam-link", "Windows VR streaming (Steam Link)")
        };
        let nats = joins(&forest.nats) && forest.windows_nats.is_some();
        let services = services_of(Some(software), forest, Os::Windows, nats);
        let machine = windows.machine.clone();
        let mode = mode(answers, &name(super::WINDOWS_MODE, &machine), &machine, (Os::Windows, Some(software)), about);
        entries.push(Entry { word: "windows", mode, machine, services });
    }
    entries
}

/// Services, where they aren't those that the configuration expects by itself: of a guest of a forest it expects both
/// `NimsForest` and NATS.
fn services_of(software: Option<&str>, forest: &Forest, os: Os, own_nats: bool) -> Vec<String> {
    let nimsforest = forest.nimsforest(os).is_some();
    if !nimsforest && !own_nats && forest.id.is_none() {
        return Vec::new();
    }
    let (port, monitor) = forest.nats_ports(nimsforest);
    let nats = match (own_nats, nimsforest) {
        // NimsForest's own server answers on the usual port.
        (true, true) => Some(format!("{{ name: NATS, nats: {port}, monitor: {monitor} }}")),
        (true, false) if forest.nats_port.is_some() => Some(format!("{{ name: NATS, nats: {port} }}")),
        (true, false) | (false, true) => Some("nats".to_owned()),
        (false, false) => None,
    };
    let named = [software.map(str::to_owned), nimsforest.then(|| "nimsforest".to_owned()), nats];
    named.into_iter().flatten().collect()
}

fn mode(
    answers: &Answers,
    name: &str,
    machine: &Machine,
    (os, software): (Os, Option<&str>),
    description: &str,
) -> Mode {
    Mode {
        name: ModeName(name.to_owned()),
        aliases: Vec::new(),
        vmid: machine.vmid,
        description: description.to_owned(),
        gpu_mode: Some(GpuMode::Exclusive),
        conflicts_with: Vec::new(),
        os: Some(os),
        vr_software: software.map(str::to_owned),
        services: Vec::new(),
        gpu_pci: Some(answers.gpu.card),
    }
}
