//! What a host's TLS layer gets: pveproxy drops a request with a ticket whose body comes in a record of its own.

use super::{
    tests::{Shows, identity},
    tls::{self, Shown, Trust},
};
use crate::{
    domain::{
        ids::{NodeName, Vmid},
        plant::site::Content,
    },
    pve::{Client, Credentials, Target},
};
use rustls::{ServerConfig, ServerConnection, SupportedProtocolVersion, crypto::ring, version};
use rustls_pki_types::ServerName;
use std::{
    collections::BTreeMap,
    io::{self, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

const TICKET: &str = r#"{"data":{"username":"root@pam","ticket":"PVE:root@pam:6B01302A::made/up+ticket==","CSRFPreventionToken":"6B01302A:made-up"}}"#;

/// What was in each TLS record of each connection, decrypted.
type Records = Arc<Mutex<Vec<Vec<Vec<u8>>>>>;

/// A host that is given one TLS record at a time, so that what belongs together is seen. It answers each request with a
/// ticket, and closes.
fn host(only: &'static SupportedProtocolVersion) -> (SocketAddr, Records) {
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[only])
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(Shows(Arc::new(identity(true).1))));
    let (config, listener) = (Arc::new(config), TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap());
    let (address, records) = (listener.local_addr().unwrap(), Records::default());
    let kept = Arc::clone(&records);
    thread::spawn(move || {
        while let Ok((tcp, _)) = listener.accept() {
            let _ = serve(tcp, ServerConnection::new(Arc::clone(&config)).unwrap(), &kept);
        }
    });
    (address, records)
}

fn serve(mut tcp: TcpStream, mut tls: ServerConnection, kept: &Records) -> io::Result<()> {
    let mut seen: Vec<Vec<u8>> = Vec::new();
    tcp.set_read_timeout(Some(Duration::from_secs(20)))?;
    while !is_whole(&seen.concat()) {
        let mut record = vec![0; 5];
        tcp.read_exact(&mut record)?;
        let length = usize::from(u16::from_be_bytes([record[3], record[4]]));
        record.resize(5 + length, 0);
        tcp.read_exact(&mut record[5..])?;
        let mut unread = record.as_slice();
        while !unread.is_empty() {
            tls.read_tls(&mut unread)?;
        }
        let state = tls.process_new_packets().map_err(io::Error::other)?;
        let mut plain = vec![0; state.plaintext_bytes_to_read()];
        tls.reader().read_exact(&mut plain)?;
        if !plain.is_empty() {
            seen.push(plain);
        }
        while tls.wants_write() {
            tls.write_tls(&mut tcp)?;
        }
    }
    kept.lock().unwrap().push(seen);
    let head = format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", TICKET.len());
    tls.writer().write_all(format!("{head}{TICKET}").as_bytes())?;
    tls.send_close_notify();
    while tls.wants_write() {
        tls.write_tls(&mut tcp)?;
    }
    Ok(())
}

/// Whether head and body of a request are there.
fn is_whole(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let Some((head, _)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
    bytes.len() >= head.len() + 4 + length.unwrap_or_default()
}

fn by_ticket(address: SocketAddr) -> Client {
    let target = Target {
        host: address.ip().to_string(),
        port: address.port(),
        verify_tls: false,
        fingerprint: None,
        timeout: Duration::from_secs(20),
    };
    Client::connect(&target, Credentials::Password { user: "root@pam".into(), password: "hush".into() }).unwrap()
}

#[tokio::test]
async fn a_request_with_a_ticket_is_one_tls_record() {
    for version in [&version::TLS12, &version::TLS13] {
        let (address, records) = host(version);
        let client = by_ticket(address);
        let (node, vmid) = (NodeName::from("pve"), Vmid::new(101).unwrap());
        // The answers are no UPIDs: only what is sent matters.
        client.start(&node, vmid).await.unwrap_err();
        let large = BTreeMap::from([("description".to_owned(), "x".repeat(12_000))]);
        client.change_vm(&node, vmid, &large, &[], None).await.unwrap();
        client.agent_ping(&node, vmid).await.unwrap_err();
        client.upload(&node, "local", Content::Iso, "seed.iso", vec![7; 4_096].into()).await.unwrap_err();
        let seen = records.lock().unwrap().clone();
        let begins = [
            "POST /api2/json/access/ticket",
            "POST /api2/json/nodes/pve/qemu/101/status/start",
            "PUT ",
            "POST ",
            "POST ",
        ];
        assert_eq!(seen.len(), begins.len());
        for (records, begin) in seen.iter().zip(begins) {
            let sizes: Vec<usize> = records.iter().map(Vec::len).collect();
            assert_eq!(sizes.len(), 1, "{begin} came in records of {sizes:?} bytes ({version:?})");
            assert!(records[0].starts_with(begin.as_bytes()), "{}", String::from_utf8_lossy(&records[0]));
        }
    }
}

/// What the test above would see of a client that sends its body on its own.
#[test]
fn a_body_on_its_own_is_seen_as_a_record_of_its_own() {
    let (address, records) = host(&version::TLS13);
    let config = tls::config(Trust::Anybody, Shown::default()).unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let mut client = rustls::ClientConnection::new(Arc::new(config), name).unwrap();
    let mut tcp = TcpStream::connect(address).unwrap();
    let mut stream = rustls::Stream::new(&mut client, &mut tcp);
    stream.write_all(b"PUT / HTTP/1.1\r\ncontent-length: 3\r\n\r\n").unwrap();
    stream.write_all(b"a=b").unwrap();
    let _ = stream.read_to_end(&mut Vec::new());
    let sizes: Vec<usize> = records.lock().unwrap()[0].iter().map(Vec::len).collect();
    assert_eq!(sizes, [37, 3]);
}
