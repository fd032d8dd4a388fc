//! The guest agent: whether it answers, and what (qemu-server `QemuServer/Agent.pm`, `API2/Qemu/Agent.pm`).

mod answers;
mod exec;
mod files;

pub(crate) use answers::{host_name, info, interfaces, osinfo, refusal, users, vcpus};
pub(crate) use exec::{Exec, start, status};
pub(crate) use files::{read, write};

use super::{
    Sim,
    answer::Refused,
    clock::Clock,
    state::{Power, Vm},
    world::AgentSpec,
};
use std::collections::BTreeMap;

/// The agent's channel in one life of a guest.
#[derive(Debug, Default)]
pub(crate) struct AgentState {
    /// Dead until the guest starts again, or until the scenario says otherwise.
    pub(crate) dead: bool,
    /// Programs that were started and whose end nobody has read yet.
    pub(crate) running: BTreeMap<u64, Exec>,
    pub(crate) last_pid: u64,
    /// Whether it was told to leave its forest.
    pub(crate) drained: bool,
}

/// Whether the agent would answer now.
pub(crate) fn is_alive(vm: &Vm, clock: &Clock) -> bool {
    let Some(agent) = &vm.spec.agent else { return false };
    let died = agent.dies.is_some_and(|after| vm.is_up_for(clock, after));
    let booted = match &vm.planted {
        Some(planted) => planted.has_agent(vm, clock),
        None => vm.is_up_for(clock, vm.spec.timing.agent),
    };
    vm.spec.agent_enabled() && vm.power == Power::Running && booted && !agent.dead && !vm.agent.dead && !died
}

/// Seconds that a ping waits for an agent (qemu-server `QMPClient.pm`).
const PING: f64 = 3.0;

/// Finds the guest and pings its agent, as every call does first. A ping waits in the guest's serial port: an agent
/// that comes up within its time answers it.
///
/// # Errors
/// No such guest, no agent configured, guest off; and, 3 s late, an agent that doesn't answer.
pub(crate) async fn ready(sim: &Sim, vmid: u32) -> Result<AgentSpec, Refused> {
    let late = sim.clock.after(PING);
    loop {
        let boots = {
            let state = sim.state();
            let vm = super::find_vm(&state, &sim.world, vmid).map_err(Refused::Died)?;
            if !vm.spec.agent_enabled() {
                return Err(Refused::died("No QEMU guest agent configured"));
            }
            if !vm.power.is_on() {
                return Err(Refused::died(format!("VM {vmid} is not running")));
            }
            if let (true, Some(agent)) = (is_alive(vm, &sim.clock), &vm.spec.agent) {
                let mut agent = agent.clone();
                if vm.planted.as_ref().is_some_and(|planted| !planted.has_address(vm, &sim.clock)) {
                    agent.nics.iter_mut().for_each(|nic| nic.addresses = None);
                }
                return Ok(agent);
            }
            vm.started.map(|since| since + sim.clock.length(vm.spec.timing.agent))
        };
        let now = Clock::now();
        if now >= late {
            return Err(Refused::died("QEMU guest agent is not running"));
        }
        tokio::time::sleep_until(boots.filter(|boots| *boots > now).unwrap_or(late).min(late)).await;
    }
}
