use super::*;
use crate::domain::{
    facts::MissingRight,
    gpu::MappingCheck,
    guest::{GuestKind, Power},
};

/// A VM that is set up as it should be.
const GOOD: [(&str, &str); 9] = [
    ("agent", "enabled=1,fstrim_cloned_disks=1"),
    ("balloon", "0"),
    ("bios", "ovmf"),
    ("cpu", "host,flags=+aes"),
    ("efidisk0", "local-lvm:vm-101-disk-1,efitype=4m,ms-cert=2023k,pre-enrolled-keys=1,size=4M"),
    ("hostpci0", "mapping=gpu0,pcie=1"),
    ("machine", "pc-q35-10.1"),
    ("memory", "32768"),
    ("ostype", "win11"),
];

fn vmid(number: u32) -> Vmid {
    Vmid::new(number).unwrap()
}

fn guest(number: u32) -> Guest {
    Guest {
        vmid: vmid(number),
        kind: GuestKind::Qemu,
        name: format!("vm{number}"),
        power: Power::Stopped,
        lock: None,
        template: false,
        tags: Vec::new(),
        cpus: None,
        cpu: None,
        mem: None,
        maxmem: None,
        uptime: None,
        netin: None,
        netout: None,
        ha: None,
    }
}

/// The good configuration with other values; an empty one takes the key away.
fn settings(changes: &[(&str, &str)]) -> Settings {
    let mut all: BTreeMap<String, String> = GOOD.map(|(key, value)| (key.into(), value.into())).into();
    for (key, value) in changes {
        all.remove(*key);
        if !value.is_empty() {
            all.insert((*key).to_owned(), (*value).to_owned());
        }
    }
    Settings(all)
}

/// Proxmox's half of a host with these VMs, from 101 on, and one card with its sound.
fn api(vms: &[&[(&str, &str)]]) -> Api {
    let numbers = 101..;
    let device = |addr: &str, class| {
        let device = crate::domain::iommu::Device::bare(
            addr.parse().unwrap(),
            "10de:2684".parse().unwrap(),
            crate::domain::iommu::Class(class),
        );
        crate::domain::iommu::Device { group: Some(12), ..device }
    };
    let other = |addr: &str, id: &str, class, group| {
        let device = crate::domain::iommu::Device::bare(
            addr.parse().unwrap(),
            id.parse().unwrap(),
            crate::domain::iommu::Class(class),
        );
        crate::domain::iommu::Device { group: Some(group), ..device }
    };
    let devices = vec![
        other("0000:00:02.0", "8086:46d1", 0x03_0000, 1),
        other("0000:00:02.1", "8086:46d1", 0x03_0000, 17),
        device("0000:01:00.0", 0x03_0000),
        device("0000:01:00.1", 0x04_0300),
        other("0000:41:01.0", "8086:154c", 0x02_0000, 61),
        other("0000:41:01.1", "8086:154c", 0x02_0000, 62),
    ];
    let entry = "node=pve,path=0000:01:00,id=10de:2684,iommugroup=12";
    let mapping = MappingFile { id: "gpu0".into(), entries: vec![entry.into()], ..MappingFile::default() };
    Api {
        node: "pve".into(),
        release: Release::new(9, 2),
        guests: Looked::At(numbers.clone().take(vms.len()).map(guest).collect()),
        settings: numbers.zip(vms).map(|(number, vm)| (vmid(number), Looked::At(settings(vm)))).collect(),
        containers: Looked::At(Vec::new()),
        mappings: Looked::At(vec![mapping]),
        backups: Looked::At(Vec::new()),
        lacking: Looked::At(Vec::new()),
        memory: Looked::At(HostMemory { total: 64 << 30, available: 60 << 30 }),
        inventory: Looked::At(Inventory::new(devices, Known::Unknown, BTreeMap::new())),
    }
}

fn report(api: Api) -> Report {
    examine(&Evidence { machine: Looked::Not("this machine isn't the host".into()), api: Looked::At(api) })
}

fn ids(report: &Report) -> Vec<&'static str> {
    report.findings.iter().map(|finding| finding.id.as_str()).collect()
}

#[test]
fn each_mistake_in_a_configuration_is_found_and_nothing_else() {
    type Case = (&'static [(&'static str, &'static str)], &'static [&'static str]);
    let table: &[Case] = &[
        (&[], &[]),
        (&[("machine", "q35")], &[]),
        (&[("machine", "type=q35,viommu=intel")], &[]),
        (&[("machine", "")], &["vm.pcie-needs-q35"]),
        (&[("machine", "pc-i440fx-9.0"), ("hostpci0", "mapping=gpu0")], &["vm.not-q35"]),
        (&[("hostpci0", "mapping=gpu0")], &["vm.not-pcie"]),
        (&[("hostpci0", "mapping=gpu0,pcie=0")], &["vm.not-pcie"]),
        (&[("bios", "")], &["vm.not-uefi"]),
        (&[("bios", "seabios")], &["vm.not-uefi"]),
        (&[("efidisk0", "")], &["vm.efi-disk"]),
        (&[("efidisk0", "local-lvm:1,size=4M"), ("ostype", "l26")], &["vm.efi-disk"]),
        (&[("efidisk0", "local-lvm:1,efitype=4m,pre-enrolled-keys=1")], &["vm.ms-cert"]),
        (&[("efidisk0", "local-lvm:1,efitype=4m,pre-enrolled-keys=1"), ("ostype", "l26")], &[]),
        (&[("efidisk0", "local-lvm:1,efitype=4m,pre-enrolled-keys=0")], &[]),
        (&[("cpu", "")], &["vm.cpu-not-host"]),
        (&[("cpu", "x86-64-v3")], &["vm.cpu-not-host"]),
        (&[("cpu", "cputype=host")], &[]),
        (&[("balloon", "")], &["vm.balloon"]),
        (&[("balloon", "2048")], &["vm.balloon"]),
        (&[("agent", "")], &["vm.agent-off"]),
        (&[("agent", "0")], &["vm.agent-off"]),
        (&[("agent", "1")], &[]),
        (&[("hostpci0", "0000:01:00,pcie=1")], &["vm.raw-hostpci"]),
        (&[("hostpci0", "0000:01:00.0,pcie=1")], &["vm.single-function", "vm.raw-hostpci"]),
        (&[("hostpci0", "0000:01:00.0;0000:01:00.1,pcie=1")], &["vm.raw-hostpci"]),
        (&[("hostpci0", "0000:01:00.0,pcie=1"), ("hostpci1", "0000:01:00.1,pcie=1")], &["vm.raw-hostpci"]),
        (&[("hostpci0", "0000:01:00.1,pcie=1")], &["vm.raw-hostpci"]),
        (&[("hostpci1", "0000:01:00.1,pcie=1")], &["vm.device-twice", "vm.raw-hostpci"]),
        (&[("hostpci0", "0000:01:00.0,pcie=1,mdev=nvidia-63")], &["vm.raw-hostpci"]),
        (&[("hostpci0", "0000:01:00,pcie=1,mdev=nvidia-63")], &["vm.mdev-functions", "vm.raw-hostpci"]),
        (&[("hostpci0", "mapping=gpu0,pcie=1,mdev=nvidia-63")], &["vm.mdev-functions"]),
        (&[("hostpci0", "mapping=gpu0,pcie=on"), ("agent", "enabled=true")], &[]),
        (
            &[("hostpci0", "0000:00:02.0,legacy-igd=1"), ("machine", "pc-i440fx-10.1"), ("vga", "none")],
            &["vm.raw-hostpci"],
        ),
        (&[("hostpci0", "0000:00:02.0,legacy-igd=1"), ("machine", ""), ("vga", "none")], &["vm.raw-hostpci"]),
        (
            &[("hostpci0", "0000:00:02.0,legacy-igd=1"), ("machine", ""), ("vga", "none"), ("bios", "seabios")],
            &["vm.raw-hostpci"],
        ),
        (&[("hostpci0", "0000:00:02.0,legacy-igd=1"), ("vga", "none")], &["vm.legacy-igd", "vm.raw-hostpci"]),
        (&[("hostpci0", "0000:00:02.0,legacy-igd=1"), ("machine", "")], &["vm.legacy-igd", "vm.raw-hostpci"]),
        (&[("hostpci0", "0000:00:02.1,pcie=1")], &["vm.raw-hostpci"]),
        (&[("hostpci0", "0000:41:01.0,pcie=1")], &["vm.raw-hostpci"]),
        (&[("hostpci0", "0000:02:00,pcie=1")], &["vm.device-missing", "vm.raw-hostpci"]),
        (&[("hostpci0", "mapping=other,pcie=1")], &["vm.mapping-missing"]),
        (&[("memory", "64512")], &["host.memory"]),
        (&[("hostpci0", ""), ("bios", ""), ("cpu", "")], &[]),
    ];
    for (changes, expected) in table {
        assert_eq!(&ids(&report(api(&[changes]))), expected, "{changes:?}");
    }
}

#[test]
fn two_vms_with_one_card_are_compared() {
    let onboot: &[(&str, &str)] = &[("onboot", "1")];
    assert_eq!(ids(&report(api(&[onboot, onboot]))), ["vm.onboot-clash"]);
    assert_eq!(ids(&report(api(&[onboot, &[]]))), [""; 0]);
    let raw: &[(&str, &str)] = &[("onboot", "1"), ("hostpci0", "0000:01:00.0;0000:01:00.1,pcie=1")];
    assert_eq!(ids(&report(api(&[onboot, raw]))), ["vm.onboot-clash", "vm.raw-hostpci"], "a mapping and an address");
    let slice: &[(&str, &str)] = &[("onboot", "1"), ("hostpci0", "0000:01:00.0,pcie=1,mdev=nvidia-63")];
    assert_eq!(ids(&report(api(&[slice, slice]))), ["vm.raw-hostpci"; 2], "slices can be had side by side");
}

#[test]
fn a_backup_of_both_is_a_risk_and_a_pool_is_not_looked_into() {
    let job =
        |scope| BackupJob { id: "nightly".into(), enabled: true, node: None, schedule: Some("02:00".into()), scope };
    let with = |scope| report(Api { backups: Looked::At(vec![job(scope)]), ..api(&[&[], &[]]) });
    let all = with(crate::domain::backup::BackupScope::AllBut(vec![]));
    assert_eq!(ids(&all), ["vm.backup-overlap"]);
    assert_eq!(all.findings[0].evidence, "job nightly (02:00) covers VM 101 (vm101) and VM 102 (vm102)");
    assert_eq!(ids(&with(crate::domain::backup::BackupScope::These(vec![vmid(101)]))), [""; 0]);
    let pool = with(crate::domain::backup::BackupScope::Pool("vr".into()));
    assert!(pool.findings.is_empty() && pool.unseen.iter().any(|unseen| unseen.what.contains("nightly")));
}

#[test]
fn a_card_by_args_or_in_a_container_is_found() {
    let args: &[(&str, &str)] = &[("hostpci0", ""), ("args", "-device vfio-pci,host=01:00.0")];
    assert!(ids(&report(api(&[args]))).contains(&"vm.device-by-args"));
    let boots: &[(&str, &str)] = &[("onboot", "1")];
    let by_args: &[(&str, &str)] = &[("onboot", "1"), ("args", "-device vfio-pci,host=01:00.0"), ("hostpci0", "")];
    assert!(ids(&report(api(&[boots, by_args]))).contains(&"vm.onboot-clash"));
    let with = |nodes: &[&str]| {
        let container = Guest { kind: GuestKind::Lxc, name: "ollama".into(), ..guest(200) };
        let nodes = nodes.iter().map(|node| (*node).to_owned()).collect();
        report(Api { containers: Looked::At(vec![(container, Looked::At(nodes))]), ..api(&[&[]]) })
    };
    let found = with(&["/dev/nvidia0", "/dev/nvidiactl"]);
    assert_eq!(ids(&found), ["gpu.container-has-nodes"]);
    let words = "it has /dev/nvidia0 and /dev/nvidiactl, and VM 101 (vm101) can have the card at 0000:01:00";
    assert_eq!((found.findings[0].subject.as_str(), found.findings[0].evidence.as_str()), ("CT 200 (ollama)", words));
    assert_eq!(ids(&with(&["/dev/kfd"])), [""; 0], "no AMD card is there");
}

#[test]
fn what_could_not_be_looked_at_is_named_and_never_found_fine() {
    let why = || "the host didn't answer".to_owned();
    let blind = Api {
        guests: Looked::Not(why()),
        mappings: Looked::Not(why()),
        backups: Looked::Not(why()),
        lacking: Looked::Not(why()),
        memory: Looked::Not(why()),
        inventory: Looked::Not(why()),
        ..api(&[])
    };
    let seen = report(blind);
    assert!(seen.findings.is_empty());
    let what: Vec<&str> = seen.unseen.iter().map(|unseen| unseen.what.as_str()).collect();
    let list = "the list of VMs";
    for part in [OF_THE_HOST, "devices and their IOMMU groups", list, "mappings", "backup jobs", "the host's memory"] {
        assert!(what.contains(&part), "{part}: {what:?}");
    }
}

#[test]
fn mappings_that_are_hidden_are_not_taken_for_missing() {
    let right = MissingRight {
        who: "a@pve!t".into(),
        path: "/mapping/pci".into(),
        privileges: vec!["Mapping.Audit".into()],
        grant: vec!["pveum acl modify …".into()],
    };
    let hidden = Api { mappings: Looked::At(vec![]), lacking: Looked::At(vec![right]), ..api(&[&[]]) };
    let report = report(hidden);
    assert_eq!(ids(&report), ["pve.forbidden"]);
    assert_eq!(report.findings[0].fix, ["pveum acl modify …"]);
    assert!(report.unseen.iter().any(|unseen| unseen.what == "mappings"), "{:?}", report.unseen);
}

#[test]
fn a_token_that_sees_only_some_vms_is_no_fault() {
    let (who, path) = ("a@pve!t".to_owned(), "/vms".to_owned());
    let right = MissingRight { who, path, privileges: vec!["VM.Audit".into()], grant: Vec::new() };
    let report = report(Api { lacking: Looked::At(vec![right]), ..api(&[&[]]) });
    assert_eq!(ids(&report), [""; 0]);
    assert!(report.unseen.iter().any(|unseen| unseen.what.starts_with("VMs that")), "{:?}", report.unseen);
}

#[test]
fn an_address_is_replaced_by_the_mapping_of_the_same_card() {
    let fix = |value| report(api(&[&[("hostpci0", value)]])).findings.remove(0).fix;
    assert_eq!(
        fix("0000:01:00,pcie=1,x-vga=1"),
        ["once, as root on the host: qm set 101 --hostpci0 mapping=gpu0,pcie=1,x-vga=1"]
    );
    assert_eq!(fix("host=0000:01:00,pcie=1"), ["once, as root on the host: qm set 101 --hostpci0 mapping=gpu0,pcie=1"]);
    let part = fix("0000:01:00.1,pcie=1");
    assert_eq!(
        part,
        ["Datacenter > Resource Mappings makes a mapping of it, which a token may set"],
        "not the whole card"
    );
    assert_eq!(fix("0000:01:00.0,pcie=1"), ["name 0000:01:00 in its place"]);
    let both = report(api(&[&[("hostpci0", "0000:01:00.0,pcie=1,x-vga=1"), ("hostpci1", "0000:01:00.1,pcie=1")]]));
    assert_eq!(
        both.findings[0].fix,
        ["once, as root on the host: qm set 101 --hostpci0 mapping=gpu0,pcie=1,x-vga=1 --delete hostpci1"],
        "a mapping is named once"
    );
}

#[test]
fn a_stale_mapping_blocks_and_its_repair_is_named() {
    let check = |error, message: &str| MappingCheck { error, message: message.into() };
    let mut api = api(&[&[]]);
    let Looked::At(mappings) = &mut api.mappings else { unreachable!() };
    mappings[0].checks = vec![check(false, "No mapping for node x."), check(true, "'iommugroup' does not match")];
    let report = report(api);
    assert!(report.blocks());
    assert_eq!(ids(&report), ["gpu.mapping-stale"]);
    assert_eq!(report.findings[0].fix, ["`morpheus gpu map repair gpu0` writes it anew"]);
    assert_eq!(report.findings[0].evidence, "'iommugroup' does not match");
}

#[test]
fn what_the_api_does_not_show_is_not_guessed() {
    let report = report(api(&[&[]]));
    assert_eq!(ids(&report), [""; 0], "no driver, no reset method: unknown and not missing");
    let unseen: Vec<&str> = report.unseen.iter().map(|unseen| unseen.what.as_str()).collect();
    assert_eq!(unseen, [OF_THE_HOST]);
}

#[test]
fn on_the_host_itself_its_own_kernel_tells_of_the_devices() {
    let Looked::At(inventory) = api(&[]).inventory else { unreachable!() };
    let machine = Machine { inventory, ..Machine::default() };
    let api = Api { inventory: Looked::Not("not asked".into()), ..api(&[&[("hostpci0", "0000:02:00,pcie=1")]]) };
    let report = examine(&Evidence { machine: Looked::At(machine), api: Looked::At(api) });
    assert_eq!(ids(&report), ["vm.device-missing", "vm.raw-hostpci"]);
    let unseen = |part: &str| report.unseen.iter().any(|unseen| unseen.what.contains(part));
    assert!(!unseen("devices and their IOMMU groups") && !unseen(OF_THE_HOST), "{:?}", report.unseen);
}

#[test]
fn by_the_api_nobody_can_tell_why_there_is_no_iommu() {
    let mut api = api(&[]);
    let Looked::At(inventory) = &mut api.inventory else { unreachable!() };
    inventory.devices.iter_mut().for_each(|device| device.group = None);
    let report = report(api);
    assert_eq!(ids(&report), ["iommu.off"]);
    assert!(report.findings[0].evidence.contains("cannot prepare PCI pass-through, IOMMU not present"));
}

#[test]
fn the_hosts_version_decides_what_is_a_fault() {
    let of = |release| report(Api { release, ..api(&[&[("efidisk0", "local-lvm:1,efitype=4m,pre-enrolled-keys=1")]]) });
    assert_eq!(ids(&of(Release::new(8, 4))), ["vm.ms-cert"]);
    assert_eq!(ids(&of(Release::OLDEST)), [""; 0], "it has no mark for certificates");
    let old = of(Release::new(8, 2));
    assert_eq!(ids(&old), ["pve.version"]);
    assert_eq!(old.findings[0].evidence, "The host has Proxmox VE 8.2; morpheus works from 8.3 on.");
    assert!(old.blocks());
}

#[test]
fn virtual_functions_of_one_device_are_no_shared_card() {
    let vm = |addr: &'static str| [("onboot", "1"), ("hostpci0", addr)];
    let (first, second) = (vm("0000:00:02.1,pcie=1"), vm("0000:00:02.2,pcie=1"));
    let found = ids(&report(api(&[&first, &second])));
    assert!(!found.contains(&"vm.onboot-clash"), "{found:?}");
}

#[test]
fn a_processors_graphics_are_named_without_the_rest_of_their_slot() {
    let mut api = api(&[&[("hostpci0", "0000:c5:00.0,pcie=1")]]);
    let Looked::At(inventory) = &mut api.inventory else { unreachable!() };
    let apu = |addr: &str, id: &str, class| crate::domain::iommu::Device {
        group: Some(20),
        ..crate::domain::iommu::Device::bare(
            addr.parse().unwrap(),
            id.parse().unwrap(),
            crate::domain::iommu::Class(class),
        )
    };
    let more = [
        apu("0000:c5:00.0", "1002:1900", 0x03_0000),
        apu("0000:c5:00.1", "1002:1640", 0x04_0300),
        apu("0000:c5:00.3", "1022:15b9", 0x0c_0330),
    ];
    let devices = inventory.devices.iter().cloned().chain(more).collect();
    *inventory = Inventory::new(devices, Known::Unknown, BTreeMap::new());
    let report = report(api);
    let part = report.findings.iter().find(|finding| finding.id == FindingId::VmSingleFunction).unwrap();
    assert!(part.evidence.ends_with("leaves 0000:c5:00.1 behind"), "{}", part.evidence);
    assert_eq!(part.fix, ["name 0000:c5:00.0;0000:c5:00.1 in its place"]);
}

/// Proxmox's half of a small computer whose only graphics are the processor's, beside its USB and security engine.
fn apu(shared: bool, vm: &[(&str, &str)]) -> Report {
    let function = |addr: &str, id: &str, class, group| crate::domain::iommu::Device {
        group: Some(if shared { 20 } else { group }),
        ..crate::domain::iommu::Device::bare(
            addr.parse().unwrap(),
            id.parse().unwrap(),
            crate::domain::iommu::Class(class),
        )
    };
    let devices = vec![
        function("0000:c5:00.0", "1002:1900", 0x03_0000, 20),
        function("0000:c5:00.1", "1002:1640", 0x04_0300, 21),
        function("0000:c5:00.2", "1022:15c7", 0x10_8000, 22),
        function("0000:c5:00.3", "1022:15b9", 0x0c_0330, 23),
    ];
    let entry = "node=pve,path=0000:c5:00,id=1002:1900,iommugroup=20";
    let mapping = MappingFile { id: "all".into(), entries: vec![entry.into()], ..MappingFile::default() };
    let mut report = report(Api {
        inventory: Looked::At(Inventory::new(devices, Known::Unknown, BTreeMap::new())),
        mappings: Looked::At(vec![mapping]),
        ..api(&[vm])
    });
    report.findings.retain(|finding| finding.subject.starts_with("VM"));
    report
}

#[test]
fn a_mapping_with_which_no_vm_starts_is_never_advised() {
    let mut seen = api(&[&[("hostpci0", "0000:01:00,pcie=1")]]);
    let Looked::At(mappings) = &mut seen.mappings else { panic!() };
    mappings[0].checks = vec![MappingCheck { error: true, message: "'iommugroup' does not match".into() }];
    let report = report(seen);
    assert_eq!(ids(&report), ["gpu.mapping-stale", "vm.raw-hostpci"]);
    assert!(report.findings[1].fix.iter().all(|line| !line.contains("mapping=gpu0")), "{:?}", report.findings[1].fix);
}

#[test]
fn a_processors_slot_is_never_advised_as_a_whole() {
    const TAKES: &str = "iommu.pve-would-bind-whole-group";
    let whole = apu(false, &[("hostpci0", "0000:c5:00,pcie=1")]);
    assert_eq!(ids(&whole), [TAKES, "vm.raw-hostpci"]);
    let said = &whole.findings[0];
    let words = "hostpci0: 0000:c5:00,pcie=1 also takes 0000:c5:00.2 (encryption controller 1022:15c7) and \
                 0000:c5:00.3 (USB controller 1022:15b9)";
    assert_eq!((said.evidence.as_str(), said.fix[0].as_str()), (words, "name 0000:c5:00.0;0000:c5:00.1 in its place"));
    assert_eq!(ids(&apu(false, &[("hostpci0", "mapping=all,pcie=1")])), [TAKES]);
    for lines in [
        &[("hostpci0", "0000:c5:00.0;0000:c5:00.1,pcie=1")][..],
        &[("hostpci0", "0000:c5:00.0,pcie=1"), ("hostpci1", "0000:c5:00.1,pcie=1")],
    ] {
        let alone = apu(false, lines);
        assert!(alone.findings.iter().all(|finding| finding.id == FindingId::VmRaw), "{:?}", alone.findings);
        let advised = alone.findings.iter().flat_map(|finding| &finding.fix);
        assert!(advised.clone().all(|line| !line.contains("mapping=all")), "{:?}", alone.findings);
    }
    let shared = apu(true, &[("hostpci0", "0000:c5:00.0;0000:c5:00.1,pcie=1")]);
    assert_eq!(ids(&shared), [TAKES, "vm.raw-hostpci"]);
    assert!(shared.findings[0].evidence.starts_with("in one group with what it has passed through: 0000:c5:00.2"));
}
