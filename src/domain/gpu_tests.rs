use super::*;

fn addr(text: &str) -> PciAddr {
    text.parse().unwrap()
}

fn whole(text: &str) -> Vec<Claim> {
    vec![Claim::Whole(vec![addr(text)])]
}

fn holder(vmid: u32, claims: Vec<Claim>) -> BTreeMap<Vmid, Vec<Claim>> {
    BTreeMap::from([(Vmid::new(vmid).unwrap(), claims)])
}

#[test]
fn every_spelling_of_an_address_is_understood() {
    for text in ["0000:01:00", "01:00", "0000:01:00.0", "0000:0A:1f.7", "00000000:01:00"] {
        assert_eq!(addr(&addr(text).to_string()), addr(text), "{text}");
    }
    assert_eq!(addr("0A:00").to_string(), "0000:0a:00");
    for text in ["", "1:0", "0000:01:00.8", "0000:01:20", "gg:00", "0000:01:00.00", "01:00:00:00", "+1:00"] {
        assert!(text.parse::<PciAddr>().is_err(), "{text}");
    }
}

#[test]
fn a_slot_overlaps_each_of_its_functions() {
    assert!(addr("01:00").overlaps(addr("0000:01:00.1")));
    assert!(!addr("01:00.0").overlaps(addr("01:00.1")));
    assert!(!addr("01:00").overlaps(addr("02:00")));
}

#[test]
fn hostpci_lines_are_read() {
    let raw = HostPci::parse(0, "0000:01:00,pcie=1,x-vga=1").unwrap();
    assert_eq!(raw.source, PciSource::Raw(vec![addr("01:00")]));
    let mapped = HostPci::parse(1, "mapping=gpu0,pcie=1,mdev=nvidia-63").unwrap();
    assert_eq!((mapped.source, mapped.mdev.as_deref()), (PciSource::Mapping("gpu0".into()), Some("nvidia-63")));
    assert!(HostPci::parse(0, "pcie=1").is_err());
}

#[test]
fn whole_devices_clash_and_slices_do_not() {
    let held = holder(101, whole("01:00"));
    assert_eq!(clash(&whole("01:00.0"), &held, &Ties::default()).unwrap().0.get(), 101);
    assert!(clash(&whole("02:00"), &held, &Ties::default()).is_none());
    let slice = vec![Claim::Slice(vec![addr("01:00")])];
    assert!(clash(&slice, &holder(101, slice.clone()), &Ties::default()).is_none());
    assert!(clash(&slice, &held, &Ties::default()).is_some());
}

#[test]
fn what_cannot_be_resolved_is_never_taken_for_free() {
    let held = holder(101, vec![Claim::Unknown("gpu0".into())]);
    assert_eq!(clash(&whole("01:00"), &held, &Ties::default()).unwrap().1, Clash::Unknown("gpu0".into()));
}

#[test]
fn alternatives_are_searched() {
    let either = vec![Claim::OneOf(vec![vec![addr("01:00")], vec![addr("02:00")]])];
    assert!(clash(&either, &holder(101, either.clone()), &Ties::default()).is_none());
    let mut both = holder(101, either.clone());
    both.insert(Vmid::new(102).unwrap(), either.clone());
    assert!(clash(&either, &both, &Ties::default()).is_some());
}

#[test]
fn a_mapping_without_an_entry_for_the_node_is_unknown() {
    let mapping = Mapping { id: "gpu0".into(), entries: vec![], checks: vec![] };
    let entry = HostPci::parse(0, "mapping=gpu0").unwrap();
    assert_eq!(
        claims(std::slice::from_ref(&entry), Some(&[mapping]), &"pve".into()),
        vec![Claim::Unknown("gpu0".into())]
    );
    assert_eq!(claims(&[entry], None, &"pve".into()), vec![Claim::Unknown("gpu0".into())]);
}

#[test]
fn functions_of_one_group_go_to_one_guest() {
    let groups = [("01:00.0", 12), ("01:00.1", 12), ("02:00.0", 12), ("03:00.0", 14)];
    let groups = Ties { groups: groups.map(|(a, g)| (addr(a), g)).into(), ..Ties::default() };
    let held = holder(101, whole("01:00"));
    let found = clash(&whole("02:00"), &held, &groups).unwrap();
    assert_eq!(found.1, Clash::Group { group: 12, wanted: addr("02:00"), held: addr("01:00") });
    assert!(clash(&whole("03:00"), &held, &groups).is_none());
    assert!(clash(&whole("02:00"), &held, &Ties::default()).is_none(), "what isn't known can't be planned");
    let both = vec![Claim::Whole(vec![addr("01:00")]), Claim::Whole(vec![addr("02:00")])];
    assert!(clash(&both, &BTreeMap::new(), &groups).is_none(), "one guest may have the whole group");
    let either = vec![Claim::OneOf(vec![vec![addr("02:00")], vec![addr("03:00")]])];
    assert!(clash(&either, &held, &groups).is_none(), "the other one is of another group");
    let neither = vec![Claim::OneOf(vec![vec![addr("02:00")], vec![addr("01:00.1")]])];
    assert!(clash(&neither, &held, &groups).is_some());
    let slice = vec![Claim::Slice(vec![addr("02:00")])];
    assert!(clash(&slice, &held, &groups).is_none(), "a slice has a group of its own");
}

#[test]
fn a_device_and_its_virtual_functions_go_to_one_guest() {
    let physical = [("03:02.0", "03:00.0"), ("03:02.1", "03:00.0"), ("04:02.0", "04:00.0")];
    let ties = Ties { physical: physical.map(|(slice, of)| (addr(slice), addr(of))).into(), ..Ties::default() };
    let sliced = |held: &str| Clash::Sliced { physical: addr("03:00.0"), slice: addr("03:02.1"), held: addr(held) };
    let found = |wanted: &[Claim], held: Vec<Claim>| clash(wanted, &holder(101, held), &ties).map(|(_, clash)| clash);
    for physical in ["03:00.0", "03:00"] {
        assert_eq!(found(&whole(physical), whole("03:02.1")), Some(sliced("03:02.1")));
        assert_eq!(found(&whole("03:02.1"), whole(physical)), Some(sliced("03:00.0")));
    }
    // Written as arguments, as one of a mapping's alternatives, and as a slice of a slice.
    let args = vec![Claim::Unreserved { functions: vec![addr("03:02.1")], sure: true, by: "args".into() }];
    assert_eq!(found(&whole("03:00.0"), args), Some(sliced("03:02.1")));
    let either = vec![Claim::OneOf(vec![vec![addr("03:00.0")], vec![addr("05:00.0")]])];
    assert_eq!(found(&either, whole("03:02.1")), Some(sliced("03:02.1")), "Proxmox would choose the first");
    let part = |name: &str| vec![Claim::Slice(vec![addr(name)])];
    assert_eq!(found(&whole("03:00.0"), part("03:02.1")), Some(sliced("03:02.1")));
    for (one, other) in [("03:02.0", "03:02.1"), ("04:00.0", "03:02.1"), ("03:00.1", "03:02.1")] {
        assert_eq!(found(&whole(one), whole(other)), None, "{one} and {other}");
    }
    assert_eq!(found(&part("03:00.0"), whole("03:02.1")), None, "the device stays with its driver");
    let node = |name: &str, sure: bool| {
        vec![Claim::Unreserved { functions: vec![addr(name)], sure, by: "/dev/dri/renderD129".into() }]
    };
    assert_eq!(found(&whole("03:02.1"), node("03:00.0", true)), None, "a container's node is of the driver");
    assert_eq!(found(&whole("03:00.0"), node("03:02.1", true)), Some(sliced("03:02.1")));
    let unknown = Clash::Unknown("/dev/dri/renderD129".into());
    assert_eq!(found(&whole("03:00.0"), node("03:02.1", false)), Some(unknown));
    assert!(clash(&whole("03:00.0"), &holder(101, whole("03:02.1")), &Ties::default()).is_none(), "not known");
}
