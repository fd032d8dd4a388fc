use super::*;
use crate::{
    config::NodeChoice,
    domain::{finding::FindingId, ids::Vmid, mode::ModeSet},
    pve::{Client, Credentials},
    sim::{Scenario, Sim, TOKEN_ID, World, token_secret},
};
use tokio::sync::mpsc::{Receiver, channel};

struct Stage {
    scope: watch::Sender<Scope>,
    inbox: Receiver<Msg>,
}

fn stage(patch: &serde_json::Value) -> Stage {
    let world = World::demo().unwrap().patched(patch).unwrap();
    let sim = Sim::new(world, Scenario::default()).unwrap();
    let secret = token_secret(sim.world(), TOKEN_ID).unwrap().into();
    let credentials = Credentials::Token { id: TOKEN_ID.to_owned(), secret };
    let client = Client::over(sim.transport(), credentials, Duration::from_secs(10));
    let clock = Clock::tokio(Millis(0));
    let host = Host::over(client, ModeSet::default(), NodeChoice::Named("pve".into()), clock);
    let (sender, inbox) = channel(64);
    let (scope, seen) = watch::channel(Scope::default());
    let histories = Histories::new(clock, sender, seen);
    let (keep, reached) = watch::channel(Some(Ok(host)));
    tokio::spawn(async move {
        histories.run(reached).await;
        drop(keep);
    });
    Stage { scope, inbox }
}

impl Stage {
    fn show(&self, vmid: Option<u32>, host: bool) {
        let history =
            vmid.map(|vmid| (Vmid::new(vmid).unwrap(), if vmid == 200 { GuestKind::Lxc } else { GuestKind::Qemu }));
        self.scope.send_modify(|scope| (scope.history, scope.host) = (history, host));
    }

    async fn wait(&self, seconds: u64) {
        tokio::time::sleep(Duration::from_secs(seconds)).await;
    }

    fn asked(&mut self) -> Vec<(Measured, Option<FindingId>)> {
        let mut all = Vec::new();
        while let Ok(msg) = self.inbox.try_recv() {
            let Msg::History { of, result } = msg else { panic!("{msg:?}") };
            assert!(result.as_ref().is_ok_and(|rows| rows.len() == 60) || result.is_err());
            all.push((of, result.err().map(|trouble| trouble.finding)));
        }
        all
    }
}

fn guest(vmid: u32) -> Measured {
    Measured::Guest(Vmid::new(vmid).unwrap())
}

#[tokio::test(start_paused = true)]
async fn what_comes_on_screen_is_asked_for_once_in_five_minutes() {
    let mut stage = stage(&serde_json::json!({}));
    stage.wait(60).await;
    assert_eq!(stage.asked(), []);
    stage.show(Some(101), true);
    stage.wait(240).await;
    assert_eq!(stage.asked(), [(guest(101), None), (Measured::Host, None)]);
    for _ in 0..5 {
        stage.show(Some(200), true);
        stage.wait(5).await;
        stage.show(Some(101), true);
        stage.wait(5).await;
    }
    assert_eq!(stage.asked(), [(guest(200), None)]);
    stage.wait(60).await;
    assert_eq!(stage.asked(), [(guest(101), None), (Measured::Host, None)]);
}

#[tokio::test(start_paused = true)]
async fn a_cursor_that_moves_on_asks_for_nothing() {
    let mut stage = stage(&serde_json::json!({}));
    stage.wait(1).await;
    for vmid in [101, 102, 103, 104, 110] {
        stage.show(Some(vmid), false);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    stage.wait(10).await;
    assert_eq!(stage.asked(), [(guest(110), None)]);
}

#[tokio::test(start_paused = true)]
async fn who_may_not_see_it_is_told_why_and_asks_seldom() {
    let none = serde_json::json!({"acl": [{"path": "/vms", "who": "morpheus@pam", "role": "PVEVMAdmin"}]});
    let mut stage = stage(&none);
    stage.show(Some(101), true);
    stage.wait(170).await;
    let refused = (Measured::Host, Some(FindingId::PveForbidden));
    assert_eq!(stage.asked(), [(guest(101), None), refused, refused, refused]);
}
