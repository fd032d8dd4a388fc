//! Two hosts, steered at once from one machine: what is meant for one never reaches the other.

use crate::rig::{Rig, Said, finish};
use std::process::Command;

const SWITCH: &str = "mode windowsvrstreaming --yes --detach";

/// Two hosts whose journals lie in one directory.
struct Two {
    one: Rig,
    other: Rig,
}

impl Two {
    fn new() -> Self {
        let (one, other) = (Rig::new(), Rig::new());
        one.hold("qmshutdown");
        other.hold("qmshutdown");
        Self { one, other }
    }

    /// A command line with the configuration of the other host.
    fn there(&self, line: &str) -> Command {
        let mut command = self.other.command("ops", line);
        command.env("MORPHEUS_STATE_DIR", self.one.home.path().join("ops"));
        command
    }

    fn on_other(&self, line: &str) -> Said {
        finish(self.there(line).spawn().unwrap())
    }

    fn newest(said: &str) -> String {
        let id = said.split_whitespace().skip_while(|word| *word != "Operation").nth(1);
        id.unwrap_or_default().to_owned()
    }
}

#[test]
fn two_hosts_are_switched_at_once_and_each_word_reaches_its_own() {
    let two = Two::new();
    let here = Two::newest(&two.one.ok(SWITCH));
    let said = two.on_other(SWITCH);
    assert_eq!(said.code, Some(0), "another host is free: {said:?}");
    let there = Two::newest(&said.out);
    assert!(two.one.wait_until(|_| two.one.counts().writes == 1 && two.other.counts().writes == 1));
    let list = two.one.json("op list --json");
    assert_eq!(list["operations"].as_array().unwrap().len(), 2, "{list}");
    assert!(two.one.ok("op list").matches("running").count() >= 2, "{}", two.one.ok("op list"));
    // Whoever names no operation means the one of the configured host.
    assert!(two.one.ok("op status").contains(&here));
    assert!(two.on_other("op status").out.contains(&there));
    let more = two.on_other("mode nimsforestnogpu --yes");
    assert_eq!(more.code, Some(3), "{more:?}");
    assert!(more.err.contains("op.running") && more.err.contains(&there) && !more.err.contains(&here), "{more:?}");
    for line in ["op cancel", "op cancel --go-back", "op resume", "op undo --yes", "op attach"] {
        let said = two.on_other(&format!("{line} {here}"));
        assert_eq!(said.code, Some(3), "{line}: {said:?}");
        assert!(said.err.contains("op.other-host"), "{line}: {said:?}");
    }
    assert_eq!((two.one.counts().writes, two.other.counts().writes), (1, 1));
    two.one.sim.release();
    assert!(two.one.ok("op attach").contains("Now in windowsvrstreaming mode"));
    assert_eq!((two.one.running(), two.other.running()), (vec![102], vec![101]), "the other one is still held");
    // At its end the operation of this host is the newest one of this host, whatever was begun after it elsewhere.
    assert!(two.one.ok("op undo --yes --dry-run").contains("linuxvrstreaming"));
    let cancel = two.there("op cancel").spawn().unwrap();
    assert!(two.other.wait_until(|_| two.on_other("op status").out.to_lowercase().contains("cancel")));
    two.other.sim.release();
    let cancelled = finish(cancel);
    assert_eq!(cancelled.code, Some(0), "{cancelled:?}");
    assert_eq!((two.one.running(), two.other.running()), (vec![102], vec![101]));
    assert!(two.one.sim.violations().is_empty() && two.other.sim.violations().is_empty());
}
