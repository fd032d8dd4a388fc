use super::*;
use crate::{
    domain::{
        finding::FindingId,
        ids::{NodeName, Vmid},
        plant::site::Content,
    },
    pve::{Client, Credentials, Error},
};
use rustls::{
    ServerConfig,
    crypto::ring,
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

const ANSWER: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 29\r\n\r\n{\"data\":{\"version\":\"9.2.11\"}}";

/// For answers that come.
const PATIENT: Duration = Duration::from_secs(20);
/// For answers that never come; long enough for a handshake on a busy machine.
const IMPATIENT: Duration = Duration::from_millis(1500);

/// A host on loopback that gives one answer to everything and keeps the requests.
struct Host {
    address: SocketAddr,
    fingerprint: Fingerprint,
    /// One entry for each connection: the requests that came over it.
    seen: Arc<Mutex<Vec<Vec<String>>>>,
}

#[derive(Debug)]
pub(super) struct Shows(pub(super) Arc<CertifiedKey>);

impl ResolvesServerCert for Shows {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

/// A certificate for `localhost`, and a key: its own, or one that it isn't made for.
pub(super) fn identity(own_key: bool) -> (Fingerprint, CertifiedKey) {
    let rcgen::CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = if own_key { signing_key } else { rcgen::KeyPair::generate().unwrap() };
    let key = rustls_pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let key = ring::sign::any_supported_type(&key).unwrap();
    (Fingerprint::of(cert.der()), CertifiedKey::new(vec![cert.der().clone()], key))
}

impl Host {
    /// `answer` none: reads the request and says nothing; empty: cuts the connection.
    async fn new(bind: &str, answer: Option<&'static str>, own_key: bool) -> Option<Self> {
        let (fingerprint, key) = identity(own_key);
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(Shows(Arc::new(key))));
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind((bind, 0)).await.ok()?;
        let host = Self { address: listener.local_addr().ok()?, fingerprint, seen: Arc::default() };
        let seen = Arc::clone(&host.seen);
        tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                let Ok(mut stream) = acceptor.accept(tcp).await else { continue };
                seen.lock().unwrap().push(Vec::new());
                let seen = Arc::clone(&seen);
                tokio::spawn(async move {
                    let mut bytes = vec![0; 65_536];
                    while let Ok(count @ 1..) = stream.read(&mut bytes).await {
                        let text = String::from_utf8_lossy(&bytes[..count]).into_owned();
                        seen.lock().unwrap().last_mut().unwrap().push(text);
                        match answer {
                            None => std::future::pending().await,
                            Some("") => break,
                            Some(answer) => stream.write_all(answer.as_bytes()).await.unwrap(),
                        }
                    }
                });
            }
        });
        Some(host)
    }

    async fn answering() -> Self {
        Self::new("127.0.0.1", Some(ANSWER), true).await.unwrap()
    }

    fn requests(&self) -> Vec<Vec<String>> {
        self.seen.lock().unwrap().clone()
    }

    fn client(&self, fingerprint: Option<Fingerprint>, verify_tls: bool) -> Client {
        client(self.address, fingerprint, verify_tls, PATIENT)
    }
}

fn client(address: SocketAddr, fingerprint: Option<Fingerprint>, verify_tls: bool, timeout: Duration) -> Client {
    let target = Target { host: address.ip().to_string(), port: address.port(), verify_tls, fingerprint, timeout };
    Client::connect(&target, Credentials::Token { id: "a@pam!t".into(), secret: "s3cret".into() }).unwrap()
}

async fn start(client: &Client) -> Error {
    client.start(&NodeName::from("pve"), Vmid::new(101).unwrap()).await.unwrap_err()
}

#[tokio::test]
async fn a_pinned_certificate_is_enough_and_the_connection_is_kept_but_for_changes() {
    let host = Host::answering().await;
    let client = host.client(Some(host.fingerprint), true);
    assert_eq!(client.version().await.unwrap(), "9.2.11");
    client.permissions(Some("/vms/1 0;=")).await.unwrap_err();
    start(&client).await;
    let connections = host.requests();
    assert_eq!(connections.iter().map(Vec::len).collect::<Vec<_>>(), [2, 1]);
    assert!(connections[0][0].starts_with("GET /api2/json/version HTTP/1.1\r\n"), "{}", connections[0][0]);
    assert!(connections[0][0].contains("\r\nauthorization: PVEAPIToken=a@pam!t=s3cret\r\n"), "{}", connections[0][0]);
    assert!(connections[0][1].starts_with("GET /api2/json/access/permissions?path=%2Fvms%2F1%200%3B%3D HTTP/1.1\r\n"));
    let post = &connections[1][0];
    assert!(post.starts_with("POST /api2/json/nodes/pve/qemu/101/status/start HTTP/1.1\r\n"), "{post}");
    assert!(post.contains("content-type: application/x-www-form-urlencoded"), "{post}");
}

#[tokio::test]
async fn another_certificate_than_the_pinned_one_gets_no_credentials() {
    let host = Host::answering().await;
    let error = host.client(Some(Fingerprint([7; 32])), false).version().await.unwrap_err();
    assert_eq!(error.finding(), FindingId::PveTls);
    let words = error.to_string();
    assert!(words.contains(&host.fingerprint.to_string()) && words.contains("07:07:07"), "{words}");
    assert!(host.requests().concat().is_empty());
}

#[tokio::test]
async fn a_copied_certificate_without_its_key_is_not_believed() {
    let host = Host::new("127.0.0.1", Some(ANSWER), false).await.unwrap();
    for client in [host.client(Some(host.fingerprint), true), host.client(None, false)] {
        let error = client.version().await.unwrap_err();
        assert_eq!(error.finding(), FindingId::PveTls, "{error}");
    }
    assert!(host.requests().concat().is_empty());
}

#[tokio::test]
async fn an_unknown_issuer_is_refused_with_the_fingerprint_to_pin_unless_nothing_is_verified() {
    let host = Host::answering().await;
    let error = host.client(None, true).version().await.unwrap_err();
    let words = error.to_string();
    assert_eq!(error.finding(), FindingId::PveTls, "{words}");
    // Without any authority on this machine there is nothing to compare with.
    assert!(words.contains(&host.fingerprint.to_string()) || words.contains("no certificate authorities"), "{words}");
    assert_eq!(host.client(None, false).version().await.unwrap(), "9.2.11");
}

#[tokio::test]
async fn the_reason_phrase_is_read_where_the_body_is_empty() {
    let no_ticket = "HTTP/1.1 401 No ticket\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let host = Host::new("127.0.0.1", Some(no_ticket), true).await.unwrap();
    let error = host.client(None, false).version().await.unwrap_err();
    assert_eq!(error.to_string(), "a@pam!t: Proxmox says 'No ticket'");
}

#[tokio::test]
async fn a_host_that_says_nothing_times_out() {
    let host = Host::new("127.0.0.1", None, true).await.unwrap();
    let client = client(host.address, None, false, IMPATIENT);
    let error = client.version().await.unwrap_err();
    assert!(matches!(error, Error::Timeout(_)), "{error}");
    assert!(start(&client).await.outcome_unknown());
}

#[tokio::test]
async fn an_upload_that_stalls_ends_by_a_deadline_of_its_own() {
    let host = Host::new("127.0.0.1", None, true).await.unwrap();
    let client = client(host.address, None, false, PATIENT);
    let upload = async {
        let bytes: Arc<[u8]> = vec![7; 8 << 20].into();
        client.upload(&NodeName::from("pve"), "local", Content::Iso, "seed.iso", bytes).await.unwrap_err()
    };
    let stalls = async {
        while host.requests().concat().is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        // Nothing more happens on the line: only the time goes on.
        tokio::time::pause();
        tokio::time::Instant::now()
    };
    let (error, since) = tokio::join!(upload, stalls);
    let took = since.elapsed().as_secs();
    assert!((1_000..1_100).contains(&took), "{took} s");
    assert!(matches!(&error, Error::OutcomeUnknown(words) if words.contains("no answer within 1084 s")), "{error}");
}

#[tokio::test]
async fn a_connection_that_is_cut_leaves_the_outcome_of_a_change_open() {
    let host = Host::new("127.0.0.1", Some(""), true).await.unwrap();
    let client = host.client(None, false);
    assert!(start(&client).await.outcome_unknown());
    let error = client.version().await.unwrap_err();
    assert!(matches!(error, Error::Unreachable(_)), "{error}");
    assert!(host.requests().len() > 2, "a read is tried again");
}

#[tokio::test]
async fn nobody_there_is_unreachable_and_a_change_was_not_made() {
    let closed = TcpListener::bind(("127.0.0.1", 0)).await.unwrap().local_addr().unwrap();
    let error = client(closed, None, false, PATIENT).version().await.unwrap_err();
    assert!(matches!(&error, Error::Unreachable(words) if words.contains(&closed.to_string())), "{error}");
    // Takes the connection, and then nothing.
    let deaf = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let error = start(&client(deaf.local_addr().unwrap(), None, false, IMPATIENT)).await;
    assert!(matches!(&error, Error::Unreachable(words) if words.ends_with("doesn't answer")), "{error}");
}

#[tokio::test]
async fn something_that_speaks_no_tls_is_told_so() {
    // A web server, one that says nothing of HTTP, a server of mail; and one that hangs up.
    let texts = ["HTTP/1.1 400 Bad Request\r\n\r\n", "<!DOCTYPE HTML>", "220 mail ESMTP\r\n", ""];
    for text in texts {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut tcp, _)) = listener.accept().await {
                tcp.write_all(text.as_bytes()).await.unwrap();
                // Read, or closing would be a reset that overtakes the text.
                let _ = tcp.read(&mut [0; 4_096]).await;
            }
        });
        for (trust, pin) in [(true, None), (false, None), (true, Some(Fingerprint([7; 32])))] {
            let error = client(address, pin, trust, PATIENT).version().await.unwrap_err();
            let words = error.to_string();
            if text.is_empty() {
                assert!(matches!(&error, Error::Unreachable(_)) && words.contains("plain HTTP"), "{error:?}");
            } else {
                assert_eq!(words, format!("{address} speaks no TLS (plain HTTP?)"));
                assert_eq!(error.finding(), FindingId::PveProtocol);
            }
        }
    }
}

#[tokio::test]
async fn ipv6_addresses_are_put_into_brackets() {
    let target = |host: &str| Target {
        host: host.into(),
        port: 8006,
        verify_tls: true,
        fingerprint: None,
        timeout: Duration::from_secs(1),
    };
    for (host, place) in
        [("::1", "[::1]:8006"), ("[2001:db8::5]", "[2001:db8::5]:8006"), (" pve.local ", "pve.local:8006")]
    {
        assert_eq!(Https::new(&target(host)).map(|https| https.place).unwrap(), place);
    }
    for bad in ["", "a b", "user@host", "host/path", "host?x", "fe80::1%eth0", "host:8006"] {
        assert!(matches!(Https::new(&target(bad)), Err(Error::Unreachable(_))), "{bad}");
    }
    // A machine may have no IPv6 at all.
    if let Some(host) = Host::new("::1", Some(ANSWER), true).await {
        assert_eq!(host.client(Some(host.fingerprint), true).version().await.unwrap(), "9.2.11");
    }
}
