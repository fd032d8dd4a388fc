use super::*;
use crate::domain::{
    iommu::{Card, Known, Role},
    setup::{Family, Loader, Off},
};
use machine::Machine;

#[path = "../../tests/support/machine.rs"]
pub(crate) mod machine;

/// An example host as a tree; it lasts as long as the directory.
pub(super) fn example(name: &str) -> (Machine, tempfile::TempDir, Root) {
    let machine = Machine::load(name);
    let dir = tempfile::tempdir().unwrap();
    machine.write(dir.path());
    let root = Root::at(dir.path()).unwrap();
    (machine, dir, root)
}

#[test]
fn every_example_host_gets_its_verdicts() {
    for name in machine::names() {
        let (machine, _dir, root) = example(&name);
        let inventory = inventory(&root, None).unwrap();
        assert_eq!(inventory.is_on(), machine.expect.iommu, "{name}");
        assert_eq!(inventory.devices.len(), machine.devices.len(), "{name}");
        let cards = inventory.cards();
        assert_eq!(cards.len(), machine.expect.cards.len(), "{name}");
        for expected in &machine.expect.cards {
            let card = cards.iter().find(|card| card.main.to_string() == expected.at).expect("the card is found");
            compare(&name, card, expected);
        }
        let given = cards.iter().find(|card| card.role == Role::Passthrough && card.slot.verdict.is_clean());
        assert_eq!(given.and_then(Card::hostpci), machine.expect.hostpci, "{name}");
        let mapping = given.and_then(|card| inventory.map_entry(card, &"pve".into()));
        assert_eq!(mapping, machine.expect.mapping, "{name}");
    }
}

#[test]
fn a_copy_without_events_is_read_from_the_files_beside_them() {
    for name in machine::names() {
        let (_, dir, root) = example(&name);
        let whole = inventory(&root, None).unwrap();
        for device in &whole.devices {
            let link = dir.path().join(format!("sys/bus/pci/devices/{}", device.addr));
            let at = dir.path().join(std::fs::read_link(link).unwrap().strip_prefix("/").unwrap());
            std::fs::remove_file(at.join("uevent")).unwrap();
        }
        assert_eq!(inventory(&root, None).unwrap(), whole, "{name}");
    }
}

/// As it stands in documents.
fn word(value: impl serde::Serialize) -> String {
    serde_json::to_value(value).unwrap().as_str().unwrap().to_owned()
}

fn compare(name: &str, card: &Card, expected: &machine::Card) {
    assert_eq!(word(card.role), expected.role, "{name} {}", card.main);
    if let Some(verdict) = &expected.verdict {
        assert_eq!(word(card.slot.verdict), *verdict, "{name} {}", card.main);
        let text = |addrs: &[crate::domain::gpu::PciAddr]| addrs.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(text(&card.slot.foreign), expected.foreign, "{name}");
        assert_eq!(text(&card.slot.bridges), expected.bridges, "{name}");
    }
}

#[test]
fn every_example_host_says_what_booted_it() {
    for (name, loader, managed) in [
        ("intel-z790-rtx4090", Loader::SystemdBoot, true),
        ("amd-b450-dirty-group", Loader::Grub, false),
        ("trx40-dual-rtx3090", Loader::Grub, true),
        ("intel-z390-no-iommu", Loader::Grub, false),
    ] {
        let (machine, dir, root) = example(name);
        let seen = setup(&root).unwrap();
        assert_eq!((seen.boot.loader, seen.boot.managed), (Known::Is(loader), managed), "{name}");
        assert_eq!(seen.boot.efi, Known::Is(machine.efi), "{name}");
        assert_eq!(seen.secure_boot.get().copied(), machine.efi.then_some(machine.secure_boot), "{name}");
        assert_eq!(seen.pve.get(), machine.pve.as_ref(), "{name}");
        assert_eq!(seen.family, Family::Proxmox, "{name}");
        // A copy without the firmware's variables says the same, by the command line.
        if machine.efi {
            std::fs::remove_dir_all(dir.path().join("sys/firmware/efi/efivars")).unwrap();
            std::fs::remove_dir_all(dir.path().join("etc/pve")).unwrap();
            let seen = setup(&root).unwrap();
            assert_eq!((seen.boot.loader, seen.family), (Known::Is(loader), Family::Proxmox), "{name}");
            assert_eq!(seen.secure_boot, Known::Unknown);
        }
    }
}

#[test]
fn the_facts_of_a_set_up_are_those_of_its_files() {
    let (_, _dir, root) = example("intel-z790-rtx4090");
    let seen = setup(&root).unwrap();
    let inventory = inventory(&root, None).unwrap();
    let ids: Vec<String> = seen.vfio_ids()[0].ids().map(|id| id.to_string()).collect();
    assert_eq!(ids, ["10de:2684", "10de:22ba"]);
    assert_eq!(seen.has_module("vfio-pci"), Known::Is(true));
    assert_eq!(
        seen.load.iter().map(|load| load.module.as_str()).collect::<Vec<_>>(),
        ["vfio", "vfio_iommu_type1", "vfio_pci"]
    );
    assert_eq!((seen.iommu_table(), seen.iommu_off(&inventory)), (Known::Is(Some("DMAR")), None));
    assert_eq!(seen.cpu.virtualisation, Known::Is(true));
    assert!(seen.ways_in.any());
    assert!(seen.framebuffers_on(&inventory, "01:00".parse().unwrap()).is_empty());
    assert_eq!(seen.framebuffers_on(&inventory, "00:02".parse().unwrap()).len(), 1);
    let (_, _dir, root) = example("intel-z390-no-iommu");
    let off = setup(&root).unwrap().iommu_off(&super::inventory(&root, None).unwrap());
    assert_eq!(off, Some(Off::Firmware));
}

/// What the doctor finds on an example host, without what stands before the ids' dots.
fn findings(root: &Root) -> Vec<String> {
    use crate::domain::doctor::{Evidence, Looked, Machine, examine};
    let setup = setup(root).unwrap();
    let condition = condition(root, setup.family).unwrap();
    let machine = Machine { inventory: inventory(root, None).unwrap(), setup, condition };
    let report = examine(&Evidence { machine: Looked::At(machine), api: Looked::Not("only files".into()) });
    let id = |id: &'static str| id.split_once('.').unwrap().1.to_owned();
    let mut found: Vec<String> = report.findings.iter().map(|finding| id(finding.id.as_str())).collect();
    found.sort();
    found.dedup();
    found
}

#[test]
fn every_example_host_gets_exactly_its_findings() {
    for name in machine::names() {
        let (machine, _dir, root) = example(&name);
        // Proxmox's words aren't a finding of ours: they stand in the evidence.
        let mut expected = machine.expect.findings.clone();
        expected.retain(|id| id != "pve-error-string");
        expected.sort();
        assert_eq!(findings(&root), expected, "{name}");
    }
}

/// A copy that somebody made of `/sys`, `/proc/cmdline` and a few files of `/etc`.
#[test]
fn a_bare_copy_of_a_host_gets_the_same_findings() {
    for name in machine::names() {
        let (machine, dir, root) = example(&name);
        let whole = findings(&root);
        for path in ["etc/os-release", "etc/pve", "proc/cpuinfo", "proc/sys", "usr", "etc/network", "var"] {
            let at = dir.path().join(path);
            let gone = if at.is_dir() { std::fs::remove_dir_all(&at) } else { std::fs::remove_file(&at) };
            assert!(gone.is_ok() || !at.exists(), "{path}");
        }
        let variables = dir.path().join("sys/firmware/efi/efivars");
        if machine.efi {
            std::fs::remove_dir_all(&variables).and_then(|()| std::fs::create_dir(&variables)).unwrap();
        }
        assert_eq!(findings(&root), whole, "{name}");
    }
}

#[test]
fn what_the_host_uses_is_seen_however_it_is_configured() {
    let (_, dir, root) = example("intel-n100-igpu-slices");
    let write = |path: &str, text: &str| {
        let at = dir.path().join(path);
        std::fs::create_dir_all(at.parent().unwrap()).unwrap();
        std::fs::write(at, text).unwrap();
    };
    let uses = || {
        let inventory = inventory(&root, None).unwrap();
        let all = inventory.devices.into_iter().flat_map(|device| device.uses);
        all.map(|used| (used.to_string(), used.is_needed())).collect::<Vec<_>>()
    };
    assert_eq!(uses(), [("enp1s0".to_owned(), false)]);
    let seen = |text: &str| {
        write("etc/network/interfaces", text);
        uses().remove(0)
    };
    let found = |name: &str, needed| (name.to_owned(), needed);
    assert_eq!(seen("iface enp1s0 inet manual\n"), found("enp1s0", false));
    for ports in ["bridge-ports enp1s0", "bridge_ports enp1s0.10", "\tbridge-ports eno7 enp1s0.20"] {
        assert_eq!(seen(&format!("iface vmbr0 inet static\n{ports}\n")), found("enp1s0 (vmbr0)", true), "{ports}");
    }
    let raw = "iface mgmt inet static\n\tvlan-raw-device enp1s0\niface vmbr3 inet manual\n\tbridge-ports mgmt\n";
    assert_eq!(seen(raw), found("enp1s0 (mgmt)", true));
    for method in ["inet static", "inet dhcp", "inet6 auto"] {
        assert_eq!(seen(&format!("iface enp1s0 {method}\n")), found("enp1s0 (the host's address)", true), "{method}");
    }
    assert_eq!(seen(""), found("enp1s0", false));
    // The kernel has an address, whoever gave it.
    write("proc/net/route", "Iface\tDestination\nenp1s0\t00000000\tFE01A8C0\n");
    assert_eq!(uses(), [found("enp1s0 (the host's address)", true)]);
    write("proc/net/route", "Iface\tDestination\n");
    write("proc/net/if_inet6", "fe800000000000000000000000000001 02 40 20 80   enp1s0\n");
    assert_eq!(uses(), [found("enp1s0", false)], "every interface that is up has such an address");
    write("proc/net/if_inet6", "fd000000000000000000000000000001 02 40 00 80   enp1s0\n");
    assert_eq!(uses(), [found("enp1s0 (the host's address)", true)]);
}

#[test]
fn a_disk_is_in_use_by_whatever_is_above_it() {
    let (_, dir, root) = example("amd-b450-dirty-group");
    let link = |path: &str, target: &str| {
        let at = dir.path().join(path);
        std::fs::create_dir_all(at.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(target, at).unwrap();
    };
    let write = |path: &str, text: &str| {
        let at = dir.path().join(path);
        std::fs::create_dir_all(at.parent().unwrap()).unwrap();
        std::fs::write(at, text).unwrap();
    };
    let disk = std::fs::read_dir(dir.path().join("sys/class/block")).unwrap().next().unwrap().unwrap();
    let name = disk.file_name().into_string().unwrap();
    let at = std::fs::read_link(disk.path()).unwrap().to_str().unwrap().trim_start_matches('/').to_owned();
    let held = || {
        let all = inventory(&root, None).unwrap().devices.into_iter().flat_map(|device| device.uses);
        all.map(|used| used.to_string()).find(|used| used.starts_with(&name)).unwrap()
    };
    write("proc/mounts", "");
    let part = format!("{name}1");
    write(&format!("{at}/{part}/partition"), "1\n");
    write(&format!("{at}/{part}/dev"), "259:7\n");
    link(&format!("sys/class/block/{part}"), &format!("/{at}/{part}"));
    assert_eq!(held(), name);
    write("proc/swaps", &format!("Filename Type Size\n/dev/{part} partition 8 0 -2\n"));
    assert_eq!(held(), format!("{name} (swap)"));
    write("proc/swaps", "");
    write("run/udev/data/b259:7", "E:ID_FS_TYPE=LVM2_member\n");
    assert_eq!(held(), format!("{name} (LVM)"));
    write("run/udev/data/b259:7", "");
    write("sys/devices/virtual/block/dm-3/dm/name", "vmdata-thin\n");
    link("sys/class/block/dm-3", "/sys/devices/virtual/block/dm-3");
    link(&format!("{at}/{part}/holders/dm-3"), "/sys/devices/virtual/block/dm-3");
    assert_eq!(held(), format!("{name} (vmdata-thin)"));
    // The root's pool has no member that could be seen: any disk may be one.
    write("proc/mounts", "rpool/ROOT/pve-1 / zfs rw 0 0\n");
    assert_eq!(held(), format!("{name} (perhaps /, vmdata-thin)"));
    write("proc/mounts", "/dev/mapper/gone-root / ext4 rw 0 0\n");
    assert_eq!(held(), format!("{name} (perhaps /, vmdata-thin)"));
    write("proc/mounts", "/dev/mapper/vmdata-thin / ext4 rw 0 0\n");
    assert_eq!(held(), format!("{name} (vmdata-thin)"));
    write("proc/mounts", "server:/export / nfs rw 0 0\n");
    assert_eq!(held(), format!("{name} (vmdata-thin)"));
}
