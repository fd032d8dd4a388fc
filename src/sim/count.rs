//! What was asked of the host, and what must never happen.

use serde::Serialize;
use std::collections::BTreeMap;

/// Requests so far.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Counts {
    /// GET requests.
    pub reads: u64,
    /// Requests that change nothing on the host although they are a POST: tickets, the agent's ping and exec.
    pub asks: u64,
    /// Requests that change or start something.
    pub writes: u64,
    /// By method and path pattern, such as `GET /nodes/{node}/qemu`.
    pub by_endpoint: BTreeMap<String, u64>,
}

impl Counts {
    /// Counts one request. `pattern` is the endpoint's path with `{name}`s.
    pub(crate) fn add(&mut self, method: &str, pattern: &str) {
        let asks = pattern == "/access/ticket" || pattern.ends_with("/agent/ping") || pattern.ends_with("/agent/exec");
        match method {
            "GET" => self.reads += 1,
            _ if asks => self.asks += 1,
            _ => self.writes += 1,
        }
        *self.by_endpoint.entry(format!("{method} {pattern}")).or_default() += 1;
    }

    /// All requests.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.reads + self.asks + self.writes
    }
}

/// Something that a careful client never brings about.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Violation {
    /// Two running guests held one function. Only where the world doesn't refuse busy devices.
    TwoHolders {
        /// The function.
        function: String,
        /// Who had it.
        first: u32,
        /// Who took it too.
        second: u32,
    },
    /// A start was asked for while a running guest, or what it left behind, held the device.
    EarlyStart {
        /// The function.
        function: String,
        /// Who had it.
        holder: u32,
        /// Who was started.
        vmid: u32,
        /// Whether the holder was still running; else only its reservation was left.
        running: bool,
    },
}
