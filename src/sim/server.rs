//! The simulated host over HTTPS: HTTP/1.1 with reason phrases, a self-signed certificate, and the manners of
//! pveproxy (`AnyEvent.pm`).

use super::{
    Sim,
    records::{Records, Requests},
    router::{Lost, Raw, handle},
};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::{body::Incoming, ext::ReasonPhrase, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use sha2::{Digest, Sha256};
use std::{fmt::Write as _, io, net::SocketAddr, sync::Arc};
use tokio::{
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
};
use tokio_rustls::TlsAcceptor;

/// Largest body that is read, bytes (`AnyEvent.pm:54`).
const BODY_LIMIT: usize = 512 * 1024;

/// Largest upload that is kept, bytes: the real host has no limit but its disk.
const FILE_LIMIT: usize = 256 << 20;

/// A server that answers; it ends when this is dropped.
#[derive(Debug)]
pub struct Running {
    /// Where it listens; with the real port if 0 was asked for.
    pub addr: SocketAddr,
    /// SHA-256 of its certificate, such as `5A:0F:...`.
    pub fingerprint: String,
    accepting: JoinHandle<()>,
}

impl Running {
    /// Waits until the server ends, which it doesn't by itself.
    pub async fn wait(&mut self) {
        let _ = (&mut self.accepting).await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Serves a simulated host.
///
/// # Errors
/// The address can't be listened on, or no certificate could be made.
pub async fn serve(sim: Arc<Sim>, listen: SocketAddr) -> io::Result<Running> {
    let (acceptor, fingerprint) = certificate(listen)?;
    let listener = TcpListener::bind(listen).await?;
    sim.state().fingerprint.clone_from(&fingerprint);
    let addr = listener.local_addr()?;
    let accepting = tokio::spawn(async move {
        // Dropped with this task, and every connection with it.
        let mut connections = JoinSet::new();
        while let Ok((stream, _)) = listener.accept().await {
            while connections.try_join_next().is_some() {}
            connections.spawn(connection(sim.clone(), acceptor.clone(), stream));
        }
    });
    Ok(Running { addr, fingerprint, accepting })
}

/// A fresh certificate for the address, and its fingerprint.
fn certificate(listen: SocketAddr) -> io::Result<(TlsAcceptor, String)> {
    let names = vec!["localhost".to_owned(), "pve".to_owned(), listen.ip().to_string()];
    let made = rcgen::generate_simple_self_signed(names).map_err(io::Error::other)?;
    let der = made.cert.der().clone();
    let mut fingerprint = String::new();
    for byte in Sha256::digest(&der) {
        let _ = write!(fingerprint, "{}{byte:02X}", if fingerprint.is_empty() { "" } else { ":" });
    }
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(vec![der], key))
        .map_err(io::Error::other)?;
    // Room for 256 sessions is more than everything else that it keeps of TLS.
    config.session_storage = Arc::new(rustls::server::NoServerSessionStorage {});
    Ok((TlsAcceptor::from(Arc::new(config)), fingerprint))
}

async fn connection(sim: Arc<Sim>, acceptor: TlsAcceptor, stream: TcpStream) {
    if sim.is_unreachable() {
        return;
    }
    let _ = stream.set_nodelay(true);
    let gate = Arc::default();
    let Ok(tls) = acceptor.accept(Records::new(stream, &gate)).await else { return };
    let requests = Requests::new(tls, gate);
    let service = service_fn(move |request| answer(sim.clone(), request));
    // An error here is a peer that went away, or a connection that a fault cut.
    let _ = http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(requests), service).await;
}

/// A connection that a fault cuts.
#[derive(Debug, thiserror::Error)]
#[error("cut")]
struct Cut;

async fn answer(sim: Arc<Sim>, request: http::Request<Incoming>) -> Result<http::Response<Full<Bytes>>, Cut> {
    let (parts, body) = request.into_parts();
    let is_file = header_text(&parts.headers, "content-type").is_some_and(|kind| kind.starts_with("multipart/"));
    let body = match Limited::new(body, if is_file { FILE_LIMIT } else { BODY_LIMIT }).collect().await {
        Ok(body) => body.to_bytes().to_vec(),
        Err(why) if why.is::<LengthLimitError>() => return Ok(dressed(413, "for data too large", Vec::new())),
        // It never came whole.
        Err(_) => return Err(Cut),
    };
    let text = |name: &str| header_text(&parts.headers, name);
    let raw = Raw {
        method: parts.method.as_str().to_owned(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        content_type: text("content-type").unwrap_or_default(),
        body,
        authorization: text("authorization"),
        cookie: text("cookie"),
        csrf: text("csrfpreventiontoken"),
    };
    match handle(&sim, raw).await {
        Ok(response) => Ok(dressed(response.status, &response.reason, response.body)),
        Err(Lost::Unreachable | Lost::Cut) => Err(Cut),
    }
}

fn header_text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// A response with the headers that pveproxy sends; the connection is closed after an error.
fn dressed(status: u16, reason: &str, body: Vec<u8>) -> http::Response<Full<Bytes>> {
    let has_body = !body.is_empty();
    let mut response = http::Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(header::SERVER, HeaderValue::from_static("pve-api-daemon/3.0"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("max-age=0"));
    headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    if has_body {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json;charset=UTF-8"));
    }
    if status >= 400 {
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    if let Ok(phrase) = ReasonPhrase::try_from(reason.as_bytes()) {
        response.extensions_mut().insert(phrase);
    }
    response
}

#[cfg(test)]
#[path = "server_tests.rs"]
mod tests;
