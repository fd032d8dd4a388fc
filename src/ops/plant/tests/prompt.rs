//! Windows' boot prompt: keys that come too late, are lost or refused; and a guest whose making died.

use super::*;

/// So many first keys never reach the guest, whose firmware then waits for nothing any more.
fn deaf(keys: u32, then: &str) -> Rig {
    Rig::faulty(&format!("{{on: 'PUT /nodes/pve/qemu/122/sendkey', when: {{first: {keys}}}, then: {then}}}"))
}

const LOST: &str = "{answer: {status: 200, reason: OK, body: '{\"data\":null}'}}";
const REFUSED: &str = "{answer: {status: 500, reason: 'VM 122 qmp command sendkey failed'}}";

/// Times that the guest was started anew at its prompt.
fn again(rig: &Rig, id: &OpId) -> usize {
    let anew =
        |event: &&plant::Event| matches!(&event.what, What::Progress { text, .. } if text.starts_with("starting anew"));
    rig.store.read_plant(id).unwrap().iter().filter(anew).count()
}

#[tokio::test(start_paused = true)]
async fn a_prompt_that_was_missed_comes_again_with_another_start() {
    for (keys, then, starts) in [(5, REFUSED, 0), (20, LOST, 1), (45, LOST, 2)] {
        let rig = deaf(keys, then);
        let id = rig.begin(&both()).await;
        assert_eq!(rig.run(&id).await, Some(End::Done), "{keys}: {:#?}", rig.state(&id).halted);
        assert_eq!(again(&rig, &id), starts, "{keys}");
        assert!(rig.sim.violations().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn a_prompt_that_is_missed_every_time_is_told_and_gone_on_with() {
    for (then, words, finding) in [
        (LOST, "VM 122 didn't boot from its disc in 3 starts", FindingId::PlantSilent),
        (REFUSED, "qmp command sendkey failed", FindingId::PveRefused),
    ] {
        let rig = deaf(75, then);
        let before = rig.sim.stock();
        let id = rig.begin(&both()).await;
        assert_eq!(rig.run(&id).await, None);
        let why = rig.state(&id).halted.unwrap();
        assert_eq!(why.finding, finding, "{}", why.message);
        assert!(why.message.contains(words), "{}", why.message);
        for _ in 0..3 {
            if rig.run(&id).await.is_some() {
                break;
            }
        }
        assert_eq!(rig.state(&id).finished.map(|(end, _)| end), Some(End::Done), "{:#?}", rig.state(&id).halted);
        rig.undo(&id);
        assert_eq!(rig.run(&id).await, Some(End::Undone));
        assert_eq!(rig.sim.stock(), before);
    }
}

#[tokio::test(start_paused = true)]
async fn keys_that_come_after_the_prompt_are_of_no_use() {
    let rig = Rig::with(&json!({"planting": {"prompt_after": 0.0, "prompt_for": 0.0}}));
    let id = rig.begin(&both()).await;
    assert_eq!(rig.run(&id).await, None);
    let why = rig.state(&id).halted.unwrap();
    assert_eq!(why.finding, FindingId::PlantSilent, "{}", why.message);
    assert!(rig.setting(122, "tags").contains(PLANTING) && !rig.sim.is_on(121), "the rest is kept");
}

/// The host's task died with the host: what it left is locked, and only root can unlock it.
#[tokio::test(start_paused = true)]
async fn a_guest_whose_making_died_is_told_with_the_command() {
    let words = "VM 121 was begun and not made whole: the host's task died and left its lock 'create'. On the host, as \
                 root: `qm unlock 121 && qm destroy 121`; then `morpheus plant ";
    for undone in [false, true] {
        let rig = Rig::with(&json!({}));
        let before = rig.sim.stock();
        let id = rig.begin(&linux_only()).await;
        let creates = |event: &plant::Event| matches!(&event.what, What::TaskStarted { upid, .. } if upid.kind() == Some("qmcreate"));
        assert!(rig.run_while(&id, |events| !events.iter().any(creates)).await);
        tokio::time::sleep(Duration::from_mins(1)).await;
        rig.sim.lock(121, Some("create"));
        if undone {
            rig.undo(&id);
            assert_eq!(rig.run(&id).await, Some(End::Undone));
        } else {
            assert_eq!(rig.run(&id).await, None);
        }
        let state = rig.state(&id);
        let told = if undone { state.kept[0].1.clone() } else { state.halted.unwrap() };
        assert_eq!(told.finding, FindingId::PveLocked);
        assert_eq!(told.message, format!("{words}{}`.", if undone { "undo" } else { "resume" }));
        // What the person was told to do.
        rig.sim.lock(121, None);
        let host = rig.host();
        host.client().destroy_vm(&host.node().await.unwrap(), vmid(121)).await.unwrap();
        tokio::time::sleep(Duration::from_secs(5)).await;
        if !undone {
            assert_eq!(rig.run(&id).await, Some(End::Done), "{:#?}", rig.state(&id).halted);
        }
        rig.undo(&id);
        assert_eq!(rig.run(&id).await, Some(End::Undone));
        assert_eq!((rig.state(&id).kept, rig.sim.stock()), (vec![], before));
    }
}
