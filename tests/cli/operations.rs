//! Operations outlive those who started them.

use crate::{
    rig::{Rig, bare, finish, pause, snapshot},
    runner::kill,
};
use morpheus::{
    domain::{ids::OpId, switch::event::What},
    ops::Store,
};
use std::{fs, process::Child};

/// Starts a switch without following it, and waits until it has changed something: it waits for the first guest then.
fn detached(rig: &Rig) -> OpId {
    rig.hold("qmshutdown");
    let out = rig.ok("mode windowsvrstreaming --yes --detach");
    assert!(out.contains("op attach"), "{out}");
    assert!(rig.wait_until(|rig| rig.counts().writes > 0));
    store(rig).list().pop().unwrap().id
}

fn store(rig: &Rig) -> Store {
    Store::open(rig.home.path().join("ops"))
}

/// `kill -9` of the runner.
fn kill_runner(rig: &Rig, id: &OpId) {
    let events = store(rig).read(id).unwrap();
    let pid = events.iter().rev().find_map(|event| match event.what {
        What::RunnerStarted { pid } => Some(pid),
        _ => None,
    });
    kill(pid.unwrap());
    assert!(rig.wait_until(|rig| store(rig).running().is_empty()));
}

#[test]
fn a_detached_switch_is_attached_to_and_ends_well() {
    let rig = Rig::new();
    let id = detached(&rig);
    rig.sim.release();
    let said = rig.run("op attach");
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""));
    assert!(said.out.starts_with("Switching linuxvrstreaming -> windowsvrstreaming\n"), "{said:?}");
    assert!(said.out.contains("Now in windowsvrstreaming mode"), "{said:?}");
    assert_eq!(rig.ok(&format!("op attach {id}")), said.out, "an ended one is told again");
    let resumed = rig.run("op resume");
    assert_eq!(resumed.code, Some(3), "{resumed:?}");
    assert_eq!(rig.run("op cancel").code, Some(3));
}

#[test]
fn the_operation_goes_on_when_its_follower_is_killed_or_interrupted() {
    for interrupt in [false, true] {
        let rig = Rig::new();
        rig.hold("qmshutdown");
        let follower = rig.start("mode windowsvrstreaming --yes");
        assert!(rig.wait_until(|rig| rig.counts().writes > 0));
        if interrupt {
            let said = interrupt_and_finish(follower);
            assert_eq!(said.code, Some(130), "{said:?}");
            assert!(said.err.contains("goes on") && said.err.contains("op cancel"), "{said:?}");
        } else {
            kill(follower.id());
            finish(follower);
        }
        rig.sim.release();
        assert!(rig.run("op attach").out.contains("Now in windowsvrstreaming mode"));
    }
}

fn interrupt_and_finish(child: Child) -> crate::rig::Said {
    let pid = rustix::process::Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    finish(child)
}

#[test]
fn after_a_kill_of_the_runner_a_resume_goes_on() {
    let rig = Rig::new();
    let id = detached(&rig);
    kill_runner(&rig, &id);
    rig.sim.release();
    let said = rig.run("op attach");
    assert_eq!(said.code, Some(7), "{said:?}");
    assert!(said.err.contains(&format!("op resume {id}")), "{said:?}");
    assert!(rig.ok("op status").contains("interrupted"));
    let said = rig.run("mode nimsforestnogpu --yes");
    assert_eq!(said.code, Some(3), "{said:?}");
    for part in ["op.interrupted", &format!("morpheus op resume {id}"), &format!("morpheus op undo {id}")] {
        assert!(said.err.contains(part), "{part}: {said:?}");
    }
    let said = rig.run("op resume");
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_eq!(rig.running(), [102]);
}

#[test]
fn after_a_kill_of_the_runner_an_undo_goes_back() {
    let rig = Rig::new();
    let id = detached(&rig);
    kill_runner(&rig, &id);
    rig.sim.release();
    assert_eq!(rig.run("op undo").code, Some(3), "needs a confirmation");
    let said = rig.run("op undo --yes");
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{said:?}");
    let last = said.out.lines().last().unwrap_or_default();
    assert!(last.starts_with("Cancelled: linuxvrstreaming "), "{said:?}");
    assert_eq!(rig.running(), [101]);
}

#[test]
fn a_switch_that_went_well_can_be_undone() {
    let rig = Rig::new();
    rig.ok("mode windowsvrstreaming --yes");
    assert_eq!(rig.run("op undo").code, Some(3), "needs a confirmation");
    snapshot("cli_undo", &rig.ok("op undo --yes"));
    assert_eq!(rig.running(), [101]);
}

#[test]
fn an_operation_of_another_host_is_not_touched() {
    let rig = Rig::new();
    rig.ok("mode windowsvrstreaming --yes");
    let other = Rig::new();
    let ops = rig.home.path().join("ops");
    let said = finish(other.command("ops", "op undo --yes").env("MORPHEUS_STATE_DIR", ops).spawn().unwrap());
    assert_eq!(said.code, Some(3), "{said:?}");
    assert!(said.err.contains("op.other-host"), "{said:?}");
    assert_eq!(other.counts().writes, 0);
}

#[test]
fn a_guest_that_stays_is_asked_about_and_the_answer_counts() {
    // Nobody is at a terminal here: the configuration says to give up, and the exit code says that nothing changed.
    let rig = Rig::with("{ world: { guests: { '101': { agent: null, timing: { shutdown: 100000 } } } } }");
    rig.edit_config(|yaml| format!("{yaml}switch: {{ shutdown_timeout: 1, shutdown_fallback: fail }}\n"));
    let said = rig.run("mode windowsvrstreaming --confirm linuxvrstreaming");
    assert!(matches!(said.code, Some(6 | 7)), "{said:?}");
    assert!(said.err.contains("guest.shutdown-timeout"), "{said:?}");
    assert_eq!(rig.running(), [101]);
}

#[test]
fn the_demo_brings_its_own_host_and_leaves_nothing_behind() {
    let home = tempfile::tempdir().unwrap();
    let mut command = bare("demo --speed 50 -- mode windowsvrstreaming --confirm linuxvrstreaming");
    let said = finish(command.env("TMPDIR", home.path()).spawn().unwrap());
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.out.contains("Now in windowsvrstreaming mode"), "{said:?}");
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
}

#[test]
fn a_simulated_host_serves_scripts() {
    let home = tempfile::tempdir().unwrap();
    let config = home.path().join("config.yaml");
    let mut server = bare("sim --listen 127.0.0.1:0 --json --write-config");
    let mut server = server.arg(&config).spawn().unwrap();
    assert!((0..200).any(|_| fs::read_to_string(&config).is_ok_and(|text| text.contains("forestshared")) || pause()));
    let said = finish(bare("mode list --config").arg(&config).spawn().unwrap());
    assert_eq!(said.code, Some(0), "{said:?}");
    rustix::process::kill_process(
        rustix::process::Pid::from_raw(i32::try_from(server.id()).unwrap()).unwrap(),
        rustix::process::Signal::TERM,
    )
    .unwrap();
    assert_eq!(server.wait().unwrap().code(), Some(0));
}

/// Gives the newest operation the name that it would have if the clock had been years ahead when it was begun.
fn ahead(rig: &Rig, id: &OpId) -> OpId {
    let ops = rig.home.path().join("ops");
    let name = OpId::from("20991231-235959-ffff");
    for ending in ["jsonl", "control"] {
        fs::rename(ops.join(format!("{id}.{ending}")), ops.join(format!("{name}.{ending}"))).unwrap();
    }
    name
}

#[test]
fn after_a_clock_that_was_ahead_the_newest_is_what_was_begun_last() {
    let rig = Rig::new();
    rig.ok("mode windowsvrstreaming --yes");
    let early = ahead(&rig, &store(&rig).list().pop().unwrap().id);
    rig.hold("qmshutdown");
    rig.ok("mode nimsforestnogpu --yes --detach");
    assert!(rig.wait_until(|rig| store(rig).list().last().unwrap().state.steps[0].begun.is_some()));
    let late = store(&rig).list().pop().unwrap().id;
    assert_ne!(early, late);
    let list = rig.json("op list --json");
    assert_eq!(
        (&list["operations"][0]["op"], &list["operations"][1]["op"]),
        (&late.as_str().into(), &early.as_str().into())
    );
    assert!(rig.wait_until(|rig| rig.counts().writes == 3));
    kill_runner(&rig, &late);
    rig.sim.release();
    assert!(rig.ok("op status").contains(late.as_str()), "the newest");
    let blocked = rig.run("mode linuxvrstreaming --yes");
    assert_eq!(blocked.code, Some(3), "{blocked:?}");
    assert!(blocked.err.contains(&format!("op resume {late}")) && !blocked.err.contains(early.as_str()), "{blocked:?}");
    assert_eq!(rig.run("op resume").code, Some(0), "the one that was interrupted");
    assert_eq!(rig.running(), [103]);
    let newest = rig.ok("mode history --limit 1 --json");
    assert!(newest.contains(late.as_str()) && !newest.contains(early.as_str()), "{newest}");
    rig.ok("op undo --yes");
    assert_eq!(rig.running(), [102], "it goes back from what was done last");
}
