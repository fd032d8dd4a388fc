//! A NATS server that misses a server it is to be connected to is degraded, as a guest's check sees the real one.

use crate::{
    server::{Server, free_port},
    tools::has,
};
use morpheus::{
    domain::{
        guest::Health,
        mode::Os,
        probe::{Answers, Checks},
        service::Probe,
    },
    guest::services::command,
};
use std::{path::Path, time::Duration};
use tokio::{process::Command, time::timeout};

const PATIENCE: Duration = Duration::from_mins(2);

/// What the very script says that a guest's agent is given.
async fn seen(port: u16, monitor: u16) -> (Health, String) {
    let checks = Checks { probes: vec![Probe::Nats { port, monitor }], ..Checks::default() };
    let words = command(Os::Linux, &checks).unwrap();
    let (program, rest) = words.split_first().unwrap();
    let output = Command::new(program).args(rest).output().await.unwrap();
    let answers = Answers::parse(&String::from_utf8(output.stdout).unwrap());
    let answer = answers.probes.get(&0).unwrap().clone();
    (answer.health, answer.detail.unwrap_or_default())
}

async fn becomes(port: u16, monitor: u16, health: Health, detail: &str) {
    let wanted = (health, detail.to_owned());
    let reached = async {
        while seen(port, monitor).await != wanted {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    let reached = timeout(PATIENCE, reached).await;
    assert!(reached.is_ok(), "{:?} instead of {wanted:?}", seen(port, monitor).await);
}

/// One of the servers of a cluster, whose address family is its host's.
fn member(dir: &Path, host: &str, (port, monitor, cluster): (u16, u16, u16), peers: &[u16]) -> Server {
    let routes: Vec<String> = peers.iter().map(|peer| format!("\"nats://{host}:{peer}\"")).collect();
    let conf = format!(
        "server_name: s{port}\nlisten: \"127.0.0.1:{port}\"\nhttp: \"127.0.0.1:{monitor}\"\n\
         cluster {{ name: home, listen: \"{host}:{cluster}\", routes: [{}] }}\n",
        routes.join(", ")
    );
    Server::start(dir, &format!("{port}.conf"), &conf)
}

#[tokio::test]
async fn a_missing_route_is_seen_and_so_is_its_coming_back() {
    if !["nats-server", "curl"].into_iter().all(|tool| has(tool, tool)) {
        return;
    }
    for host in ["127.0.0.1", "[::1]"] {
        let dir = tempfile::tempdir().unwrap();
        let ports = || (free_port(), free_port(), free_port());
        let (one, two) = (ports(), ports());
        let all = [one.2, two.2];
        let _first = member(dir.path(), host, one, &all);
        becomes(one.0, one.1, Health::Degraded, "0 of 1 routes").await;
        let second = member(dir.path(), host, two, &all);
        becomes(one.0, one.1, Health::Up, "healthy").await;
        becomes(two.0, two.1, Health::Up, "healthy").await;
        drop(second);
        becomes(one.0, one.1, Health::Degraded, "0 of 1 routes").await;
    }
}

#[tokio::test]
async fn a_leaf_without_its_hub_is_seen() {
    if !["nats-server", "curl"].into_iter().all(|tool| has(tool, tool)) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (port, monitor, hub) = (free_port(), free_port(), free_port());
    let leaf = format!(
        "server_name: leaf\nlisten: \"127.0.0.1:{port}\"\nhttp: \"127.0.0.1:{monitor}\"\n\
         leafnodes {{ reconnect: 1, remotes: [{{ url: \"nats://127.0.0.1:{hub}\" }}] }}\n"
    );
    let _leaf = Server::start(dir.path(), "leaf.conf", &leaf);
    becomes(port, monitor, Health::Degraded, "not connected to its hub").await;
    let conf = format!(
        "server_name: hub\nlisten: \"127.0.0.1:{}\"\nleafnodes {{ listen: \"127.0.0.1:{hub}\" }}\n",
        free_port()
    );
    let _hub = Server::start(dir.path(), "hub.conf", &conf);
    becomes(port, monitor, Health::Up, "healthy").await;
}
