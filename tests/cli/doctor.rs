//! `doctor` on example hosts and on the simulated one, by the real binary.

use crate::{
    machine::Machine,
    rig::{Rig, Said, bare, finish, snapshot},
};
use serde_json::Value;

/// Looks at the tree of an example host.
fn example(name: &str, line: &str) -> Said {
    let dir = tempfile::tempdir().unwrap();
    Machine::load(name).write(dir.path());
    let mut command = bare(line);
    command.arg("--root").arg(dir.path());
    finish(command.spawn().unwrap())
}

#[test]
fn an_example_host_is_examined_from_its_files() {
    for (name, code) in
        [("intel-z790-rtx4090", 0), ("amd-b450-dirty-group", 1), ("intel-z390-no-iommu", 1), ("trx40-dual-rtx3090", 1)]
    {
        let said = example(name, "doctor");
        assert_eq!((said.code, said.err.as_str()), (Some(code), ""), "{name}");
        snapshot(&format!("cli_doctor_{}", name.replace('-', "_")), &said.out);
    }
}

#[test]
fn what_a_host_has_is_told_from_what_it_lacks() {
    for (name, code) in [("amd-8945hs-apu", 0), ("arch-refind", 1), ("pve-cmdline-two-lines", 1), ("vfio-ids-blank", 1)]
    {
        let said = example(name, "doctor");
        assert_eq!((said.code, said.err.as_str()), (Some(code), ""), "{name}");
        snapshot(&format!("cli_doctor_{}", name.replace('-', "_")), &said.out);
    }
}

#[test]
fn documents_are_frozen() {
    let pretty = |text: &str| serde_json::to_string_pretty(&serde_json::from_str::<Value>(text).unwrap()).unwrap();
    snapshot("cli_doctor_json", &pretty(&example("trx40-dual-rtx3090", "doctor --json").out));
    let rig = Rig::new();
    snapshot("cli_doctor_remote_json", &pretty(&rig.ok("doctor --json")));
}

#[test]
fn the_document_says_what_the_text_says() {
    let said = example("amd-b450-dirty-group", "doctor --json");
    let report: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!((said.code, &report["schema"], &report["blocks"]), (Some(1), &"morpheus.doctor/1".into(), &true.into()));
    let found = |id: &str| report["findings"].as_array().unwrap().iter().find(|finding| finding["id"] == id).unwrap();
    let losses = found("iommu.pve-would-bind-whole-group");
    assert_eq!(losses["severity"], "error");
    let words = losses["evidence"].as_str().unwrap();
    assert!(words.contains("enp4s0 (vmbr0)") && words.contains("sda (/"), "{words}");
    assert!(!losses["fix"].as_array().unwrap().is_empty());
    let what = report["not_looked_at"].to_string();
    assert!(what.contains("guests, mappings") && what.contains("only the directory was looked at"), "{what}");
}

#[test]
fn a_remote_host_is_examined_by_its_api_and_what_only_it_shows_is_named() {
    let rig = Rig::new();
    let said = rig.run("doctor");
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{}", said.out);
    snapshot("cli_doctor_remote", &rig.plain(&said.out));
    let report = rig.json("doctor --json");
    assert_eq!(report["blocks"], false);
    let what = report["not_looked_at"].to_string();
    assert!(what.contains("drivers") && what.contains("this machine isn't the host"), "{what}");
    assert_eq!(rig.counts().writes, 0, "looking changes nothing");
}

#[test]
fn what_would_fail_at_a_start_blocks() {
    let rig = Rig::with(
        "{ world: { mappings: { gpu0: { map: ['node=pve,path=0000:01:00,id=10de:2684,subsystem-id=10de:16f4,iommugroup=14'] } },
           guests: { '101': { config: { machine: null, onboot: 1 } }, '104': { config: { onboot: 1, hostpci0: 'mapping=gpu9,pcie=1' } } },
           backups: [{ id: nightly, all: 1, enabled: 1, schedule: '02:00' }] } }",
    );
    let said = rig.run("doctor");
    assert_eq!(said.code, Some(1));
    snapshot("cli_doctor_blocked", &rig.plain(&said.out));
}

#[test]
fn all_lines_of_a_vm_are_looked_at_together() {
    let rig = Rig::with(
        "{ world: { guests: {
           '101': { config: { hostpci0: '0000:01:00.0,pcie=1,x-vga=1', hostpci1: '0000:01:00.1,pcie=1' } },
           '102': { config: { hostpci0: '0000:01:00,pcie=1,mdev=nvidia-63' } },
           '111': { config: { hostpci0: 'mapping=gpu0,pcie=1', machine: q35, bios: ovmf, balloon: 0, cpu: host,
             agent: 'enabled=true', efidisk0: 'local-lvm:vm-111-disk-1,efitype=4m,pre-enrolled-keys=0,size=4M' } } } } }",
    );
    let said = rig.run("doctor");
    assert_eq!(said.code, Some(1), "a mediated device of a whole slot can't be started");
    snapshot("cli_doctor_lines", &rig.plain(&said.out));
}

#[test]
fn a_token_without_rights_is_told_what_to_grant_and_nothing_is_taken_for_fine() {
    let rig = Rig::with(
        "{ world: { roles: { MorpheusMapping: [Sys.Syslog], MorpheusHost: [Sys.Syslog], MorpheusPlanter: [] } } }",
    );
    let said = rig.run("doctor");
    assert_eq!(said.code, Some(1));
    for words in
        ["pve.forbidden", "Mapping.Audit", "pveum acl modify /mapping/pci", "\nNot looked at\n", "backup jobs: "]
    {
        assert!(said.out.contains(words), "{words}: {}", said.out);
    }
}

#[test]
fn a_host_that_is_away_and_a_directory_that_is_none_are_failures() {
    let rig = Rig::new();
    assert_eq!(rig.run("--port 1 doctor").code, Some(4));
    assert_eq!(finish(bare("doctor --root /nonexistent").spawn().unwrap()).code, Some(2));
    let empty = tempfile::tempdir().unwrap();
    let mut command = bare("doctor");
    command.arg("--root").arg(empty.path());
    let said = finish(command.spawn().unwrap());
    assert_eq!(said.code, Some(2));
    assert!(said.err.contains("/sys/bus/pci/devices"), "{}", said.err);
}
