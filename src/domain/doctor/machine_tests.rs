//! Hosts that are put together function by function.

use super::*;
use crate::domain::{
    iommu::{Class, Device, Power, Range},
    setup::{Boot, Cpu, Family, Framebuffer, Release, WaysIn, directives},
};
use std::collections::BTreeSet;

/// A function below a bridge of the processor, in a group of its own, held by vfio-pci.
fn function(addr: &str, id: &str, class: u32, group: u32) -> Device {
    Device {
        group: Some(group),
        parent: Known::Is(Some("0000:00:01.0".parse().unwrap())),
        driver: Known::Is(Some("vfio-pci".into())),
        reset: Known::Is(vec!["flr".into(), "bus".into()]),
        boot_vga: Known::Is(false),
        power: Known::Is(Power { state: "D0".into(), runtime: "active".into(), cold: Known::Is(true) }),
        memory: vec![Range { first: 0xd000_0000, last: 0xdfff_ffff }],
        ..Device::bare(addr.parse().unwrap(), id.parse().unwrap(), Class(class))
    }
}

fn nvidia() -> Device {
    function("0000:01:00.0", "10de:2684", 0x03_0000, 2)
}

fn sound() -> Device {
    function("0000:01:00.1", "10de:22ba", 0x04_0300, 2)
}

/// Graphics of the processor, on which the host booted.
fn integrated(id: &str, driver: &str) -> Device {
    Device {
        parent: Known::Is(None),
        driver: Known::Is(Some(driver.into())),
        boot_vga: Known::Is(true),
        memory: Vec::new(),
        ..function("0000:00:02.0", id, 0x03_0000, 0)
    }
}

/// A host on which nothing is wrong.
fn host(devices: Vec<Device>) -> Machine {
    let setup = Setup {
        family: Family::Proxmox,
        boot: Boot { efi: Known::Is(true), loader: Known::Is(Loader::Grub), ..Boot::default() },
        kernel: Release::read("7.0.14-14-pve").into(),
        cmdline: Known::Is(CommandLine::read("root=/dev/sda1 ro iommu=pt")),
        tables: Known::Is(BTreeSet::from(["DMAR".to_owned()])),
        cpu: Cpu { virtualisation: Known::Is(true), ..Cpu::default() },
        sleep: Known::Is(vec!["freeze".into(), "mem".into()]),
        mem_sleep: Known::Is(vec!["s2idle".into(), "[deep]".into()]),
        ways_in: WaysIn { web: true, ssh: true, network: true },
        ..Setup::default()
    };
    let line = CommandLine::read("quiet iommu=pt");
    let condition = Condition {
        boot_files: vec![BootFile { loader: Loader::Grub, path: "/etc/default/grub".into(), line, unread: Vec::new() }],
        remapping: Known::Is(true),
        wake: BTreeMap::from([("eno1".to_owned(), true)]),
    };
    Machine { inventory: Inventory::new(devices, Known::Is(vec!["dmar0".into()]), BTreeMap::new()), setup, condition }
}

fn usual() -> Machine {
    host(vec![integrated("8086:a780", "i915"), nvidia(), sound()])
}

fn report(machine: Machine) -> Report {
    examine(&Evidence { machine: Looked::At(machine), api: Looked::Not("no host is configured".into()) })
}

fn ids(machine: Machine) -> Vec<&'static str> {
    report(machine).findings.iter().map(|finding| finding.id.as_str()).collect()
}

fn told(mut machine: Machine, line: &str) -> Machine {
    machine.setup.cmdline = Known::Is(CommandLine::read(line));
    machine.condition.boot_files.clear();
    machine
}

fn modprobe(mut machine: Machine, text: &str) -> Machine {
    machine.setup.modprobe = directives("/etc/modprobe.d/x.conf", text);
    machine
}

#[test]
fn a_good_host_has_nothing_wrong_and_everything_was_looked_at() {
    let report = report(usual());
    assert!(report.findings.is_empty(), "{:?}", report.findings);
    let unseen: Vec<&str> = report.unseen.iter().map(|unseen| unseen.what.as_str()).collect();
    assert_eq!(unseen, ["guests, mappings, backup jobs, privileges, memory"]);
}

#[test]
fn a_single_card_takes_the_hosts_screen_with_it() {
    let boot = |mut device: Device| {
        device.boot_vga = Known::Is(true);
        device
    };
    let mut alone = host(vec![boot(nvidia()), sound()]);
    assert_eq!(ids(alone.clone()), ["gpu.boot-display"]);
    alone.setup.framebuffers = vec![Framebuffer {
        owner: "BOOTFB".into(),
        range: Known::Is(Range { first: 0xd000_0000, last: 0xd08e_9fff }),
        device: None,
    }];
    assert_eq!(ids(alone.clone()), ["gpu.boot-display", "gpu.framebuffer-on-card"]);
    alone.setup.ways_in = WaysIn::default();
    assert!(report(alone).findings[0].evidence.contains("no other way into the host"));
}

#[test]
fn a_card_is_looked_at_in_every_respect() {
    type Change = fn(&mut Device);
    let table: [(Change, &[&str]); 7] = [
        (|gpu| gpu.driver = Known::Is(Some("nouveau".into())), &["gpu.native-driver-bound"]),
        (|gpu| gpu.driver = Known::Is(None), &[]),
        (|gpu| gpu.reset = Known::Is(vec![]), &["gpu.no-reset"]),
        (|gpu| gpu.reset = Known::Is(vec!["bus".into()]), &["gpu.bus-reset-only"]),
        (
            |gpu| {
                gpu.power =
                    Known::Is(Power { state: "D3cold".into(), runtime: "suspended".into(), cold: Known::Is(true) });
            },
            &["gpu.power-cut"],
        ),
        (|gpu| gpu.group = Some(3), &["iommu.split-groups"]),
        (|gpu| gpu.class = Class(0x03_0200), &["gpu.no-outputs"]),
    ];
    for (at, (change, expected)) in table.into_iter().enumerate() {
        let mut gpu = nvidia();
        change(&mut gpu);
        assert_eq!(ids(host(vec![integrated("8086:a780", "i915"), gpu, sound()])), expected, "{at}");
    }
}

#[test]
fn amds_reset_bug_is_known_by_the_chip_and_cured_by_a_module() {
    let card = |id: &str, methods: &[&str]| {
        let gpu = Device {
            reset: Known::Is(methods.iter().map(|method| (*method).to_owned()).collect()),
            ..function("0000:03:00.0", id, 0x03_0000, 5)
        };
        ids(host(vec![integrated("8086:a780", "i915"), gpu, function("0000:03:00.1", "1002:ab38", 0x04_0300, 5)]))
    };
    assert_eq!(card("1002:67df", &["bus"]), ["gpu.amd-reset-bug"]);
    assert_eq!(card("1002:731f", &["pm", "bus"]), ["gpu.amd-reset-bug"]);
    assert_eq!(card("1002:731f", &["device_specific", "bus"]), [""; 0]);
    assert_eq!(card("1002:73bf", &["flr", "bus"]), [""; 0], "Navi 21 has no such bug");
    assert_eq!(card("1002:744c", &["bus"]), ["gpu.bus-reset-only"]);
    assert_eq!(card("10de:731f", &["flr"]), [""; 0], "another vendor's number");
}

#[test]
fn only_a_card_of_its_own_is_for_a_guest() {
    let aspeed = || Device { boot_vga: Known::Is(true), ..function("0000:05:00.0", "1a03:2000", 0x03_0000, 7) };
    assert_eq!(ids(host(vec![aspeed()])), ["gpu.no-card"]);
    assert_eq!(ids(host(vec![aspeed(), nvidia(), sound()])), [""; 0], "a server's own console stays");
    assert_eq!(ids(host(vec![integrated("8086:a780", "i915")])), ["gpu.no-card"]);
    let apu = |addr: &str, id: &str, class| Device {
        driver: Known::Is(Some("amdgpu".into())),
        boot_vga: Known::Is(true),
        ..function(addr, id, class, 20)
    };
    let processor = vec![apu("0000:0d:00.0", "1002:164e", 0x03_0000), apu("0000:0d:00.2", "1022:1649", 0x10_8000)];
    assert_eq!(ids(host([processor, vec![nvidia(), sound()]].concat())), [""; 0]);
}

#[test]
fn what_modprobe_is_told_is_compared_with_the_devices() {
    let amd = || host(vec![integrated("1002:164e", "amdgpu"), nvidia(), sound()]);
    let table: [(Machine, &[&str]); 12] = [
        (modprobe(usual(), "options vfio-pci ids=10de:2684,10de:22ba"), &[]),
        (modprobe(usual(), "options vfio-pci ids=10de:2684, 10de:22ba"), &["gpu.vfio-ids-cut"]),
        (modprobe(usual(), "options vfio-pci ids=\"10de:2684, 10de:22ba\""), &[]),
        (told(usual(), "vfio-pci.ids=10de:2684, 10de:22ba"), &["gpu.vfio-ids-cut"]),
        (modprobe(usual(), "options vfio_pci ids=10de:2685"), &["gpu.vfio-ids-unknown"]),
        (told(usual(), "iommu=pt vfio-pci.ids=10de:1111"), &["gpu.vfio-ids-unknown"]),
        (modprobe(amd(), "blacklist amdgpu"), &["gpu.blacklist-hits-host-card"]),
        (told(amd(), "modprobe.blacklist=nouveau,amdgpu"), &["gpu.blacklist-hits-host-card"]),
        (modprobe(amd(), "blacklist nouveau\nblacklist nvidia"), &[]),
        (modprobe(usual(), "blacklist amdgpu"), &[]),
        (modprobe(usual(), "options vfio_iommu_type1 allow_unsafe_interrupts=1"), &["iommu.unsafe-interrupts"]),
        (told(usual(), "vfio_iommu_type1.allow_unsafe_interrupts=1"), &["iommu.unsafe-interrupts"]),
    ];
    for (at, (machine, expected)) in table.into_iter().enumerate() {
        assert_eq!(ids(machine), expected, "{at}");
    }
}

#[test]
fn nouveau_may_be_blacklisted_where_the_hosts_card_has_another_driver() {
    let own = |driver: &str| Device {
        boot_vga: Known::Is(true),
        driver: Known::Is(Some(driver.into())),
        ..function("0000:21:00.0", "10de:1d01", 0x03_0000, 9)
    };
    let found = |driver| ids(modprobe(host(vec![own(driver), nvidia(), sound()]), "blacklist nouveau"));
    assert_eq!(found("nvidia"), [""; 0]);
    assert_eq!(found("nouveau"), ["gpu.blacklist-hits-host-card"]);
}

#[test]
fn twins_are_a_risk_and_ids_that_take_both_an_error() {
    let twin = |addr: &str| Device {
        driver: Known::Is(Some("nvidia".into())),
        boot_vga: Known::Is(true),
        ..function(addr, "10de:2684", 0x03_0000, 9)
    };
    let both = || host(vec![twin("0000:21:00.0"), nvidia(), sound()]);
    assert_eq!(ids(both()), ["gpu.pve-new-id-also-matches-twin"]);
    let told = modprobe(both(), "options vfio-pci ids=10de:2684,10de:22ba");
    assert_eq!(ids(told), ["gpu.duplicate-ids", "gpu.pve-new-id-also-matches-twin"]);
    assert_eq!(ids(modprobe(both(), "options vfio-pci ids=10de:22ba")), ["gpu.pve-new-id-also-matches-twin"]);
    let mut arch = both();
    arch.setup.family = Family::Arch;
    assert_eq!(ids(arch), [""; 0], "only Proxmox writes new_id");
}

#[test]
fn firmware_off_is_told_from_kernel_off() {
    let off = |tables: Known<BTreeSet<String>>| {
        let mut machine = usual();
        machine.inventory.units = Known::Is(vec![]);
        machine.inventory.devices.iter_mut().for_each(|device| device.group = None);
        machine.setup.tables = tables;
        machine
    };
    let named = |names: &[&str]| Known::Is(names.iter().map(|name| (*name).to_owned()).collect());
    assert_eq!(ids(off(named(&["APIC"]))), ["iommu.no-iommu-firmware"]);
    assert_eq!(ids(off(named(&["APIC", "DMAR"]))), ["iommu.no-iommu-kernel"]);
    assert_eq!(ids(off(named(&["IVRS"]))), ["iommu.no-iommu-kernel"]);
    assert_eq!(ids(off(Known::Unknown)), ["iommu.off"]);
    let words = report(told(off(named(&["IVRS"])), "amd_iommu=off quiet")).findings.remove(0).evidence;
    assert!(words.contains("it was told amd_iommu=off") && words.contains("IOMMU not present"), "{words}");
}

#[test]
fn the_hosts_own_state_is_judged() {
    type Change = fn(&mut Machine);
    let table: [(Change, &[&str]); 8] = [
        (|host| host.setup.cpu.virtualisation = Known::Is(false), &["host.no-virtualisation"]),
        (|host| host.setup.boot.efi = Known::Is(false), &["host.legacy-bios"]),
        (|host| host.condition.remapping = Known::Is(false), &["iommu.no-interrupt-remapping"]),
        (|host| host.condition.wake = BTreeMap::from([("eno1".into(), false)]), &["host.no-wake-on-lan"]),
        (|host| host.condition.wake = BTreeMap::from([("a".into(), false), ("b".into(), true)]), &[]),
        (|host| host.setup.mem_sleep = Known::Is(vec!["[s2idle]".into()]), &["host.no-deep-sleep"]),
        (|host| host.setup.sleep = Known::Is(vec![]), &["host.no-deep-sleep"]),
        (|host| host.condition.boot_files[0].line = CommandLine::read("quiet"), &["host.cmdline-not-applied"]),
    ];
    for (at, (change, expected)) in table.into_iter().enumerate() {
        let mut machine = usual();
        change(&mut machine);
        assert_eq!(ids(machine), expected, "{at}");
    }
    assert_eq!(ids(told(usual(), "iommu=pt pcie_acs_override=downstream")), ["iommu.acs-override-active"]);
    assert_eq!(ids(told(usual(), "amd_iommu=on")), ["iommu.amd-iommu-on-is-noop"]);
    assert_eq!(ids(told(usual(), "video=efifb:off")), ["host.obsolete-setting"]);
    assert_eq!(ids(told(usual(), "video=HDMI-A-1:d")), [""; 0]);
}

#[test]
fn a_file_of_another_loader_misleads_only_if_somebody_wrote_into_it() {
    let with = |used: Loader, path: &str, loader, line: &str| {
        let mut machine = usual();
        machine.setup.boot.loader = Known::Is(used);
        machine.condition.boot_files =
            vec![BootFile { loader, path: path.into(), line: CommandLine::read(line), unread: Vec::new() }];
        ids(machine)
    };
    let grub = |line| with(Loader::SystemdBoot, "/etc/default/grub", Loader::Grub, line);
    assert_eq!(grub("quiet"), [""; 0], "as the installer leaves it");
    assert_eq!(grub("quiet intel_iommu=on"), ["host.bootloader-cmdline-mismatch"]);
    let own = |line| with(Loader::Grub, "/etc/kernel/cmdline", Loader::SystemdBoot, line);
    assert_eq!(own("root=ZFS=rpool/ROOT/pve-1 boot=zfs iommu=pt"), [""; 0]);
    assert_eq!(own("root=ZFS=rpool/ROOT/pve-1 boot=zfs"), ["host.bootloader-cmdline-mismatch"]);
}

#[test]
fn what_the_kernel_does_not_say_is_not_looked_at() {
    let mut blind = usual();
    blind.setup = Setup { family: Family::Proxmox, ..Setup::default() };
    blind.condition = Condition::default();
    let report = report(blind);
    assert!(report.findings.is_empty(), "{:?}", report.findings);
    let words = report.unseen.iter().map(|unseen| unseen.what.as_str()).collect::<Vec<_>>().join("\n");
    for part in ["virtual machines", "UEFI", "what the kernel was told", "remapped", "sleep", "wake-on-LAN"] {
        assert!(words.contains(part), "{part}: {words}");
    }
}

#[test]
fn a_line_that_gives_vfio_pci_nothing_is_named_with_its_reason() {
    const IDS: &str = "10de:2684,10de:22ba";
    let said = |text: &str| {
        let mut machine = usual();
        machine.setup.modprobe = directives("/etc/modprobe.d/a.conf", text);
        let found = report(machine).findings.into_iter().filter(|finding| finding.id == FindingId::GpuIdsUnread);
        found.map(|finding| finding.evidence).collect::<Vec<_>>()
    };
    for good in [
        "options vfio-pci ids=IDS",
        "  options\tvfio_pci  disable_vga=1 ids=\"IDS\"",
        "options vfio-pci disable_vga=1 # 10de:2684",
        "options nvidia x=10de:2684",
        "# option vfio-pci ids=IDS",
        "alias pci:v000010DEd00002684 vfio-pci",
        "options vfio-pci ids=10DE:2684:ffffffff:ffffffff:00030000:ffff0000,10de:22ba,",
    ] {
        assert_eq!(said(&good.replace("IDS", IDS)), [""; 0], "{good}");
    }
    for (bad, reason) in [
        ("option vfio-pci ids=IDS", "\"option\" is no command of modprobe; it is options"),
        ("OPTIONS vfio-pci ids=IDS", "\"OPTIONS\" is no command of modprobe; it is options"),
        ("vfio-pci ids=IDS", "\"vfio-pci\" is no command of modprobe; it is options"),
        ("\u{feff}options vfio-pci ids=IDS", "\"\u{feff}options\" is no command of modprobe; it is options"),
        ("options vfio ids=IDS", "ids is a parameter of vfio-pci, not of vfio"),
        ("options vfio-pci: ids=IDS", "there is no module vfio-pci:; it is vfio-pci"),
        ("options vfio-pci id=IDS", "vfio-pci takes them by ids=, not by id="),
        ("options vfio-pci ids = IDS", "a blank stands beside the ="),
        ("options vfio-pci.ids=IDS", "so it is written on the kernel's command line"),
    ] {
        let words = format!("/etc/modprobe.d/a.conf line 1 isn't read: {reason}");
        assert_eq!(said(&bad.replace("IDS", IDS)), [words], "{bad}");
    }
    for (list, item) in [
        ("10de:2684;10de:22ba", "\"10de:2684;10de:22ba\" isn't VENDOR:DEVICE"),
        ("10de-2684,10de:22ba", "\"10de-2684\" isn't VENDOR:DEVICE"),
        ("0000:01:00.0", "\"0000:01:00.0\" isn't VENDOR:DEVICE but an address; the device there is 10de:2684"),
    ] {
        assert_eq!(said(&format!("options vfio-pci ids={list}")), [format!("/etc/modprobe.d/a.conf line 1: {item}")]);
    }
    let two = said("options vfio-pci ids=10de:2684\noptions vfio-pci ids=10de:22ba\n");
    assert_eq!(
        two,
        ["/etc/modprobe.d/a.conf line 1 gives 0000:01:00.0; /etc/modprobe.d/a.conf line 2 has another list, and the \
          last one counts alone"]
    );
    for bar in ["blacklist vfio-pci", "install vfio_pci /bin/false"] {
        assert_eq!(said(bar), ["/etc/modprobe.d/a.conf:1 keeps vfio-pci from being loaded"], "{bar}");
    }
    assert_eq!(said("install vfio-pci /usr/local/sbin/bind"), [""; 0]);
    let mut machine = usual();
    machine.setup.passed_over = directives("/etc/modprobe.d/vfio", "options vfio-pci ids=10de:2684\n");
    let found = report(machine).findings.into_iter().find(|finding| finding.id == FindingId::GpuIdsUnread).unwrap();
    assert_eq!(found.evidence, "/etc/modprobe.d/vfio line 1 isn't read: the file's name doesn't end in .conf");
}

#[test]
fn a_changed_file_is_applied_by_the_hosts_own_tool() {
    let advised = |loader, family| {
        let mut machine = usual();
        (machine.setup.boot.loader, machine.setup.family) = (Known::Is(loader), family);
        machine.setup.boot.managed = false;
        let line = CommandLine::read("quiet");
        machine.condition.boot_files = vec![BootFile { loader, path: "/x".into(), line, unread: Vec::new() }];
        let found = report(machine).findings.into_iter().find(|finding| finding.id == FindingId::HostCmdlineStale);
        found.unwrap().fix.remove(0)
    };
    for (loader, family, command) in [
        (Loader::Grub, Family::Proxmox, "update-grub"),
        (Loader::Grub, Family::Arch, "grub-mkconfig -o /boot/grub/grub.cfg"),
        (Loader::SystemdBoot, Family::Proxmox, "proxmox-boot-tool refresh"),
        (Loader::Limine, Family::Arch, "limine-mkinitcpio"),
    ] {
        assert_eq!(advised(loader, family), format!("run `{command}`, then start the host again"));
    }
}
