use super::*;
use proptest::prelude::*;

fn function(addr: &str, id: &str, class: u32, group: Option<u32>) -> Device {
    Device { group, ..Device::bare(addr.parse().unwrap(), id.parse().unwrap(), Class(class)) }
}

fn inventory(devices: Vec<Device>) -> Inventory {
    Inventory::new(devices, Known::Is(vec!["dmar0".into()]), BTreeMap::new())
}

fn verdict(devices: Vec<Device>) -> Verdict {
    inventory(devices).handed("01:00".parse().unwrap()).unwrap().verdict
}

#[test]
fn a_slot_is_as_clean_as_the_groups_of_all_its_functions() {
    let gpu = |group| function("0000:01:00.0", "10de:2684", 0x03_0000, group);
    let audio = |group| function("0000:01:00.1", "10de:22ba", 0x04_0300, group);
    let bridge = function("0000:00:01.0", "8086:a70d", 0x06_0400, Some(2));
    let disk = function("0000:00:17.0", "8086:7ae2", 0x01_0601, Some(3));
    assert_eq!(verdict(vec![gpu(Some(2)), audio(Some(2))]), Verdict::Clean);
    assert_eq!(verdict(vec![gpu(Some(2)), audio(Some(2)), bridge.clone()]), Verdict::CleanWithBridge);
    assert_eq!(verdict(vec![gpu(Some(2)), audio(Some(4)), bridge]), Verdict::Split);
    assert_eq!(verdict(vec![gpu(Some(2)), audio(Some(3)), disk]), Verdict::Dirty);
    assert_eq!(verdict(vec![gpu(None), audio(None)]), Verdict::NoIommu);
    // A function without a group is never taken for harmless.
    assert_eq!(verdict(vec![gpu(Some(2)), audio(None)]), Verdict::NoIommu);
}

#[test]
fn an_address_is_understood_as_people_write_it() {
    let machine = inventory(vec![function("0000:0a:00.0", "10de:2684", 0x03_0000, Some(2))]);
    for way in ["0000:0a:00", "0a:00", "0A:00", "0000:0A:00.0", "0a:00.0"] {
        assert!(machine.handed(way.parse().unwrap()).is_some(), "{way}");
    }
    assert!(machine.handed("0b:00".parse().unwrap()).is_none());
}

#[test]
fn the_kind_of_a_display_is_told_by_more_than_its_bus() {
    let below = |addr: &str, id: &str, class, bridge: &str| Device {
        parent: Known::Is(Some(bridge.parse().unwrap())),
        ..function(addr, id, class, Some(1))
    };
    let machine = inventory(vec![
        Device { parent: Known::Is(None), ..function("0000:00:02.0", "8086:a780", 0x03_0000, Some(0)) },
        below("0000:03:00.0", "8086:56a0", 0x03_0000, "0000:02:01.0"),
        below("0000:05:00.0", "1a03:2000", 0x03_0000, "0000:04:00.0"),
        below("0000:06:00.0", "1002:164e", 0x03_0000, "0000:00:08.1"),
        below("0000:06:00.2", "1022:1649", 0x10_8000, "0000:00:08.1"),
        below("0000:07:00.0", "1002:744c", 0x03_0000, "0000:02:00.0"),
        below("0000:08:00.0", "10de:25a2", 0x03_0200, "0000:00:01.0"),
        below("0000:09:00.0", "10de:ffff", 0x12_0000, "0000:00:01.0"),
    ]);
    let kinds: Vec<(u8, Kind, Option<usize>)> =
        machine.cards().iter().map(|card| (card.main.bus, card.kind, card.index)).collect();
    let expected = [
        (0, Kind::Integrated, Some(0)),
        (3, Kind::Discrete, Some(0)),
        (5, Kind::Management, None),
        (6, Kind::Integrated, Some(1)),
        (7, Kind::Discrete, Some(1)),
        (8, Kind::Discrete, Some(2)),
    ];
    assert_eq!(kinds, expected);
}

fn behind(addr: &str, id: &str, class: u32, group: u32, parent: &str) -> Device {
    let parent = if parent.is_empty() { None } else { Some(parent.parse().unwrap()) };
    Device { parent: Known::Is(parent), ..function(addr, id, class, Some(group)) }
}

fn all(addrs: &[PciAddr]) -> Vec<String> {
    addrs.iter().map(ToString::to_string).collect()
}

/// A card with a switch of its own below a root port: upstream port, one port for each device behind it.
fn with_switch(ports: [&str; 2], devices: &[(&str, &str, u32, u32)]) -> Vec<Device> {
    let mut found = vec![
        behind("0000:00:01.0", "8086:460d", 0x06_0400, 1, ""),
        behind("0000:01:00.0", ports[0], 0x06_0400, 15, "0000:00:01.0"),
    ];
    for (at, (addr, id, class, group)) in devices.iter().enumerate() {
        let port = format!("0000:02:{:02x}.0", at + 1);
        found.push(behind(&port, ports[1], 0x06_0400, 16, "0000:01:00.0"));
        found.push(behind(addr, id, *class, *group, &port));
    }
    found
}

const ARC: [(&str, &str, u32, u32); 2] =
    [("0000:03:00.0", "8086:56a0", 0x03_0000, 18), ("0000:04:00.0", "8086:4f90", 0x04_0300, 19)];

#[test]
fn a_card_is_what_lies_below_its_own_upstream_port() {
    let arc = inventory(with_switch(["8086:4fa1", "8086:4fa4"], &ARC));
    let card = arc.card_of("03:00".parse().unwrap()).unwrap();
    assert_eq!(
        (all(&card.slot.functions), card.slot.verdict),
        (vec!["0000:03:00.0".into(), "0000:04:00.0".into()], Verdict::Split)
    );
    assert_eq!(arc.card_of("04:00.0".parse().unwrap()).map(|card| card.main), Some(card.main), "its audio is it too");
    let parts: Vec<(String, String)> =
        arc.parts(&card).into_iter().map(|part| (part.id, part.path.to_string())).collect();
    let expected = [("gpu0", "0000:03:00"), ("gpu0-audio", "0000:04:00")];
    assert_eq!(parts, expected.map(|(id, path)| (id.to_owned(), path.to_owned())));
    // All of it in one group is no stranger either.
    let same =
        inventory(with_switch(["8086:4fa1", "8086:4fa4"], &ARC.map(|(addr, id, class, _)| (addr, id, class, 16))));
    assert_eq!(same.handed("03:00".parse().unwrap()).unwrap().verdict, Verdict::CleanWithBridge);
    // The tree isn't shown: buses are numbered in the order of the ports.
    let mut flat = with_switch(["8086:4fa1", "8086:4fa4"], &ARC);
    for device in &mut flat {
        device.parent = Known::Unknown;
    }
    let flat = Inventory::new(flat, Known::Unknown, BTreeMap::new());
    assert_eq!(all(&flat.handed("03:00".parse().unwrap()).unwrap().functions), ["0000:03:00.0", "0000:04:00.0"]);
}

#[test]
fn a_switch_of_the_board_is_no_part_of_a_card() {
    let one = |ports, devices: &[(&str, &str, u32, u32)]| {
        let machine = inventory(with_switch(ports, devices));
        all(&machine.handed("03:00".parse().unwrap()).unwrap().functions)
    };
    let gpu = |id: &'static str, group| ("0000:03:00.0", id, 0x03_0000, group);
    // AMD's chipset with a card, USB and a disk behind it.
    let usb = ("0000:04:00.0", "1022:43d5", 0x0c_0330, 18);
    assert_eq!(one(["1022:57ad", "1022:57a3"], &[gpu("1002:73bf", 18), usb]), ["0000:03:00.0"]);
    // A box on Thunderbolt: its controller is Intel's, and so is the card.
    let nhi = ("0000:04:00.0", "8086:15d2", 0x08_8000, 18);
    assert_eq!(one(["8086:15d3", "8086:15d3"], &[gpu("8086:4905", 18), nhi]), ["0000:03:00.0"]);
    // Two cards of one chip that can be handed over apart.
    let twin = ("0000:04:00.0", "10de:102d", 0x03_0200, 19);
    assert_eq!(one(["10b5:8747", "10b5:8747"], &[gpu("10de:102d", 18), twin]), ["0000:03:00.0"]);
    // And two that can't.
    let other = ("0000:04:00.0", "10de:102d", 0x03_0000, 18);
    assert_eq!(one(["10b5:8747", "10b5:8747"], &[gpu("10de:102d", 18), other]), ["0000:03:00.0", "0000:04:00.0"]);
    let stranger = ("0000:04:00.0", "1b21:1242", 0x0c_0330, 18);
    assert_eq!(one(["10b5:8747", "10b5:8747"], &[gpu("10de:102d", 18), stranger]), ["0000:03:00.0"]);
}

#[test]
fn a_box_on_thunderbolt_is_no_part_of_the_card_in_it() {
    let port = |addr: &str, id: &str, parent: &str| behind(addr, id, 0x06_0400, 15, parent);
    let machine = inventory(vec![
        port("0000:00:07.0", "8086:a76e", ""),
        port("0000:20:00.0", "8086:1136", "0000:00:07.0"),
        port("0000:21:00.0", "8086:1136", "0000:20:00.0"),
        port("0000:21:01.0", "8086:1136", "0000:20:00.0"),
        port("0000:21:02.0", "8086:1136", "0000:20:00.0"),
        behind("0000:22:00.0", "8086:1137", 0x0c_0340, 19, "0000:21:00.0"),
        behind("0000:3a:00.0", "8086:1138", 0x0c_0330, 20, "0000:21:02.0"),
        port("0000:23:00.0", "8086:4fa1", "0000:21:01.0"),
        port("0000:24:01.0", "8086:4fa4", "0000:23:00.0"),
        port("0000:24:04.0", "8086:4fa4", "0000:23:00.0"),
        behind("0000:25:00.0", "8086:56a0", 0x03_0000, 24, "0000:24:01.0"),
        behind("0000:26:00.0", "8086:4f90", 0x04_0300, 25, "0000:24:04.0"),
    ]);
    // The box's switch and its USB are Intel's as the card is, and are ports of the host.
    let slot = machine.handed("25:00".parse().unwrap()).unwrap();
    assert_eq!(all(&slot.functions), ["0000:25:00.0", "0000:26:00.0"]);
}

#[test]
fn of_a_processors_slot_only_display_and_its_audio_are_the_cards() {
    let apu = |addr: &str, id: &str, class, group| behind(addr, id, class, group, "0000:00:08.1");
    let machine = |shared: bool| {
        let group = |own| if shared { 20 } else { own };
        inventory(vec![
            behind("0000:00:08.1", "1022:14eb", 0x06_0400, 11, ""),
            apu("0000:c5:00.0", "1002:1900", 0x03_0000, group(20)),
            apu("0000:c5:00.1", "1002:1640", 0x04_0300, group(21)),
            apu("0000:c5:00.2", "1022:15c7", 0x10_8000, group(22)),
            apu("0000:c5:00.3", "1022:15b9", 0x0c_0330, group(23)),
            apu("0000:c5:00.6", "1022:15e3", 0x04_0300, group(26)),
        ])
    };
    let slot = machine(false).handed("c5:00".parse().unwrap()).unwrap();
    assert_eq!(
        (all(&slot.functions), slot.verdict),
        (vec!["0000:c5:00.0".into(), "0000:c5:00.1".into()], Verdict::Split)
    );
    let apart = machine(false);
    let paths: Vec<String> = apart.parts(&apart.cards()[0]).into_iter().map(|part| part.path.to_string()).collect();
    assert_eq!(paths, ["0000:c5:00.0", "0000:c5:00.1"], "never the slot, which is USB too");
    assert_eq!(all(&apart.handed("c5:00.3".parse().unwrap()).unwrap().functions), ["0000:c5:00.3"]);
    // One group for all of them can't be taken apart.
    let slot = machine(true).handed("c5:00.0".parse().unwrap()).unwrap();
    assert_eq!((slot.verdict, slot.foreign.len()), (Verdict::Dirty, 3));
    // Without its neighbours it is told by the bridge above it.
    let lone = inventory(vec![
        behind("0000:00:08.1", "1022:14eb", 0x06_0400, 11, ""),
        apu("0000:c5:00.0", "1002:1900", 0x03_0000, 20),
    ]);
    assert_eq!(lone.cards()[0].kind, Kind::Integrated);
}

#[test]
fn a_virtual_function_is_a_device_of_its_own() {
    let slice = |addr: &str, group| Device {
        physical: Some("0000:00:02.0".parse().unwrap()),
        ..behind(addr, "8086:46d1", 0x03_0000, group, "")
    };
    let devices = || {
        vec![
            behind("0000:00:02.0", "8086:46d1", 0x03_0000, 1, ""),
            slice("0000:00:02.1", 17),
            slice("0000:00:02.2", 18),
        ]
    };
    let told = |devices: Vec<Device>| {
        let bare = devices.into_iter().map(|device| Device { physical: None, parent: Known::Unknown, ..device });
        Inventory::new(bare.collect(), Known::Unknown, BTreeMap::new())
    };
    // The API doesn't say which are slices; a second display of the same number in a slot is one.
    for machine in [inventory(devices()), told(devices())] {
        let handed = |addr: &str| machine.handed(addr.parse().unwrap()).unwrap();
        assert_eq!(
            (all(&handed("00:02").functions), handed("00:02").verdict),
            (vec!["0000:00:02.0".into()], Verdict::Clean)
        );
        assert_eq!(all(&handed("00:02.1").functions), ["0000:00:02.1"]);
        assert_eq!(handed("00:02.1").addr.to_string(), "0000:00:02.1");
        let roles: Vec<Role> = machine.cards().iter().map(|card| card.role).collect();
        assert_eq!(roles, [Role::Host, Role::Slice, Role::Slice]);
        assert_eq!(machine.cards()[0].reason, "split into 2 virtual functions");
        let entry = machine.map_entry(&machine.cards()[1], &"pve".into()).unwrap();
        assert_eq!(entry, "node=pve,path=0000:00:02.1,id=8086:46d1,iommugroup=17");
        let whole = machine.map_entry(&machine.cards()[0], &"pve".into()).unwrap();
        assert_eq!(whole, "node=pve,path=0000:00:02.0,id=8086:46d1,iommugroup=1", "the slot would be all slices too");
    }
}

#[test]
fn slices_of_another_number_are_told_by_their_place() {
    // AMD's MxGPU as the API lists it: the slices are further devices of the card's own bus.
    let machine = Inventory::new(
        vec![
            function("0000:41:00.0", "1002:7360", 0x03_8000, Some(10)),
            function("0000:41:02.0", "1002:7362", 0x03_8000, Some(11)),
            function("0000:41:02.1", "1002:7362", 0x03_8000, Some(12)),
        ],
        Known::Unknown,
        BTreeMap::new(),
    );
    let roles: Vec<Role> = machine.cards().iter().map(|card| card.role).collect();
    assert_eq!(roles, [Role::Host, Role::Slice, Role::Slice]);
    assert_eq!(all(&machine.handed("41:02.1".parse().unwrap()).unwrap().functions), ["0000:41:02.1"]);
}

#[test]
fn a_host_bridge_without_a_driver_makes_no_group_dirty() {
    let with = |id: &str, class, driver: Known<Option<String>>| {
        let stranger = Device { driver, ..function("0000:40:03.0", id, class, Some(44)) };
        inventory(vec![stranger, function("0000:41:00.0", "10de:20b5", 0x03_0200, Some(44))])
            .handed("41:00".parse().unwrap())
            .unwrap()
            .verdict
    };
    let none = || Known::Is(None);
    assert_eq!(with("1022:1482", 0x06_0000, none()), Verdict::CleanWithBridge);
    assert_eq!(with("8086:3ec2", 0x06_0000, none()), Verdict::CleanWithBridge);
    assert_eq!(with("8086:3ec2", 0x06_0000, Known::Is(Some("skl_uncore".into()))), Verdict::Dirty);
    // The API shows no drivers: AMD's dummy bridge is known to have none, others aren't.
    assert_eq!(with("1022:1482", 0x06_0000, Known::Unknown), Verdict::CleanWithBridge);
    assert_eq!(with("8086:3ec2", 0x06_0000, Known::Unknown), Verdict::Dirty);
    // What else is a bridge by its class may be the board's timer and keyboard.
    assert_eq!(with("8086:7a04", 0x06_0100, none()), Verdict::Dirty);
    assert_eq!(with("8086:7ae2", 0x01_0601, none()), Verdict::Dirty);
}

#[test]
fn a_card_on_a_virtual_machines_root_bus_is_a_card() {
    let kinds = |other: &str, class, gpu: &str| {
        let devices = vec![behind("0000:00:02.0", other, class, 0, ""), behind("0000:00:10.0", gpu, 0x03_0000, 1, "")];
        let bare: Vec<Device> =
            devices.iter().cloned().map(|device| Device { parent: Known::Unknown, ..device }).collect();
        let kinds = |machine: Inventory| machine.cards().pop().unwrap().kind;
        let both = [kinds(inventory(devices)), kinds(Inventory::new(bare, Known::Unknown, BTreeMap::new()))];
        assert_eq!(both[0], both[1], "{other} {gpu}");
        both[0]
    };
    assert_eq!(kinds("1234:1111", 0x03_0000, "10de:2684"), Kind::Discrete);
    assert_eq!(kinds("1af4:1000", 0x02_0000, "1002:744c"), Kind::Discrete, "without a display of its own");
    assert_eq!(kinds("15ad:0405", 0x03_0000, "8086:56a0"), Kind::Discrete);
    assert_eq!(kinds("8086:1237", 0x06_0000, "1002:744c"), Kind::Discrete);
    assert_eq!(kinds("8086:4668", 0x06_0000, "8086:4680"), Kind::Integrated);
    assert_eq!(kinds("1022:1422", 0x06_0000, "1002:1304"), Kind::Integrated);
}

#[test]
fn the_screen_of_a_management_controller_is_no_card() {
    for id in ["1a03:2000", "102b:0534", "1050:0750", "19e5:1711", "18ca:0021", "126f:0750", "1002:515e", "1002:4752"] {
        let display = behind("0000:03:00.0", id, 0x03_0000, 9, "0000:00:1c.0");
        assert_eq!(inventory(vec![display]).cards()[0].kind, Kind::Management, "{id}");
    }
    let card = behind("0000:03:00.0", "1002:744c", 0x03_0000, 9, "0000:00:1c.0");
    assert_eq!(inventory(vec![card]).cards()[0].kind, Kind::Discrete);
}

#[test]
fn the_only_card_goes_to_a_guest_even_if_the_host_booted_on_it() {
    let boots = |addr: &str, boots| Device {
        boot_vga: Known::Is(boots),
        parent: Known::Is(Some("0000:00:01.0".parse().unwrap())),
        ..function(addr, "10de:2684", 0x03_0000, Some(2))
    };
    let roles = |machine: Inventory| machine.cards().iter().map(|card| card.role).collect::<Vec<_>>();
    assert_eq!(roles(inventory(vec![boots("0000:01:00.0", true)])), [Role::Passthrough]);
    let two = inventory(vec![boots("0000:01:00.0", true), boots("0000:02:00.0", false)]);
    assert_eq!(roles(two), [Role::Host, Role::Passthrough]);
}

#[test]
fn devices_are_called_by_the_names_that_people_know() {
    let table = [
        ("NVIDIA Corporation AD102 [GeForce RTX 4090]", "NVIDIA GeForce RTX 4090"),
        ("Advanced Micro Devices, Inc. [AMD/ATI] Navi 31 [Radeon RX 7900 XTX]", "AMD Radeon RX 7900 XTX"),
        ("Advanced Micro Devices, Inc. [AMD]", "AMD"),
        ("Intel Corporation UHD Graphics 630 (Desktop)", "Intel UHD Graphics 630 (Desktop)"),
        ("Red Hat, Inc. Virtio GPU", "Red Hat, Inc. Virtio GPU"),
    ];
    for (name, short) in table {
        assert_eq!(Names::read(name).title().as_deref(), Some(short));
    }
}

#[test]
fn names_come_from_the_database_then_from_the_table() {
    let text = "10de  NVIDIA Corporation\n\t2684  AD102 [GeForce RTX 4090]\n\t\t10de 165b  RTX 4090\n\
                1002  ATI\nC 03  Display controller\n\t2684  Nothing of this kind\n";
    let ids: Vec<PciId> = ["10de:2684", "1002:744c", "dead:beef"].map(|id| id.parse().unwrap()).into();
    let wanted = ids.iter().copied().collect();
    let mut reader = NamesReader::of(&wanted);
    let read = text.lines().take_while(|line| reader.line(line)).count();
    assert_eq!(read, 4, "what follows is no name of a device");
    let names = reader.names();
    let titles: Vec<Option<String>> = ids.iter().map(|id| names.of(*id).title()).collect();
    assert_eq!(titles[0].as_deref(), Some("NVIDIA GeForce RTX 4090"));
    assert_eq!(titles[1].as_deref(), Some("ATI Navi 31 [Radeon RX 7900]"));
    assert_eq!(titles[2], None);
    assert_eq!(function("0000:01:00.1", "dead:beef", 0x04_0300, None).title(), "audio device dead:beef");
}

proptest! {
    /// Whatever the groups are: a verdict of clean means that nothing of another slot but bridges would come along.
    #[test]
    fn clean_takes_nothing_from_others(groups in proptest::collection::vec(proptest::option::of(0_u32..4), 12), bridges in proptest::collection::vec(any::<bool>(), 12)) {
        let devices = groups.iter().zip(&bridges).enumerate().map(|(at, (group, bridge))| {
            let addr = format!("0000:{:02x}:00.{}", at / 3, at % 3);
            Device { bridge: *bridge, ..function(&addr, "10de:2684", 0x03_0000, *group) }
        });
        let machine = inventory(devices.collect());
        for bus in 0..4 {
            let slot = machine.handed(format!("{bus:02x}:00").parse().unwrap()).unwrap();
            let taken = machine.devices.iter().filter(|device| {
                !device.bridge && device.addr.bus != bus && device.group.is_some_and(|group| slot.groups.contains(&group))
            });
            let foreign: Vec<PciAddr> = taken.map(|device| device.addr).collect();
            prop_assert_eq!(&foreign, &slot.foreign);
            if slot.verdict.is_clean() {
                prop_assert!(foreign.is_empty());
            }
        }
    }
}
