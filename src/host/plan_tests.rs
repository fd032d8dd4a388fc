//! Plans for the example hosts.

use super::{
    files, inventory, setup,
    tests::{example, machine},
};
use crate::domain::{
    finding::FindingId,
    gpu::PciAddr,
    hostplan::{Basis, Blocked, HostPlan, Strategy, choose, is_ready, plan},
};
use crate::host::Root;

fn planned(root: &Root, given: Option<&str>) -> Result<HostPlan, Blocked> {
    let (inventory, setup, files) = (inventory(root, None).unwrap(), setup(root).unwrap(), files(root).unwrap());
    let basis = Basis { inventory: &inventory, setup: &setup, files: &files, passthrough: false };
    plan(&basis, choose(&inventory, given.map(|addr| addr.parse().unwrap()))?)
}

#[test]
fn every_example_host_gets_its_strategy() {
    for name in machine::names() {
        let (machine, _dir, root) = example(&name);
        let inventory = inventory(&root, None).unwrap();
        for card in machine.expect.cards.iter().filter(|card| card.role == "passthrough") {
            let slot: PciAddr = card.at.parse().unwrap();
            if let Some(ready) = card.ready {
                assert_eq!(is_ready(&inventory, slot), ready, "{name}");
            }
            let strategy = planned(&root, Some(&card.at)).ok().and_then(|plan| plan.strategy);
            let (word, ids) = match strategy {
                None => (None, None),
                Some(Strategy::Ids(ids)) => {
                    (Some("ids"), Some(ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")))
                }
                Some(Strategy::DriverOverride(_)) => (Some("driver_override"), None),
            };
            assert_eq!(word, card.strategy.as_deref(), "{name} {slot}");
            assert!(card.ids.is_none() || card.ids == ids, "{name} {ids:?}");
        }
    }
}

#[test]
fn a_host_that_is_ready_needs_nothing() {
    let (_, _dir, root) = example("intel-z790-rtx4090");
    let plan = planned(&root, None).unwrap();
    assert!(plan.is_done() && plan.ready && plan.commands.is_empty());
}

#[test]
fn what_cant_be_passed_through_is_refused_for_its_reason() {
    for (name, given, finding) in [
        ("amd-b450-dirty-group", None, FindingId::SetupGroupDirty),
        ("amd-b450-dirty-group", Some("0000:02:00.1"), FindingId::SetupVital),
        ("intel-z390-no-iommu", None, FindingId::SetupNoIommu),
        ("intel-z790-rtx4090", Some("00:01.0"), FindingId::SetupVital),
        ("intel-z790-rtx4090", Some("0a:00"), FindingId::DeviceUnknown),
        ("nested-rtx4090", Some("00:02"), FindingId::SetupWhichCard),
        ("epyc-a100-dummy-bridge", Some("42:00"), FindingId::SetupVital),
    ] {
        let (_, _dir, root) = example(name);
        assert_eq!(planned(&root, given).unwrap_err().finding, finding, "{name} {given:?}");
    }
}

#[test]
fn the_file_of_the_loader_that_booted_is_changed_and_no_other() {
    let (_, dir, root) = example("trx40-dual-rtx3090");
    let plan = planned(&root, None).unwrap();
    let paths: Vec<&str> = plan.edits.iter().map(|edit| edit.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "/etc/modprobe.d/vfio.conf",
            "/etc/udev/rules.d/10-morpheus-vfio.rules",
            "/etc/modules-load.d/morpheus-vfio.conf"
        ]
    );
    assert_eq!(plan.edits[0].after, "");
    assert!(plan.notes.iter().any(|note| note.starts_with("GRUB booted this host: /etc/kernel/cmdline")));
    // Nothing says what booted it: only a change of the command line needs to know.
    std::fs::remove_dir_all(dir.path().join("sys/firmware/efi/efivars")).unwrap();
    std::fs::remove_file(dir.path().join("proc/cmdline")).unwrap();
    assert_eq!(planned(&root, None).unwrap().edits, plan.edits);
}

#[test]
fn a_file_of_others_that_isnt_utf8_is_only_in_the_way_where_it_is_to_be_changed() {
    let (_, dir, root) = example("intel-n100-igpu-slices");
    let write = |path: &str, text: &[u8]| {
        let at = dir.path().join(path);
        std::fs::create_dir_all(at.parent().unwrap()).unwrap();
        std::fs::write(at, text).unwrap();
    };
    write("etc/modprobe.d/README", b"caf\xe9\n");
    write("etc/modprobe.d/sound.conf", b"# caf\xe9\noptions snd index=1\n");
    assert!(setup(&root).unwrap().modprobe.iter().any(|directive| directive.file.ends_with("sound.conf")));
    assert!(files(&root).unwrap().keys().all(|path| !path.starts_with("/etc/modprobe.d/")));
    for path in ["etc/modprobe.d/morpheus-vfio.conf", "etc/default/grub"] {
        write(path, b"caf\xe9\n");
        assert!(files(&root).unwrap_err().to_string().contains("isn't UTF-8"), "{path}");
        std::fs::remove_file(dir.path().join(path)).unwrap();
    }
}
