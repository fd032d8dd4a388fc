//! The host's workers on VMs: start, shutdown, stop, reboot, suspend, resume (qemu-server `QemuServer.pm`).

mod down;
mod make;
mod pause;
mod start;

pub(crate) use down::{Shutdown, shutdown, stop};
pub(crate) use make::{create, destroy, resize};
pub(crate) use pause::{pause, reset, resume, to_disk};
pub(crate) use start::start;

use super::{Sim, clock::Clock, find_vm, state::Vm};
use tokio::sync::OwnedMutexGuard;

/// Seconds that a worker waits for a guest's lock file.
const LOCK_TIMEOUT: f64 = 10.0;

/// Takes the lock file of a guest's configuration.
pub(crate) async fn lock_config(sim: &Sim, vmid: u32) -> Result<OwnedMutexGuard<()>, String> {
    let file = {
        let state = sim.state();
        find_vm(&state, &sim.world, vmid)?.flock.clone()
    };
    let taken = tokio::time::timeout(sim.clock.length(LOCK_TIMEOUT), file.lock_owned()).await;
    taken.map_err(|_| format!("can't lock file '/var/lock/qemu-server/lock-{vmid}.conf' - got timeout"))
}

/// Refuses a guest whose configuration is locked.
fn check_lock(vm: &Vm) -> Result<(), String> {
    vm.lock.as_ref().map_or(Ok(()), |lock| Err(format!("VM is locked ({lock})")))
}

/// Waits until the process of a guest's `life` ends, at most until `deadline`. Tells whether it did.
async fn wait_for_end(sim: &Sim, vmid: u32, life: u32, deadline: tokio::time::Instant) -> bool {
    loop {
        let due = {
            let state = sim.state();
            match state.vms.get(&vmid) {
                Some(vm) if vm.power.is_on() && vm.life == life => vm.off_at,
                _ => return true,
            }
        };
        if Clock::now() >= deadline {
            return false;
        }
        // Without a known end it may still come: somebody stops the guest, or a scenario does.
        let look = due.unwrap_or_else(|| sim.clock.after(1.0));
        tokio::time::sleep_until(look.min(deadline)).await;
    }
}
