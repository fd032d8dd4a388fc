use super::*;
use crate::{
    domain::gpu::PciSource,
    pve::{
        Error, TaskStatus,
        scripted::{Scripted, good, recorded},
    },
};
use serde_json::json;

fn pve() -> NodeName {
    NodeName::from("pve")
}

fn vmid(number: u32) -> Vmid {
    Vmid::new(number).unwrap()
}

#[tokio::test]
async fn the_list_is_sorted_and_keeps_locks_and_tags() {
    let wire = Scripted::new([recorded("qemu-list-morpheus"), recorded("qemu-list-full-morpheus")]);
    let guests = wire.client().qemu_list(&pve(), false).await.unwrap();
    assert!(guests.is_sorted_by_key(|guest| guest.vmid) && guests.len() >= 7);
    assert!(guests.iter().all(|guest| guest.power == Power::Stopped && guest.ha.is_none()));
    let find = |number| guests.iter().find(|guest| guest.vmid == vmid(number)).unwrap();
    assert_eq!((find(101).name.as_str(), find(101).tags.join("+").as_str()), ("nimsforest-vr-linux", "gpu+vr"));
    assert_eq!((find(101).maxmem, find(101).cpus), (Some(536_870_912), Some(2.0)));
    assert_eq!(find(105).lock.as_deref(), Some("backup"));
    let full = wire.client().qemu_list(&pve(), true).await.unwrap();
    assert_eq!(full.len(), guests.len());
    assert_eq!(wire.lines(), ["GET /nodes/pve/qemu", "GET /nodes/pve/qemu full=1"]);
}

#[tokio::test]
async fn qemu_knows_more_than_running() {
    let table = [
        ("status-current-running", Power::Running),
        ("status-current-suspended", Power::Paused),
        ("status-current-after-agent-suspend-ram", Power::Suspended),
        ("locked-status", Power::Stopped),
    ];
    for (name, power) in table {
        let guest = Scripted::new([recorded(name)]).client().qemu_status(&pve(), vmid(103)).await.unwrap();
        assert_eq!((guest.power, guest.ha), (power, Some(false)), "{name}");
    }
}

#[test]
fn stopped_is_never_guessed() {
    assert_eq!(power(None, None), Power::Unknown);
    assert_eq!(power(Some("unknown"), None), Power::Unknown);
    assert_eq!(power(Some("stopped"), Some("running")), Power::Unknown);
    assert_eq!(power(Some("running"), Some("stopped")), Power::Unknown);
    assert_eq!(power(Some("running"), Some("internal-error")), Power::Unknown);
    assert_eq!(power(Some("running"), Some("prelaunch")), Power::Prelaunch);
    assert_eq!(power(Some("running"), None), Power::Running);
}

#[tokio::test]
async fn a_guest_without_a_number_spoils_the_list() {
    let odd =
        good(&json!([{ "vmid": "101", "status": "running", "template": "1", "ha": { "managed": 1 }, "cpus": "2" }]));
    let wire = Scripted::new([odd, good(&json!([{ "status": "running" }]))]);
    let guest = wire.client().qemu_list(&pve(), false).await.unwrap().remove(0);
    assert_eq!((guest.name.as_str(), guest.template, guest.ha, guest.cpus), ("VM 101", true, Some(true), Some(2.0)));
    assert!(matches!(wire.client().qemu_list(&pve(), false).await, Err(Error::Protocol(_))));
}

#[tokio::test]
async fn configurations_are_read_with_their_devices() {
    let wire = Scripted::new([recorded("config-101-morpheus"), recorded("cfg-after-hostpci-gpu")]);
    let raw = wire.client().qemu_config(&pve(), vmid(101), false).await.unwrap();
    assert_eq!(raw.hostpci[0].source, PciSource::Raw(vec!["0000:01:00".parse().unwrap()]));
    assert_eq!((raw.agent, raw.net0_mac.as_deref(), raw.memory_mib), (true, Some("bc:24:11:00:01:01"), 512));
    let mapped = wire.client().qemu_config(&pve(), vmid(104), true).await.unwrap();
    assert_eq!((mapped.hostpci[0].index, &mapped.hostpci[0].source), (1, &PciSource::Mapping("gpu0".into())));
    assert_eq!((mapped.agent, mapped.memory_mib, mapped.ostype.as_deref()), (false, 64, Some("l26")));
    assert_eq!(wire.lines(), ["GET /nodes/pve/qemu/101/config", "GET /nodes/pve/qemu/104/config current=1"]);
}

#[test]
fn odd_configurations_hide_nothing() {
    let value = json!({ "agent": "fstrim_cloned_disks=1,enabled=1", "memory": "current=32768", "hostpci3": "what=ever",
        "hostpci1": "0000:02:00.0", "hostpci0": "mapping=gpu0", "net0": "model=virtio,macaddr=BC:24:11:AA:BB:CC" });
    let config = read_config(Object::new(&value, "config").unwrap());
    assert_eq!(config.hostpci.iter().map(|device| device.index).collect::<Vec<_>>(), [0, 1]);
    assert_eq!(config.hostpci_unread, ["hostpci3: what=ever"]);
    assert_eq!(
        (config.agent, config.memory_mib, config.net0_mac.as_deref()),
        (true, 32_768, Some("bc:24:11:aa:bb:cc"))
    );
    let bare = read_config(Object::new(&json!({ "agent": 0 }), "config").unwrap());
    assert_eq!((bare.agent, bare.memory_mib, bare.net0_mac), (false, 512, None));
}

#[tokio::test]
async fn power_actions_name_their_tasks() {
    let stops = ["stop-overrule-shutdown", "stop-stopped-vm"];
    let names = ["locked-start", "shutdown-long-in-background", "version"].into_iter().chain(stops);
    let wire = Scripted::new(names.map(recorded));
    let client = wire.client();
    assert_eq!(client.start(&pve(), vmid(105)).await.unwrap().kind(), Some("qmstart"));
    assert_eq!(client.shutdown(&pve(), vmid(104), 30).await.unwrap().kind(), Some("qmshutdown"));
    assert_eq!(client.stop(&pve(), vmid(104), true).await.unwrap().kind(), Some("qmstop"));
    client.stop(&pve(), vmid(103), false).await.unwrap();
    assert_eq!(
        wire.lines(),
        [
            "POST /nodes/pve/qemu/105/status/start",
            "POST /nodes/pve/qemu/104/status/shutdown timeout=30",
            "GET /version",
            "POST /nodes/pve/qemu/104/status/stop overrule-shutdown=1",
            "POST /nodes/pve/qemu/103/status/stop",
        ]
    );
}

#[tokio::test]
async fn a_task_is_asked_of_its_own_node_and_warnings_are_success() {
    let names = ["task-status-running", "stop-stopped-vm.task-status", "start-102-windows.task-status"];
    let wire = Scripted::new(names.into_iter().chain(["start-102-while-101-has-gpu.task-status"]).map(recorded));
    let client = wire.client();
    let upid = Upid::from("UPID:pve2:000004D8:00083942:6B0131A5:qmshutdown:104:morpheus@pam!morpheus-token:");
    assert_eq!(client.task_status(&upid).await.unwrap(), TaskStatus::Running);
    let ended = |exit: &str, ok| TaskStatus::Ended { exit: exit.to_owned(), ok };
    assert_eq!(client.task_status(&upid).await.unwrap(), ended("OK", true));
    assert_eq!(client.task_status(&upid).await.unwrap(), ended("WARNINGS: 1", true));
    let busy = "PCI device '0000:01:00.0' already in use by VMID '101'";
    assert_eq!(client.task_status(&upid).await.unwrap(), ended(busy, false));
    let path = "GET /nodes/pve2/tasks/UPID%3Apve2%3A000004D8%3A00083942%3A6B0131A5%3Aqmshutdown%3A104%3Amorpheus%40pam%21morpheus-token%3A/status";
    assert_eq!(wire.lines()[0], path);
    assert!(matches!(client.task_status(&Upid::from("nonsense")).await, Err(Error::NotFound(_))));
}

#[tokio::test]
async fn only_tasks_that_run_are_running() {
    let done = json!([{ "upid": "UPID:pve:1:1:1:qmstart:101:a@pam:", "endtime": 5, "status": "OK", "id": "101" },
        { "upid": "UPID:pve:1:1:1:vzdump::root@pam:", "id": "", "user": "root@pam" }]);
    let wire = Scripted::new([recorded("tasks-list-source-active"), good(&done), recorded("stop-stopped-vm.task-log")]);
    let client = wire.client();
    let running = client.tasks_active(&pve()).await.unwrap().remove(0);
    assert_eq!((running.kind.as_str(), running.vmid), ("qmshutdown", Some(vmid(104))));
    let backup = client.tasks_active(&pve()).await.unwrap();
    assert_eq!(backup.iter().map(|t| (t.kind.as_str(), t.vmid)).collect::<Vec<_>>(), [("vzdump", None)]);
    assert_eq!(client.task_log(&running.upid, 20).await.unwrap(), ["TASK OK"]);
}
