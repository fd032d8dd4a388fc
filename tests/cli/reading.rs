//! Commands that only look.

use crate::rig::{Rig, shape, snapshot};
use serde_json::json;

#[test]
fn mode_list_is_a_table_and_takes_at_most_three_requests() {
    let rig = Rig::new();
    snapshot("cli_mode_list", &rig.ok("mode list"));
    let counts = rig.counts();
    assert!(counts.total() <= 3 && counts.writes == 0, "{counts:?}");
}

#[test]
fn mode_list_as_json_has_the_documented_keys() {
    let rig = Rig::new();
    let list = rig.json("mode list --json");
    assert_eq!(list["schema"], "morpheus.modes/1");
    assert_eq!(list["current"], "linuxvrstreaming");
    let first = &list["modes"][0];
    assert_eq!(first["name"], "linuxvrstreaming");
    assert_eq!(first["vmid"], 101);
    assert_eq!(first["status"], "running");
    assert_eq!(first["gpu_mode"], "exclusive");
    assert_eq!(first["current"], true);
    assert_eq!(first["description"], "Linux VR streaming (CachyOS + WiVRN)");
    assert_eq!(list["modes"].as_array().unwrap().len(), 4);
    let keys = json!(["aliases", "current", "description", "gpu_mode", "lock", "name", "status", "vmid"]);
    let mut found: Vec<&String> = first.as_object().unwrap().keys().collect();
    found.sort();
    assert_eq!(json!(found), keys);
}

#[test]
fn flags_may_stand_anywhere() {
    let rig = Rig::new();
    assert_eq!(rig.ok("--json mode list"), rig.ok("mode --json list"));
}

#[test]
fn mode_status_asks_the_agents_of_running_modes() {
    let rig = Rig::new();
    snapshot("cli_mode_status", &rig.ok("mode status").replace(&uptime(&rig), "UPTIME"));
    snapshot("cli_mode_status_stopped", &rig.ok("mode status windowsvrstreaming"));
    let status = rig.json("mode status --json");
    assert_eq!(status["schema"], "morpheus.status/1");
    assert_eq!(status["modes"][0]["address"], "192.168.1.150");
    assert_eq!(status["modes"][0]["agent"], "alive");
    snapshot("cli_mode_status_shape", &serde_json::to_string_pretty(&shape(&status)).unwrap());
    assert_eq!(rig.counts().writes, 0);
}

fn uptime(rig: &Rig) -> String {
    let text = rig.ok("mode status");
    let first = text.lines().next().unwrap_or_default();
    first.rsplit(" for ").next().unwrap_or_default().to_owned()
}

#[test]
fn a_guest_without_an_agent_is_said_to_have_none() {
    let rig = Rig::with("{ world: { guests: { '101': { config: { agent: null } } } } }");
    let text = rig.ok("mode status");
    assert!(text.contains("not configured on the VM") && text.contains("IP:       unknown"), "{text}");
}

#[test]
fn the_pin_of_a_headset_is_in_the_status() {
    let rig = Rig::with(include_str!("../../assets/sim/scenarios/pairing.yaml"));
    let text = rig.ok("mode status");
    assert!(text.contains("   PIN:      043210 (type it in the headset)\n"), "{text}");
    let wivrn = &rig.json("mode status --json")["modes"][0]["wivrn"];
    assert_eq!(wivrn, &json!({ "pin": "043210", "steam": null, "connected": false, "driver": null }));
}

#[test]
fn the_configuration_is_found_shown_and_checked_without_secrets() {
    let rig = Rig::new();
    let path = rig.ok("config path");
    assert!(path.lines().any(|line| line.starts_with("read") && line.contains("$MORPHEUS_CONFIG_PATH")), "{path}");
    let secret = morpheus::sim::token_secret(rig.sim.world(), morpheus::sim::TOKEN_ID).unwrap();
    for line in ["config show", "config show --json", "config check", "config check --json", "config path --json"] {
        let said = rig.run(line);
        assert_eq!(said.code, Some(0), "{line}: {said:?}");
        assert!(!said.out.contains(&secret) && !said.err.contains(&secret), "{line}");
    }
    let check = rig.ok("config check");
    assert!(check.contains("The configuration is right: 4 modes"), "{check}");
    assert_eq!(rig.counts().total(), 0, "a configuration is read without the host");
}

#[test]
fn a_mistake_in_the_configuration_names_line_and_key() {
    let rig = Rig::new();
    rig.edit_config(|yaml| yaml.replace("gpu_mode: shared", "gpu_mode: sharde"));
    let said = rig.run("config check");
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.err.contains("config.yaml:") && said.err.contains("gpu_mode"), "{said:?}");
    assert!(said.err.contains("morpheus explain config.bad"), "{said:?}");
    assert_eq!(rig.run("mode list").code, Some(2));
}

#[test]
fn a_history_and_a_list_of_nothing_say_so() {
    let rig = Rig::new();
    assert_eq!(rig.ok("mode history"), "No mode was switched from here yet.\n");
    assert_eq!(rig.ok("op list"), "There are no operations.\n");
    assert_eq!(rig.json("op list --json")["operations"], json!([]));
}
