use super::*;
use crate::sim::{Scenario, World, auth, sample};
use std::sync::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Takes any certificate and remembers its fingerprint.
#[derive(Debug, Default)]
struct Seen(Mutex<String>);

impl rustls::client::danger::ServerCertVerifier for Seen {
    fn verify_server_cert(
        &self,
        cert: &rustls_pki_types::CertificateDer<'_>,
        _: &[rustls_pki_types::CertificateDer<'_>],
        _: &rustls_pki_types::ServerName<'_>,
        _: &[u8],
        _: rustls_pki_types::UnixTime,
    ) -> Result<rustls::client::danger::ServerCertVerified, rustls::Error> {
        let bytes: Vec<String> = Sha256::digest(cert).iter().map(|byte| format!("{byte:02X}")).collect();
        *self.0.lock().unwrap() = bytes.join(":");
        Ok(rustls::client::danger::ServerCertVerified::assertion())
    }
    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &rustls_pki_types::CertificateDer<'_>,
        _: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        Ok(rustls::client::danger::HandshakeSignatureValid::assertion())
    }
    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &rustls_pki_types::CertificateDer<'_>,
        _: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        Ok(rustls::client::danger::HandshakeSignatureValid::assertion())
    }
    fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
        rustls::crypto::ring::default_provider().signature_verification_algorithms.supported_schemes()
    }
}

/// Sends raw bytes and reads to the connection's end.
async fn talk(running: &Running, seen: &Arc<Seen>, request: &str) -> String {
    talk_in_records(running, seen, &[request]).await
}

/// The same with several TLS records.
async fn talk_in_records(running: &Running, seen: &Arc<Seen>, records: &[&str]) -> String {
    let config = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(seen.clone())
        .with_no_client_auth();
    let stream = TcpStream::connect(running.addr).await.unwrap();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    let mut tls = connector.connect("localhost".try_into().unwrap(), stream).await.unwrap();
    for record in records {
        tls.write_all(record.as_bytes()).await.unwrap();
        tls.flush().await.unwrap();
    }
    let mut answer = Vec::new();
    let _ = tls.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

fn request(line: &str, secret: &str, rest: &str) -> String {
    let token = format!("PVEAPIToken={}={secret}", sample::TOKEN_ID);
    format!("{line} HTTP/1.1\r\nHost: pve\r\nAuthorization: {token}\r\n{rest}")
}

#[tokio::test]
async fn it_speaks_https_with_reason_phrases_and_closes_after_an_error() {
    let scenario = "{speed: 1000, faults: [{on: 'GET /nodes', then: cut}]}";
    let sim = Sim::new(World::demo().unwrap(), Scenario::from_yaml(scenario).unwrap()).unwrap();
    let running = serve(sim.clone(), "127.0.0.1:0".parse().unwrap()).await.unwrap();
    let secret = sample::token_secret(sim.world(), sample::TOKEN_ID).unwrap();
    let seen = Arc::new(Seen::default());

    let version = request("GET /api2/json/version", &secret, "Connection: close\r\n\r\n");
    let answer = talk(&running, &seen, &version).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.contains(r#""release":"9.2""#), "{answer}");
    assert_eq!(*seen.0.lock().unwrap(), running.fingerprint);

    let answer = talk(&running, &seen, &request("GET /api2/json/version", "wrong", "\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 401 Authentication failed!\r\n"), "{answer}");
    assert!(answer.to_lowercase().contains("connection: close"), "{answer}");

    let body = "command=%2Fno%2Fsuch";
    let post =
        format!("Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let exec = request("POST /api2/json/nodes/pve/qemu/101/agent/exec", &secret, &post);
    let answer = talk(&running, &seen, &exec).await;
    assert!(answer.starts_with("HTTP/1.1 596 Broken pipe\r\n"), "{answer}");

    let json = r#"{"timeout": 5, "forceStop": true}"#;
    let post = format!("Content-Type: application/json\r\nContent-Length: {}\r\n", json.len());
    let line = "POST /api2/json/nodes/pve/qemu/111/status/shutdown";
    let answer =
        talk(&running, &seen, &request(line, &secret, &format!("{post}Connection: close\r\n\r\n{json}"))).await;
    assert!(answer.contains(r#"{"data":"UPID:pve:"#), "{answer}");

    assert_eq!(talk(&running, &seen, &request("GET /api2/json/nodes", &secret, "\r\n")).await, "");
    let counts = talk(&running, &seen, "GET /sim/counts HTTP/1.1\r\nHost: pve\r\nConnection: close\r\n\r\n").await;
    assert!(counts.contains(r#""writes":1"#) && counts.contains(r#""reads":3"#), "{counts}");
}

#[tokio::test]
async fn a_request_with_a_ticket_whose_body_comes_in_a_record_of_its_own_is_dropped() {
    let sim = Sim::new(World::demo().unwrap(), Scenario::default()).unwrap();
    let running = serve(sim.clone(), "127.0.0.1:0".parse().unwrap()).await.unwrap();
    let ticket = auth::give_ticket(&sim, "root@pam", "simulated").unwrap();
    let secret = sample::token_secret(sim.world(), "root@pam!root-token").unwrap();
    let seen = Arc::new(Seen::default());
    let encoded = percent_encoding::utf8_percent_encode(&ticket.text, percent_encoding::NON_ALPHANUMERIC);
    let by_ticket = format!("Cookie: PVEAuthCookie={encoded}\r\nCSRFPreventionToken: {}", ticket.csrf);
    let in_header = format!("Authorization: PVEAuthCookie={encoded}\r\nCSRFPreventionToken: {}", ticket.csrf);
    let by_token = format!("Authorization: PVEAPIToken=root@pam!root-token={secret}");
    for (who, its_own) in [(&by_ticket, false), (&in_header, false), (&by_token, true)] {
        let head = format!(
            "PUT /api2/json/nodes/pve/qemu/103/config HTTP/1.1\r\nHost: pve\r\n{who}\r\nConnection: close\r\nContent-Type: \
             application/x-www-form-urlencoded\r\nContent-Length: 13\r\n\r\n"
        );
        let whole = talk(&running, &seen, &format!("{head}description=x")).await;
        assert!(whole.starts_with("HTTP/1.1 200 OK\r\n"), "{whole}");
        let apart = talk_in_records(&running, &seen, &[&head, "description=x"]).await;
        assert_eq!(apart.starts_with("HTTP/1.1 200 OK\r\n"), its_own, "{apart}");
        assert!(its_own || apart.is_empty(), "no answer at all: {apart}");
    }
    // Without a body there is nothing to come late.
    let get = format!("GET /api2/json/version HTTP/1.1\r\nHost: pve\r\n{by_ticket}\r\nConnection: close\r\n\r\n");
    let (begin, end) = get.split_at(40);
    let answer = talk_in_records(&running, &seen, &[begin, end]).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
}

#[tokio::test]
async fn the_sample_configuration_names_the_server_and_its_pin() {
    let sim = Sim::new(World::demo().unwrap(), Scenario::default()).unwrap();
    let yaml = sample::config_yaml(&sim, "127.0.0.1:8006".parse().unwrap(), "5A:0F");
    let value: serde_json::Value = serde_yaml::from_str(&yaml).unwrap();
    assert_eq!(value["proxmox"]["tls_fingerprint"], "5A:0F");
    assert_eq!(value["proxmox"]["modes"]["nimsforestsharedgpu"]["vmid"], 104);
}
