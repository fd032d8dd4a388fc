//! `qmshutdown`, `qmreboot` and `qmstop`.

use super::{check_lock, lock_config, wait_for_end};
use crate::sim::{
    Sim,
    access::Identity,
    agent,
    clock::Clock,
    pci,
    planted::Planted,
    state::{Power, Vm},
    task::Worker,
};

/// How a guest is asked to go down.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shutdown {
    /// Seconds that it gets; its own `startup: down=` or 60 if absent.
    pub(crate) timeout: Option<f64>,
    /// Kill it then.
    pub(crate) force: bool,
    /// Start it again.
    pub(crate) reboot: bool,
}

/// Asks a guest to shut down, and waits for it.
///
/// # Errors
/// The task's last words.
pub(crate) async fn shutdown(worker: Worker, vmid: u32, how: Shutdown) -> Result<(), String> {
    let sim = &worker.sim;
    let _lock = lock_config(sim, vmid).await?;
    let Some((life, seconds)) = look(sim, vmid, how.timeout)? else { return Ok(()) };
    ask(&worker, vmid).await;
    let deadline = sim.clock.after(seconds);
    if !wait_for_end(sim, vmid, life, deadline).await {
        if !how.force {
            return Err("VM quit/powerdown failed - got timeout".to_owned());
        }
        worker.log("VM still running - terminating now with SIGTERM");
        kill(sim, vmid, life).await;
    }
    clean_up(sim, vmid).await;
    if how.reboot {
        let mut state = sim.state();
        if let Some(spec) = state.vms.get(&vmid).map(|vm| vm.spec.clone()) {
            let functions = pci::first_choice(&sim.world, &state.mappings, &spec);
            state.reservations.hold(vmid, &functions);
            state.power_on(vmid, Power::Running, Clock::now());
        }
    }
    Ok(())
}

/// Ends a guest's process. `overrule` ends running shutdown tasks of the same guest first.
///
/// # Errors
/// The task's last words.
pub(crate) async fn stop(worker: Worker, vmid: u32, overrule: Option<Identity>) -> Result<(), String> {
    let sim = &worker.sim;
    if let Some(who) = overrule {
        let ended = overrule_shutdowns(sim, vmid, &who);
        if !ended.is_empty() {
            worker.log(format!("overruled qmshutdown tasks: {}", ended.join(", ")));
        }
    }
    let _lock = lock_config(sim, vmid).await?;
    let Some((life, _)) = look(sim, vmid, None)? else { return Ok(()) };
    kill(sim, vmid, life).await;
    clean_up(sim, vmid).await;
    Ok(())
}

/// The guest's life and its time for a shutdown; none if it is off.
fn look(sim: &Sim, vmid: u32, timeout: Option<f64>) -> Result<Option<(u32, f64)>, String> {
    let state = sim.state();
    let vm = super::find_vm(&state, &sim.world, vmid)?;
    // Of one that is off nothing is asked, its lock neither.
    if !vm.power.is_on() {
        return Ok(None);
    }
    check_lock(vm)?;
    let startup = vm.spec.text("startup").unwrap_or_default();
    let own = startup.split(',').find_map(|part| part.strip_prefix("down=")?.parse().ok());
    Ok(Some((vm.life, timeout.or(own).unwrap_or(60.0))))
}

/// Asks through the agent, else by the power button. The guest goes down some time later, or not at all.
async fn ask(worker: &Worker, vmid: u32) {
    let sim = &worker.sim;
    let (enabled, alive) = {
        let state = sim.state();
        state.vms.get(&vmid).map_or((false, false), |vm| (vm.spec.agent_enabled(), agent::is_alive(vm, &sim.clock)))
    };
    if enabled && !alive {
        sim.clock.sleep(3.0).await;
        let why = format!("VM {vmid} qga command 'guest-ping' failed - got timeout");
        worker.log(format!("QEMU Guest Agent is not running - {why}"));
    }
    let mut state = sim.state();
    let Some(vm) = state.vms.get_mut(&vmid) else { return };
    let refuses = vm.spec.agent.as_ref().is_some_and(|agent| agent::refusal(agent, "shutdown").is_some());
    let reacts = if alive { !vm.spec.ignores_agent && !refuses } else { hears_button(sim, vm) };
    if reacts && vm.off_at.is_none() {
        vm.off_at = Some(sim.clock.after(vm.spec.timing.shutdown));
    }
}

/// The power button is heard by a system that is up, well before its agent.
fn hears_button(sim: &Sim, vm: &Vm) -> bool {
    let runs = vm.planted.as_ref().is_none_or(Planted::runs);
    runs && vm.power == Power::Running && !vm.spec.ignores_acpi && vm.is_up_for(&sim.clock, vm.spec.timing.agent / 2.0)
}

async fn kill(sim: &Sim, vmid: u32, life: u32) {
    let deadline = {
        let mut state = sim.state();
        let Some(vm) = state.vms.get_mut(&vmid) else { return };
        let end = sim.clock.after(vm.spec.timing.stop);
        vm.off_at = Some(vm.off_at.map_or(end, |soon| soon.min(end)));
        end
    };
    wait_for_end(sim, vmid, life, deadline).await;
}

/// What the task does after QEMU's end; the device is free then, unless something is left over.
async fn clean_up(sim: &Sim, vmid: u32) {
    let seconds = sim.state().vms.get(&vmid).map_or(0.0, |vm| vm.spec.timing.cleanup);
    sim.clock.sleep(seconds).await;
}

fn overrule_shutdowns(sim: &Sim, vmid: u32, who: &Identity) -> Vec<String> {
    let state = sim.state();
    let running = state.tasks.iter().filter(|task| {
        task.is_running()
            && task.kind == "qmshutdown"
            && task.id == vmid.to_string()
            && super::super::owns(sim, who, task)
    });
    running
        .map(|task| {
            task.interrupt.notify_one();
            task.upid.clone()
        })
        .collect()
}
