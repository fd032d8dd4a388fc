//! `gpu map` on the simulated host, by the real binary.

use crate::rig::{Rig, snapshot};
use serde_json::json;

/// The token may change mappings.
const MAY: &str = "roles: { MorpheusMapping: [Mapping.Audit, Mapping.Modify] }";
const STALE: &str = "node=pve,path=0000:01:00,id=10de:2684,subsystem-id=10de:16f4,iommugroup=14";
const GOOD: &str = "node=pve,path=0000:01:00,id=10de:2684,subsystem-id=10de:16f4,iommugroup=12";
const OTHER: &str = "node=pve2,path=0000:0a:00,id=10de:2684,iommugroup=9";

fn with(world: &str) -> Rig {
    Rig::with(&format!("{{ world: {{ {world} }} }}"))
}

#[test]
fn mappings_are_listed_with_what_uses_them_and_whether_they_fit() {
    let rig = with(&format!("mappings: {{ gpu0: {{ map: ['{OTHER}', '{STALE}'] }}, spare: {{ map: ['{OTHER}'] }} }}"));
    snapshot("cli_gpu_map", &rig.ok("gpu map"));
    let list = rig.json("gpu map list --json");
    assert_eq!(list["mappings"][0]["used_by"].as_array().unwrap().len(), 2);
    assert_eq!((&list["mappings"][0]["fits"], &list["mappings"][1]["fits"]), (&json!(false), &json!(true)));
    assert_eq!(rig.run("gpu map check").code, Some(1));
    assert_eq!(rig.run("gpu map check spare").code, Some(0));
    let said = rig.run("gpu map check spar");
    assert_eq!(said.code, Some(2));
    assert!(said.err.contains("Did you mean spare?"), "{}", said.err);
}

#[test]
fn a_repair_writes_this_nodes_entry_anew_and_keeps_those_of_others() {
    let rig = with(&format!("{MAY}, mappings: {{ gpu0: {{ map: ['{OTHER}', '{STALE}'] }} }}"));
    let said = rig.run("gpu map repair gpu0 --dry-run");
    assert_eq!(said.code, Some(0));
    assert!(said.out.contains("pvesh set /cluster/mapping/pci/gpu0 --map"), "{}", said.out);
    assert_eq!(rig.counts().writes, 0);
    let said = rig.run("gpu map repair gpu0");
    assert_eq!(said.code, Some(3), "nobody is here to ask");
    assert!(said.err.contains("gpu map repair gpu0 --yes"), "{}", said.err);
    rig.ok("gpu map repair gpu0 --yes");
    assert_eq!(rig.json("gpu map --json")["mappings"][0]["entries"], json!([OTHER, GOOD]));
    assert!(rig.ok("gpu map repair gpu0 --yes").contains("fits already"));
    assert_eq!(rig.counts().writes, 1, "what fits isn't written again");
}

#[test]
fn what_no_repair_mends_is_said_with_what_does() {
    // The simulated card offers no mediated devices.
    let rig = with(&format!("{MAY}, mappings: {{ gpu0: {{ mdev: true, map: ['{GOOD}'] }} }}"));
    for (line, code) in [("gpu map repair gpu0 --yes", 0), ("gpu map check", 1), ("doctor", 1)] {
        let said = rig.run(line);
        assert_eq!(said.code, Some(code), "{line}: {said:?}");
        let told =
            said.out.contains("'mdev' does not match") && said.out.contains("\"Use with mediated devices\" of gpu0");
        assert!(
            told && !said.out.contains("writes it anew") && !said.out.contains("fits already"),
            "{line}: {}",
            said.out
        );
    }
    assert_eq!(rig.counts().writes, 0);
}

#[test]
fn a_change_by_somebody_else_meanwhile_is_never_overwritten() {
    let why =
        "update hardware mapping failed: detected modified configuration - file changed by other user? Try again.";
    let rig = Rig::with(&format!(
        "{{ world: {{ {MAY}, mappings: {{ gpu0: {{ map: ['{STALE}'] }} }} }}, faults: [{{
            on: 'PUT /cluster/mapping/pci/*', then: {{ answer: {{ status: 500, reason: '{why}' }} }} }}] }}"
    ));
    let said = rig.run("gpu map repair gpu0 --yes");
    assert_eq!(said.code, Some(3));
    assert!(said.err.contains(why), "{}", said.err);
    assert_eq!(rig.json("gpu map --json")["mappings"][0]["entries"], json!([STALE]));
}

#[test]
fn a_mapping_is_made_for_the_only_card_and_refused_twice() {
    let rig = with(&format!("{MAY}, mappings: {{ gpu0: null }}"));
    let said = rig.run("gpu map create --yes");
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{said:?}");
    assert!(said.out.contains(GOOD) && said.out.contains("hostpci0: mapping=gpu0,pcie=1"), "{}", said.out);
    let made = &rig.json("gpu map --json")["mappings"][0];
    assert_eq!((&made["id"], &made["entries"]), (&json!("gpu0"), &json!([GOOD])));
    let twice = rig.run("gpu map create 01:00 --yes");
    assert_eq!(twice.code, Some(3));
    assert!(twice.err.contains("gpu.mapping-exists"), "{}", twice.err);
    for (line, words) in
        [("gpu map create 0c:00", "no graphics card at 0000:0c:00"), ("gpu map create 1:0", "PCI address")]
    {
        let said = rig.run(line);
        assert_eq!(said.code, Some(2), "{line}");
        assert!(said.err.contains(words), "{}", said.err);
    }
}

#[test]
fn a_card_that_shares_its_group_gets_no_mapping() {
    let rig = with(&format!(
        "{MAY}, mappings: {{ gpu0: null }}, pci: [
          {{ id: '0000:01:00.0', class: '0x030000', vendor: '0x10de', device: '0x2684', iommugroup: 12 }},
          {{ id: '0000:02:00.0', class: '0x010802', vendor: '0x144d', device: '0xa80c', iommugroup: 12 }}]"
    ));
    let said = rig.run("gpu map create --yes");
    assert_eq!(said.code, Some(3));
    assert!(said.err.contains("iommu.dirty-group"), "{}", said.err);
    assert_eq!(rig.counts().writes, 0);
}

#[test]
fn a_mapping_in_use_stays_and_another_goes_only_by_its_name() {
    let rig = with(&format!("{MAY}, mappings: {{ spare: {{ map: ['{OTHER}'] }} }}"));
    let used = rig.run("gpu map delete gpu0 --confirm gpu0");
    assert_eq!(used.code, Some(3));
    assert!(used.err.contains("VM 102 (nimsforest-vr-windows)"), "{}", used.err);
    for line in ["gpu map delete spare", "gpu map delete spare --confirm gpu0"] {
        assert_eq!(rig.run(line).code, Some(3), "{line}");
    }
    assert_eq!(rig.counts().writes, 0);
    assert!(rig.ok("gpu map delete spare --confirm spare").contains("removed"));
    assert_eq!(rig.json("gpu map --json")["mappings"].as_array().unwrap().len(), 1);
}

#[test]
fn a_token_that_may_not_gets_the_line_to_grant_it_and_the_command_for_root() {
    let rig = with("mappings: { gpu0: null }, roles: { MorpheusPlanter: [] }");
    let said = rig.run("gpu map create --yes");
    assert_eq!(said.code, Some(5));
    for words in
        ["Mapping.Modify", "pveum acl modify /mapping/pci", "pvesh create /cluster/mapping/pci --id gpu0", GOOD]
    {
        assert!(said.err.contains(words), "{words}: {}", said.err);
    }
}

/// The processor's graphics as the API lists them: cut into two virtual functions.
const SLICED: &str = "pci: [
    { id: '0000:00:02.0', class: '0x030000', vendor: '0x8086', device: '0x46d1', iommugroup: 1 },
    { id: '0000:00:02.1', class: '0x030000', vendor: '0x8086', device: '0x46d1', iommugroup: 17 },
    { id: '0000:00:02.2', class: '0x030000', vendor: '0x8086', device: '0x46d1', iommugroup: 18 },
    { id: '0000:01:00.0', class: '0x030000', vendor: '0x10de', device: '0x1b81', iommugroup: 14, mdev: true },
    { id: '0000:01:00.1', class: '0x040300', vendor: '0x10de', device: '0x10f0', iommugroup: 14 }]";

#[test]
fn a_mapping_of_slices_stays_one_and_the_device_they_are_of_is_never_taken() {
    let slice =
        |function: u8, group: u8| format!("node=pve,path=0000:00:02.{function},id=8086:46d1,iommugroup={group}");
    let part = "node=pve,path=0000:01:00.0,id=10de:1b81,iommugroup=14";
    let rig = with(&format!(
        "{MAY}, {SLICED}, mappings: {{ gpu0: null, slices: {{ map: ['{}', '{}'] }}, old: {{ map: ['{}'] }},
           part: {{ mdev: true, map: ['{part}'] }} }}",
        slice(1, 17),
        slice(2, 18),
        slice(2, 8)
    ));
    for fitting in ["slices", "part"] {
        assert!(rig.ok(&format!("gpu map repair {fitting} --yes")).contains("fits already"), "{fitting}");
    }
    assert_eq!(rig.counts().writes, 0);
    assert!(rig.ok("gpu map repair old --dry-run").contains(&slice(2, 18)));
    let made = rig.ok("gpu map create 00:02.1 --dry-run");
    assert!(made.contains(&slice(1, 17)) && made.contains("--id vf0"), "{made}");
    let whole = rig.run("gpu map create 00:02.0 --yes");
    assert_eq!(whole.code, Some(3));
    assert!(whole.err.contains("setup.virtual-functions"), "{}", whole.err);
    assert_eq!(rig.counts().writes, 0);
}

/// An Arc card: its audio is behind the card's own switch, in a slot and a group of its own.
pub(crate) const ARC: &str = "pci: [
      { id: '0000:00:01.0', class: '0x060400', vendor: '0x8086', device: '0x460d', iommugroup: 1 },
      { id: '0000:01:00.0', class: '0x060400', vendor: '0x8086', device: '0x4fa1', iommugroup: 15 },
      { id: '0000:02:01.0', class: '0x060400', vendor: '0x8086', device: '0x4fa4', iommugroup: 16 },
      { id: '0000:02:04.0', class: '0x060400', vendor: '0x8086', device: '0x4fa4', iommugroup: 17 },
      { id: '0000:03:00.0', class: '0x030000', vendor: '0x8086', device: '0x56a0', iommugroup: 18 },
      { id: '0000:04:00.0', class: '0x040300', vendor: '0x8086', device: '0x4f90', iommugroup: 19 }]";

/// Both of its mappings are the card: whoever has a part of it, and whichever of them doesn't fit, is found before
/// anything is stopped.
#[test]
fn a_switch_guards_every_part_of_a_card() {
    let both = "config: { hostpci0: 'mapping=gpu0,pcie=1', hostpci1: 'mapping=gpu0-audio,pcie=1' }";
    let world = |group: u8, linux: &str, other: &str| {
        with(&format!(
            "{ARC}, guests: {{ '101': {{ initial: {linux}, {both} }}, '102': {{ {both} }}{other} }}, mappings: {{
               gpu0: {{ map: ['node=pve,path=0000:03:00,id=8086:56a0,iommugroup=18'] }},
               gpu0-audio: {{ map: ['node=pve,path=0000:04:00,id=8086:4f90,iommugroup={group}'] }} }}"
        ))
    };
    let switch = "mode windows --confirm windowsvrstreaming";
    let stale = world(7, "running", "");
    let said = stale.run(switch);
    assert_eq!((said.code, stale.counts().writes), (Some(3), 0), "{said:?}");
    assert!(said.err.contains("gpu0-audio") && said.err.contains("gpu map repair gpu0-audio"), "{}", said.err);

    let held = world(19, "stopped", ", '111': { initial: running, config: { hostpci0: '0000:04:00.0,pcie=1' } }");
    let said = held.run(switch);
    assert_eq!((said.code, held.counts().writes), (Some(3), 0), "{said:?}");
    assert!(said.err.contains("VM 111"), "{}", said.err);

    let free = world(19, "running", "");
    let said = free.run(switch);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_eq!(free.running(), [102]);
    assert!(free.sim.violations().is_empty() && free.sim.refused_starts().is_empty());
}

#[test]
fn a_card_in_two_slots_gets_a_mapping_for_each() {
    let rig = with(&format!("{MAY}, {ARC}, mappings: {{ gpu0: null }}"));
    let said = rig.ok("gpu map create --yes");
    assert!(said.contains("hostpci0: mapping=gpu0,pcie=1\n  hostpci1: mapping=gpu0-audio,pcie=1"), "{said}");
    let all = rig.json("gpu map --json");
    for (at, entry) in
        ["node=pve,path=0000:03:00,id=8086:56a0,iommugroup=18", "node=pve,path=0000:04:00,id=8086:4f90,iommugroup=19"]
            .iter()
            .enumerate()
    {
        assert_eq!((&all["mappings"][at]["entries"], &all["mappings"][at]["fits"]), (&json!([entry]), &json!(true)));
    }
}
