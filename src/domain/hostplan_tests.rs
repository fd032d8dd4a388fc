use super::*;
use crate::domain::{
    iommu::Class,
    setup::{Boot, CommandLine, Cpu, CpuVendor, Family, Initramfs, Release, WaysIn, directives, loads},
};

/// A host with one card (two functions, behind a bridge) beside integrated graphics.
struct Example {
    inventory: Inventory,
    setup: Setup,
    files: Files,
}

fn function(addr: &str, id: &str, class: u32, group: u32) -> Device {
    let parent = if addr.starts_with("0000:00") { None } else { Some("0000:00:01.0".parse().unwrap()) };
    Device {
        group: Some(group),
        driver: Known::Is(None),
        parent: Known::Is(parent),
        ..Device::bare(addr.parse().unwrap(), id.parse().unwrap(), Class(class))
    }
}

fn example(loader: Loader, files: &[(&str, &str)]) -> Example {
    let mut devices = vec![
        function("0000:00:01.0", "8086:a70d", 0x06_0400, 2),
        function("0000:00:02.0", "8086:a780", 0x03_0000, 1),
        function("0000:01:00.0", "10de:2684", 0x03_0000, 2),
        function("0000:01:00.1", "10de:22ba", 0x04_0300, 2),
    ];
    devices[2].driver = Known::Is(Some("nouveau".into()));
    let files: Files = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
    let setup = Setup {
        family: Family::Proxmox,
        boot: Boot { loader: Known::Is(loader), ..Boot::default() },
        initramfs: Known::Is(Initramfs::Tools),
        kernel: Release::read("6.5.1-1-pve").into(),
        cmdline: Known::Is(CommandLine::read("ro quiet")),
        tables: Known::Is(["DMAR".to_owned()].into()),
        cpu: Cpu { vendor: Known::Is(CpuVendor::Intel), ..Cpu::default() },
        ways_in: WaysIn { web: true, ssh: true, network: true },
        ..Setup::default()
    };
    Example { inventory: Inventory::new(devices, Known::Is(vec!["dmar0".into()]), BTreeMap::new()), setup, files }
}

impl Example {
    /// The set-up as it is read from the files.
    fn plan(&mut self) -> Result<HostPlan, Blocked> {
        let of = |prefix: &str| {
            let files: Vec<(String, String)> = self
                .files
                .iter()
                .filter(|(path, _)| path.starts_with(prefix))
                .map(|(p, t)| (p.clone(), t.clone()))
                .collect();
            files
        };
        self.setup.modprobe = of("/etc/modprobe.d/").iter().flat_map(|(path, text)| directives(path, text)).collect();
        self.setup.load = of("/etc/modules").iter().flat_map(|(path, text)| loads(path, text)).collect();
        let basis = Basis { inventory: &self.inventory, setup: &self.setup, files: &self.files, passthrough: false };
        plan(&basis, "01:00".parse().unwrap())
    }

    /// Plans, writes, and plans again: there must be nothing left. Gives the text of a file after it.
    fn after(&mut self, path: &str) -> String {
        let plan = self.plan().unwrap();
        for edit in plan.edits {
            self.files.insert(edit.path, edit.after);
        }
        let again = self.plan().unwrap();
        assert_eq!(again.edits, [], "twice");
        assert_eq!(again.commands, []);
        self.files.get(path).cloned().unwrap_or_default()
    }
}

const GRUB: &str = "/etc/default/grub";

#[test]
fn a_grub_file_gets_one_word_whatever_it_looks_like() {
    for (before, after) in [
        ("K=\"quiet\"\n", "K=\"quiet intel_iommu=on\"\n"),
        ("K='quiet splash' # kept\n", "K='quiet splash intel_iommu=on' # kept\n"),
        ("K=quiet\n", "K=\"quiet intel_iommu=on\"\n"),
        ("K=\"\"\n", "K=\"intel_iommu=on\"\n"),
        ("K=\"intel_iommu=off quiet\"\n", "K=\"intel_iommu=on quiet\"\n"),
        ("K=\"quiet \\\n  splash\"\n", "K=\"quiet \\\n  splash intel_iommu=on\"\n"),
        ("K=\"a\"\nK+=\" b\"\n", "K=\"a\"\nK+=\" b intel_iommu=on\"\n"),
        ("K=\"void\"\nK=\"b\"\n", "K=\"void\"\nK=\"b intel_iommu=on\"\n"),
        ("L=\"intel_iommu=on\"\nK=\"b\"\n", "L=\"intel_iommu=on\"\nK=\"b\"\n"),
        ("L=\"intel_iommu=off\"\nK=\"b\"\n", "L=\"intel_iommu=on\"\nK=\"b\"\n"),
        ("GRUB_TIMEOUT=5", "GRUB_TIMEOUT=5\nK=\"intel_iommu=on\"\n"),
        ("GRUB_TIMEOUT=5\n#K=\"x\"\nK=\"a b\"\n", "GRUB_TIMEOUT=5\n#K=\"x\"\nK=\"a b intel_iommu=on\"\n"),
    ] {
        let real = |text: &str| text.replace('K', "GRUB_CMDLINE_LINUX_DEFAULT").replace("L=", "GRUB_CMDLINE_LINUX=");
        assert_eq!(example(Loader::Grub, &[(GRUB, &real(before))]).after(GRUB), real(after), "{before}");
    }
    let drop_in = "/etc/default/grub.d/50-cloud.cfg";
    let files = [(GRUB, "GRUB_CMDLINE_LINUX_DEFAULT=\"a\"\n"), (drop_in, "GRUB_CMDLINE_LINUX_DEFAULT=\"b\"\n")];
    assert_eq!(example(Loader::Grub, &files).after(drop_in), "GRUB_CMDLINE_LINUX_DEFAULT=\"b intel_iommu=on\"\n");
}

#[test]
fn what_only_a_shell_could_work_out_is_refused_with_its_place() {
    let mut host = example(Loader::Grub, &[(GRUB, "X=1\nGRUB_CMDLINE_LINUX_DEFAULT=\"quiet $(uname -m)\"\n")]);
    let blocked = host.plan().unwrap_err();
    assert_eq!(blocked.finding, FindingId::SetupFileUnclear);
    assert!(blocked.message.starts_with("/etc/default/grub:2 "), "{}", blocked.message);
    // A kernel that needs no word doesn't need the file either.
    host.setup.kernel = Release::read("7.0.1-1-pve").into();
    assert!(host.plan().unwrap().edits.iter().all(|edit| edit.path != GRUB));
}

#[test]
fn each_loader_has_its_file_and_its_commands() {
    let kernel = "/etc/kernel/cmdline";
    let entry = "/boot/loader/entries/arch.conf";
    let limine = "/etc/default/limine";
    for (loader, family, path, before, after, command) in [
        (
            Loader::SystemdBoot,
            Family::Proxmox,
            kernel,
            "root=ZFS=x boot=zfs\n",
            "root=ZFS=x boot=zfs intel_iommu=on\n",
            "proxmox-boot-tool refresh",
        ),
        (
            Loader::SystemdBoot,
            Family::Arch,
            entry,
            "linux /l\noptions root=x\n",
            "linux /l\noptions root=x intel_iommu=on\n",
            "mkinitcpio -P",
        ),
        (
            Loader::SystemdBoot,
            Family::Arch,
            "/etc/sdboot-manage.conf",
            "LINUX_OPTIONS=\"quiet\"\n",
            "LINUX_OPTIONS=\"quiet intel_iommu=on\"\n",
            "sdboot-manage gen",
        ),
        (
            Loader::Limine,
            Family::Arch,
            limine,
            "KERNEL_CMDLINE[default]+=\"root=x\"\n",
            "KERNEL_CMDLINE[default]+=\"root=x intel_iommu=on\"\n",
            "limine-mkinitcpio",
        ),
        (Loader::Unified, Family::Arch, kernel, "root=x rw", "root=x rw intel_iommu=on", "mkinitcpio -P"),
        (
            Loader::Grub,
            Family::Arch,
            GRUB,
            "GRUB_CMDLINE_LINUX=x\n",
            "GRUB_CMDLINE_LINUX=x\nGRUB_CMDLINE_LINUX_DEFAULT=\"intel_iommu=on\"\n",
            "grub-mkconfig -o /boot/grub/grub.cfg",
        ),
        (Loader::Grub, Family::Debian, GRUB, "", "GRUB_CMDLINE_LINUX_DEFAULT=\"intel_iommu=on\"\n", "update-grub"),
    ] {
        let mut host = example(loader, &[(path, before)]);
        host.setup.family = family;
        if family == Family::Arch {
            host.setup.initramfs = Known::Is(Initramfs::Mkinitcpio);
        }
        let commands: Vec<String> = host.plan().unwrap().commands.iter().map(|run| run.argv.join(" ")).collect();
        assert_eq!(commands.last().map(String::as_str), Some(command), "{loader} {commands:?}");
        assert_eq!(host.after(path), after);
    }
}

#[test]
fn a_command_line_is_never_made_from_nothing() {
    for loader in [Loader::SystemdBoot, Loader::Limine, Loader::Unified] {
        assert_eq!(example(loader, &[]).plan().unwrap_err().finding, FindingId::SetupFileUnclear, "{loader}");
    }
    let mut host = example(Loader::Grub, &[]);
    host.setup.boot.loader = Known::Unknown;
    assert_eq!(host.plan().unwrap_err().finding, FindingId::SetupLoaderUnknown);
}

#[test]
fn ids_are_added_where_somebody_else_gives_some() {
    let path = "/etc/modprobe.d/vfio.conf";
    let nic = "# the network card\noptions vfio-pci ids=8086:1563 disable_vga=1\n";
    let after = example(Loader::Grub, &[(path, nic)]).after(path);
    assert_eq!(after, "# the network card\noptions vfio-pci ids=8086:1563,10de:2684,10de:22ba disable_vga=1\n");
    let mut host = example(Loader::Grub, &[(path, "options vfio-pci ids=8086:1563,\\\n8086:1564\n")]);
    let blocked = host.plan().unwrap_err();
    assert!(blocked.message.starts_with("/etc/modprobe.d/vfio.conf:1 "), "{}", blocked.message);
    let mut host = example(Loader::Grub, &[(path, "install vfio-pci /bin/false\n")]);
    assert_eq!(host.plan().unwrap_err().finding, FindingId::SetupFileUnclear);
}

#[test]
fn a_file_of_our_name_that_isnt_ours_is_left_alone() {
    for path in [MODPROBE, MODULES_LOAD] {
        let blocked = example(Loader::Grub, &[(path, "# mine\n")]).plan().unwrap_err();
        assert_eq!(blocked.finding, FindingId::SetupForeignFile, "{path}");
    }
}

#[test]
fn drivers_that_wait_already_arent_named_again() {
    let files = [("/etc/modprobe.d/own.conf", "softdep nouveau pre: vfio-pci\nblacklist nvidiafb\n")];
    let ours = example(Loader::Grub, &files).after(MODPROBE);
    let expected = format!(
        "{MARK}\noptions vfio-pci ids=10de:2684,10de:22ba\nsoftdep nvidia pre: vfio-pci\n\
                            softdep nvidia_drm pre: vfio-pci\nsoftdep snd_hda_intel pre: vfio-pci\n"
    );
    assert_eq!(ours, expected);
    assert!(!ours.contains("blacklist"));
}

#[test]
fn a_twin_is_left_to_the_host() {
    let path = "/etc/modprobe.d/vfio.conf";
    let mut host = example(Loader::Grub, &[(path, "options vfio-pci ids=10de:2684,10de:22ba\n")]);
    let mut devices = host.inventory.devices.clone();
    devices.push(function("0000:02:00.0", "10de:2684", 0x03_0000, 5));
    host.inventory = Inventory::new(devices, Known::Is(vec!["dmar0".into()]), BTreeMap::new());
    let plan = host.plan().unwrap();
    assert!(matches!(&plan.strategy, Some(Strategy::DriverOverride(addresses)) if addresses.len() == 2));
    // The sound's id has no twin; it does no harm where it is.
    assert_eq!(host.after(path), "options vfio-pci ids=10de:22ba\n");
    assert_eq!(host.files[RULES].matches("KERNEL==\"0000:01:00.").count(), 2);
    assert!(!host.files[RULES].contains("0000:02:00"));
}

#[test]
fn a_kernel_that_doesnt_use_the_iommu_is_told_first() {
    let mut host = example(Loader::Grub, &[(GRUB, "GRUB_CMDLINE_LINUX_DEFAULT=\"quiet intel_iommu=off\"\n")]);
    let bare = host.inventory.devices.iter().cloned().map(|device| Device { group: None, ..device });
    host.inventory = Inventory::new(bare.collect(), Known::Is(vec![]), BTreeMap::new());
    let plan = host.plan().unwrap();
    assert_eq!((plan.strategy.clone(), plan.edits.len()), (None, 1));
    assert!(plan.edits[0].diff().contains("+GRUB_CMDLINE_LINUX_DEFAULT=\"quiet intel_iommu=on\"\n"));
    host.files.insert(GRUB.into(), "GRUB_CMDLINE_LINUX_DEFAULT=\"quiet intel-iommu=on\"\n".into());
    let again = host.plan().unwrap();
    assert!(
        again.is_done() && again.notes.iter().any(|note| note.contains("run `update-grub`, then start")),
        "{again:?}"
    );
    host.setup.tables = Known::Is(["APIC".to_owned()].into());
    assert_eq!(host.plan().unwrap_err().finding, FindingId::SetupNoIommu);
}

#[test]
fn what_the_host_needs_is_refused() {
    let mut host = example(Loader::Grub, &[]);
    host.setup.kernel = Release::read("7.0.1-1-pve").into();
    let basis = |host: &Example, addr: &str| {
        let basis = Basis { inventory: &host.inventory, setup: &host.setup, files: &host.files, passthrough: false };
        plan(&basis, addr.parse().unwrap()).map_err(|blocked| blocked.finding)
    };
    assert_eq!(basis(&host, "00:01").unwrap_err(), FindingId::SetupVital);
    assert!(basis(&host, "01:00").unwrap().risks.is_empty());
    // The only display, and no way in.
    host.inventory.devices.remove(1);
    assert!(basis(&host, "01:00").unwrap().risks.is_empty());
    host.setup.ways_in = WaysIn { ssh: true, ..WaysIn::default() };
    assert_eq!(basis(&host, "01:00").unwrap().risks.len(), 1);
}

#[test]
fn after_the_restart_every_point_is_looked_at() {
    let mut host = example(Loader::Grub, &[]);
    let seen = |host: &Example| {
        let basis = Basis { inventory: &host.inventory, setup: &host.setup, files: &host.files, passthrough: false };
        let bad =
            verify(&basis, "01:00".parse().unwrap(), Some(0)).into_iter().filter(|check| check.good == Some(false));
        bad.map(|check| format!("{}: {}", check.name, check.seen)).collect::<Vec<_>>()
    };
    host.setup.modules = Known::Is(["vfio".to_owned(), "vfio_pci".to_owned()].into());
    let bad = ["driver: 0000:01:00.0 nouveau", "command line: intel_iommu=on", "modules: vfio_iommu_type1 not loaded"];
    assert_eq!(seen(&host), bad);
    host.inventory.devices[2].driver = Known::Is(Some("vfio-pci".into()));
    host.setup.cmdline = Known::Is(CommandLine::read("ro intel_iommu=on,sm_on"));
    host.setup.modules = Known::Unknown;
    assert!(seen(&host).is_empty());
}

fn refused(host: &Example, addr: &str) -> Blocked {
    let basis = Basis { inventory: &host.inventory, setup: &host.setup, files: &host.files, passthrough: false };
    plan(&basis, addr.parse().unwrap()).unwrap_err()
}

fn with_devices(mut host: Example, more: Vec<Device>) -> Example {
    let devices = host.inventory.devices.iter().cloned().chain(more).collect();
    host.inventory = Inventory::new(devices, Known::Is(vec!["dmar0".into()]), BTreeMap::new());
    host.setup.kernel = Release::read("7.0.1-1-pve").into();
    host
}

#[test]
fn slices_and_what_is_cut_into_slices_are_never_bound() {
    let slice = |addr: &str, group| Device {
        physical: Some("0000:00:02.0".parse().unwrap()),
        ..function(addr, "8086:a780", 0x03_0000, group)
    };
    let host = with_devices(example(Loader::Grub, &[]), vec![slice("0000:00:02.1", 17), slice("0000:00:02.2", 18)]);
    let one = refused(&host, "00:02.1");
    assert_eq!(one.finding, FindingId::SetupSliced);
    assert!(one.ways[0].contains("gpu map create 0000:00:02.1"), "{one:?}");
    let all = refused(&host, "00:02.0");
    assert_eq!(all.finding, FindingId::SetupSliced);
    assert!(all.message.contains("2 virtual functions") && all.ways[1].contains("sriov_numvfs"), "{all:?}");
    // A network card's too.
    let nic = |addr: &str, physical: Option<&str>| Device {
        physical: physical.map(|addr| addr.parse().unwrap()),
        ..function(addr, "8086:1572", 0x02_0000, 40)
    };
    let host = with_devices(host, vec![nic("0000:41:00.0", None), nic("0000:41:02.0", Some("0000:41:00.0"))]);
    assert_eq!(refused(&host, "41:02.0").finding, FindingId::SetupSliced);
    assert_eq!(refused(&host, "41:02").finding, FindingId::SetupSliced);
    assert_eq!(refused(&host, "41:00").finding, FindingId::SetupSliced);
}

#[test]
fn a_processors_other_devices_stay_with_the_host() {
    let apu = vec![
        function("0000:c5:00.0", "1002:1900", 0x03_0000, 20),
        function("0000:c5:00.1", "1002:1640", 0x04_0300, 21),
        function("0000:c5:00.2", "1022:15c7", 0x10_8000, 22),
        function("0000:c5:00.3", "1022:15b9", 0x0c_0330, 23),
        function("0000:00:1f.0", "8086:7a04", 0x06_0100, 8),
        function("0000:00:1f.3", "8086:7ad0", 0x04_0300, 8),
    ];
    let host = with_devices(example(Loader::Grub, &[]), apu);
    for addr in ["c5:00.2", "c5:00.3", "00:1f", "00:1f.3"] {
        assert_eq!(refused(&host, addr).finding, FindingId::SetupVital, "{addr}");
    }
    let basis = Basis { inventory: &host.inventory, setup: &host.setup, files: &host.files, passthrough: false };
    for addr in ["c5:00", "c5:00.0", "c5:00.1"] {
        let plan = plan(&basis, addr.parse().unwrap()).unwrap();
        assert_eq!(plan.risks[0].finding, FindingId::SetupIntegrated, "{addr}");
        let written: String = plan.edits.iter().map(|edit| edit.after.as_str()).collect();
        assert!(written.contains("ids=1002:1900,1002:1640\n") && !written.contains("1022:"), "{written}");
        assert!(!written.contains("ccp") && !written.contains("xhci"), "{written}");
    }
}

#[test]
fn a_list_that_a_blank_cut_is_joined_and_one_that_tells_twins_apart_stays() {
    let path = "/etc/modprobe.d/vfio.conf";
    for (before, after) in [
        ("ids=10de:2684, 10de:22ba\n", "ids=10de:2684,10de:22ba\n"),
        ("ids=10de:2684,\t10de:22ba disable_vga=1\n", "ids=10de:2684,10de:22ba disable_vga=1\n"),
        ("ids=10de:2684 , 10de:22ba\n", "ids=10de:2684,10de:22ba\n"),
        ("ids=8086:1563, 10de:2684\n", "ids=8086:1563,10de:2684,10de:22ba\n"),
        ("ids=\"10de:2684, 10de:22ba\"\n", "ids=\"10de:2684, 10de:22ba\"\n"),
        ("ids=10DE:2684,10DE:22BA\n", "ids=10DE:2684,10DE:22BA\n"),
    ] {
        let text = format!("options vfio-pci {before}");
        let mut host = example(Loader::Grub, &[(path, text.as_str())]);
        assert_eq!(host.after(path), format!("options vfio-pci {after}"), "{before}");
    }
    // The twin is another maker's.
    let maker = |device: &Device, id: &str| Device { subsystem: Some(id.parse().unwrap()), ..device.clone() };
    let line = "options vfio-pci ids=10de:2684:1043:8598,10de:22ba:1043:8598\n";
    let mut host = example(Loader::Grub, &[(path, line), ("/etc/modules", "vfio\nvfio_iommu_type1\nvfio_pci\n")]);
    let own = host.inventory.devices.iter().map(|device| {
        let held = if device.addr.bus == 1 { Known::Is(Some("vfio-pci".into())) } else { device.driver.clone() };
        Device { driver: held, ..maker(device, "1043:8598") }
    });
    let twin = maker(&function("0000:02:00.0", "10de:2684", 0x03_0000, 5), "1458:3701");
    let devices = own.chain([twin]).collect();
    host.inventory = Inventory::new(devices, Known::Is(vec!["dmar0".into()]), BTreeMap::new());
    host.setup.kernel = Release::read("7.0.1-1-pve").into();
    let plan = host.plan().unwrap();
    assert!(plan.edits.is_empty() && plan.ready, "{plan:#?}");
    assert!(matches!(&plan.strategy, Some(Strategy::Ids(ids)) if ids.len() == 2), "{:?}", plan.strategy);
    // Without the makers' numbers it would take the twin: then by address.
    host.files.insert(path.to_owned(), "options vfio-pci ids=10de:2684,10de:22ba\n".to_owned());
    assert!(matches!(host.plan().unwrap().strategy, Some(Strategy::DriverOverride(_))));
}

#[test]
fn a_loader_that_morpheus_doesnt_write_for_is_named_with_the_place() {
    let entry = "/boot/loader/entries/arch.conf";
    for (loader, place) in
        [(Loader::Refind, "refind_linux.conf"), (Loader::Stub, "efibootmgr"), (Loader::Other, "configuration")]
    {
        let mut host = example(loader, &[(entry, "linux /l\noptions root=x\n")]);
        let blocked = host.plan().unwrap_err();
        assert_eq!(blocked.finding, FindingId::SetupLoaderByHand);
        assert!(blocked.ways[0].contains("Add intel_iommu=on in") && blocked.ways[0].contains(place), "{blocked:?}");
        // A kernel that needs no word doesn't need the loader.
        host.setup.kernel = Release::read("7.0.1-1-pve").into();
        assert!(host.plan().unwrap().edits.iter().all(|edit| edit.path != entry));
    }
}

#[test]
fn a_second_line_that_nobody_reads_is_named() {
    let path = "/etc/kernel/cmdline";
    let blocked = example(Loader::SystemdBoot, &[(path, "root=x boot=zfs\nintel_iommu=on iommu=pt\n")]).plan();
    let blocked = blocked.unwrap_err();
    assert_eq!(blocked.finding, FindingId::HostCmdlineLines);
    assert!(blocked.message.contains("\"intel_iommu=on iommu=pt\" isn't"), "{}", blocked.message);
    let noted = "root=x boot=zfs\n# intel_iommu=off\n";
    let after = "root=x boot=zfs intel_iommu=on\n# intel_iommu=off\n";
    assert_eq!(example(Loader::SystemdBoot, &[(path, noted)]).after(path), after);
}

#[test]
fn a_device_that_the_host_uses_has_its_address_typed() {
    use crate::domain::iommu::HostUse;
    let risks = |used: HostUse| {
        let mut device = function("0000:03:00.0", "8086:125c", 0x02_0000, 9);
        device.uses = vec![used];
        let host = with_devices(example(Loader::Grub, &[]), vec![device]);
        let basis = Basis { inventory: &host.inventory, setup: &host.setup, files: &host.files, passthrough: false };
        let risks = examine(&basis, "03:00".parse().unwrap()).unwrap();
        risks.into_iter().map(|risk| risk.message).collect::<Vec<_>>()
    };
    let network = |port_of: Option<&str>, own_address| HostUse::Network {
        interface: "eno2".into(),
        port_of: port_of.map(str::to_owned),
        own_address,
    };
    let disk = |holds: &[&str]| HostUse::Disk {
        disk: "nvme1n1".into(),
        holds: holds.iter().map(|held| (*held).to_owned()).collect(),
    };
    assert_eq!(risks(network(None, false)), [""; 0]);
    assert_eq!(
        risks(network(Some("vmbr0"), false))[0],
        "eno2 is a port of vmbr0: the host and its guests would lose that network."
    );
    assert_eq!(risks(network(None, true))[0], "eno2 has an address of the host: the host would lose that network.");
    assert_eq!(risks(disk(&[])), [""; 0]);
    assert_eq!(
        risks(disk(&["/mnt/data", "swap"]))[0],
        "nvme1n1 is in use (/mnt/data, swap): the host and its guests would lose it."
    );
}

#[test]
fn the_boards_own_usb_controller_has_its_address_typed_and_goes_with_no_card() {
    let usb = |addr: &str, driver: &str| {
        let mut usb = function(addr, "8086:7a60", 0x0c_0330, 8);
        usb.driver = Known::Is(Some(driver.into()));
        usb
    };
    let host = |usb: Device| with_devices(example(Loader::Grub, &[]), vec![usb]);
    let risks = |host: &Example, addr: &str| {
        let basis = Basis { inventory: &host.inventory, setup: &host.setup, files: &host.files, passthrough: false };
        let risks = examine(&basis, addr.parse().unwrap()).unwrap();
        risks.into_iter().map(|risk| (risk.finding, risk.message)).collect::<Vec<_>>()
    };
    let own = host(usb("0000:00:14.0", "xhci_hcd"));
    for addr in ["00:14", "00:14.0"] {
        let (finding, message) = risks(&own, addr).remove(0);
        assert_eq!(finding, FindingId::SetupVital);
        let words = "0000:00:14.0 is a USB controller of the board: the host would lose what is plugged into its ports";
        assert!(message.starts_with(words), "{message}");
    }
    assert_eq!(risks(&own, "01:00"), [], "the card is handed over without it");
    assert_eq!(risks(&host(usb("0000:00:14.0", "vfio-pci")), "00:14"), [], "the host doesn't use it any more");
    assert_eq!(risks(&host(usb("0000:03:00.0", "xhci_hcd")), "03:00"), [], "a card in a slot");
    // In the card's group it would go along.
    let shared = host(Device { group: Some(2), ..usb("0000:00:14.0", "xhci_hcd") });
    let blocked = refused(&shared, "01:00");
    assert_eq!(blocked.finding, FindingId::SetupGroupDirty);
    assert!(blocked.message.contains("0000:00:14.0"), "{}", blocked.message);
}

#[test]
fn for_a_processors_graphics_no_other_slot_is_advised() {
    let host = example(Loader::Grub, &[]);
    let usb = function("0000:00:14.0", "8086:7a60", 0x0c_0330, 1);
    let blocked = refused(&with_devices(host, vec![usb]), "00:02");
    assert_eq!(blocked.finding, FindingId::SetupGroupDirty);
    assert!(blocked.ways[0].starts_with("The processor's graphics can't be moved"), "{:?}", blocked.ways);
}

#[test]
fn what_the_kernel_cant_read_of_a_list_doesnt_stay_in_it() {
    let path = "/etc/modprobe.d/vfio.conf";
    for (list, after) in [
        ("10de:2684;10de:22ba", "10de:2684,10de:22ba"),
        ("0000:01:00.0,0000:01:00.1", "10de:2684,10de:22ba"),
        ("'10de:2684,10de:22ba'", "10de:22ba,10de:2684"),
        ("8086:1563,10de-2684", "8086:1563,10de:2684,10de:22ba"),
    ] {
        let text = format!("options vfio-pci ids={list} disable_vga=1\n");
        let after = format!("options vfio-pci ids={after} disable_vga=1\n");
        assert_eq!(example(Loader::Grub, &[(path, &text)]).after(path), after, "{list}");
    }
    let blocked = example(Loader::Grub, &[(path, "blacklist vfio-pci\n")]).plan().unwrap_err();
    assert!(blocked.message.starts_with("/etc/modprobe.d/vfio.conf:1 keeps vfio-pci"), "{}", blocked.message);
}
