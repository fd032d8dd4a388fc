//! Leaving the forest: what a guest is told before it is shut down, and what it is told if it stays after all.
//!
//! `NimsForest` is stopped, then each NATS server is put into lame duck mode, in which it hands its streams on, tells its
//! clients to go, and ends (nats-server `server.go`, `lameDuckMode`). Telling it again is harmless.

use super::{
    mode::{Mode, Os},
    probe::decode_powershell,
    service::Probe,
};
use serde::{Deserialize, Serialize};

const HEADER: &str = "# morpheus-drain ";

/// What a guest is told.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Drain {
    /// To leave; else to join again what it left.
    pub leave: bool,
    /// Seconds that it may take.
    pub seconds: u64,
    /// Units or Windows services, `NimsForest`'s before NATS'. Those that don't run are passed over.
    pub names: Vec<String>,
}

impl Drain {
    /// What a mode's guest is told; none if no service of it is of a forest.
    #[must_use]
    pub fn of(mode: &Mode, os: Os, leave: bool, seconds: u64) -> Option<Self> {
        mode.is_of_forest().then(|| {
            let probes = mode.services.iter().filter(|service| service.is_of_forest()).flat_map(|one| &one.probes);
            let said = probes.filter_map(|probe| match (probe, os) {
                (Probe::Systemd { unit }, Os::Linux) => Some(unit.clone()),
                (Probe::Winsvc { service }, Os::Windows) => Some(service.clone()),
                _ => None,
            });
            let usual: &[&str] = match os {
                Os::Linux => &["nimsforest.service", "nats-server.service", "nats.service"],
                Os::Windows => &["NimsForest", "nats-server"],
            };
            let mut names: Vec<String> = Vec::new();
            for name in said.chain(usual.iter().map(|name| (*name).to_owned())).filter(|name| name.is_ascii()) {
                if !names.contains(&name) {
                    names.push(name);
                }
            }
            names.sort_by_key(|name| is_nats(name));
            Self { leave, seconds, names }
        })
    }

    /// The script's first line: ASCII, a comment in both `sh` and `PowerShell`.
    #[must_use]
    pub fn header(&self) -> String {
        format!("{HEADER}{}", serde_json::to_string(self).unwrap_or_default())
    }

    /// Reads what a command tells; none if it isn't one of ours.
    #[must_use]
    pub fn in_command(argv: &[String]) -> Option<Self> {
        let read = |script: &str| {
            let line = script.lines().find_map(|line| line.strip_prefix(HEADER))?;
            serde_json::from_str(line.trim_end()).ok()
        };
        argv.iter().find_map(|arg| read(arg).or_else(|| read(&decode_powershell(arg)?)))
    }
}

/// Whether a unit or service is a NATS server, which is drained and not just stopped.
#[must_use]
pub fn is_nats(name: &str) -> bool {
    name.to_ascii_lowercase().starts_with("nats")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{probe::encode_powershell, service::ServiceCheck, testing};

    fn forest(probes: Vec<Probe>) -> Mode {
        let mut mode = testing::modes().0.remove(0);
        mode.services = vec![ServiceCheck { name: "NATS".into(), probes, note: None }];
        mode
    }

    #[test]
    fn nimsforest_goes_before_nats_and_every_name_is_told_once() {
        let unit = |unit: &str| Probe::Systemd { unit: unit.into() };
        let drain =
            Drain::of(&forest(vec![unit("nats-leaf.service"), unit("nimsforest.service")]), Os::Linux, true, 45);
        let names = ["nimsforest.service", "nats-leaf.service", "nats-server.service", "nats.service"];
        assert_eq!(drain.map(|drain| drain.names), Some(names.map(str::to_owned).to_vec()));
    }

    #[test]
    fn a_mode_without_a_forest_is_told_nothing() {
        assert_eq!(Drain::of(&testing::modes().0[0], Os::Linux, true, 45), None);
    }

    #[test]
    fn what_is_told_is_read_back_from_either_command() {
        let drain = Drain::of(&forest(vec![]), Os::Windows, false, 7).unwrap();
        let script = format!("{}\nJoin\n", drain.header());
        for last in [script.clone(), encode_powershell(&script)] {
            assert_eq!(Drain::in_command(&["x".to_owned(), last]), Some(drain.clone()));
        }
        assert_eq!(Drain::in_command(&["/bin/sh".to_owned(), "-c".to_owned(), "true".to_owned()]), None);
    }
}
