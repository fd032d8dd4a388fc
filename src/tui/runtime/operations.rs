//! Operations as the dashboard sees them: it starts them, follows them and speaks to them, and never carries one out.

use super::{
    poller::tell,
    world::{self, Reached},
};
use crate::{
    domain::{
        facts::Trouble,
        finding::FindingId,
        ids::OpId,
        switch::{
            event::{Event, What},
            plan::Plan,
        },
    },
    ops::{self, Clock, Error, Followed, Launch, Store},
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

/// Between two looks at whether a runner has begun.
const PAUSE: Duration = Duration::from_millis(50);
/// How many of them are made: 5 s.
const PATIENCE: u32 = 100;

/// How many looks at the host may be missing before the operations are looked at without one.
const MISSING: u32 = 5;

/// Tells about all operations at the start, and whenever one appears or another one runs: beside each look at the host,
/// so that both are one moment of work, and by itself where the host isn't looked at.
pub(super) async fn watch(store: Store, every: Duration, mut looked: watch::Receiver<()>, inbox: Sender<Msg>) {
    let mut known = None;
    loop {
        // While both are as before, the journals needn't be read.
        let changed = fs::metadata(store.dir()).and_then(|meta| meta.modified()).ok();
        let mark = Some((changed, store.active()));
        if mark != known {
            known = mark;
            let of = store.clone();
            let Ok(list) = spawn_blocking(move || of.list()).await else { return };
            tell(&inbox, Msg::Ops(list.into_iter().map(brief).collect())).await;
            let of = store.clone();
            let Ok(newest) = spawn_blocking(move || of.plants().pop()).await else { return };
            if let Some(ops::Brief { id, state, alive }) = newest {
                tell(&inbox, Msg::Plant(PlantMsg::Newest { id, state: Box::new(state), alive })).await;
            }
        }
        if let Ok(Err(_)) = timeout(every.saturating_mul(MISSING), looked.changed()).await {
            sleep(every).await;
        }
    }
}

fn brief(of: ops::Brief) -> OpBrief {
    let ops::Brief { id, state, alive } = of;
    OpBrief { id, state: Box::new(state), alive }
}

/// What it takes to start an operation and to speak to one.
#[derive(Clone, Debug)]
pub(super) struct Desk {
    pub(super) clock: Clock,
    pub(super) store: Store,
    pub(super) launch: Launch,
    pub(super) inbox: Sender<Msg>,
}

impl Desk {
    /// Writes a confirmed plan down and starts its runner.
    pub(super) async fn start(self, reached: Reached, ticket: Ticket, plan: Plan) {
        let result = self.begin(reached, plan).await;
        tell(&self.inbox, Msg::Started { ticket, result }).await;
    }

    async fn begin(&self, reached: Reached, plan: Plan) -> Result<OpId, Trouble> {
        let host = world::reached(reached).await?.label();
        let (store, now) = (self.store.clone(), self.clock.now());
        let create = move || match store.active() {
            Some(active) => Err(Error::Running(active)),
            None => store.create(&plan, &host, now),
        };
        let id = in_thread(create).await?;
        ops::launch(&id, &self.launch).await.map_err(|error| error.trouble())?;
        Ok(id)
    }

    /// Follows an operation's journal until it ends.
    pub(super) async fn attach(self, id: OpId) {
        let mut followed = ops::follow(self.store.clone(), id.clone());
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

    /// Starts a runner that goes on.
    pub(super) async fn resume(self, id: OpId) {
        let result = self.relaunch(&id).await;
        tell(&self.inbox, Msg::Told { of: Asked::Resume(id), result }).await;
    }

    /// Starts a runner and tells it to go back. A runner hears only what is said after it has begun.
    pub(super) async fn undo(self, id: OpId) {
        let result = self.go_back(&id).await;
        tell(&self.inbox, Msg::Told { of: Asked::Undo(id), result }).await;
    }

    async fn go_back(&self, id: &OpId) -> Result<(), Trouble> {
        let before = self.runs(id).await?;
        self.relaunch(id).await?;
        for _ in 0..PATIENCE {
            if self.runs(id).await? > before {
                return self.say(id, Control::Cancel { go_back: true }).await;
            }
            sleep(PAUSE).await;
        }
        Err(Error::Launch("it didn't begin".into()).trouble())
    }

    /// How many runners have taken an operation over so far.
    async fn runs(&self, id: &OpId) -> Result<usize, Trouble> {
        let (store, id) = (self.store.clone(), id.clone());
        let events = in_thread(move || store.read(&id)).await?;
        let begun = |event: &&Event| matches!(event.what, What::RunnerStarted { .. });
        Ok(events.iter().filter(begun).count())
    }

    pub(super) async fn relaunch(&self, id: &OpId) -> Result<(), Trouble> {
        if let Some(active) = self.store.active() {
            return Err(Error::Running(active).trouble());
        }
        ops::launch(id, &self.launch).await.map_err(|error| error.trouble())
    }

    pub(super) async fn say(&self, id: &OpId, control: Control) -> Result<(), Trouble> {
        let (store, id) = (self.store.clone(), id.clone());
        in_thread(move || store.control(&id, control)).await
    }
}

/// Files are written beside the loop: a slow disk must not hold up keys.
pub(super) async fn in_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Trouble> {
    match spawn_blocking(work).await {
        Ok(result) => result.map_err(|error| error.trouble()),
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Err(Error::Launch("the dashboard is closing".into()).trouble()),
        },
    }
}
