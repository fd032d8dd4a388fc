//! A guest's leaf node leaves while a client publishes: what was acknowledged is there when it comes back.

use crate::{
    client::Client,
    planting::answers,
    server::{Server, free_port},
    tools::has,
};
use morpheus::{
    domain::{
        drain::Drain,
        mode::Os,
        plant::{forest, nats},
    },
    guest::drain::command,
};
use std::{fs, os::unix::fs::PermissionsExt, path::Path, time::Duration};
use tokio::{process::Command, time::timeout};

/// Long enough for a slow machine: a hung server ends the test.
const PATIENCE: Duration = Duration::from_mins(2);

/// Our own configuration, with ports and places of this test.
fn leaf(dir: &Path, hub: u16, port: u16, monitor: u16) -> String {
    let hub = format!("nats://127.0.0.1:{hub}");
    let answers = answers(&[("forest.hubs", &hub), ("forest.credentials_file", "")]);
    let conf = nats::conf(&answers.forest, &answers.linux.machine, true, nats::LINUX).unwrap();
    let store = dir.join("leaf").to_string_lossy().into_owned();
    let moved = [("127.0.0.1:4222", format!("127.0.0.1:{port}")), ("127.0.0.1:8322", format!("127.0.0.1:{monitor}"))];
    let moved = moved.into_iter().chain([(nats::LINUX.store, store)]);
    moved.fold(conf, |conf, (from, to)| {
        assert!(conf.contains(from), "{from} in {conf}");
        conf.replace(from, &to)
    })
}

/// As much of systemd as the drain asks: one unit, whose main process is the server.
fn systemctl(dir: &Path, pid: u32) {
    let text = format!(
        "#!/bin/sh\nfor unit; do :; done\n[ \"$unit\" = {}.service ] || exit 3\n\
         case $1 in is-active) kill -0 {pid} 2>/dev/null ;; show) echo {pid} ;; stop) exit 0 ;; *) exit 4 ;; esac\n",
        forest::NATS_SERVICE
    );
    let path = dir.join("systemctl");
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// Runs the very command that a guest's agent is given; whether it managed.
async fn drain(dir: &Path) -> bool {
    let drain =
        Drain { leave: true, seconds: 60, names: vec!["nimsforest.service".into(), "nats-server.service".into()] };
    let words = command(Os::Linux, &drain);
    let path = format!("{}:{}", dir.display(), std::env::var("PATH").unwrap());
    let (program, rest) = words.split_first().unwrap();
    let mut run = Command::new(program);
    run.args(rest).env("PATH", path).env("MORPHEUS_DRAINED", dir.join("drained"));
    run.status().await.unwrap().success()
}

#[tokio::test]
async fn nothing_that_was_acknowledged_is_lost_when_a_leaf_leaves() {
    if !has("nats-server", "nats-server") {
        return;
    }
    timeout(PATIENCE, leave_and_come_back()).await.expect("in time");
}

async fn leave_and_come_back() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let (hub_port, leaves, port, monitor) = (free_port(), free_port(), free_port(), free_port());
    let store = dir.join("hub");
    let conf = format!(
        "server_name: hub\nlisten: \"127.0.0.1:{hub_port}\"\njetstream {{ store_dir: \"{}\", domain: hub }}\n\
         leafnodes {{ listen: \"127.0.0.1:{leaves}\" }}\n",
        store.display()
    );
    let hub = Server::start(dir, "hub.conf", &conf);
    let mut at_hub = Client::connect(hub_port).await;
    let conf = leaf(dir, leaves, port, monitor);
    let server = Server::start(dir, "leaf.conf", &conf);
    let mut client = Client::connect(port).await;
    crate::client::joined(monitor).await;

    let made =
        client.ask("$JS.API.STREAM.CREATE.ORDERS", r#"{"name":"ORDERS","subjects":["orders.*"]}"#).await.unwrap();
    assert!(made.contains("\"did_create\":true"), "{made}");
    at_hub.subscribe("orders.*").await;

    let mut acknowledged = Vec::new();
    let publish = async {
        for number in 0.. {
            let order = format!("order {number}");
            let Some(ack) = client.ask("orders.new", &order).await else { break };
            if let Some(seq) = crate::client::seq(&ack) {
                acknowledged.push((seq, order));
            }
        }
    };
    systemctl(dir, server.pid());
    let leave = async {
        // Some are through before it begins.
        at_hub.next().await;
        (drain(dir).await, server.ended().await)
    };
    let ((), (drained, status)) = tokio::join!(publish, leave);
    assert!(drained, "the command saw the server go");
    assert_eq!(status.code(), Some(0), "so that Restart=on-failure leaves it");
    assert!(!acknowledged.is_empty());
    assert_eq!(fs::read_to_string(dir.join("drained")).unwrap(), "nats-server.service\n");
    assert!(drain(dir).await, "told again it has nothing to do");

    let again = Server::start(dir, "leaf.conf", &conf);
    let mut client = Client::connect(port).await;
    for (seq, order) in &acknowledged {
        let request = format!("{{\"seq\":{seq}}}");
        let found = client.ask("$JS.API.STREAM.MSG.GET.ORDERS", &request).await.unwrap();
        assert!(found.contains(&crate::client::base64(order)), "{order} of {}: {found}", acknowledged.len());
    }
    drop((again, hub));
}
