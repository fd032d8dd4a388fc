//! A simulated host on the loopback interface, in this process, so that a test can look behind its API and hold it.

use morpheus::sim::{Scenario, Sim, World, server};
use std::{
    net::SocketAddr,
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

/// Longest that anything may take before a test fails. Nothing waits this long unless it is broken, so it only has to be
/// more than a busy machine needs.
pub(crate) const PATIENCE: Duration = Duration::from_mins(4);

/// A host; it is served as long as this value lives.
pub(crate) struct Served {
    pub(crate) sim: Arc<Sim>,
    pub(crate) addr: SocketAddr,
    /// Of its certificate, SHA-256.
    pub(crate) fingerprint: String,
    _stop: tokio::sync::oneshot::Sender<()>,
}

/// Serves this world with this scenario over HTTPS.
pub(crate) fn serve(world: World, scenario: Scenario) -> Served {
    let (ready, started) = mpsc::channel();
    let (stop, stopped) = tokio::sync::oneshot::channel();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            let sim = Sim::new(world, scenario).unwrap();
            let server = server::serve(sim.clone(), "127.0.0.1:0".parse().unwrap()).await.unwrap();
            ready.send((sim, server.addr, server.fingerprint.clone())).unwrap();
            let _ = stopped.await;
        });
    });
    let (sim, addr, fingerprint) = started.recv_timeout(PATIENCE).unwrap();
    Served { sim, addr, fingerprint, _stop: stop }
}
