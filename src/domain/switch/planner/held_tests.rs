//! Cards that are held past `hostpciN`, and mappings that a start would fail with.

use super::plan;
use crate::domain::{
    facts::{Facts, Part, Trouble},
    finding::FindingId,
    gpu::{HostPci, Mapping, MappingCheck, MappingEntry},
    guest::{Guest, GuestConfig, GuestKind, Power},
    ids::Millis,
    iommu::{Class, Device, Inventory, Known},
    switch::{
        plan::{Intent, Verb},
        refusal::Refusal,
    },
    testing::*,
};
use std::collections::BTreeMap;

const AT: Millis = Millis(1_000_000);
const CONTAINER: u32 = 200;

fn refusal(facts: &Facts) -> Refusal {
    plan(&intent(Verb::Switch, "windowsvrstreaming"), &modes(), facts).unwrap_err()
}

fn configure(facts: &mut Facts, vmid: u32, change: impl FnOnce(&mut GuestConfig)) {
    change(facts.configs.get_mut(&id(vmid)).unwrap().value.as_mut().unwrap());
}

#[test]
fn a_vm_that_has_the_card_by_args_is_a_holder_like_any_other() {
    let mut seen = facts(&[NAS]);
    let args = "-device vfio-pci,host=01:00.0,bus=pcie.0,addr=0x10,multifunction=on,x-vga=on";
    configure(&mut seen, NAS, |config| config.args = Some(args.into()));
    let refused = refusal(&seen);
    assert_eq!(refused.finding, FindingId::GpuHeldByForeign);
    assert!(refused.message.contains("VM 110 \"vm110\" is running and holds 0000:01:00"), "{refused}");
    let replacing = Intent { replace: true, ..intent(Verb::Switch, "windowsvrstreaming") };
    assert_eq!(plan(&replacing, &modes(), &seen).unwrap().stops().count(), 1);
    configure(&mut seen, NAS, |config| config.args = Some("-readconfig /root/gpu.cfg".into()));
    assert_eq!(refusal(&seen).finding, FindingId::GpuHolderUnknown);
    configure(&mut seen, NAS, |config| config.args = Some("-smbios type=1".into()));
    assert!(plan(&replacing, &modes(), &seen).is_ok());
    change(&mut seen, NAS, |guest| guest.power = Power::Stopped);
    configure(&mut seen, NAS, |config| config.args = Some(args.into()));
    assert!(plan(&replacing, &modes(), &seen).is_ok(), "it doesn't run");
}

/// A container that runs and has these device nodes, on a host with these display devices.
fn with_container(running: &[u32], nodes: &[&str], cards: &[(&str, &str)]) -> Facts {
    let mut seen = facts(running);
    let guest = Guest { kind: GuestKind::Lxc, name: "ollama".into(), ..guest(CONTAINER, Power::Running) };
    seen.lxc = Part::good(vec![guest], AT);
    let device_nodes = nodes.iter().map(|node| (*node).to_owned()).collect();
    let config = GuestConfig { device_nodes, ..GuestConfig::default() };
    seen.configs.insert(id(CONTAINER), Part::good(config, AT));
    let card = |(addr, id): &(&str, &str)| Device::bare(addr.parse().unwrap(), id.parse().unwrap(), Class(0x03_0000));
    let pci = Inventory::new(cards.iter().map(card).collect(), Known::Unknown, BTreeMap::new());
    seen.pci = Part::good(pci, AT);
    seen
}

#[test]
fn a_container_with_the_cards_nodes_is_a_holder_and_is_never_stopped() {
    let (big, small) = (("0000:01:00.0", "10de:2684"), ("0000:00:02.0", "8086:a780"));
    let seen = with_container(&[], &["/dev/nvidia0"], &[big, small]);
    let replacing = Intent { replace: true, ..intent(Verb::Switch, "windowsvrstreaming") };
    for refused in [refusal(&seen), plan(&replacing, &modes(), &seen).unwrap_err()] {
        assert_eq!(refused.finding, FindingId::GpuHeldByContainer);
        assert!(refused.message.contains("CT 200 \"ollama\""), "{refused}");
        assert_eq!(refused.alternatives, ["Shut it down, then try again: pct shutdown 200"]);
    }
    let either = refusal(&with_container(&[], &["/dev/dri/renderD128"], &[big, small]));
    assert_eq!(either.finding, FindingId::GpuHolderUnknown);
    assert!(either.message.contains("CT 200 \"ollama\" is running and has /dev/dri/renderD128"), "{either}");
    let ready = |seen: &Facts| plan(&replacing, &modes(), seen).is_ok();
    assert!(ready(&with_container(&[LINUX], &["/dev/dri/renderD128"], &[big, small])), "a VM has the card");
    assert!(ready(&with_container(&[], &["/dev/kfd"], &[big, small])));
    assert!(ready(&with_container(&[], &[], &[big, small])));
    let mut unread = with_container(&[], &[], &[big]);
    unread.configs.remove(&id(CONTAINER));
    assert_eq!(refusal(&unread).finding, FindingId::GpuHolderUnknown);
    unread.lxc.value.as_mut().unwrap()[0].power = Power::Stopped;
    assert!(ready(&unread));
    let trouble = Trouble { finding: FindingId::PveTimeout, message: "no answer".into() };
    unread.lxc = Part::failed(trouble);
    assert_eq!(refusal(&unread).finding, FindingId::PveTimeout);
}

/// The Windows guest with the card by a mapping, which is as given.
fn mapped(mappings: Vec<Mapping>) -> Facts {
    let mut seen = facts(&[LINUX]);
    configure(&mut seen, WINDOWS, |config| config.hostpci = vec![HostPci::parse(0, "mapping=gpu0").unwrap()]);
    seen.mappings = Part::good(mappings, AT);
    seen
}

fn gpu0(node: &str, checks: &[(bool, &str)]) -> Mapping {
    let entry =
        MappingEntry { node: node.into(), path: vec!["0000:01:00".parse().unwrap()], id: "10de:2684".to_owned() };
    let check = |(error, message): &(bool, &str)| MappingCheck { error: *error, message: (*message).to_owned() };
    Mapping { id: "gpu0".into(), entries: vec![entry], checks: checks.iter().map(check).collect() }
}

#[test]
fn a_mapping_that_a_start_would_fail_with_is_found_before_anything_is_stopped() {
    let stale = "Invalid configuration: 'iommugroup' does not match for 'gpu0' (13 != 99)";
    let mut gone = mapped(vec![]);
    gone.mapping_rights.insert("gpu0".into(), Part::good(true, AT));
    let mut hidden = mapped(vec![]);
    hidden.mapping_rights.insert("gpu0".into(), Part::good(false, AT));
    let table = [
        (mapped(vec![gpu0("pve", &[(true, stale)])]), FindingId::GpuMappingStale, "(13 != 99)", "gpu map repair gpu0"),
        (gone, FindingId::VmMappingMissing, "'gpu0' of windowsvrstreaming (VM 102) isn't there any more", "map create"),
        (hidden, FindingId::GpuHolderUnknown, "or the token may not see it", "Mapping.Audit"),
        (mapped(vec![]), FindingId::GpuHolderUnknown, "or the token may not see it", "Mapping.Audit"),
        (
            mapped(vec![gpu0("other", &[(false, "No mapping for node pve.")])]),
            FindingId::VmMappingMissing,
            "has no entry for pve",
            "gpu map repair gpu0 ADDR",
        ),
    ];
    for (seen, finding, words, way_out) in table {
        let refused = refusal(&seen);
        assert_eq!(refused.finding, finding, "{refused}");
        assert!(refused.message.contains(words) && refused.message.contains("gpu0"), "{refused}");
        assert!(refused.alternatives[0].contains(way_out), "{:?}", refused.alternatives);
        assert!(!refused.alternatives.iter().any(|way| way.contains("VM.Audit")), "{:?}", refused.alternatives);
    }
    let fits = mapped(vec![gpu0("pve", &[])]);
    assert!(plan(&intent(Verb::Switch, "windowsvrstreaming"), &modes(), &fits).is_ok());
}

#[test]
fn a_running_guest_whose_mapping_no_longer_fits_is_said_not_to_come_back() {
    let mut seen = mapped(vec![gpu0("pve", &[(true, "'id' does not match")])]);
    configure(&mut seen, LINUX, |config| config.hostpci = vec![HostPci::parse(0, "mapping=gpu0").unwrap()]);
    configure(&mut seen, WINDOWS, |config| config.hostpci = vec![HostPci::parse(0, "0000:01:00").unwrap()]);
    let plan = plan(&intent(Verb::Switch, "windowsvrstreaming"), &modes(), &seen).unwrap();
    let warning = plan.warnings.iter().find(|warning| warning.finding == FindingId::GpuMappingStale).unwrap();
    assert!(warning.message.contains("linuxvrstreaming (VM 101) couldn't be started again"), "{}", warning.message);
}
