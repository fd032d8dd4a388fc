//! The table of exit codes.

use crate::rig::{Rig, bare, finish};
use serde_json::Value;

/// A scenario in which the start of the Windows guest fails.
const BAD_START: &str =
    "{ faults: [ { on: task qmstart 102, then: { task: { error: 'start failed: QEMU exited with code 1' } } } ] }";

#[test]
fn done_and_already_there_are_0() {
    let rig = Rig::new();
    assert_eq!(rig.run("mode nimsforestnogpu --yes").code, Some(0));
    assert_eq!(rig.run("mode nimsforestnogpu").code, Some(0));
}

#[test]
fn usage_and_configuration_are_2() {
    let rig = Rig::new();
    for line in ["mode nonsense", "op status nonsense", "explain nonsense", "--config /nonexistent mode list"] {
        assert_eq!(rig.run(line).code, Some(2), "{line}");
    }
    let said = finish(bare("mode list").current_dir("/").spawn().unwrap());
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.err.contains("morpheus demo"), "{said:?}");
}

#[test]
fn a_dashboard_whose_keys_make_no_sense_does_not_open() {
    let rig = Rig::new();
    rig.edit_config(|yaml| format!("{yaml}\nui:\n  keys:\n    modes: {{g: top, K: ''}}\n    pains: {{x: quit}}\n"));
    for line in ["", "config check"] {
        let said = rig.run(line);
        assert_eq!(said.code, Some(2), "{line}: {said:?}");
        for fault in ["ui.keys.modes.g: 'g g' (top", "ui.keys.modes.K: no such key", "ui.keys.pains: there is no such"]
        {
            assert!(said.err.contains(fault), "{line}: {said:?}");
        }
    }
    assert_eq!(rig.run("mode list").code, Some(0), "only the dashboard has keys");
}

#[test]
fn a_terminal_without_a_cursor_gets_no_dashboard() {
    let rig = Rig::new();
    let said = finish(rig.command("ops", "").env("TERM", "dumb").spawn().unwrap());
    assert_eq!((said.code, said.out.as_str()), (Some(2), ""), "{said:?}");
    assert!(said.err.contains("TERM=dumb") && said.err.contains("morpheus mode list"), "{said:?}");
}

#[test]
fn a_scenario_is_a_name_or_a_file() {
    let demo = |name: &str| finish(bare(&format!("demo --scenario {name} -- mode list")).spawn().unwrap());
    let carried = demo("stubborn");
    assert_eq!(carried.code, Some(0), "{carried:?}");
    let mistyped = demo("stuborn");
    assert_eq!(mistyped.code, Some(2), "{mistyped:?}");
    for part in ["Did you mean stubborn?", "no-memory, no-rights, pairing, paused"] {
        assert!(mistyped.err.contains(part), "{part}: {mistyped:?}");
    }
}

#[test]
fn a_mistyped_mode_is_2_and_suggests_the_nearest() {
    let rig = Rig::new();
    let said = rig.run("mode windowsvrstraming");
    assert_eq!(said.code, Some(2));
    assert!(said.err.contains("Did you mean windowsvrstreaming?"), "{said:?}");
    assert!(rig.run("mode lst").err.contains("`morpheus mode list`"));
    assert_eq!(rig.counts().total(), 0);
}

#[test]
fn refused_is_3() {
    let rig = Rig::new();
    for line in ["mode nimsforestsharedgpu --yes", "mode windowsvrstreaming", "mode start windowsvrstreaming --yes"] {
        assert_eq!(rig.run(line).code, Some(3), "{line}");
    }
    let locked = Rig::with("{ world: { guests: { '102': { lock: backup } } } }");
    let said = locked.run("mode windowsvrstreaming --yes");
    assert_eq!(said.code, Some(3), "{said:?}");
    assert!(said.err.contains("backup"), "{said:?}");
}

#[test]
fn unreachable_is_4() {
    let rig = Rig::new();
    for line in ["--port 1 mode list", "--port 1 mode windowsvrstreaming --yes", "--port 1 mode status"] {
        let said = rig.run(line);
        assert_eq!((said.code, said.out.as_str()), (Some(4), ""), "{line}: {said:?}");
        assert!(said.err.contains("pve.unreachable"), "{said:?}");
    }
    let zeros = ["00"; 32].join(":");
    let said = rig.run(&format!("--tls-fingerprint {zeros} mode list"));
    assert_eq!(said.code, Some(4), "{said:?}");
    assert!(said.err.contains("pve.tls"), "{said:?}");
}

#[test]
fn not_permitted_is_5_with_the_privilege_its_path_and_the_line_that_grants_it() {
    let rig = Rig::with("{ world: { roles: { MorpheusOperator: [VM.Audit], MorpheusPlanter: [] } } }");
    let said = rig.run("mode windowsvrstreaming --yes --confirm linuxvrstreaming");
    assert_eq!((said.code, said.out.as_str()), (Some(5), ""), "{said:?}");
    assert_eq!(rig.running(), [101]);
    assert!(said.err.contains("VM.PowerMgmt") && said.err.contains("/vms/101"), "{said:?}");
    assert!(
        said.err.contains("\n  do:  pveum role add ") && said.err.contains("\n       pveum acl modify "),
        "{said:?}"
    );
    let rig = Rig::new();
    rig.edit_config(|yaml| yaml.replace("2f5f0e3c", "00000000"));
    let said = rig.run("mode list");
    assert_eq!(said.code, Some(5), "{said:?}");
    assert!(said.err.contains("pve.auth"), "{said:?}");
}

#[test]
fn failed_and_rolled_back_is_6() {
    let rig = Rig::with(BAD_START);
    let said = rig.run("mode windowsvrstreaming --yes");
    assert_eq!(said.code, Some(6), "{said:?}");
    assert!(said.out.contains("Failed, rolled back: linuxvrstreaming runs again"), "{said:?}");
    assert!(said.err.contains("QEMU exited with code 1"), "{said:?}");
    assert_eq!(rig.running(), [101]);
}

#[test]
fn failed_and_not_rolled_back_is_7() {
    let rig = Rig::with(BAD_START);
    let said = rig.run("mode windowsvrstreaming --yes --no-rollback --json");
    assert_eq!(said.code, Some(7), "{said:?}");
    let error: Value = serde_json::from_str(&said.err).unwrap();
    assert_eq!(error["exit_code"], 7);
    assert_eq!(rig.running(), [] as [u32; 0]);
}

#[test]
fn cancelled_is_8_for_those_who_follow_and_0_for_who_cancels() {
    let rig = Rig::with("{ speed: 1 }");
    let following = rig.start("mode windowsvrstreaming --yes");
    assert!(rig.wait_until(|rig| rig.counts().writes > 0));
    let said = rig.run("op cancel");
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "who asks for the end gets what was wanted: {said:?}");
    assert_eq!(finish(following).code, Some(8));
    assert!(rig.wait_until(|rig| rig.running() == [101]), "what was stopped runs again");
}
