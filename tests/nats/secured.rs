//! A guest's leaf node that was told `tls://` says nothing to a hub that offers no TLS, and joins one that does.

use crate::{
    client::joined,
    planting::answers,
    server::{Server, free_port},
    tools::has,
};
use morpheus::domain::plant::nats;
use std::{
    fs,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy},
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};

const PATIENCE: Duration = Duration::from_mins(1);
const PAUSE: Duration = Duration::from_millis(50);
const NAME: &str = "hub.test";

/// All that the leaf has said to its hub.
type Heard = Arc<Mutex<Vec<u8>>>;

/// A relay before the hub that keeps what comes from the leaf.
async fn relay(hub: u16) -> (u16, Heard) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let heard = Heard::default();
    let kept = heard.clone();
    tokio::spawn(async move {
        while let Ok((leaf, _)) = listener.accept().await {
            let kept = kept.clone();
            tokio::spawn(async move {
                let hub = loop {
                    match TcpStream::connect(("127.0.0.1", hub)).await {
                        Ok(hub) => break hub,
                        Err(_) => sleep(PAUSE).await,
                    }
                };
                let ((mut from_leaf, mut to_leaf), (mut from_hub, mut to_hub)) = (leaf.into_split(), hub.into_split());
                tokio::spawn(async move { copy(&mut from_hub, &mut to_leaf).await });
                let mut bytes = [0; 4096];
                while let Ok(count @ 1..) = from_leaf.read(&mut bytes).await {
                    kept.lock().unwrap().extend_from_slice(&bytes[..count]);
                    if to_hub.write_all(&bytes[..count]).await.is_err() {
                        break;
                    }
                }
            });
        }
    });
    (port, heard)
}

/// Our own configuration, with ports and places of this test.
fn leaf(dir: &Path, hub: &str, monitor: u16) -> String {
    let answers = answers(&[("forest.hubs", hub), ("forest.credentials_file", "")]);
    let conf = nats::conf(&answers.forest, &answers.linux.machine, true, nats::LINUX).unwrap();
    let moved = [
        ("127.0.0.1:4222", format!("127.0.0.1:{}", free_port())),
        ("127.0.0.1:8322", format!("127.0.0.1:{monitor}")),
        (nats::LINUX.store, dir.join("leaf").to_string_lossy().into_owned()),
    ];
    moved.into_iter().fold(conf, |conf, (from, to)| {
        assert!(conf.contains(from), "{from} in {conf}");
        conf.replace(from, &to)
    })
}

fn hub(dir: &Path, port: u16, tls: &str) -> Server {
    let conf = format!(
        "server_name: hub\nlisten: \"127.0.0.1:-1\"\n\
         leafnodes {{ listen: \"127.0.0.1:{port}\"\n authorization {{ user: me, password: hunter2 }}\n {tls} }}\n"
    );
    Server::start(dir, "hub.conf", &conf)
}

fn told(heard: &Mutex<Vec<u8>>) -> String {
    String::from_utf8_lossy(&heard.lock().unwrap()).into_owned()
}

#[tokio::test]
async fn a_hub_without_tls_is_refused_and_told_nothing() {
    if !has("nats-server", "nats-server") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (port, monitor) = (free_port(), free_port());
    let _hub = hub(dir.path(), port, "");
    let (relay, heard) = relay(port).await;
    let conf = leaf(dir.path(), &format!("tls://me:hunter2@127.0.0.1:{relay}"), monitor);
    let _leaf = Server::start(dir.path(), "leaf.conf", &conf);
    let log = || fs::read_to_string(dir.path().join("leaf.conf.log")).unwrap_or_default();
    let refused = async {
        while !log().contains("TLS leafnode handshake error") {
            assert!(!told(&heard).contains("CONNECT"), "it joined: {}", log());
            sleep(PAUSE).await;
        }
    };
    timeout(PATIENCE, refused).await.expect("it is refused in time");
    let words = told(&heard);
    let heard = heard.lock().unwrap().clone();
    assert!(!words.contains("CONNECT") && !words.contains("hunter2"), "{words}");
    // Nothing but the beginning of a TLS handshake (RFC 8446, 5.1).
    assert!(heard.is_empty() || heard[0] == 22, "{heard:?}");
}

#[tokio::test]
async fn a_hub_whose_certificate_is_trusted_is_joined() {
    if !has("nats-server", "nats-server") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(vec![NAME.to_owned(), "127.0.0.1".to_owned()]).unwrap();
    let place = |name: &str, text: &str| {
        let path = dir.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let (cert, key) = (place("hub.pem", &made.cert.pem()), place("hub.key", &made.signing_key.serialize_pem()));
    let tls = format!("tls {{ cert_file: \"{}\", key_file: \"{}\" }}", cert.display(), key.display());
    let (port, monitor) = (free_port(), free_port());
    let _hub = hub(dir.path(), port, &tls);
    let (relay, heard) = relay(port).await;
    let conf = leaf(dir.path(), &format!("tls://me:hunter2@127.0.0.1:{relay}"), monitor);
    let trusted = [("SSL_CERT_FILE", cert.as_path())];
    let _leaf = Server::start_with(dir.path(), "leaf.conf", &conf, &trusted);
    timeout(PATIENCE, joined(monitor)).await.expect("it joins in time");
    assert!(!String::from_utf8_lossy(&heard.lock().unwrap()).contains("hunter2"), "in the clear");
}
