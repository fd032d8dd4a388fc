//! Operations as the dashboard sees them: it starts them, follows them and speaks to them, and never carries one out.

use super::{
    poller::tell,
    world::{self, Reached},
};
use crate::{
    domain::{facts::Trouble, finding::FindingId, host_id::HostId, ids::OpId, journal::Told, switch::plan::Plan},
    ops::{self, Client, Error, Followed, Host, Store},
    tui::{
        effect::Control,
        msg::{Asked, Msg, OpBrief, PlantMsg, Ticket},
    },
};
use std::{fs, time::Duration};
use tokio::{
    sync::{mpsc::Sender, watch},
    task::spawn_blocking,
    time::{sleep, timeout},
};

/// How many looks at the host may be missing before the operations are looked at without one.
const MISSING: u32 = 5;

/// Tells about all operations at the start, and whenever one appears or another one runs: beside each look at the host,
/// so that both are one moment of work, and by itself where the host isn't looked at.
///
/// Only those of the host that this dashboard looks at: another one's are none of its.
pub(super) async fn watch(
    store: Store,
    every: Duration,
    mut looked: watch::Receiver<()>,
    reached: Reached,
    inbox: Sender<Msg>,
) {
    let host = world::reached(reached).await.ok();
    let mut known = None;
    // Those at no end that no runner has: one that is being started may begin, or be refused.
    let mut idle: Vec<OpId> = Vec::new();
    loop {
        let here = host.as_ref().map(Host::id);
        // While all are as before, the journals needn't be read.
        let changed = fs::metadata(store.dir()).and_then(|meta| meta.modified()).ok();
        let written: Vec<_> = idle.iter().map(|id| store.length(id)).collect();
        let running = store.running();
        let mark = Some((changed, running.clone(), written, here.clone()));
        if mark != known {
            known = mark;
            let (of, on) = (store.clone(), here.clone());
            let Ok(list) = spawn_blocking(move || of_host(of.list(), on.as_ref())).await else { return };
            let is_idle = |id: &OpId, ended: bool| !ended && !running.contains(id);
            let of_list = list.iter().filter(|brief| is_idle(&brief.id, brief.state.ended().is_some()));
            idle = of_list.map(|brief| brief.id.clone()).collect();
            tell(&inbox, Msg::Ops(list.into_iter().map(brief).collect())).await;
            let of = store.clone();
            let Ok(newest) = spawn_blocking(move || of_host(of.plants(), here.as_ref()).pop()).await else { return };
            if let Some(ops::Brief { id, state, alive }) = newest {
                idle.extend(is_idle(&id, state.ended().is_some()).then(|| id.clone()));
                tell(&inbox, Msg::Plant(PlantMsg::Newest { id, state: Box::new(state), alive })).await;
            }
        }
        if let Ok(Err(_)) = timeout(every.saturating_mul(MISSING), looked.changed()).await {
            sleep(every).await;
        }
    }
}

fn of_host<S: Told>(mut all: Vec<ops::Brief<S>>, here: Option<&HostId>) -> Vec<ops::Brief<S>> {
    all.retain(|brief| brief.concerns(here));
    all
}

fn brief(of: ops::Brief) -> OpBrief {
    let ops::Brief { id, state, alive } = of;
    OpBrief { id, state: Box::new(state), alive }
}

/// What it takes to start an operation and to speak to one.
#[derive(Clone, Debug)]
pub(super) struct Desk {
    pub(super) client: Client,
    pub(super) reached: Reached,
    pub(super) inbox: Sender<Msg>,
}

impl Desk {
    /// The host that this dashboard looks at; without one nothing is done to an operation.
    pub(super) async fn host(&self) -> Result<Host, Trouble> {
        world::reached(self.reached.clone()).await
    }

    /// Writes a confirmed plan down and starts its runner.
    pub(super) async fn start(self, ticket: Ticket, plan: Plan) {
        let result = match self.host().await {
            Ok(host) => self.client.start(plan, &host).await.map_err(|error| error.trouble()),
            Err(trouble) => Err(trouble),
        };
        tell(&self.inbox, Msg::Started { ticket, result }).await;
    }

    /// Follows an operation's journal until it ends.
    pub(super) async fn attach(self, id: OpId) {
        let here = self.host().await.ok().map(|host| host.id());
        let mut followed = match self.client.follow(&id, here.as_ref()).await {
            Ok(followed) => followed,
            Err(error) => {
                let result = Err(error.trouble());
                return tell(&self.inbox, Msg::Told { of: Asked::Attach(id), result }).await;
            }
        };
        while let Some(heard) = followed.recv().await {
            let msg = match heard {
                Followed::Event(event) => Msg::Op { id: id.clone(), event },
                Followed::Lost => Msg::OpLost(id.clone()),
                Followed::Broken(message) => {
                    let result = Err(Trouble { finding: FindingId::JournalBroken, message });
                    Msg::Told { of: Asked::Attach(id.clone()), result }
                }
            };
            tell(&self.inbox, msg).await;
        }
    }

    /// Says something to a running operation.
    pub(super) async fn control(self, id: OpId, control: Control) {
        let result = self.say(&id, control).await;
        tell(&self.inbox, Msg::Told { of: Asked::Control(id, control), result }).await;
    }

    pub(super) async fn say(&self, id: &OpId, control: Control) -> Result<(), Trouble> {
        let here = self.host().await?.id();
        self.client.control(id, control, Some(&here)).await.map_err(|error| error.trouble())
    }

    /// Starts a runner that goes on.
    pub(super) async fn resume(self, id: OpId) {
        let result = self.go_on(&id).await;
        tell(&self.inbox, Msg::Told { of: Asked::Resume(id), result }).await;
    }

    pub(super) async fn go_on(&self, id: &OpId) -> Result<(), Trouble> {
        let here = self.host().await?.id();
        self.client.resume(id, &here).await.map_err(|error| error.trouble())
    }

    /// Tells an interrupted operation to go back, and starts a runner that does.
    pub(super) async fn undo(self, id: OpId) {
        let result = match self.host().await {
            Ok(host) => self.client.go_back(&id, &host.id()).await.map_err(|error| error.trouble()),
            Err(trouble) => Err(trouble),
        };
        tell(&self.inbox, Msg::Told { of: Asked::Undo(id), result }).await;
    }
}

/// Files are read and written beside the loop: a slow disk must not hold up keys.
pub(super) async fn in_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Trouble> {
    ops::in_thread(work).await.map_err(|error| error.trouble())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        ids::Millis,
        switch::{
            event::{Outcome, What},
            plan::Verb,
            planner,
        },
        testing,
    };

    #[tokio::test(start_paused = true)]
    async fn an_operation_that_ends_before_a_runner_has_it_is_told_to_be_at_its_end() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path().join("ops"));
        let intent = testing::intent(Verb::Switch, "windowsvrstreaming");
        let plan = planner::plan(&intent, &testing::modes(), &testing::facts(&[testing::LINUX])).unwrap();
        let id = store.create(&plan, &HostId::of_label("pve at 10.0.0.1:8006"), Millis(0)).await.unwrap();
        let silent = Trouble { finding: FindingId::PveTimeout, message: "No answer.".into() };
        let ((_host, reached), (_looks, looked)) = (watch::channel(Some(Err(silent))), watch::channel(()));
        let (inbox, mut told) = tokio::sync::mpsc::channel(8);
        let watching = tokio::spawn(watch(store.clone(), Duration::from_secs(1), looked, reached, inbox));
        let mut list = async || match timeout(Duration::from_mins(1), told.recv()).await {
            Ok(Some(Msg::Ops(list))) => list.first().map(|brief| brief.state.finished.is_some()),
            _ => None,
        };
        assert_eq!(
            (list().await, list().await, list().await),
            (Some(false), Some(false), None),
            "then nothing changes"
        );
        let what = What::Finished { outcome: Outcome::Refused, trouble: None, gpu: None };
        store.journal(&id).unwrap().append(what, Millis(1)).unwrap();
        assert_eq!(list().await, Some(true));
        watching.abort();
    }
}
