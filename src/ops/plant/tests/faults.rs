//! What can go wrong at each step: it is told clearly, and a resume reaches the end all the same.

use super::*;
use crate::domain::{ids::Upid, plant::site::Content};

/// The first try fails with this finding, the next reaches the end.
async fn fails_once(fault: &str, finding: FindingId) {
    let rig = Rig::faulty(fault);
    let id = rig.begin(&both()).await;
    assert_eq!(rig.run(&id).await, None, "{fault}");
    let why = rig.state(&id).halted.unwrap();
    assert_eq!(why.finding, finding, "{fault}: {}", why.message);
    assert_eq!(rig.run(&id).await, Some(End::Done), "{fault}: {:#?}", rig.state(&id).halted);
}

/// It is hardly noticed: another look, another try.
async fn passes(fault: &str) {
    let rig = Rig::faulty(fault);
    let id = rig.begin(&both()).await;
    assert_eq!(rig.run(&id).await, Some(End::Done), "{fault}: {:#?}", rig.state(&id).halted);
    assert!(rig.sim.violations().is_empty(), "{fault}");
}

const CHANGES: [&str; 9] = [
    "POST /cluster/mapping/pci",
    "POST /nodes/pve/storage/local/download-url",
    "POST /nodes/pve/storage/local/upload",
    "POST /nodes/pve/qemu",
    "PUT /nodes/pve/qemu/121/resize",
    "POST /nodes/pve/qemu/121/status/start",
    "POST /nodes/pve/qemu/122/status/shutdown",
    "PUT /nodes/pve/qemu/121/config",
    "DELETE /nodes/pve/storage/local/content/*",
];

#[tokio::test(start_paused = true)]
async fn a_refused_change_fails_its_step_and_goes_well_the_next_time() {
    for on in CHANGES {
        let refused =
            format!("{{on: '{on}', when: {{nth: 1}}, then: {{answer: {{status: 500, reason: 'no such luck'}}}}}}");
        let finding = match on {
            "POST /nodes/pve/storage/local/download-url" => FindingId::PlantDownload,
            "POST /nodes/pve/storage/local/upload" => FindingId::PlantUpload,
            "POST /nodes/pve/qemu/121/status/start" => FindingId::GuestStartFailed,
            _ => FindingId::PveRefused,
        };
        fails_once(&refused, finding).await;
        let denied = "Permission check failed (/vms/121, VM.Allocate)";
        let denied = format!("{{on: '{on}', when: {{nth: 1}}, then: {{answer: {{status: 403, reason: '{denied}'}}}}}}");
        fails_once(&denied, FindingId::PveForbidden).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_breaks_before_or_after_a_change_is_looked_past() {
    for on in CHANGES {
        for then in ["cut", "cut_after", "{answer_after: {status: 596, reason: Broken pipe}}", "never_after"] {
            passes(&format!("{{on: '{on}', when: {{nth: 1}}, then: {then}}}")).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_task_that_fails_fails_its_step() {
    for (task, finding) in [
        ("download *", FindingId::PlantDownload),
        ("imgcopy *", FindingId::PlantUpload),
        ("qmcreate 121", FindingId::PveRefused),
        ("resize 121", FindingId::PveRefused),
        ("qmstart 121", FindingId::GuestStartFailed),
        ("qmshutdown 122", FindingId::PveRefused),
        ("imgdel *", FindingId::PveRefused),
    ] {
        let fault = format!("{{on: 'task {task}', when: {{nth: 1}}, then: {{task: {{error: 'no such luck'}}}}}}");
        fails_once(&fault, finding).await;
    }
}

/// What QEMU said is only in the task's log.
#[tokio::test(start_paused = true)]
async fn a_start_that_fails_is_told_with_the_words_of_its_log() {
    let kvm = "kvm: -device vfio-pci,host=0000:01:00.0: vfio 0000:01:00.0: group 13 is not viable";
    let task = json!({"error": "start failed: QEMU exited with code 1", "log": ["WARN: no efidisk configured!", kvm]});
    let fault = json!({"on": "task qmstart 121", "when": {"nth": 1}, "then": {"task": task}});
    let rig = Rig::faulty(&fault.to_string());
    let id = rig.begin(&linux_only()).await;
    assert_eq!(rig.run(&id).await, None);
    let why = rig.state(&id).halted.unwrap();
    assert_eq!(why.finding, FindingId::IommuDirtyGroup, "{}", why.message);
    let told = "a driver of the host still has another device of the card's IOMMU group. Proxmox said: start failed: \
                QEMU exited with code 1; its log: kvm: -device vfio-pci";
    assert!(why.message.contains(told) && why.message.ends_with("is not viable"), "{}", why.message);
}

/// A guest that runs with the card, or can't be seen, doesn't let go of it: said at once.
#[tokio::test(start_paused = true)]
async fn a_start_that_meets_a_holder_is_not_sent_again() {
    for (holder, words) in [(110, "VM 110 \"nas\" has the card"), (199, "a guest that the token can't see")] {
        let error = format!("PCI device '0000:01:00.0' already in use by VMID '{holder}'");
        let fault = json!({"on": "task qmstart 121", "then": {"task": {"error": error}}});
        let rig = Rig::faulty(&fault.to_string());
        let id = rig.begin(&linux_only()).await;
        assert_eq!(rig.run(&id).await, None);
        let why = rig.state(&id).halted.unwrap();
        assert_eq!(why.finding, FindingId::PlantCardBusy, "{}", why.message);
        assert!(why.message.contains(words) && why.message.contains(&error), "{}", why.message);
        let started =
            |line: &plant::Event| matches!(&line.what, What::TaskStarted { upid, .. } if upid.0.contains(":qmstart:"));
        let starts = rig.store.read_plant(&id).unwrap().iter().filter(|line| started(line)).count();
        assert_eq!(starts, 1, "{}", why.message);
    }
}

/// Switched off in the guest: what can be gone without is left out, the rest is told in the guest's words.
#[tokio::test(start_paused = true)]
async fn what_a_guests_agent_refuses_is_gone_without_or_told() {
    let words = |command: &str| format!("Command guest-{command} has been disabled: the command is not allowed");
    let desc = json!({"class": "CommandNotFound", "desc": words("network-get-interfaces")});
    let body = json!({"data": {"result": {"error": desc}}}).to_string();
    let answer = json!({"status": 200, "reason": "OK", "body": body});
    let on = "GET /nodes/pve/qemu/121/agent/network-get-interfaces";
    let rig = Rig::faulty(&json!({"on": on, "then": {"answer": answer}}).to_string());
    let id = rig.begin(&linux_only()).await;
    assert_eq!(rig.run(&id).await, Some(End::Done), "{:#?}", rig.state(&id).halted);
    let told = format!("VM 121's address can't be seen: its agent says '{}'", words("network-get-interfaces"));
    let state = rig.state(&id);
    assert!(state.steps.iter().flat_map(|step| &step.notes).any(|note| *note == told), "{:#?}", state.steps);
    let on = "GET /nodes/pve/qemu/121/agent/file-read";
    let answer = json!({"status": 500, "reason": format!("Agent error: {}", words("file-open"))});
    let fault = json!({"on": on, "when": {"nth": 1}, "then": {"answer": answer}});
    fails_once(&fault.to_string(), FindingId::GuestAgentRefuses).await;
}

/// None of them keeps a step for ever, and who is at fault is named.
#[tokio::test(start_paused = true)]
async fn what_never_answers_or_never_ends_fails_its_step_by_a_deadline() {
    let never = |on: &str| format!("{{on: '{on}', when: {{until: 3000}}, then: never}}");
    let hangs = |task: &str| format!("{{on: 'task {task}', when: {{nth: 1}}, then: {{task: {{delay: 9999999}}}}}}");
    for (fault, finding, words) in [
        (never("POST /nodes/pve/storage/local/upload"), FindingId::PlantUpload, "no answer within"),
        (never("POST /nodes/pve/qemu"), FindingId::PveOutcomeUnknown, "no answer within 10 s"),
        (hangs("imgcopy *"), FindingId::PlantUpload, "Uploading morpheus-121-seed.iso took longer than 10 minutes"),
        (hangs("download *"), FindingId::PlantDownload, "took longer than 120 minutes"),
        (hangs("resize 121"), FindingId::PveTimeout, "took longer than 5 minutes"),
    ] {
        let rig = Rig::faulty(&fault);
        let before = rig.sim.stock();
        let id = rig.begin(&linux_only()).await;
        assert_eq!(rig.run(&id).await, None, "{fault}");
        let why = rig.state(&id).halted.unwrap();
        assert_eq!(why.finding, finding, "{fault}: {}", why.message);
        assert!(why.message.contains(words), "{fault}: {}", why.message);
        rig.undo(&id);
        if rig.run(&id).await.is_none() {
            // It may still be at work, and nothing tells whose it is: a person stops it.
            let why = rig.state(&id).halted.unwrap();
            let task = why.message.split_whitespace().find(|word| word.starts_with("UPID:")).unwrap();
            rig.host().client().stop_task(&Upid::from(task.trim_end_matches('.'))).await.unwrap();
            tokio::time::sleep(Duration::from_secs(5)).await;
            assert_eq!(rig.run(&id).await, Some(End::Undone), "{fault}: {:#?}", rig.state(&id).halted);
        }
        assert_eq!(rig.state(&id).finished.unwrap().0, End::Undone, "{fault}");
        assert_eq!(rig.sim.stock(), before, "{fault}");
    }
}

/// The line that was written before says whose it is.
#[tokio::test(start_paused = true)]
async fn half_a_seed_that_was_left_is_overwritten_and_a_strangers_is_not() {
    let volid = "local:iso/morpheus-121-seed.iso";
    let before = "\"task_started\",\"step\":1";
    for (noted, end) in [(false, None), (true, Some(End::Done))] {
        let rig = Rig::with(&json!({}));
        let id = rig.begin(&linux_only()).await;
        rig.run_until_told(&id, before).await;
        if noted {
            let thing = plant::Thing::Volume { volid: volid.to_owned() };
            rig.store.plant_journal(&id).unwrap().append(What::Making { step: 2, thing }, Millis(0)).unwrap();
        }
        let (host, half) = (rig.host(), vec![0; 4_711].into());
        let node = host.node().await.unwrap();
        host.client().upload(&node, "local", Content::Iso, "morpheus-121-seed.iso", half).await.unwrap();
        tokio::time::sleep(Duration::from_secs(5)).await;
        assert_eq!(rig.sim.uploaded(volid).unwrap().len(), 4_711);
        assert_eq!(rig.run(&id).await, end);
        if !noted {
            let why = rig.state(&id).halted.unwrap();
            assert_eq!(why.finding, FindingId::PlantNotOurs, "{}", why.message);
            assert!(why.message.contains(volid), "{}", why.message);
            assert_eq!(rig.sim.uploaded(volid).unwrap().len(), 4_711);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_storage_that_is_full_is_called_so_whoever_says_it() {
    for (task, words) in [
        ("qmcreate 121", "unable to create VM 121 - zfs error: cannot create 'tank/vm-121-disk-0': out of space"),
        ("resize 121", "lvresize: VG pve has insufficient free space"),
        ("imgcopy *", "import failed: No space left on device"),
    ] {
        let fault = format!("{{on: 'task {task}', when: {{nth: 1}}, then: {{task: {{error: \"{words}\"}}}}}}");
        fails_once(&fault, FindingId::PlantSpace).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_host_that_is_away_for_a_while_is_waited_for() {
    passes("{on: '* **', when: {after: 20, until: 80}, then: cut}").await;
}

/// How a planting ends on a world, and why.
async fn ends(more: &Value, form: &Form) -> (Rig, OpId, Trouble) {
    let rig = Rig::with(more);
    let id = rig.begin(form).await;
    assert_eq!(rig.run(&id).await, None);
    let why = rig.state(&id).halted.unwrap();
    (rig, id, why)
}

#[tokio::test(start_paused = true)]
async fn a_download_that_fails_is_told_with_the_words_of_its_log_and_leaves_nothing() {
    let url = "https://mirror.example.org/images/Arch-Linux-x86_64-cloudimg.qcow2";
    let (failed, full) = (FindingId::PlantDownload, FindingId::PlantSpace);
    let cases = [
        (json!({"missing": true}), failed, "the server has no such file (404)"),
        (json!({"sha256": "00"}), failed, "the file has another checksum than the one given"),
        (json!({"size": 900_000_000_000_u64}), full, "a storage of the host is full"),
    ];
    for (web, finding, words) in cases {
        let (rig, id, why) = ends(&json!({"web": {url: web}}), &linux_only()).await;
        assert_eq!(why.finding, finding, "{}", why.message);
        assert!(why.message.contains(words) && why.message.contains("Proxmox said: "), "{}", why.message);
        assert!(!rig.sim.stock().iter().any(|line| line.contains("cloudimg")));
        rig.undo(&id);
        assert_eq!(rig.run(&id).await, Some(End::Undone));
    }
}

#[tokio::test(start_paused = true)]
async fn a_guest_that_fails_or_keeps_silent_is_told_and_can_be_undone() {
    let cases = [
        (json!({"error": "pacman: no route to host"}), FindingId::PlantGuest, "no route to host"),
        (json!({"silent": true}), FindingId::PlantSilent, "took longer than"),
    ];
    for (planting, finding, words) in cases {
        let before = Rig::with(&json!({"planting": planting})).sim.stock();
        let (rig, id, why) = ends(&json!({"planting": planting}), &linux_only()).await;
        assert_eq!(why.finding, finding);
        assert!(why.message.contains(words), "{}", why.message);
        rig.undo(&id);
        assert_eq!(rig.run(&id).await, Some(End::Undone));
        assert_eq!(rig.sim.stock(), before);
    }
}

#[tokio::test(start_paused = true)]
async fn a_number_that_was_taken_meanwhile_is_never_touched() {
    let rig = Rig::with(&json!({}));
    let id = rig.begin(&linux_only()).await;
    let host = rig.host();
    let node = host.node().await.unwrap();
    let settings = [("memory".to_owned(), "512".to_owned())].into();
    host.client().create_vm(&node, vmid(121), "somebody", &settings).await.unwrap();
    tokio::time::sleep(Duration::from_secs(5)).await;
    // Before the first step: the plan isn't the same any more.
    assert_eq!(rig.run(&id).await, Some(End::Refused));
    assert_eq!(rig.state(&id).halted.unwrap().finding, FindingId::PlantVmidTaken);
    // After it: the step finds the number taken.
    let rig = Rig::with(&json!({}));
    let id = rig.begin(&linux_only()).await;
    rig.run_until(&id, 6).await;
    let host = rig.host();
    host.client().create_vm(&node, vmid(121), "somebody", &settings).await.unwrap();
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(rig.run(&id).await, None);
    assert_eq!(rig.state(&id).halted.unwrap().finding, FindingId::PlantVmidTaken);
    rig.undo(&id);
    assert_eq!(rig.run(&id).await, Some(End::Undone));
    assert_eq!(rig.setting(121, "name"), "somebody");
}

#[tokio::test(start_paused = true)]
async fn what_somebody_uses_or_took_over_is_kept_with_the_reason() {
    let rig = Rig::with(&json!({"planting": {"error": "no"}}));
    let id = rig.begin(&linux_only()).await;
    assert_eq!(rig.run(&id).await, None);
    let host = rig.host();
    let node = host.node().await.unwrap();
    let set = [("description".to_owned(), "mine now".to_owned())].into();
    host.client().change_vm(&node, vmid(121), &set, &[], None).await.unwrap();
    rig.undo(&id);
    assert_eq!(rig.run(&id).await, Some(End::Undone));
    let kept = rig.state(&id).kept;
    let words: Vec<&str> = kept.iter().map(|(_, trouble)| trouble.message.as_str()).collect();
    assert!(words.iter().any(|words| words.starts_with("VM 121 doesn't say any more")), "{words:?}");
    assert!(words.contains(&"VM 121 uses mapping vr0."), "{words:?}");
    assert!(rig.sim.is_on(121));
}

/// Has an image deleted once the journal has these words, and the step fails that needs it.
async fn without(form: &Form, volid: &str, words: &str) -> (Rig, OpId) {
    let rig = Rig::with(&json!({}));
    let id = rig.begin(form).await;
    rig.run_until_told(&id, words).await;
    tokio::time::sleep(Duration::from_secs(20)).await;
    let host = rig.host();
    host.client().delete_volume(&host.node().await.unwrap(), volid).await.unwrap();
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(rig.run(&id).await, None, "{volid}");
    let why = rig.state(&id).halted.unwrap();
    assert_eq!(why.finding, FindingId::PlantMedia, "{volid}: {}", why.message);
    assert!(why.message.starts_with(volid) && why.message.contains("plant resume"), "{}", why.message);
    (rig, id)
}

#[tokio::test(start_paused = true)]
async fn an_image_that_goes_meanwhile_is_named_and_a_resume_goes_on_when_it_is_there_again() {
    let task = |step: u16| format!("\"task_started\",\"step\":{step},");
    for (form, volid, words, guest, brought) in [
        (linux_only(), "local:import/Arch-Linux-x86_64-cloudimg.qcow2", task(2), None, true),
        (linux_only(), "local:iso/morpheus-121-seed.iso", task(3), Some(121), true),
        (cachyos(), "local:iso/cachyos.iso", task(2), Some(121), true),
        (both(), "local:iso/Win11_25H2_English_x64.iso", task(5), Some(121), false),
        (both(), "local:iso/virtio-win-0.1.285.iso", task(5), Some(121), false),
    ] {
        let begun = Rig::with(&json!({})).sim.stock();
        let (rig, id) = without(&form, volid, &words).await;
        let made = [122, 121].into_iter().find(|vmid| rig.sim.setting(*vmid, "name").is_some());
        assert_eq!(made, guest, "{volid}: nothing is made of what isn't whole");
        rig.undo(&id);
        assert_eq!(rig.run(&id).await, Some(End::Undone), "{volid}: {:#?}", rig.state(&id).halted);
        let left: Vec<String> = begun.into_iter().filter(|line| brought || !line.contains(volid)).collect();
        assert_eq!(rig.sim.stock(), left, "{volid}");

        let (rig, id) = without(&form, volid, &words).await;
        if !brought {
            assert_eq!(rig.run(&id).await, None, "{volid} is still away");
            let (host, name) = (rig.host(), volid.rsplit_once('/').unwrap().1);
            let node = host.node().await.unwrap();
            host.client().upload(&node, "local", Content::Iso, name, vec![0; 4_711].into()).await.unwrap();
            tokio::time::sleep(Duration::from_secs(5)).await;
        }
        assert_eq!(rig.run(&id).await, Some(End::Done), "{volid}: {:#?}", rig.state(&id).halted);
        assert!(!rig.sim.stock().iter().any(|line| line.contains("seed.iso")), "{volid}");
    }
}
