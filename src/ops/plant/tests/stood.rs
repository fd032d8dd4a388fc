//! A guest that stood before: what is changed is changed back by an undo, and a grown disk is told.

use super::*;

/// The Linux guest of an earlier planting: less memory, no card, and a disk of this size.
pub(super) fn guest(gib: u32, running: bool) -> Value {
    let config = json!({
        "agent": "enabled=1", "bios": "ovmf", "boot": "order=scsi0", "cores": 12, "cpu": "host", "balloon": 0,
        "efidisk0": "local-lvm:vm-121-disk-1,efitype=4m,size=4M", "machine": "q35", "memory": "8192",
        "name": "vr-linux", "net0": "virtio=BC:24:11:4E:01:21,bridge=vmbr0", "ostype": "l26", "tags": "morpheus",
        "scsi0": format!("local-lvm:vm-121-disk-0,discard=on,size={gib}G"), "scsihw": "virtio-scsi-single",
    });
    let initial = if running { "running" } else { "stopped" };
    json!({"guests": {"101": {"initial": "stopped"}, "121": {"initial": initial, "config": config}}})
}

async fn changed(world: &Value) -> (Rig, OpId, Vec<String>) {
    let rig = Rig::with(world);
    let before = rig.sim.stock();
    let id = rig.begin(&linux_only()).await;
    (rig, id, before)
}

#[tokio::test(start_paused = true)]
async fn what_was_changed_is_changed_back() {
    for running in [false, true] {
        let (rig, id, before) = changed(&guest(100, running)).await;
        assert_eq!(rig.run(&id).await, Some(End::Done), "{:#?}", rig.state(&id).halted);
        let (memory, card) = (rig.setting(121, "memory"), rig.setting(121, "hostpci0"));
        assert_eq!((memory.as_str(), card.as_str()), ("16384", "mapping=vr0,pcie=1"));
        let asks = rig.state(&id);
        assert_eq!(asks.asks(), [("vr-linux", "VM 121 \"vr-linux\" stood before and is changed back.".to_owned())]);
        rig.undo(&id);
        assert_eq!(rig.run(&id).await, Some(End::Undone), "{:#?}", rig.state(&id).halted);
        assert_eq!(rig.state(&id).kept, []);
        assert_eq!(rig.sim.stock(), before);
        assert!(rig.sim.violations().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn what_somebody_changed_since_stays_and_is_told() {
    let (rig, id, _) = changed(&guest(100, false)).await;
    assert_eq!(rig.run(&id).await, Some(End::Done));
    let host = rig.host();
    let node = host.node().await.unwrap();
    let set = [("memory".to_owned(), "20480".to_owned())].into();
    host.client().change_vm(&node, vmid(121), &set, &[], None).await.unwrap();
    rig.undo(&id);
    assert_eq!(rig.run(&id).await, Some(End::Undone));
    assert_eq!((rig.setting(121, "memory"), rig.setting(121, "hostpci0")), ("20480".into(), String::new()));
    let kept: Vec<String> =
        rig.state(&id).kept.iter().map(|(thing, why)| format!("{thing}: {}", why.message)).collect();
    let change = "change of VM 121 \"vr-linux\" (hostpci0 none -> mapping=vr0,pcie=1, memory 8192 -> 16384)";
    assert_eq!(kept, [format!("{change}: VM 121: somebody has changed memory since; it stays as it is.")]);
    // Who took the tag away has taken the guest over.
    let (rig, id, _) = changed(&guest(100, false)).await;
    assert_eq!(rig.run(&id).await, Some(End::Done));
    let set = [("tags".to_owned(), "mine".to_owned())].into();
    rig.host().client().change_vm(&node, vmid(121), &set, &[], None).await.unwrap();
    rig.undo(&id);
    assert_eq!(rig.run(&id).await, Some(End::Undone));
    assert_eq!(rig.setting(121, "memory"), "16384");
    assert!(rig.state(&id).kept.iter().any(|(_, why)| why.finding == FindingId::PlantNotOurs));
}

#[tokio::test(start_paused = true)]
async fn somebody_who_changes_it_at_the_same_time_is_looked_past() {
    for nth in [1, 2] {
        let then = "{answer: {status: 500, reason: 'checksum mismatch (file change by other user?)'}}";
        let fault = format!("{{on: 'PUT /nodes/pve/qemu/121/config', when: {{nth: {nth}}}, then: {then}}}");
        let faults = Scenario::from_yaml(&format!("faults: [{fault}]")).unwrap();
        let rig = Rig::new(Scenario { world: Some(guest(100, false)), ..faults });
        let before = rig.sim.stock();
        let id = rig.begin(&linux_only()).await;
        assert_eq!(rig.run(&id).await, Some(End::Done), "{:#?}", rig.state(&id).halted);
        rig.undo(&id);
        assert_eq!(rig.run(&id).await, Some(End::Undone), "{:#?}", rig.state(&id).halted);
        assert_eq!(rig.sim.stock(), before);
    }
}

/// All but the disk, which Proxmox can't make smaller.
#[tokio::test(start_paused = true)]
async fn at_any_line_an_undo_reaches_the_start_but_for_the_disk_that_grew() {
    let (rig, id, _) = changed(&guest(80, false)).await;
    assert_eq!(rig.run(&id).await, Some(End::Done), "{:#?}", rig.state(&id).halted);
    let all = rig.store.read_plant(&id).unwrap().len();
    let mut grew = 0;
    for at in 1..=all {
        let (rig, id, before) = changed(&guest(80, false)).await;
        rig.run_until(&id, at).await;
        rig.undo(&id);
        rig.run_until(&id, at + 4).await;
        assert_eq!(rig.run(&id).await, Some(End::Undone), "killed at {at}: {:#?}", rig.state(&id).halted);
        let grown = rig.setting(121, "scsi0").contains("size=100G");
        grew += u32::from(grown);
        let stays = if grown { vec![FindingId::PlantGrown] } else { vec![] };
        let kept: Vec<_> = rig.state(&id).kept.iter().map(|(_, why)| why.finding).collect();
        assert_eq!(kept, stays, "killed at {at}");
        let shrunk = |line: String| line.replace("size=100G", "size=80G");
        let disk = |line: &String| !line.starts_with("volume local-lvm:vm-121-disk-0");
        let after: Vec<String> = rig.sim.stock().into_iter().filter(disk).map(shrunk).collect();
        let before: Vec<String> = before.into_iter().filter(disk).map(shrunk).collect();
        assert_eq!(after, before, "killed at {at}");
    }
    assert!(grew > 2 && grew < u32::try_from(all).unwrap());
}

#[tokio::test(start_paused = true)]
async fn at_any_line_a_resume_reaches_the_end_and_a_later_undo_the_start() {
    let (rig, id, _) = changed(&guest(100, false)).await;
    assert_eq!(rig.run(&id).await, Some(End::Done));
    for at in 1..rig.store.read_plant(&id).unwrap().len() {
        let (rig, id, before) = changed(&guest(100, false)).await;
        rig.run_until(&id, at).await;
        assert_eq!(rig.run(&id).await, Some(End::Done), "killed at {at}: {:#?}", rig.state(&id).halted);
        rig.undo(&id);
        assert_eq!(rig.run(&id).await, Some(End::Undone), "killed at {at}: {:#?}", rig.state(&id).halted);
        assert_eq!((rig.state(&id).kept, rig.sim.stock()), (vec![], before), "killed at {at}");
    }
}
