//! Scenarios: changes to the world, faults, and what happens by itself. Plain data, read from YAML.

use super::{
    fault::Fault,
    release::Release,
    world::{BadWorld, World},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The scenarios that the program carries, by name.
const CARRIED: [(&str, &str); 20] = [
    ("agent-dies", include_str!("../../assets/sim/scenarios/agent-dies.yaml")),
    ("agent-refuses", include_str!("../../assets/sim/scenarios/agent-refuses.yaml")),
    ("away", include_str!("../../assets/sim/scenarios/away.yaml")),
    ("backup", include_str!("../../assets/sim/scenarios/backup.yaml")),
    ("bare", include_str!("../../assets/sim/scenarios/bare.yaml")),
    ("crowd", include_str!("../../assets/sim/scenarios/crowd.yaml")),
    ("few-privileges", include_str!("../../assets/sim/scenarios/few-privileges.yaml")),
    ("flaky", include_str!("../../assets/sim/scenarios/flaky.yaml")),
    ("foreign-holder", include_str!("../../assets/sim/scenarios/foreign-holder.yaml")),
    ("ha", include_str!("../../assets/sim/scenarios/ha.yaml")),
    ("leftover", include_str!("../../assets/sim/scenarios/leftover.yaml")),
    ("locked", include_str!("../../assets/sim/scenarios/locked.yaml")),
    ("no-memory", include_str!("../../assets/sim/scenarios/no-memory.yaml")),
    ("no-rights", include_str!("../../assets/sim/scenarios/no-rights.yaml")),
    ("pairing", include_str!("../../assets/sim/scenarios/pairing.yaml")),
    ("paused", include_str!("../../assets/sim/scenarios/paused.yaml")),
    ("slow-shutdown", include_str!("../../assets/sim/scenarios/slow-shutdown.yaml")),
    ("start-fails", include_str!("../../assets/sim/scenarios/start-fails.yaml")),
    ("stubborn", include_str!("../../assets/sim/scenarios/stubborn.yaml")),
    ("switch-only", include_str!("../../assets/sim/scenarios/switch-only.yaml")),
];

/// What is other than usual.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Scenario {
    /// A sentence for people.
    pub description: String,
    /// The version of Proxmox VE that the host runs, such as `"8.4"`; the world's own if absent.
    pub pve: Option<Release>,
    /// Laid over the world (RFC 7396); see [`World::patched`].
    pub world: Option<Value>,
    /// How many times faster than real time everything goes; 1 if absent.
    pub speed: Option<f64>,
    /// Faults.
    pub faults: Vec<Fault>,
    /// What happens by itself.
    pub events: Vec<Event>,
}

/// Something that happens by itself.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// Seconds after the beginning, in the host's time.
    pub at: f64,
    /// To whom; none where it concerns the host.
    #[serde(default)]
    pub vmid: Option<u32>,
    /// What.
    #[serde(rename = "do")]
    pub change: Change,
}

/// What happens.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// The guest's agent dies.
    AgentDies,
    /// It comes back.
    AgentReturns,
    /// The guest is locked.
    Lock(String),
    /// Its lock goes; a guest that was started for a backup is stopped.
    Unlock,
    /// A backup that takes so many seconds. A stopped guest is started for it, CPUs halted, devices taken.
    Backup(f64),
    /// The guest is paused.
    Pause,
    /// It goes on.
    Resume,
    /// Somebody else starts it; nothing happens if its device is taken.
    Start,
    /// It ends at once.
    PowerOff,
    /// It powers off, but its QEMU process stays (`qmpstatus: shutdown`).
    Linger,
    /// The host doesn't answer for so many seconds.
    Unreachable(f64),
}

impl Scenario {
    /// One of the scenarios that the program carries, such as `stubborn`.
    ///
    /// # Errors
    /// There is none of that name.
    pub fn named(name: &str) -> Result<Self, BadWorld> {
        match CARRIED.iter().find(|(known, _)| *known == name) {
            Some((_, text)) => Self::from_yaml(text),
            None => Err(BadWorld(format!("there is no scenario '{name}'"))),
        }
    }

    /// The names that [`named`](Self::named) takes.
    pub fn names() -> impl Iterator<Item = &'static str> {
        CARRIED.iter().map(|(name, _)| *name)
    }

    /// Reads a scenario.
    ///
    /// # Errors
    /// The text is no YAML, or a key or a value is unknown.
    pub fn from_yaml(text: &str) -> Result<Self, BadWorld> {
        let value: Value = serde_yaml::from_str(text).map_err(|bad| BadWorld(bad.to_string()))?;
        serde_json::from_value(value).map_err(|bad| BadWorld(bad.to_string()))
    }

    /// The world with this scenario's changes.
    ///
    /// # Errors
    /// The changes make no world, a fault could never hit, or an event happens to a guest that there isn't.
    pub fn world(&self, world: World) -> Result<World, BadWorld> {
        let world = match &self.world {
            Some(patch) => world.patched(patch)?,
            None => world,
        };
        let world = match self.pve {
            Some(release) => world.on(release),
            None => world,
        };
        if let Some(mistake) = self.faults.iter().find_map(Fault::mistake) {
            return Err(BadWorld(mistake));
        }
        let strangers = self.events.iter().filter_map(|event| event.vmid).find(|vmid| !world.guests.contains_key(vmid));
        strangers.map_or(Ok(world), |vmid| Err(BadWorld(format!("events: there is no guest {vmid}"))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn every_carried_scenario_makes_a_host() {
        for name in Scenario::names() {
            let scenario = Scenario::named(name).unwrap();
            assert!(scenario.description.ends_with('.'), "{name} says what it is");
            assert!(crate::sim::Sim::new(World::demo().unwrap(), scenario).is_ok(), "{name}");
        }
        let crowd = Scenario::named("crowd").unwrap().world(World::demo().unwrap()).unwrap();
        assert_eq!(crowd.guests.len(), 500);
        assert!(Scenario::named("nope").is_err());
    }

    #[test]
    fn a_scenario_that_could_do_nothing_is_refused() {
        let made = |text: &str| Scenario::from_yaml(text).unwrap().world(World::demo().unwrap());
        let refused = [
            ("{faults: [{on: 'FETCH /nodes', then: cut}]}", "fault on 'FETCH /nodes': there is no such method"),
            ("{faults: [{on: 'GET nodes', then: cut}]}", "fault on 'GET nodes': the path begins with '/'"),
            ("{faults: [{on: 'task qmstart 101', then: cut}]}", "only the effect 'task' hits tasks"),
            ("{faults: [{on: '* **', then: {task: {delay: 1}}}]}", "the effect 'task' hits tasks only"),
            ("{faults: [{on: GET, then: cut}]}", "expected 'METHOD /path' or 'task KIND ID'"),
            ("{events: [{at: 1, vmid: 999, do: pause}]}", "events: there is no guest 999"),
        ];
        for (text, why) in refused {
            let error = made(text).unwrap_err().to_string();
            assert!(error.ends_with(why), "{error}");
        }
        assert!(Scenario::from_yaml("{events: [{at: 1, do: nonsense}]}").is_err());
    }
}
