//! How long things take in guests that are made, and what goes wrong in them.

use serde::{Deserialize, Serialize};

/// Seconds that the lives of new guests take.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct PlantingSpec {
    /// Until a disk is made.
    pub disk: f64,
    /// Until a disk is imported.
    pub import: f64,
    /// Until a download is there, unless its address says otherwise.
    pub download: f64,
    /// From a start to an agent.
    pub agent: f64,
    /// From a start to an address by DHCP.
    pub lease: f64,
    /// From the installer's begin to its end in a live system.
    pub install: f64,
    /// From a boot from Windows' disc to a system that is up.
    pub windows: f64,
    /// From the first boot of a system to its being ready.
    pub setup: f64,
    /// From a start to the prompt that waits for a key.
    pub prompt_after: f64,
    /// How long that prompt waits; outside, where time goes faster.
    pub prompt_for: f64,
    /// The set-up ends with this error.
    pub error: Option<String>,
    /// The set-up never tells anything.
    pub silent: bool,
    /// NATS servers that a guest's own joins.
    pub joined: u32,
}

impl Default for PlantingSpec {
    fn default() -> Self {
        Self {
            disk: 1.0,
            import: 6.0,
            download: 8.0,
            agent: 10.0,
            lease: 10.0,
            install: 45.0,
            windows: 60.0,
            setup: 30.0,
            prompt_after: 3.0,
            prompt_for: 6.0,
            error: None,
            silent: false,
            joined: 1,
        }
    }
}
