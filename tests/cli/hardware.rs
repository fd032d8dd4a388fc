//! `iommu` on example hosts, by the real binary.

use crate::{
    machine::Machine,
    rig::{Said, bare, finish, snapshot},
};
use serde_json::Value;
use tempfile::TempDir;

/// The tree of an example host.
fn tree(name: &str) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    Machine::load(name).write(dir.path());
    dir
}

fn run(tree: &TempDir, line: &str) -> Said {
    let mut command = bare(line);
    command.arg("--root").arg(tree.path());
    finish(command.spawn().unwrap())
}

fn ok(tree: &TempDir, line: &str) -> String {
    let said = run(tree, line);
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{line}");
    said.out
}

#[test]
fn a_host_is_shown_by_cards_and_groups() {
    snapshot("cli_iommu_list", &ok(&tree("intel-z790-rtx4090"), "iommu"));
    snapshot("cli_iommu_dirty", &ok(&tree("amd-b450-dirty-group"), "iommu list --gpus"));
    snapshot("cli_iommu_off", &ok(&tree("intel-z390-no-iommu"), "iommu list --gpus"));
}

#[test]
fn a_card_is_shown_with_what_comes_along() {
    snapshot("cli_iommu_show", &ok(&tree("amd-b450-dirty-group"), "iommu show 06:00"));
    snapshot("cli_iommu_show_twin", &ok(&tree("trx40-dual-rtx3090"), "iommu show 0000:4B:00.0"));
}

#[test]
fn a_card_is_shown_with_all_of_its_parts_and_slices_are_devices_of_their_own() {
    for (name, line) in [
        ("amd-8945hs-apu", "iommu show c5:00.0"),
        ("intel-arc-a770", "iommu show 04:00"),
        ("epyc-a100-dummy-bridge", "iommu show 41:00"),
        ("intel-n100-igpu-slices", "iommu list --gpus"),
        ("intel-n100-igpu-slices", "iommu show 00:02.1"),
        ("nested-rtx4090", "iommu list --gpus"),
    ] {
        let place = line.rsplit([' ', ':', '.']).next().unwrap().trim_start_matches('-');
        snapshot(&format!("cli_iommu_{}_{place}", name.replace('-', "_")), &ok(&tree(name), line));
    }
}

#[test]
fn documents_say_what_the_text_says() {
    let host = tree("amd-b450-dirty-group");
    let list: Value = serde_json::from_str(&ok(&host, "iommu --json")).unwrap();
    assert_eq!(list["schema"], "morpheus.iommu/1");
    let card = &list["gpus"][0];
    assert_eq!(
        (&card["slot"], &card["verdict"], &card["role"]),
        (&"0000:06:00".into(), &"dirty".into(), &"passthrough".into())
    );
    assert_eq!(card["foreign"], serde_json::json!(["0000:02:00.0", "0000:02:00.1", "0000:04:00.0"]));
    assert_eq!(card["losses"][1]["network"]["port_of"], "vmbr0");
    let show: Value = serde_json::from_str(&ok(&host, "iommu show 04:00 --json")).unwrap();
    assert_eq!((&show["schema"], &show["gpu"]), (&"morpheus.iommu-slot/1".into(), &Value::Null));
    assert_eq!(show["slot"]["verdict"], "dirty");
}

#[test]
fn a_host_elsewhere_is_asked_by_the_api_and_its_gaps_are_named() {
    let said = finish(bare("demo -- iommu list --gpus").spawn().unwrap());
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""));
    snapshot("cli_iommu_api", &said.out);
    let said = finish(bare("demo -- iommu show 01:00 --json").spawn().unwrap());
    let show: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!((&show["iommu"]["source"], &show["slot"]["verdict"]), (&"api".into(), &"clean".into()));
    assert_eq!(show["members"][0]["unknown"][1], "driver");
}

#[test]
fn an_address_or_a_directory_that_is_wrong_is_named() {
    let host = tree("intel-z790-rtx4090");
    for (line, code, words) in [
        ("iommu show 01:00.7", 2, "no PCI device at 0000:01:00.7"),
        ("iommu show 1:0", 2, "'1:0' is not a PCI address"),
    ] {
        let said = run(&host, line);
        assert_eq!(said.code, Some(code), "{line}");
        assert!(said.err.contains(words), "{}", said.err);
    }
    let empty = tempfile::tempdir().unwrap();
    let said = run(&empty, "iommu");
    assert_eq!(said.code, Some(2));
    assert!(said.err.contains("/sys/bus/pci/devices"), "{}", said.err);
    let said = finish(bare("iommu --root /nonexistent/tree").spawn().unwrap());
    assert!(said.err.contains("/nonexistent/tree"), "{}", said.err);
}
