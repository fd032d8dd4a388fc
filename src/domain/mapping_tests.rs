use super::*;
use crate::domain::iommu::{Class, Device, Known};
use std::collections::BTreeMap;

fn card(addr: &str, id: &str, subsystem: &str, group: u32) -> Device {
    Device {
        group: Some(group),
        subsystem: Some(subsystem.parse().unwrap()),
        parent: Known::Is(Some("0000:00:01.0".parse().unwrap())),
        ..Device::bare(addr.parse().unwrap(), id.parse().unwrap(), Class(0x03_0000))
    }
}

fn host(devices: Vec<Device>) -> Inventory {
    Inventory::new(devices, Known::Is(vec!["dmar0".into()]), BTreeMap::new())
}

fn mapping(entries: &[&str]) -> MappingFile {
    MappingFile {
        id: "gpu0".into(),
        entries: entries.iter().map(|e| (*e).to_owned()).collect(),
        ..MappingFile::default()
    }
}

const OLD: &str = "node=pve,path=0000:01:00,id=10de:2684,subsystem-id=1043:889a,iommugroup=2";
const ELSEWHERE: &str = "node=pve2,path=0000:0a:00,id=1002:744c,iommugroup=9";

#[test]
fn a_repair_follows_the_card_and_leaves_other_nodes_alone() {
    let moved = host(vec![card("0000:03:00.0", "10de:2684", "1043:889a", 17)]);
    let repaired = mapping(&[ELSEWHERE, OLD]).repaired(&moved, &"pve".into(), None).unwrap();
    let fresh = "node=pve,path=0000:03:00,id=10de:2684,subsystem-id=1043:889a,iommugroup=17";
    assert_eq!(repaired, [ELSEWHERE, fresh]);
}

#[test]
fn the_functions_of_a_slot_one_by_one_become_the_slot() {
    let audio = Device { class: Class(0x04_0300), ..card("0000:01:00.1", "10de:22ba", "1043:889a", 2) };
    let same = host(vec![card("0000:01:00.0", "10de:2684", "1043:889a", 2), audio]);
    let repaired = |path: &str| mapping(&[&OLD.replace("0000:01:00", path)]).repaired(&same, &"pve".into(), None);
    assert_eq!(repaired("0000:01:00.0;0000:01:00.1").unwrap(), [OLD]);
    for other in ["0000:01:00.0;0000:02:00.0", "0000:01:00.0;0000:01:00.2"] {
        assert!(matches!(repaired(other), Err(CantRepair::Senseless(_))), "{other}");
    }
}

#[test]
fn a_repaired_mapping_is_repaired_no_further() {
    let same = host(vec![card("0000:01:00.0", "10de:2684", "1043:889a", 2)]);
    assert_eq!(mapping(&[OLD, ELSEWHERE]).repaired(&same, &"pve".into(), None).unwrap(), [OLD, ELSEWHERE]);
}

#[test]
fn of_twins_the_one_at_the_same_place_or_of_the_same_maker_is_meant_and_else_a_person_says() {
    let twins =
        || vec![card("0000:01:00.0", "10de:2684", "1043:889a", 5), card("0000:02:00.0", "10de:2684", "1043:889a", 6)];
    let pve: NodeName = "pve".into();
    assert!(mapping(&[OLD]).repaired(&host(twins()), &pve, None).unwrap()[0].contains("path=0000:01:00,"));
    let away = OLD.replace("01:00", "09:00");
    let unsure = mapping(&[&away]).repaired(&host(twins()), &pve, None).unwrap_err();
    assert_eq!(unsure.to_string(), "several cards are a 10de:2684: 0000:01:00, 0000:02:00");
    let machine = host(twins());
    let named = machine.cards().into_iter().find(|card| card.slot.addr.bus == 2);
    assert!(mapping(&[&away]).repaired(&machine, &pve, named.as_ref()).unwrap()[0].contains("path=0000:02:00,"));
    let makers = host(vec![
        card("0000:03:00.0", "10de:2684", "1043:889a", 5),
        card("0000:04:00.0", "10de:2684", "1462:5110", 6),
    ]);
    assert!(mapping(&[&away]).repaired(&makers, &pve, None).unwrap()[0].contains("path=0000:03:00,"));
}

#[test]
fn a_card_that_is_gone_or_unusable_is_said() {
    let pve: NodeName = "pve".into();
    let other = host(vec![card("0000:01:00.0", "1002:744c", "1043:0001", 2)]);
    assert_eq!(mapping(&[OLD]).repaired(&other, &pve, None), Err(CantRepair::Gone("10de:2684".parse().unwrap())));
    assert_eq!(mapping(&[ELSEWHERE]).repaired(&other, &pve, None), Err(CantRepair::NoEntry("gpu0".into())));
    let off = host(vec![Device { group: None, ..card("0000:01:00.0", "10de:2684", "1043:889a", 2) }]);
    assert!(matches!(mapping(&[OLD]).repaired(&off, &pve, None), Err(CantRepair::NoGroup(_))));
}

#[test]
fn what_fits_is_never_rewritten_and_a_slice_never_becomes_its_device() {
    let pve: NodeName = "pve".into();
    let slice = |addr: &str, group| Device {
        physical: Some("0000:00:02.0".parse().unwrap()),
        ..card(addr, "8086:46d1", "8086:7270", group)
    };
    let host_of = |groups: [u32; 2]| {
        host(vec![
            card("0000:00:02.0", "8086:46d1", "8086:7270", 1),
            slice("0000:00:02.1", groups[0]),
            slice("0000:00:02.2", groups[1]),
        ])
    };
    let entry = |path: &str, group: u32| {
        format!("node=pve,path=0000:{path},id=8086:46d1,subsystem-id=8086:7270,iommugroup={group}")
    };
    let both = [entry("00:02.1", 17), entry("00:02.2", 18)];
    let of = mapping(&[&both[0], &both[1]]);
    assert_eq!(of.repaired(&host_of([17, 18]), &pve, None).unwrap(), both);
    let renumbered = of.repaired(&host_of([27, 28]), &pve, None).unwrap();
    assert_eq!(renumbered, [entry("00:02.1", 27), entry("00:02.2", 28)]);
    let cut_no_more = host(vec![card("0000:00:02.0", "8086:46d1", "8086:7270", 1)]);
    let gone = CantRepair::Gone("8086:46d1".parse().unwrap());
    assert_eq!(of.repaired(&cut_no_more, &pve, None), Err(gone.clone()));
    // Slices on further devices of the bus.
    let far = mapping(&[&entry("41:01.0", 61)]);
    let physical = host(vec![card("0000:41:00.0", "8086:46d1", "8086:7270", 51)]);
    assert_eq!(far.repaired(&physical, &pve, None), Err(gone));
    // One function that is cut into mediated devices stays one function.
    let part =
        |group: u32| format!("node=pve,path=0000:01:00.0,id=10de:1b81,subsystem-id=1043:8598,iommugroup={group}");
    let audio = Device { class: Class(0x04_0300), ..card("0000:01:00.1", "10de:10f0", "1043:8598", 15) };
    let board = host(vec![card("0000:01:00.0", "10de:1b81", "1043:8598", 15), audio]);
    assert_eq!(mapping(&[&part(15)]).repaired(&board, &pve, None).unwrap(), [part(15)]);
    assert_eq!(mapping(&[&part(14)]).repaired(&board, &pve, None).unwrap(), [part(15)]);
}

#[test]
fn several_paths_of_one_entry_stay_together() {
    let two = host(vec![
        card("0000:84:00.0", "10de:102d", "10de:106c", 31),
        card("0000:85:00.0", "10de:102d", "10de:106c", 31),
    ]);
    let entry = |group: u32| {
        format!("node=pve,path=0000:84:00;0000:85:00,id=10de:102d,subsystem-id=10de:106c,iommugroup={group}")
    };
    let pve: NodeName = "pve".into();
    assert_eq!(mapping(&[&entry(31)]).repaired(&two, &pve, None).unwrap(), [entry(31)]);
    assert_eq!(mapping(&[&entry(9)]).repaired(&two, &pve, None).unwrap(), [entry(31)]);
}
