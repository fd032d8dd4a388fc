//! Answers for tests.

use super::{
    Action, Answers, Form, Key, Site,
    site::{SiteGuest, Storage, Volume},
};
use crate::domain::{
    doctor::{Looked, Settings},
    facts::HostMemory,
    iommu::{Class, Device, Inventory, Known},
    mapping::MappingFile,
    mode::ModeSet,
    testing::id,
};
use std::collections::{BTreeMap, BTreeSet};

/// A form in which everything is answered, Windows and a leaf node too.
pub(crate) fn form() -> Form {
    let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl me@home";
    let sum = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    let answers = [
        (Key::GpuCard, "0000:01:00"),
        (Key::GpuMapping, "gpu0"),
        (Key::LinuxVmid, "121"),
        (Key::LinuxName, "vr-linux"),
        (Key::LinuxCores, "12"),
        (Key::LinuxMemory, "16384"),
        (Key::LinuxDisk, "100"),
        (Key::LinuxStorage, "local-lvm"),
        (Key::LinuxBridge, "vmbr0"),
        (Key::LinuxAddress, "dhcp"),
        (Key::LinuxUser, "player"),
        (Key::LinuxSshKeys, key),
        (Key::LinuxInstall, "arch-cloud"),
        (Key::LinuxMedia, "local"),
        (Key::LinuxImage, "https://mirror.example.org/images/Arch-Linux-x86_64-cloudimg.qcow2"),
        (Key::LinuxImageSha256, sum),
        (Key::LinuxTimezone, "Europe/Amsterdam"),
        (Key::LinuxLocale, "en_US.UTF-8"),
        (Key::LinuxKeymap, "us"),
        (Key::LinuxWivrn, "yes"),
        (Key::WindowsWanted, "yes"),
        (Key::WindowsVmid, "122"),
        (Key::WindowsName, "vr-windows"),
        (Key::WindowsCores, "12"),
        (Key::WindowsMemory, "16384"),
        (Key::WindowsDisk, "200"),
        (Key::WindowsStorage, "local-lvm"),
        (Key::WindowsBridge, "vmbr0"),
        (Key::WindowsMedia, "local"),
        (Key::WindowsIso, "local:iso/Win11_25H2_English_x64.iso"),
        (Key::WindowsVirtio, "local:iso/virtio-win.iso"),
        (Key::WindowsEdition, "Windows 11 Pro"),
        (Key::WindowsUser, "Player"),
        (Key::WindowsLanguage, "en-US"),
        (Key::WindowsTimezone, "W. Europe Standard Time"),
        (Key::WindowsVirtualDesktop, "yes"),
        (Key::WindowsHibernate, "no"),
        (Key::ForestId, "home"),
        (Key::ForestNats, "leaf"),
        (Key::ForestHubs, "tls://hub-a:7422, tls://hub-b:7422"),
        (Key::ForestCredentialsFile, "/etc/morpheus/forest.creds"),
        (Key::ForestBinary, "https://example.org/nimsforest-linux-amd64"),
        (Key::ForestBinarySha256, sum),
        (Key::ForestRegistry, "https://registry.example.org/forest.json"),
    ];
    answers.into_iter().fold(Form::default(), |form, (key, text)| form.with(key, text))
}

/// The same with these devices: address, id, class, group, and the bridge above it.
pub(crate) fn site_with(devices: &[(&str, &str, u32, u32, Option<&str>)]) -> Site {
    let device = |(addr, id, class, group, parent): &(&str, &str, u32, u32, Option<&str>)| Device {
        group: Some(*group),
        parent: Known::Is(parent.map(|parent| parent.parse().unwrap())),
        bridge: *class == 0x06_0400,
        ..Device::bare(addr.parse().unwrap(), id.parse().unwrap(), Class(*class))
    };
    let devices = devices.iter().map(device).collect();
    let inventory = Inventory::new(devices, Known::Is(vec!["dmar0".into()]), BTreeMap::new());
    Site { inventory: Looked::At(inventory), ..site() }
}

/// An Arc card: its audio is behind the card's own switch, in a slot and a group of its own.
pub(crate) fn arc() -> Site {
    site_with(&[
        ("0000:00:01.0", "8086:460d", 0x06_0400, 1, None),
        ("0000:01:00.0", "8086:4fa1", 0x06_0400, 15, Some("0000:00:01.0")),
        ("0000:02:01.0", "8086:4fa4", 0x06_0400, 16, Some("0000:01:00.0")),
        ("0000:02:04.0", "8086:4fa4", 0x06_0400, 17, Some("0000:01:00.0")),
        ("0000:03:00.0", "8086:56a0", 0x03_0000, 18, Some("0000:02:01.0")),
        ("0000:04:00.0", "8086:4f90", 0x04_0300, 19, Some("0000:02:04.0")),
    ])
}

/// A processor's graphics with their audio, among other functions of the processor.
pub(crate) fn apu() -> Site {
    let above = Some("0000:00:08.1");
    site_with(&[
        ("0000:00:08.1", "1022:14eb", 0x06_0400, 5, None),
        ("0000:01:00.0", "1002:1900", 0x03_0000, 20, above),
        ("0000:01:00.1", "1002:1640", 0x04_0300, 21, above),
        ("0000:01:00.2", "1022:15c7", 0x10_8000, 22, above),
        ("0000:01:00.3", "1022:15b9", 0x0c_0330, 23, above),
        ("0000:01:00.6", "1022:15e3", 0x04_0300, 24, above),
    ])
}

/// Two chips on one board, behind its own switch and in one group.
pub(crate) fn two_chips() -> Site {
    site_with(&[
        ("0000:00:02.0", "8086:6f04", 0x06_0400, 30, None),
        ("0000:08:00.0", "10b5:8747", 0x06_0400, 31, Some("0000:00:02.0")),
        ("0000:09:08.0", "10b5:8747", 0x06_0400, 31, Some("0000:08:00.0")),
        ("0000:09:10.0", "10b5:8747", 0x06_0400, 31, Some("0000:08:00.0")),
        ("0000:01:00.0", "10de:102d", 0x03_0200, 31, Some("0000:09:08.0")),
        ("0000:02:00.0", "10de:102d", 0x03_0200, 31, Some("0000:09:10.0")),
    ])
}

/// A host with one card, nothing planted on it.
pub(crate) fn site() -> Site {
    let device = |addr: &str, id: &str, class: u32, group: u32| Device {
        group: Some(group),
        parent: Known::Is(Some("0000:00:01.1".parse().unwrap())),
        ..Device::bare(addr.parse().unwrap(), id.parse().unwrap(), Class(class))
    };
    let devices = vec![
        device("0000:01:00.0", "10de:2684", 0x03_0000, 12),
        device("0000:01:00.1", "10de:22ba", 0x04_0300, 12),
        device("0000:06:00.0", "8086:125c", 0x02_0000, 14),
        device("0000:07:00.0", "1002:744c", 0x03_0000, 14),
    ];
    let storage = |id: &str, content: &[&str], free: u64| Storage {
        id: id.to_owned(),
        kind: "dir".to_owned(),
        content: content.iter().map(|word| (*word).to_owned()).collect(),
        active: true,
        available: Some(free << 30),
        total: Some(free << 31),
    };
    let volume = |volid: &str| Volume { volid: volid.to_owned(), content: "iso".to_owned(), size: 1 << 30 };
    Site {
        node: "pve".into(),
        label: "pve at 192.168.1.100:8006".to_owned(),
        version: Looked::At("9.2.11".to_owned()),
        who: "morpheus@pam!planter".to_owned(),
        guests: Looked::At(BTreeMap::from([(id(101), guest("nas", false, &[("memory", "4096")]))])),
        taken: vec![],
        next_vmid: Looked::At(id(102)),
        storages: Looked::At(vec![storage("local", &["iso", "import"], 80), storage("local-lvm", &["images"], 800)]),
        volumes: Looked::At(vec![
            volume("local:iso/Win11_25H2_English_x64.iso"),
            volume("local:iso/virtio-win.iso"),
            volume("local:iso/cachyos-desktop-linux-260809.iso"),
        ]),
        bridges: Looked::At(vec!["vmbr0".to_owned()]),
        mappings: Looked::At(vec![]),
        inventory: Looked::At(Inventory::new(devices, Known::Is(vec!["dmar0".into()]), BTreeMap::new())),
        memory: Looked::At(HostMemory { total: 64 << 30, available: 56 << 30 }),
        cpus: Looked::At(32),
        lacking: Looked::At(vec![]),
        modes: ModeSet(vec![]),
        registered: Looked::At(BTreeSet::new()),
    }
}

/// A VM of the host.
pub(crate) fn guest(name: &str, running: bool, settings: &[(&str, &str)]) -> SiteGuest {
    let settings = settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    SiteGuest {
        name: name.to_owned(),
        node: "pve".into(),
        container: false,
        running,
        settings: Looked::At(Settings(settings)),
    }
}

/// The host after a planting.
pub(crate) fn planted(form: &Form) -> Site {
    planted_on(form, site())
}

/// Another host after a planting.
pub(crate) fn planted_on(form: &Form, mut site: Site) -> Site {
    let answers = Answers::read(form).unwrap();
    let plan = super::plan(form, &site).unwrap();
    let (Looked::At(guests), Looked::At(volumes)) = (&mut site.guests, &mut site.volumes) else { unreachable!() };
    for step in &plan.steps {
        match &step.action {
            Action::Create { vmid, name, settings } => {
                let mut guest = guest(name, false, &[]);
                guest.settings = Looked::At(Settings(settings.clone()));
                guests.insert(*vmid, guest);
            }
            Action::Configure { vmid, set, .. } => {
                let Some(Looked::At(settings)) = guests.get_mut(vmid).map(|guest| &mut guest.settings) else {
                    panic!()
                };
                settings.0.extend(set.clone());
            }
            Action::Map { id, entry, .. } => {
                let (id, entries) = (id.clone(), vec![entry.clone()]);
                let Looked::At(mappings) = &mut site.mappings else { unreachable!() };
                mappings.push(MappingFile { id, entries, ..MappingFile::default() });
            }
            Action::Fetch { storage, content, file, .. } => {
                let volid = super::step::volid(storage, *content, file);
                volumes.push(Volume { volid, content: content.word().to_owned(), size: 1 });
            }
            Action::Register { nodes } => site.registered = Looked::At(nodes.iter().cloned().collect()),
            _ => {}
        }
    }
    site.modes = ModeSet(super::plan::entries(&answers, &site.modes).into_iter().map(|entry| entry.mode).collect());
    site
}

/// Gives a guest this setting.
pub(crate) fn set(site: &mut Site, vmid: u32, key: &str, value: &str) {
    let Looked::At(guests) = &mut site.guests else { unreachable!() };
    let Some(Looked::At(settings)) = guests.get_mut(&id(vmid)).map(|guest| &mut guest.settings) else { panic!() };
    settings.0.insert(key.to_owned(), value.to_owned());
}

/// Compares a text with the snapshot of this name.
pub(crate) fn snapshot(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}
