//! What effects do outside of the terminal: each is a task that answers with a message.

use super::{
    histories::Histories,
    operations::{self, in_thread},
    planting::{Garden, Planter},
    poller::{self, Poller, Wishes},
};
use crate::{
    domain::{
        facts::{Facts, Trouble},
        finding::FindingId,
        switch::plan::Intent,
    },
    ops::{Client, Clock, Host},
    tui::{
        effect::{Effect, Scope},
        model::Rules,
        msg::{Link, Msg},
        record,
    },
};
use std::{collections::BTreeSet, fmt, future::Future, sync::Arc, time::Duration};
use tokio::{
    sync::{Notify, mpsc::Sender, watch},
    task::{JoinHandle, JoinSet},
    time::Instant,
};

/// Prepares the connection. It may read certificates, so it runs beside the dashboard; nothing is sent by it.
pub type Connect = Box<dyn FnOnce() -> Result<Host, Trouble> + Send>;

/// Reads the configuration again.
pub type Reload = Arc<dyn Fn() -> Result<Rules, Trouble> + Send + Sync>;

/// What the dashboard reaches the world with.
pub struct Hands {
    /// What time it is.
    pub clock: Clock,
    /// How to reach the host.
    pub connect: Connect,
    /// What the configuration says by now.
    pub reload: Reload,
    /// The operations of this machine.
    pub client: Client,
    /// What planting needs of this machine.
    pub garden: Garden,
}

impl fmt::Debug for Hands {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hands").field("client", &self.client).finish_non_exhaustive()
    }
}

/// The host once the connection is prepared, or why there is none.
pub(super) type Reached = watch::Receiver<Option<Result<Host, Trouble>>>;

/// The tasks of a dashboard; they end with it.
pub(super) struct World {
    tasks: JoinSet<()>,
    inbox: Sender<Msg>,
    host: Arc<watch::Sender<Option<Result<Host, Trouble>>>>,
    reached: Reached,
    reload: Reload,
    scope: watch::Sender<Scope>,
    refresh: Arc<Notify>,
    touched: watch::Sender<Instant>,
    ops: operations::Desk,
    planter: Planter,
    attached: BTreeSet<String>,
}

impl World {
    /// Starts looking at the host and at the operations of this machine.
    pub(super) fn begin(hands: Hands, refresh: Duration, inbox: Sender<Msg>) -> Self {
        let Hands { clock, connect, reload, client, garden } = hands;
        let (host, reached) = watch::channel(None);
        let host = Arc::new(host);
        let (scope, scope_seen) = watch::channel(Scope { focused: true, ..Scope::default() });
        let now = Arc::new(Notify::new());
        let (touched, last_touched) = watch::channel(Instant::now());
        let (beat, looked) = watch::channel(());
        let wishes = Wishes { scope: scope_seen, refresh: Arc::clone(&now), touched: last_touched };
        let mut tasks = JoinSet::new();
        tasks.spawn(reach(connect, Arc::clone(&host), inbox.clone()));
        let histories = Histories::new(clock, inbox.clone(), wishes.scope.clone());
        tasks.spawn(histories.run(reached.clone()));
        let poller = Poller::new(clock, refresh, inbox.clone(), wishes, beat);
        tasks.spawn(poller.run(reached.clone()));
        let store = client.store().clone();
        tasks.spawn(operations::watch(store, refresh, looked, reached.clone(), inbox.clone()));
        let ops = operations::Desk { client, reached: reached.clone(), inbox: inbox.clone() };
        let planter = Planter { desk: ops.clone(), garden, followed: Arc::default() };
        let attached = BTreeSet::new();
        Self { tasks, inbox, host, reached, reload, scope, refresh: now, touched, ops, planter, attached }
    }

    /// Carries an effect out. Those of the terminal are not for here.
    pub(super) fn perform(&mut self, effect: Effect) {
        let (desk, reached) = (self.ops.clone(), self.reached.clone());
        match effect {
            Effect::Watch(scope) => drop(self.scope.send_replace(scope)),
            Effect::Refresh => self.refresh.notify_one(),
            Effect::Reload => {
                let (reload, host, inbox) = (Arc::clone(&self.reload), Arc::clone(&self.host), self.inbox.clone());
                self.spawn(async move {
                    let _ = self::reached(reached).await;
                    if let Ok(read) = in_thread(move || Ok(reload())).await {
                        let result = read.map(|rules| Box::new(take(rules, &host)));
                        poller::tell(&inbox, Msg::Configured(result)).await;
                    }
                });
            }
            Effect::LookForPlan { ticket, intent } => {
                let inbox = self.inbox.clone();
                self.spawn(async move {
                    let result = look(reached, &intent).await.map(Box::new);
                    poller::tell(&inbox, Msg::Looked { ticket, result }).await;
                });
            }
            Effect::Start { ticket, plan } => self.spawn(async move { desk.start(ticket, *plan).await }),
            Effect::Attach(id) => {
                if self.attached.insert(id.to_string()) {
                    self.spawn(async move { desk.attach(id).await });
                }
            }
            Effect::Control(id, control) => self.spawn(async move { desk.control(id, control).await }),
            Effect::Resume(id) => self.spawn(async move { desk.resume(id).await }),
            Effect::Undo(id) => self.spawn(async move { desk.undo(id).await }),
            Effect::Plant(what) => {
                let planter = self.planter.clone();
                self.spawn(async move { planter.perform(what, reached).await });
            }
            Effect::Copy(_)
            | Effect::Suspend
            | Effect::Redraw
            | Effect::Bell
            | Effect::Shell(_)
            | Effect::Mouse(_)
            | Effect::Dump
            | Effect::SetTitle(_)
            | Effect::Quit { .. } => {}
        }
    }

    /// A person did something: what is on screen should be of now.
    pub(super) fn notice(&self) {
        self.touched.send_replace(Instant::now());
    }

    /// Writes a recorded session, beside everything else.
    pub(super) fn dump(&self, job: record::Job) -> JoinHandle<()> {
        let inbox = self.inbox.clone();
        tokio::task::spawn_blocking(move || drop(inbox.blocking_send(Msg::Dumped(job.write()))))
    }

    /// Starts a task.
    pub(super) fn spawn(&mut self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(task);
    }

    /// Waits for ever, but goes on with the panic of a task that had one: its report is printed already, and a
    /// dashboard that lost a part of itself must not look healthy.
    pub(super) async fn watch_tasks(&mut self) {
        while let Some(ended) = self.tasks.join_next().await {
            if let Some(panic) = ended.err().and_then(|error| error.try_into_panic().ok()) {
                std::panic::resume_unwind(panic);
            }
        }
        std::future::pending::<()>().await;
    }
}

/// From now on these modes count for every look.
fn take(rules: Rules, host: &watch::Sender<Option<Result<Host, Trouble>>>) -> Rules {
    host.send_if_modified(|host| match host {
        Some(Ok(host)) if *host.modes() != rules.modes => {
            *host = host.with_modes(rules.modes.clone());
            true
        }
        _ => false,
    });
    rules
}

async fn reach(connect: Connect, host: Arc<watch::Sender<Option<Result<Host, Trouble>>>>, inbox: Sender<Msg>) {
    let reached = match tokio::task::spawn_blocking(connect).await {
        Ok(reached) => reached,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => return,
        },
    };
    if let Err(trouble) = &reached {
        poller::tell(&inbox, Msg::Link(Link::Unconfigured(trouble.clone()))).await;
    }
    host.send_replace(Some(reached));
}

/// The host, as soon as it is prepared.
///
/// # Errors
/// There is none.
pub(super) async fn reached(mut when: Reached) -> Result<Host, Trouble> {
    let gone = || Trouble { finding: FindingId::ConfigBad, message: "no host is configured".into() };
    when.wait_for(Option::is_some).await.ok().and_then(|host| host.clone()).unwrap_or_else(|| Err(gone()))
}

async fn look(when: Reached, intent: &Intent) -> Result<Facts, Trouble> {
    let facts = reached(when).await?.look_for_plan(intent).await;
    match (&facts.qemu.value, facts.qemu.error.clone()) {
        (None, Some(trouble)) => Err(trouble),
        _ => Ok(facts),
    }
}
