//! A simulated Proxmox VE host that speaks the real API: for the demo, for scripts, and for tests.
//!
//! [`World`] says what there is, [`Scenario`] what goes wrong; both are data. A [`Sim`] answers in memory
//! ([`Sim::transport`], also on a paused clock) or over HTTPS ([`server::serve`]). Its state is brought up to date
//! when somebody looks: an idle host does nothing.

mod access;
mod agent;
mod answer;
mod api;
mod auth;
mod clock;
mod count;
mod fault;
mod form;
mod job;
mod memory;
mod pci;
mod planted;
mod records;
mod release;
mod router;
mod sample;
mod scenario;
mod schema;
pub mod server;
mod settings;
mod state;
mod task;
mod tfa;
mod upload;
mod volume;
pub mod world;

pub use count::{Counts, Violation};
pub use fault::{Effect, Fault, When};
pub use release::Release;
pub use sample::{TOKEN_ID, config_yaml, token_secret};
pub use scenario::{Change, Event, Scenario};
pub use world::World;

use crate::pve::transport::Transport;
use access::{Access, Identity};
use clock::Clock;
use fault::Faults;
use state::{State, Vm};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use task::Task;
use tokio::sync::watch;
use world::BadWorld;

/// A simulated host. Needs a tokio runtime with time.
pub struct Sim {
    world: World,
    clock: Clock,
    faults: Faults,
    state: Mutex<State>,
    /// The kind of tasks that wait before they begin their work.
    held: watch::Sender<Option<String>>,
    /// Replaced as a whole by whoever changes it, so that it can be asked while the state is held.
    access: Mutex<Arc<Access>>,
}

impl Sim {
    /// A host with this world and what the scenario changes in it. The scenario's clock begins now.
    ///
    /// # Errors
    /// The scenario's changes make no world.
    pub fn new(world: World, scenario: Scenario) -> Result<Arc<Self>, BadWorld> {
        let world = scenario.world(world)?;
        let clock = Clock::new(world.epoch, scenario.speed.unwrap_or(1.0));
        let state = Mutex::new(State::new(&world, scenario.events));
        let access = Mutex::new(Arc::new(Access::new(&world)));
        let faults = Faults::new(scenario.faults);
        Ok(Arc::new(Self { world, clock, faults, state, access, held: watch::Sender::default() }))
    }

    /// Makes new tasks of a kind (`qmshutdown`) wait before they begin their work, until [`Self::release`]: a test stops an
    /// operation at a point that doesn't depend on how fast the machine is. Everything else goes on.
    pub fn hold(&self, kind: &str) {
        self.held.send_replace(Some(kind.to_owned()));
    }

    /// Lets the tasks go on that [`Self::hold`] made wait.
    pub fn release(&self) {
        self.held.send_replace(None);
    }

    /// Waits while tasks of this kind are held. The sender lives as long as this host, so no change is missed.
    async fn released(&self, kind: &str) {
        let _ = self.held.subscribe().wait_for(|held| held.as_deref() != Some(kind)).await;
    }

    /// Answers requests in memory.
    #[must_use]
    pub fn transport(self: &Arc<Self>) -> Arc<dyn Transport> {
        Arc::new(memory::InMemory::new(self.clone()))
    }

    /// Requests so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.state().counts.clone()
    }

    /// What must never happen and did.
    #[must_use]
    pub fn violations(&self) -> Vec<Violation> {
        self.state().violations.clone()
    }

    /// Starts that met a busy device and were refused: no harm, but somebody was too early.
    #[must_use]
    pub fn refused_starts(&self) -> Vec<Violation> {
        self.state().refused_starts.clone()
    }

    /// Requests to start that came while a running guest had the device: nobody who looked first sends one.
    #[must_use]
    pub fn rash_requests(&self) -> Vec<Violation> {
        self.state().rash_requests.clone()
    }

    /// A code of a user's authenticator: the next one, which counts already, so that there is more than half a minute to
    /// type it.
    #[must_use]
    pub fn code(&self, user: &str) -> Option<String> {
        let access = self.access();
        tfa::code_at(&access.users.get(user)?.tfa.totp.first()?.secret, self.clock.unix() + 30)
    }

    /// A guest's lock.
    #[must_use]
    pub fn lock_of(&self, vmid: u32) -> Option<String> {
        self.state().vms.get(&vmid)?.lock.clone()
    }

    /// Whether a guest's process runs, paused ones too: the truth, for tests, past API and faults.
    #[must_use]
    pub fn is_on(&self, vmid: u32) -> bool {
        self.state().vms.get(&vmid).is_some_and(|vm| vm.power.is_on())
    }

    /// The bytes of a volume that was uploaded.
    #[must_use]
    pub fn uploaded(&self, volid: &str) -> Option<Vec<u8>> {
        self.state().volumes.get(volid)?.bytes.as_deref().map(<[u8]>::to_vec)
    }

    /// A guest's setting, as its next start finds it.
    #[must_use]
    pub fn setting(&self, vmid: u32, key: &str) -> Option<String> {
        self.state().vms.get(&vmid)?.settings(true).get(key).map(router::plain)
    }

    /// Gives a guest a lock, or takes it away.
    #[cfg(test)]
    pub(crate) fn lock(&self, vmid: u32, lock: Option<&str>) {
        if let Some(vm) = self.state().vms.get_mut(&vmid) {
            vm.lock = lock.map(str::to_owned);
        }
    }

    /// All that there is: guests, volumes, mappings; for comparing two moments.
    #[must_use]
    pub fn stock(&self) -> Vec<String> {
        let state = self.state();
        let guests = state.vms.iter().map(|(vmid, vm)| format!("guest {vmid} {:?}", vm.settings(true)));
        let volumes = state.volumes.iter().map(|(volid, volume)| format!("volume {volid} {}", volume.size));
        let mappings = state.mappings.iter().map(|(id, mapping)| format!("mapping {id} {mapping:?}"));
        guests.chain(volumes).chain(mappings).collect()
    }

    /// Whether the scenario has the host off the network now.
    fn is_unreachable(&self) -> bool {
        self.state().unreachable_until.is_some_and(|until| until > Clock::now())
    }

    /// The world, with the scenario's changes.
    #[must_use]
    pub const fn world(&self) -> &World {
        &self.world
    }

    /// Who may do what now.
    fn access(&self) -> Arc<Access> {
        self.access.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Changes who may do what.
    fn change_access<T>(&self, change: impl FnOnce(&mut Access) -> T) -> T {
        change(Arc::make_mut(&mut self.access.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.settle(&self.clock, &self.world);
        state
    }
}

/// A VM by its number, or the host's words for a missing one.
fn find_vm<'a>(state: &'a State, world: &World, vmid: u32) -> Result<&'a Vm, String> {
    let vm = state.vms.get(&vmid).filter(|vm| !vm.spec.container);
    vm.ok_or_else(|| no_config(world, vmid))
}

fn no_config(world: &World, vmid: u32) -> String {
    format!("Configuration file 'nodes/{}/qemu-server/{vmid}.conf' does not exist", world.node.name)
}

/// Whether a task belongs to `who`, by any of the user's tokens; or `who` may stop everybody's.
fn owns(sim: &Sim, who: &Identity, task: &Task) -> bool {
    let node = format!("/nodes/{}", sim.world.node.name);
    who.user == task.who.user || sim.access().has_any(who, &node, &["Sys.Modify"])
}

#[cfg(test)]
mod contract_tests;
#[cfg(test)]
mod mapping_tests;
#[cfg(test)]
mod recorded_tests;
#[cfg(test)]
mod refusal_tests;
#[cfg(test)]
mod replayed_tests;
#[cfg(test)]
mod sent_tests;
#[cfg(test)]
#[path = "sim/sim_tests.rs"]
mod tests;
