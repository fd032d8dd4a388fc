use super::*;
use proptest::prelude::*;

fn function(addr: &str, id: &str, class: u32, group: Option<u32>) -> Device {
    Device { group, ..Device::bare(addr.parse().unwrap(), id.parse().unwrap(), Class(class)) }
}

fn inventory(devices: Vec<Device>) -> Inventory {
    Inventory::new(devices, Known::Is(vec!["dmar0".into()]), BTreeMap::new())
}

fn verdict(devices: Vec<Device>) -> Verdict {
    inventory(devices).slot("01:00".parse().unwrap()).unwrap().verdict
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
        assert!(machine.slot(way.parse().unwrap()).is_some(), "{way}");
    }
    assert!(machine.slot("0b:00".parse().unwrap()).is_none());
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
        (0, Kind::Integrated, None),
        (3, Kind::Discrete, Some(0)),
        (5, Kind::Management, None),
        (6, Kind::Integrated, None),
        (7, Kind::Discrete, Some(1)),
        (8, Kind::Discrete, Some(2)),
    ];
    assert_eq!(kinds, expected);
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
            let slot = machine.slot(format!("{bus:02x}:00").parse().unwrap()).unwrap();
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
