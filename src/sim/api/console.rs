//! Consoles: a ticket and a port; the websocket behind them isn't simulated, so the task ends as one does that no client
//! comes to.

use super::Call;
use crate::sim::{
    answer::{Answer, Refused},
    auth::digest,
    find_vm,
    release::Release,
    task::{Worker, spawn},
};
use serde_json::{Value, json};

/// Seconds that a console waits for its client.
const WAITS: f64 = 10.0;

/// `POST /nodes/{node}/qemu/{vmid}/termproxy`: of a guest that is off and of one without a serial port too.
pub(super) fn guest(call: &Call<'_>) -> Result<Answer, Refused> {
    let vmid = call.vmid();
    let first = {
        let state = call.sim.state();
        let vm = find_vm(&state, &call.sim.world, vmid).map_err(Refused::Died)?;
        let vga = vm.spec.text("vga").filter(|vga| vga.starts_with("serial"));
        vga.or_else(|| vm.spec.config.keys().find(|key| key.starts_with("serial")).cloned())
    };
    let serial = call.text("serial").or(first).unwrap_or_else(|| "serial0".to_owned());
    let path = format!("/vms/{vmid}");
    let ends = format!("--path {path} --perm VM.Console");
    let runs = format!("/usr/sbin/qm terminal {vmid} -escape 0 -iface {serial}");
    Ok(open(call, ("vncproxy", &vmid.to_string()), &ends, &runs).into())
}

/// `POST /nodes/{node}/termproxy`.
pub(super) fn node(call: &Call<'_>) -> Result<Answer, Refused> {
    let who = call.who();
    if call.release() == Release::V8 && who.token.is_some() {
        return Err(Refused::died(format!("value '{}' does not look like a valid user name", who.full())));
    }
    let path = format!("/nodes/{}", call.sim.world.node.name);
    Ok(open(call, ("vncshell", ""), &format!("--path {path} --perm Sys.Console"), "/bin/login -f root").into())
}

fn open(call: &Call<'_>, (kind, id): (&'static str, &str), rights: &str, runs: &str) -> Value {
    let (sim, who) = (call.sim, call.who());
    let port = {
        let mut state = sim.state();
        let port = (5900..6000).find(|port| !state.consoles.contains(port)).unwrap_or(5999);
        state.consoles.insert(port);
        port
    };
    let command =
        format!("/usr/bin/termproxy {port} {rights} --vncticket-endpoint --verify-port --ticket-fd 6 -- {runs}");
    let upid = spawn(sim, (kind, id), &who, |worker: Worker| async move {
        worker.sim.clock.sleep(WAITS).await;
        worker.sim.state().consoles.remove(&port);
        worker.log("failed waiting for client: timed out");
        Err(format!("command '{command}' failed: exit code 1"))
    });
    let ticket = format!("PVEVNC:{:08X}::{}", sim.clock.unix(), digest(&upid));
    json!({"port": port.to_string(), "ticket": ticket, "upid": upid, "user": who.full()})
}
