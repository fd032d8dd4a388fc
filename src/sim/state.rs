//! What changes: guests, reservations, tasks, tickets. Brought up to date when it is looked at, never by a tick.

use super::{
    access::Identity,
    agent::AgentState,
    auth::Ticket,
    clock::Clock,
    count::{Counts, Violation},
    pci::Reservations,
    planted::{self, Planted},
    scenario::{Change, Event},
    task::Task,
    volume::{self, Volume},
    world::{GuestSpec, Initial, MappingSpec, World},
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use tokio::time::Instant;

/// Seconds that guests have been up which run from the beginning: a day and three hours.
const LONG: u64 = 97_920;

/// Times that a guest ran which are remembered.
const MANY_LIVES: usize = 20;

/// Tasks that are remembered.
const MANY_TASKS: usize = 1000;

/// A guest's process.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Power {
    Stopped,
    Running,
    Paused,
    Suspended,
    Prelaunch,
    /// The guest has powered off, its process is left.
    Shutdown,
}

impl Power {
    /// QEMU's own word.
    pub(crate) const fn qmp(self) -> &'static str {
        match self {
            Self::Stopped => "stopped",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Suspended => "suspended",
            Self::Prelaunch => "prelaunch",
            Self::Shutdown => "shutdown",
        }
    }

    pub(crate) fn is_on(self) -> bool {
        self != Self::Stopped
    }
}

/// A guest and what it is doing.
#[derive(Debug)]
pub(crate) struct Vm {
    pub(crate) spec: GuestSpec,
    pub(crate) power: Power,
    /// When QEMU came up.
    pub(crate) started: Option<Instant>,
    /// Seconds that it ran before the simulation began.
    pub(crate) head_start: u64,
    /// Earlier times that it ran, from and to, seconds since the Unix epoch.
    pub(crate) past: Vec<(u64, u64)>,
    pub(crate) pid: u32,
    /// Counts starts, so that what was meant for an earlier life doesn't hit a later one.
    pub(crate) life: u32,
    pub(crate) lock: Option<String>,
    /// When QEMU will end because the guest is shutting down.
    pub(crate) off_at: Option<Instant>,
    pub(crate) agent: AgentState,
    /// Settings that count from the next start; none: the key goes.
    pub(crate) pending: BTreeMap<String, Option<Value>>,
    /// What is inside, where it was made since the beginning.
    pub(crate) planted: Option<Planted>,
    /// Files that were written into a guest that isn't planted.
    pub(crate) files: BTreeMap<String, Vec<u8>>,
    /// The lock file `/var/lock/qemu-server/lock-N.conf`.
    pub(crate) flock: Arc<tokio::sync::Mutex<()>>,
}

impl Vm {
    /// A guest that is off.
    pub(crate) fn new(spec: GuestSpec) -> Self {
        Self {
            power: Power::Stopped,
            started: None,
            head_start: 0,
            past: Vec::new(),
            pid: 0,
            life: 0,
            lock: spec.lock.clone(),
            off_at: None,
            agent: AgentState::default(),
            pending: BTreeMap::new(),
            planted: None,
            files: BTreeMap::new(),
            flock: Arc::default(),
            spec,
        }
    }

    /// Its settings, with what counts from the next start if that is wanted.
    pub(crate) fn settings(&self, pending: bool) -> BTreeMap<String, Value> {
        let mut settings = self.spec.config.clone();
        for (key, value) in self.pending.iter().filter(|_| pending) {
            match value {
                Some(value) => settings.insert(key.clone(), value.clone()),
                None => settings.remove(key),
            };
        }
        settings
    }

    /// Seconds since its start as people count them; 0 when it is off.
    pub(crate) fn uptime(&self) -> u64 {
        self.started.map_or(0, |since| since.elapsed().as_secs() + self.head_start)
    }

    /// Whether it has been up for `seconds` of the host's time.
    pub(crate) fn is_up_for(&self, clock: &Clock, seconds: f64) -> bool {
        self.started.is_some_and(|since| self.head_start > 0 || clock.has_passed(since, seconds))
    }

    /// Memory that it takes from the host, bytes: all of it if devices pin it.
    pub(crate) fn memory(&self) -> u64 {
        match (self.power.is_on(), self.spec.pins_memory()) {
            (false, _) => 0,
            (true, true) => self.spec.max_mem(),
            (true, false) => self.spec.max_mem() / 10 * 7,
        }
    }
}

/// Everything that changes.
pub(crate) struct State {
    pub(crate) vms: BTreeMap<u32, Vm>,
    pub(crate) mappings: BTreeMap<String, MappingSpec>,
    pub(crate) usb_mappings: BTreeMap<String, MappingSpec>,
    /// Properties of the node that were set.
    pub(crate) node_config: BTreeMap<String, String>,
    /// Ports of consoles that wait for a client or have one.
    pub(crate) consoles: BTreeSet<u16>,
    /// Volumes by their ids.
    pub(crate) volumes: BTreeMap<String, Volume>,
    pub(crate) reservations: Reservations,
    pub(crate) tasks: Vec<Task>,
    pub(crate) tickets: Vec<Ticket>,
    pub(crate) counts: Counts,
    pub(crate) violations: Vec<Violation>,
    /// Starts that met a busy device and were refused.
    pub(crate) refused_starts: Vec<Violation>,
    /// Requests to start that came while a running guest had the device, whatever became of them.
    pub(crate) rash_requests: Vec<Violation>,
    /// Fingerprint of the certificate that the host is served with.
    pub(crate) fingerprint: String,
    /// The host doesn't answer at all until then.
    pub(crate) unreachable_until: Option<Instant>,
    events: Vec<Event>,
    next_pid: u32,
}

impl State {
    pub(crate) fn new(world: &World, mut events: Vec<Event>) -> Self {
        events.sort_by(|a, b| b.at.total_cmp(&a.at));
        let mut state = Self {
            vms: BTreeMap::new(),
            mappings: world.mappings.clone(),
            usb_mappings: world.usb_mappings.clone(),
            node_config: world.node.config.clone(),
            consoles: BTreeSet::new(),
            volumes: volume::of_world(world),
            reservations: Reservations::default(),
            tasks: Vec::new(),
            tickets: Vec::new(),
            counts: Counts::default(),
            violations: Vec::new(),
            refused_starts: Vec::new(),
            rash_requests: Vec::new(),
            fingerprint: ["00"; 32].join(":"),
            unreachable_until: None,
            events,
            next_pid: 1000,
        };
        for (vmid, spec) in &world.guests {
            let power = match spec.initial {
                Initial::Stopped => Power::Stopped,
                Initial::Running => Power::Running,
                Initial::Paused => Power::Paused,
                Initial::Suspended => Power::Suspended,
                Initial::Prelaunch => Power::Prelaunch,
                Initial::Shutdown => Power::Shutdown,
            };
            state.vms.insert(*vmid, Vm::new(spec.clone()));
            if power.is_on() {
                let functions = super::pci::first_choice(world, &state.mappings, spec);
                state.reservations.hold(*vmid, &functions);
                state.power_on(*vmid, power, Clock::now());
                if let Some(vm) = state.vms.get_mut(vmid) {
                    vm.head_start = LONG;
                }
            }
        }
        state
    }

    pub(crate) fn pid(&mut self) -> u32 {
        self.next_pid += 7;
        self.next_pid
    }

    /// QEMU comes up.
    pub(crate) fn power_on(&mut self, vmid: u32, power: Power, since: Instant) {
        let pid = self.pid();
        if let Some(vm) = self.vms.get_mut(&vmid) {
            vm.power = power;
            vm.started = Some(since);
            vm.head_start = 0;
            vm.pid = pid;
            vm.life += 1;
            vm.off_at = None;
            vm.agent = AgentState::default();
            vm.spec.config = vm.settings(true);
            vm.pending.clear();
            planted::boot(vm, &self.volumes);
        }
    }

    /// QEMU ends at `when`. Its device stays reserved for the time that cleaning up takes.
    pub(crate) fn power_off(&mut self, clock: &Clock, vmid: u32, when: Instant) {
        let Some(vm) = self.vms.get_mut(&vmid).filter(|vm| vm.power.is_on()) else { return };
        let since = clock.unix_at(when).saturating_sub(vm.uptime());
        vm.past.push((since, clock.unix_at(when)));
        vm.past.drain(..vm.past.len().saturating_sub(MANY_LIVES));
        planted::end(vm, clock);
        vm.power = Power::Stopped;
        vm.started = None;
        vm.off_at = None;
        let timing = &vm.spec.timing;
        self.reservations.release(vmid, when + clock.length(timing.cleanup + timing.leftover));
    }

    pub(crate) fn new_task(&mut self, clock: &Clock, node: &str, what: (&'static str, &str), who: &Identity) -> Task {
        if self.tasks.len() > MANY_TASKS
            && let Some(old) = self.tasks.iter().position(|task| !task.is_running())
        {
            self.tasks.remove(old);
        }
        let pid = self.pid();
        let task = Task::new(clock, node, pid, what, who);
        self.tasks.push(task.clone());
        task
    }

    /// Brings everything up to the present: what the scenario holds, each at its own moment; guests that shut
    /// themselves down; reservations and tasks that ran out.
    pub(crate) fn settle(&mut self, clock: &Clock, world: &World) {
        let now = Clock::now();
        while let Some(event) = self.events.pop() {
            let due = clock.start() + clock.length(event.at);
            if due > now {
                self.events.push(event);
                break;
            }
            self.settle_until(clock, due);
            self.apply(clock, world, &event, due);
        }
        self.settle_until(clock, now);
    }

    fn settle_until(&mut self, clock: &Clock, now: Instant) {
        let due: Vec<(u32, Instant)> =
            self.vms.iter().filter_map(|(vmid, vm)| Some((*vmid, vm.off_at.filter(|at| *at <= now)?))).collect();
        for (vmid, when) in due {
            self.power_off(clock, vmid, when);
        }
        self.reservations.settle(now);
        for task in &mut self.tasks {
            if let Some(at) = task.ends.filter(|at| *at <= now) {
                task.end(clock.unix_at(at), Ok(()));
            }
        }
    }

    fn apply(&mut self, clock: &Clock, world: &World, event: &Event, now: Instant) {
        if let Change::Unreachable(seconds) = &event.change {
            self.unreachable_until = Some(now + clock.length(*seconds));
            return;
        }
        let Some(vmid) = event.vmid else { return };
        if event.change == Change::Start {
            if let Some(spec) = self.vms.get(&vmid).filter(|vm| !vm.power.is_on()).map(|vm| vm.spec.clone())
                && self.take_devices(world, vmid, &spec)
            {
                self.power_on(vmid, Power::Running, now);
                let root = Identity { user: "root@pam".to_owned(), token: None };
                let upid = self.new_task(clock, &world.node.name, ("qmstart", &vmid.to_string()), &root).upid;
                if let Some(task) = self.tasks.iter_mut().find(|task| task.upid == upid) {
                    task.end(clock.unix_at(now), Ok(()));
                }
            }
            return;
        }
        if let Change::Backup(seconds) = &event.change {
            return self.back_up(clock, world, vmid, event.at, *seconds);
        }
        if event.change == Change::PowerOff {
            return self.power_off(clock, vmid, now);
        }
        let Some(vm) = self.vms.get_mut(&vmid) else { return };
        match &event.change {
            Change::Lock(name) => vm.lock = Some(name.clone()),
            Change::Unlock => {
                if vm.power == Power::Prelaunch {
                    self.power_off(clock, vmid, now);
                }
                if let Some(vm) = self.vms.get_mut(&vmid) {
                    vm.lock = None;
                }
            }
            Change::Pause if vm.power == Power::Running => vm.power = Power::Paused,
            Change::Linger if vm.power.is_on() => vm.power = Power::Shutdown,
            Change::Resume if vm.power.is_on() => vm.power = Power::Running,
            Change::AgentDies => vm.agent.dead = true,
            Change::AgentReturns => vm.agent.dead = false,
            _ => {}
        }
    }

    /// A backup: locks the guest; a stopped one is started for it, CPUs halted, with its devices.
    fn back_up(&mut self, clock: &Clock, world: &World, vmid: u32, at: f64, seconds: f64) {
        let Some(vm) = self.vms.get_mut(&vmid) else { return };
        vm.lock = Some("backup".to_owned());
        let (spec, was_on) = (vm.spec.clone(), vm.power.is_on());
        let since = clock.start() + clock.length(at);
        if !was_on && self.take_devices(world, vmid, &spec) {
            self.power_on(vmid, Power::Prelaunch, since);
        }
        let root = Identity { user: "root@pam".to_owned(), token: None };
        let upid = self.new_task(clock, &world.node.name, ("vzdump", &vmid.to_string()), &root).upid;
        if let Some(task) = self.tasks.iter_mut().find(|task| task.upid == upid) {
            task.log.push(format!("INFO: starting new backup job: vzdump {vmid} --mode snapshot --storage local"));
            task.ends = Some(clock.start() + clock.length(at + seconds));
        }
        self.events.push(Event { at: at + seconds, vmid: Some(vmid), change: Change::Unlock });
        self.events.sort_by(|a, b| b.at.total_cmp(&a.at));
    }

    /// Notes a request to start a guest whose device a running guest has.
    pub(crate) fn note_request(&mut self, world: &World, vmid: u32) {
        let Some(spec) = self.vms.get(&vmid).map(|vm| vm.spec.clone()) else { return };
        let functions = super::pci::first_choice(world, &self.mappings, &spec);
        let Some((function, holder, _)) = self.reservations.holder(vmid, &functions) else { return };
        if self.vms.get(&holder).is_some_and(|vm| vm.power.is_on()) {
            let function = function.to_string();
            self.rash_requests.push(Violation::EarlyStart { function, holder, vmid, running: true });
        }
    }

    fn take_devices(&mut self, world: &World, vmid: u32, spec: &GuestSpec) -> bool {
        let functions = super::pci::first_choice(world, &self.mappings, spec);
        let free = self.reservations.holder(vmid, &functions).is_none();
        if free {
            self.reservations.hold(vmid, &functions);
        }
        free
    }
}
