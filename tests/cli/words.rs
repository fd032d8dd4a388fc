//! What the host and the guests say themselves is handed on: the log of a task that failed, an agent's refusal.

use crate::rig::{Rig, snapshot};

const FAILS: &str = include_str!("../../assets/sim/scenarios/start-fails.yaml");
const REFUSES: &str = include_str!("../../assets/sim/scenarios/agent-refuses.yaml");

#[test]
fn why_a_start_failed_is_told_now_and_later() {
    let rig = Rig::with(FAILS);
    let words = "failed to open /dev/vfio/12: Device or resource busy";
    let said = rig.run("mode switch windowsvrstreaming --yes");
    assert_eq!((said.code, rig.running()), (Some(6), vec![101]), "{said:?}");
    snapshot("cli_start_fails", &format!("{}{}", said.out, said.err));
    for line in ["op status", "mode history"] {
        let told = rig.ok(line);
        assert!(told.contains(words) && told.contains("another process of the host"), "{line}: {told}");
    }
    snapshot("cli_history_failed", &rig.ok("mode history"));
    let history = rig.json("mode history --json");
    assert_eq!(history["operations"][0]["trouble"]["finding"], "gpu.taken");
    let events = rig.ok("op status --json");
    assert!(events.contains(words), "{events}");
}

/// Its agent answers, and some commands are switched off in the guest: neither a failure, nor "ok".
#[test]
fn what_a_guests_agent_refuses_is_said_and_left_out() {
    let rig = Rig::with(REFUSES);
    let said = rig.run("mode switch windowsvrstreaming --yes");
    assert_eq!((said.code, rig.running()), (Some(0), vec![102]), "{said:?}");
    snapshot("cli_agent_refuses", &said.out);
    snapshot("cli_status_agent_refuses", &rig.plain(&rig.ok("mode status windowsvrstreaming")));
    let status = rig.json("mode status windowsvrstreaming --json");
    let refused = &status["modes"][0]["agent_refuses"];
    assert_eq!(refused["exec"], "Command guest-exec has been disabled: the command is not allowed");
    assert!(refused["network-get-interfaces"].is_string() && refused["get-users"].is_string(), "{status}");
    // Its own shutdown goes by the agent too, and is asked for all the same.
    let back = rig.run("mode switch linuxvrstreaming --yes");
    assert_eq!((back.code, rig.running()), (Some(0), vec![101]), "{back:?}");
}
