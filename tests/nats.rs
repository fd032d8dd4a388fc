//! What a guest's NATS server is made from, against the real `nats-server` and the real systemd.

#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test's helpers fail as tests do")]

#[path = "nats/accepted.rs"]
mod accepted;
#[path = "nats/client.rs"]
mod client;
#[path = "nats/drained.rs"]
mod drained;
#[path = "support/planting.rs"]
mod planting;
#[path = "nats/routes.rs"]
mod routes;
#[path = "nats/secured.rs"]
mod secured;
#[path = "nats/server.rs"]
mod server;
#[path = "support/tools.rs"]
mod tools;
