//! `qmpause`, `qmsuspend` and `qmresume`.

use super::{check_lock, lock_config};
use crate::sim::{clock::Clock, state::Power, task::Worker};

/// Halts a guest's CPUs; memory and devices stay its own.
///
/// # Errors
/// The task's last words.
pub(crate) async fn pause(worker: Worker, vmid: u32) -> Result<(), String> {
    change(worker, vmid, Power::Paused).await
}

/// Lets a guest go on.
///
/// # Errors
/// The task's last words.
pub(crate) async fn resume(worker: Worker, vmid: u32) -> Result<(), String> {
    change(worker, vmid, Power::Running).await
}

/// Writes a guest's memory to disk and ends its process.
///
/// # Errors
/// The task's last words.
pub(crate) async fn to_disk(worker: Worker, vmid: u32) -> Result<(), String> {
    let sim = &worker.sim;
    let _lock = lock_config(sim, vmid).await?;
    check_lock(super::find_vm(&sim.state(), &sim.world, vmid)?)?;
    sim.clock.sleep(5.0).await;
    let mut state = sim.state();
    state.power_off(&sim.clock, vmid, Clock::now());
    if let Some(vm) = state.vms.get_mut(&vmid) {
        vm.lock = Some("suspended".to_owned());
    }
    Ok(())
}

/// Presses the reset button: the system inside begins anew, in the same process; a halted one stays halted.
///
/// # Errors
/// The task's last words.
pub(crate) async fn reset(worker: Worker, vmid: u32) -> Result<(), String> {
    let sim = &worker.sim;
    let _lock = lock_config(sim, vmid).await?;
    let mut state = sim.state();
    let vm = state.vms.get_mut(&vmid).ok_or_else(|| super::super::no_config(&sim.world, vmid))?;
    check_lock(vm)?;
    if !vm.power.is_on() {
        return Err(format!("VM {vmid} not running"));
    }
    let (power, pid) = (vm.power, vm.pid);
    state.power_on(vmid, power, Clock::now());
    if let Some(vm) = state.vms.get_mut(&vmid) {
        vm.pid = pid;
    }
    Ok(())
}

async fn change(worker: Worker, vmid: u32, to: Power) -> Result<(), String> {
    let sim = &worker.sim;
    let _lock = lock_config(sim, vmid).await?;
    let mut state = sim.state();
    let vm = state.vms.get_mut(&vmid).ok_or_else(|| super::super::no_config(&sim.world, vmid))?;
    check_lock(vm)?;
    if !vm.power.is_on() {
        return Err(format!("VM {vmid} not running"));
    }
    vm.power = to;
    Ok(())
}
