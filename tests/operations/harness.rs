//! A machine to switch: a simulated host, a connection to it, and a directory of journals.

use morpheus::{
    config::{self, Env, NodeChoice, Overrides},
    domain::{
        ids::{Millis, ModeName, OpId},
        journal::Told,
        mode::ModeSet,
        switch::{
            event::Outcome,
            plan::{Intent, Options, Plan, Verb},
            planner,
            refusal::Refusal,
            state::State,
        },
    },
    ops::{Clock, Host, Store, operate},
    pve::{Client, Credentials, transport::Transport},
    sim::{self, Scenario, Sim, World},
};
use secrecy::SecretString;
use std::{path::Path, sync::Arc, time::Duration};
use tempfile::TempDir;

/// The four modes' VMs.
pub(crate) const VMIDS: [u32; 4] = [101, 102, 103, 104];
/// Their modes.
pub(crate) const MODES: [&str; 4] =
    ["linuxvrstreaming", "windowsvrstreaming", "nimsforestnogpu", "nimsforestsharedgpu"];

pub(crate) struct Machine {
    pub(crate) sim: Arc<Sim>,
    pub(crate) host: Host,
    pub(crate) store: Store,
    pub(crate) clock: Clock,
    dir: TempDir,
}

/// Journals are synced to disk; in tests to a disk in memory, where there is one.
fn state_dir() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory).unwrap() } else { tempfile::tempdir().unwrap() }
}

/// The modes of the demo's configuration.
pub(crate) fn modes(sim: &Sim) -> ModeSet {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("config.yaml");
    let pin = ["00"; 32].join(":");
    std::fs::write(&path, sim::config_yaml(sim, "127.0.0.1:1".parse().unwrap(), &pin)).unwrap();
    let overrides = Overrides { config: Some(path), ..Overrides::default() };
    let env = Env { vars: [].into(), home: None, cwd: dir.path().into(), root: "/".into() };
    config::load(&overrides, &env).unwrap().config.modes
}

impl Machine {
    pub(crate) fn new(scenario: Scenario) -> Self {
        Self::of(World::demo().unwrap(), scenario)
    }

    pub(crate) fn of(world: World, scenario: Scenario) -> Self {
        let sim = Sim::new(world, scenario).unwrap();
        let clock = Clock::tokio(Millis(1_795_240_800_000));
        let dir = state_dir();
        let store = Store::open(dir.path().join("ops"));
        let host = connect(&sim, sim.transport(), clock);
        Self { sim, host, store, clock, dir }
    }

    /// A connection to the same host through this transport.
    pub(crate) fn through(&self, transport: Arc<dyn Transport>) -> Host {
        connect(&self.sim, transport, self.clock)
    }

    /// A second machine that steers the same host.
    pub(crate) fn rival(&self) -> Self {
        let dir = state_dir();
        let store = Store::open(dir.path().join("ops"));
        let host = connect(&self.sim, self.sim.transport(), self.clock);
        Self { sim: self.sim.clone(), host, store, clock: self.clock, dir }
    }

    pub(crate) fn journal(&self, id: &OpId) -> std::path::PathBuf {
        self.dir.path().join("ops").join(format!("{id}.jsonl"))
    }

    pub(crate) async fn plan(&self, intent: &Intent) -> Result<Plan, Refusal> {
        let facts = self.host.look_for_plan(intent).await;
        planner::plan(intent, self.host.modes(), &facts)
    }

    /// Plans, writes the plan down, and carries it out.
    pub(crate) async fn run(&self, intent: &Intent) -> Result<(Outcome, State), Refusal> {
        let plan = self.plan(intent).await?;
        let id = self.store.create(&plan, &self.host.id(), self.clock.now()).await.unwrap();
        Ok(self.go_on(&id).await)
    }

    /// Carries an operation out, from wherever it is.
    pub(crate) async fn go_on(&self, id: &OpId) -> (Outcome, State) {
        let outcome = operate(&self.store, id, &self.host, &|| {}).await.unwrap();
        (outcome, self.state(id))
    }

    pub(crate) fn state(&self, id: &OpId) -> State {
        State::fold(&self.store.read(id).unwrap()).unwrap()
    }

    /// The modes' guests that run.
    pub(crate) fn running(&self) -> Vec<u32> {
        VMIDS.into_iter().filter(|vmid| self.sim.is_on(*vmid)).collect()
    }
}

fn connect(sim: &Sim, transport: Arc<dyn Transport>, clock: Clock) -> Host {
    let secret = SecretString::from(sim::token_secret(sim.world(), sim::TOKEN_ID).unwrap());
    let token = Credentials::Token { id: sim::TOKEN_ID.into(), secret };
    let client = Client::over(transport, token, Duration::from_secs(10));
    Host::over(client, modes(sim), NodeChoice::Auto, clock)
}

pub(crate) fn switch(mode: &str) -> Intent {
    Intent {
        verb: Verb::Switch,
        mode: Some(ModeName::from(mode)),
        restore: None,
        keep: false,
        replace: false,
        force: false,
        options: Options::default(),
    }
}

/// A scenario in YAML.
pub(crate) fn scenario(yaml: &str) -> Scenario {
    Scenario::from_yaml(yaml).unwrap()
}

/// The demo world in which this guest of the modes runs, and no other.
pub(crate) fn starting_in(vmid: u32) -> Scenario {
    let initial = |v: u32| if v == vmid { "running" } else { "stopped" };
    let guests: Vec<String> = VMIDS.iter().map(|v| format!("\"{v}\": {{ initial: {} }}", initial(*v))).collect();
    scenario(&format!("world: {{ guests: {{ {} }} }}", guests.join(", ")))
}
