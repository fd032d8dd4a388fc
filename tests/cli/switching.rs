//! Switching by the real binary, its detached runner and the simulated host.

use crate::rig::{Rig, Said, shape, snapshot};
use serde_json::Value;

const MODES: [(&str, u32); 4] =
    [("linuxvrstreaming", 101), ("windowsvrstreaming", 102), ("nimsforestnogpu", 103), ("nimsforestsharedgpu", 104)];

#[test]
fn a_switch_reads_as_documented() {
    let rig = Rig::new();
    let said = rig.run("mode switch windowsvrstreaming --yes");
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""));
    snapshot("cli_switch", &said.out);
    assert_eq!(rig.running(), [102]);
    snapshot("cli_already_there", &rig.ok("mode windowsvrstreaming"));
    snapshot("cli_history", &rig.ok("mode history"));
    let list = rig.ok("op list");
    assert!(list.contains("done") && list.contains("  linuxvrstreaming -> windowsvrstreaming"), "{list}");
    snapshot("cli_op_status", &rig.plain(&rig.ok("op status")));
    assert!(rig.sim.violations().is_empty(), "{:?}", rig.sim.violations());
}

/// All twelve ordered pairs in one walk: each mode is left three times, once to each other one.
#[test]
fn every_mode_can_be_reached_from_every_other() {
    let rig = Rig::new();
    let walk = [1, 0, 2, 0, 3, 1, 2, 1, 3, 2, 3, 0];
    for to in walk {
        let (name, vmid) = MODES[to];
        let said = rig.run(&format!("mode {name} --yes --replace"));
        assert_eq!(said.code, Some(0), "{name}: {said:?}");
        assert_eq!(rig.running(), [vmid], "{name}: {said:?}");
        assert!(said.out.contains(&format!("Now in {name} mode")), "{said:?}");
    }
    assert!(rig.sim.violations().is_empty(), "{:?}", rig.sim.violations());
    assert!(rig.sim.is_on(110), "the NAS was never touched");
    assert_eq!(rig.ok("mode history -n 100").lines().count(), 1 + walk.len());
}

#[test]
fn a_dry_run_prints_the_plan_and_sends_nothing_that_writes() {
    let rig = Rig::new();
    snapshot("cli_dry_run", &rig.ok("mode switch windowsvrstreaming --dry-run"));
    for line in ["mode start nimsforestnogpu --dry-run", "mode stop linuxvrstreaming --dry-run"] {
        rig.ok(line);
    }
    let plan = rig.json("mode windowsvrstreaming --dry-run --json");
    assert_eq!((plan["schema"].as_str(), plan["already_there"].as_bool()), (Some("morpheus.plan/1"), Some(false)));
    snapshot("cli_plan_shape", &serde_json::to_string_pretty(&shape(&plan)).unwrap());
    assert_eq!(rig.counts().writes, 0, "{:?}", rig.counts());
    assert_eq!(rig.ok("op list"), "There are no operations.\n");
}

#[test]
fn a_mode_of_a_forest_leaves_it_before_it_is_shut_down() {
    let rig = Rig::new();
    rig.ok("mode switch nimsforestnogpu --yes");
    let plan = rig.ok("mode switch linuxvrstreaming --dry-run");
    assert!(plan.contains("Draining nimsforestnogpu (VM 103)"), "{plan}");
    let out = rig.ok("mode switch linuxvrstreaming --yes --json");
    let events: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let calls: Vec<&str> = events.iter().filter_map(|event| event["call"]["request"].as_str()).collect();
    assert_eq!(calls, ["drain", "shutdown", "start"]);
    assert!(events.iter().all(|event| event["event"] != "note"), "it left in time: {out}");
}

/// The guests are as wanted: a registry that can't be written is a note, which all ways of looking tell.
#[test]
fn a_registry_that_cant_be_told_of_a_switch_is_said() {
    let rig = Rig::new();
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{nobody}/forest.json");
    let forest = format!("nimsforest:\n  cluster_id: home\n  registry_url: {url}\n");
    rig.edit_config(|yaml| yaml + &forest);
    let words = format!("plant.registry: The registry {url}: Connection refused");
    let said = rig.run("mode switch nimsforestnogpu --yes");
    assert_eq!((said.code, rig.running()), (Some(0), vec![103]), "{said:?}");
    assert!(said.out.contains(&words) && said.out.contains("Now in nimsforestnogpu mode"), "{said:?}");
    let out = rig.ok("mode switch linuxvrstreaming --yes --json");
    let events: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let notes: Vec<&str> = events.iter().filter_map(|event| event["text"].as_str()).collect();
    assert!(notes.iter().any(|note| note.starts_with(&words)), "{out}");
    let status = rig.ok("op status");
    assert!(status.contains(&words), "{status}");
}

#[test]
fn the_stream_of_events_is_one_document_a_line() {
    let rig = Rig::new();
    let out = rig.ok("mode switch nimsforestnogpu --yes --json");
    let events: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(events.iter().all(|event| event["schema"] == "morpheus.event/1"));
    let seqs: Vec<u64> = events.iter().map(|event| event["seq"].as_u64().unwrap()).collect();
    assert_eq!(seqs, (0..u64::try_from(events.len()).unwrap()).collect::<Vec<_>>());
    let kinds: Vec<&str> = events.iter().map(|event| event["event"].as_str().unwrap()).collect();
    assert_eq!((kinds.first(), kinds.last()), (Some(&"planned"), Some(&"finished")));
    assert_eq!(events.last().unwrap()["outcome"], "done");
}

#[test]
fn start_and_stop_leave_other_modes_alone() {
    let rig = Rig::new();
    snapshot("cli_start", &rig.ok("mode start nimsforestnogpu"));
    assert_eq!(rig.running(), [101, 103]);
    assert_eq!(rig.ok("mode start nimsforestnogpu"), "nimsforestnogpu is running already\n");
    snapshot("cli_stop", &rig.ok("mode stop nimsforestnogpu --yes"));
    assert_eq!(rig.running(), [101]);
    assert_eq!(rig.ok("mode stop nimsforestnogpu"), "nimsforestnogpu is stopped already\n");
}

#[test]
fn keep_leaves_compatible_modes_running() {
    let rig = Rig::new();
    rig.ok("mode switch nimsforestnogpu --keep");
    assert_eq!(rig.running(), [101, 103]);
}

#[test]
fn a_conflict_is_refused_with_its_reason_and_a_way_out() {
    let rig = Rig::new();
    let said = rig.run("mode nimsforestsharedgpu --yes");
    assert_eq!((said.code, said.out.as_str()), (Some(3), ""));
    snapshot("cli_conflict", &said.err);
    assert_eq!(rig.counts().writes, 0);
}

#[test]
fn without_a_terminal_a_confirmation_is_a_flag() {
    let rig = Rig::new();
    let Said { code, out, err } = rig.run("mode windowsvrstreaming");
    assert_eq!((code, out.as_str()), (Some(3), ""));
    snapshot("cli_needs_confirmation", &err);
    let json: Value = serde_json::from_str(&rig.run("mode windowsvrstreaming --json").err).unwrap();
    assert_eq!(json["finding"], "policy.needs-confirmation");
    assert_eq!(rig.counts().writes, 0);
}

#[test]
fn where_work_may_be_lost_a_name_is_needed() {
    let rig = Rig::with("{ world: { guests: { '101': { config: { agent: null } } } } }");
    let said = rig.run("mode windowsvrstreaming --yes");
    assert_eq!(said.code, Some(3), "{said:?}");
    assert!(said.err.contains("--confirm linuxvrstreaming"), "{said:?}");
    assert_eq!(rig.counts().writes, 0);
    assert_eq!(rig.run("mode windowsvrstreaming --confirm windowsdesktop").code, Some(3), "no mode's name or alias");
    let alias = |yaml: String| yaml.replacen("linuxvrstreaming:\n", "linuxvrstreaming:\n      aliases: [linuxvr]\n", 1);
    rig.edit_config(alias);
    rig.ok("mode windowsvrstreaming --confirm linuxvr");
    assert_eq!(rig.running(), [102]);
}

#[test]
fn a_guest_that_ignores_the_request_is_stopped_hard_as_the_plan_said() {
    let rig = Rig::with("{ world: { guests: { '101': { agent: null, timing: { shutdown: 100000 } } } } }");
    rig.edit_config(|yaml| format!("{yaml}switch: {{ shutdown_timeout: 2 }}\n"));
    let plan = rig.ok("mode windowsvrstreaming --dry-run");
    assert!(plan.contains("then it is stopped hard"), "{plan}");
    rig.ok("mode windowsvrstreaming --yes --confirm linuxvrstreaming");
    assert_eq!(rig.running(), [102]);
}
