//! What the command line and the dashboard do with operations: start, resume, undo, cancel, follow. They render; here is
//! what happens, the same for both, and always on the host that the operation is for.

use super::{Control, Error, Followed, Host, Launch, Store, follow, launch::launch, store::Begun, take::abandon};
use crate::domain::{
    host_id::HostId,
    ids::OpId,
    journal::{Line, Told},
    plant,
    switch::{self, plan::Plan, state::State},
};
use tokio::{sync::mpsc, task::spawn_blocking};

/// The operations of this machine, and how their runners are started.
#[derive(Clone, Debug)]
pub struct Client {
    store: Store,
    launch: Launch,
}

impl Client {
    /// Operations whose journals are in this store.
    #[must_use]
    pub const fn new(store: Store, launch: Launch) -> Self {
        Self { store, launch }
    }

    /// The journals.
    #[must_use]
    pub const fn store(&self) -> &Store {
        &self.store
    }

    /// Writes a confirmed plan down and starts its runner; waits until that has begun.
    ///
    /// # Errors
    /// Another operation works on this host, or the runner didn't begin: then nothing was done, and the journal says so.
    pub async fn start(&self, plan: Plan, host: &Host) -> Result<OpId, Error> {
        self.begin::<State>(host, |origin| switch::event::What::Planned { plan: Box::new(plan), origin }).await
    }

    /// The same for a planting.
    ///
    /// # Errors
    /// Those of [`Client::start`].
    pub async fn plant(&self, plan: plant::Plan, host: &Host) -> Result<OpId, Error> {
        self.begin::<plant::State>(host, |origin| plant::What::Planned { plan: Box::new(plan), origin }).await
    }

    async fn begin<S: Told>(
        &self,
        host: &Host,
        what: impl FnOnce(crate::domain::journal::Origin) -> S::What + Send + 'static,
    ) -> Result<OpId, Error> {
        let (store, here, now) = (self.store.clone(), host.id(), host.clock().now());
        let guard = store.guard().await?;
        let begun = move || match store.rival(&here) {
            Some(rival) => Err(Error::Running(rival)),
            None => store.begin::<S>(&guard, what, here, now),
        };
        let Begun { id, starting } = in_thread(begun).await?;
        let launched = launch(&id, &self.launch).await;
        drop(starting);
        if let Err(error) = &launched {
            abandon::<S>(&self.store, &id, super::error::refusal(error), host).await?;
        }
        launched.map(|()| id)
    }

    /// Starts a runner that goes on with an interrupted operation, and waits until it has begun.
    ///
    /// # Errors
    /// It is another host's operation, one is running, or the runner didn't begin.
    pub async fn resume(&self, id: &OpId, here: &HostId) -> Result<(), Error> {
        self.is_free(id, here).await?;
        launch(id, &self.launch).await
    }

    /// Has an interrupted switch go back: the wish is written down first, its runner knows what it began.
    ///
    /// # Errors
    /// Those of [`Client::resume`].
    pub async fn go_back(&self, id: &OpId, here: &HostId) -> Result<(), Error> {
        self.is_free(id, here).await?;
        self.tell(id, Control::Cancel { go_back: true }).await?;
        launch(id, &self.launch).await
    }

    /// Has everything removed that a planting made. Whoever goes on with it from now on removes.
    ///
    /// # Errors
    /// Those of [`Client::resume`].
    pub async fn remove(&self, id: &OpId, host: &Host) -> Result<(), Error> {
        self.is_free(id, &host.id()).await?;
        let (mut journal, _) = super::lock::take::<plant::State>(&self.store, id).await?;
        let now = host.clock().now();
        in_thread(move || journal.append(plant::What::UndoRequested, now)).await?;
        launch(id, &self.launch).await
    }

    /// Says something to a running operation: a cancel, an answer. Without a configuration there is no host here that it
    /// could be another one's of.
    ///
    /// # Errors
    /// It is another host's operation, or the word can't be written.
    pub async fn control(&self, id: &OpId, word: Control, here: Option<&HostId>) -> Result<(), Error> {
        self.is_here(id, here).await?;
        self.tell(id, word).await
    }

    /// Follows a switch from its first line. The channel closes after its last one.
    ///
    /// # Errors
    /// It is another host's operation, or there is none.
    pub async fn follow(&self, id: &OpId, here: Option<&HostId>) -> Result<mpsc::Receiver<Followed>, Error> {
        self.is_here(id, here).await?;
        Ok(follow::follow(self.store.clone(), id.clone()))
    }

    /// Follows a planting from its first line. The channel closes after its last one.
    ///
    /// # Errors
    /// It is another host's planting, or there is none.
    pub async fn follow_plant(
        &self,
        id: &OpId,
        here: Option<&HostId>,
    ) -> Result<mpsc::Receiver<Followed<Line<plant::What>>>, Error> {
        self.is_here(id, here).await?;
        Ok(follow::follow_plant(self.store.clone(), id.clone()))
    }

    async fn tell(&self, id: &OpId, word: Control) -> Result<(), Error> {
        let (store, id) = (self.store.clone(), id.clone());
        in_thread(move || store.control(&id, word)).await
    }

    async fn is_here(&self, id: &OpId, here: Option<&HostId>) -> Result<(), Error> {
        let (store, id, here) = (self.store.clone(), id.clone(), here.cloned());
        in_thread(move || here.map_or(Ok(()), |here| store.is_of(&id, &here))).await
    }

    /// It is an operation of this host, and none works on that.
    async fn is_free(&self, id: &OpId, here: &HostId) -> Result<(), Error> {
        let (store, id, here) = (self.store.clone(), id.clone(), here.clone());
        in_thread(move || store.is_free_for(&id, &here)).await
    }
}

/// Files are read and written beside the loop: a slow disk must not hold up keys.
pub(crate) async fn in_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    match spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Err(Error::Launch("the program is closing".into())),
        },
    }
}
