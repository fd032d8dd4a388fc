//! Scenarios: changes to the world, faults, and what happens by itself. Plain data, read from YAML.

use super::{
    fault::Fault,
    world::{BadWorld, World},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What is other than usual.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Scenario {
    /// A sentence for people.
    pub description: String,
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
    /// Somebody else starts it.
    Start,
    /// It ends at once.
    PowerOff,
    /// The host doesn't answer for so many seconds.
    Unreachable(f64),
}

impl Scenario {
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
    /// The changes make no world.
    pub fn world(&self, world: World) -> Result<World, BadWorld> {
        match &self.world {
            Some(patch) => world.patched(patch),
            None => Ok(world),
        }
    }
}
