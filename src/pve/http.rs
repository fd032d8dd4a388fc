//! The real transport: HTTP/1.1 over TLS, with connections kept for reuse, no redirects, and no proxies from the
//! environment.

use super::{
    bounded::LARGEST,
    error::Error,
    form,
    tls::{self, Fingerprint, Shown, Trust},
    transport::{Method, Request, Response, Sending, Transport, TransportError},
};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use std::{error::Error as StdError, io, time::Duration};
use tokio::sync::OnceCell;

/// A host on any line that is good enough for a dashboard takes a connection sooner.
const LONGEST_CONNECT: Duration = Duration::from_secs(10);
/// Which host to speak to.
#[derive(Clone, Debug)]
pub struct Target {
    /// Name or address; IPv6 with or without brackets.
    pub host: String,
    /// Port, usually 8006.
    pub port: u16,
    /// Whether the certificate must be vouched for by an authority. Without effect when a fingerprint is pinned.
    pub verify_tls: bool,
    /// The certificate to insist on.
    pub fingerprint: Option<Fingerprint>,
    /// Deadline of each call.
    pub timeout: Duration,
}

/// Sends requests to a host over HTTPS. Made in no time; TLS and authorities are loaded by the first request.
pub(crate) struct Https {
    base: String,
    place: String,
    trust: Trust,
    /// How long a connection may take: less than the whole call, so that a host which isn't there is told from one
    /// that is slow, and a request that never left from one whose outcome is unknown.
    connecting: Duration,
    shown: Shown,
    clients: OnceCell<Clients>,
}

/// Proxmox closes an idle connection after 5 s. What only reads and meets that moment is sent again, and needs no timer
/// that watches over idle connections; what changes something would have no known outcome, so it always goes over a new
/// one.
struct Clients {
    reading: reqwest::Client,
    changing: reqwest::Client,
}

impl Clients {
    /// Agent questions are reads that Proxmox takes by POST.
    fn fit_for(&self, request: &Request) -> &reqwest::Client {
        let reads = request.method == Method::Get || request.path.contains("/agent/");
        if reads { &self.reading } else { &self.changing }
    }
}

impl Https {
    pub(crate) fn new(target: &Target) -> Result<Self, Error> {
        let host = target.host.trim().trim_start_matches('[').trim_end_matches(']');
        let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
        let place = format!("{host}:{}", target.port);
        let bad = || Error::Unreachable(format!("'{}' is neither a host's name nor an address", target.host));
        let url = reqwest::Url::parse(&format!("https://{place}/")).map_err(|_| bad())?;
        if url.path() != "/" || !url.username().is_empty() || url.query().or(url.fragment()).is_some() {
            return Err(bad());
        }
        let trust = match (target.fingerprint, target.verify_tls) {
            (Some(pin), _) => Trust::Pinned(pin),
            (None, true) => Trust::Authorities,
            (None, false) => Trust::Anybody,
        };
        let base = format!("https://{place}/api2/json");
        let connecting = (target.timeout * 3 / 4).min(LONGEST_CONNECT);
        Ok(Self { base, place, trust, connecting, shown: Shown::default(), clients: OnceCell::new() })
    }

    async fn clients(&self) -> Result<&Clients, TransportError> {
        self.clients.get_or_try_init(|| self.build()).await
    }

    async fn build(&self) -> Result<Clients, TransportError> {
        let (trust, shown) = (self.trust, self.shown.clone());
        let fail = |why: &dyn ToString| TransportError::Tls(format!("can't set up TLS: {}", why.to_string()));
        // The authorities are read from disk.
        let loaded = tokio::task::spawn_blocking(move || tls::config(trust, shown)).await;
        let config = loaded.map_err(|why| fail(&why))?.map_err(|why| fail(&why))?;
        let client = |idle: usize| {
            let builder = reqwest::Client::builder()
                .tls_backend_preconfigured(config.clone())
                .https_only(true)
                .http1_only()
                .no_proxy()
                .redirect(reqwest::redirect::Policy::none())
                .tcp_nodelay(true)
                .connect_timeout(self.connecting)
                .pool_idle_timeout(None)
                .pool_max_idle_per_host(idle);
            builder.build().map_err(|why| fail(&why))
        };
        Ok(Clients { reading: client(usize::MAX)?, changing: client(0)? })
    }

    async fn exchange(&self, request: Request) -> Result<Response, TransportError> {
        let client = self.clients().await?.fit_for(&request);
        let params = form::join(&request.params);
        let mut url = format!("{}{}", self.base, request.path);
        let in_query = matches!(request.method, Method::Get | Method::Delete);
        if in_query && !params.is_empty() {
            url = format!("{url}?{params}");
        }
        let mut builder = match request.method {
            Method::Get => client.get(url),
            Method::Post => client.post(url),
            Method::Put => client.put(url),
            Method::Delete => client.delete(url),
        };
        if let Some(file) = &request.file {
            let (kind, body) = file.form(&request.params);
            builder = builder.header("content-type", kind).body(body);
        } else if !in_query {
            builder = builder.header("content-type", "application/x-www-form-urlencoded").body(params);
        }
        let mut answer = builder.headers(headers(request.headers)?).send().await.map_err(|why| self.failure(&why))?;
        let status = answer.status();
        let reason = match answer.extensions().get::<hyper::ext::ReasonPhrase>() {
            Some(reason) => String::from_utf8_lossy(reason.as_bytes()).into_owned(),
            None => status.canonical_reason().unwrap_or_default().to_owned(),
        };
        let announced = answer.content_length().and_then(|length| usize::try_from(length).ok());
        let mut body = Vec::with_capacity(announced.unwrap_or_default().min(LARGEST));
        while let Some(chunk) = answer.chunk().await.map_err(|why| TransportError::Broken(root(&why)))? {
            if body.len() + chunk.len() > LARGEST {
                return Err(TransportError::TooLarge(LARGEST));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Response { status: status.as_u16(), reason, body })
    }

    fn failure(&self, error: &reqwest::Error) -> TransportError {
        let place = &self.place;
        match tls_error(error) {
            Some(why) if is_no_tls(&why) => {
                return TransportError::NoTls(format!("{place} speaks no TLS (plain HTTP?)"));
            }
            Some(why) => return TransportError::Tls(self.distrust(&why)),
            None => {}
        }
        if error.is_connect() && error.is_timeout() {
            return TransportError::Unreachable(format!("{place} doesn't answer"));
        }
        if error.is_connect() && closed(error) {
            let why = "closed the connection during the TLS handshake (plain HTTP, or a forwarded port with nothing behind it?)";
            return TransportError::Unreachable(format!("{place} {why}"));
        }
        if error.is_connect() {
            return TransportError::Unreachable(format!("no connection to {place}: {}", root(error)));
        }
        TransportError::Broken(root(error))
    }

    /// What to tell a person who can compare fingerprints.
    fn distrust(&self, why: &rustls::Error) -> String {
        let place = &self.place;
        match (self.trust, self.shown.get()) {
            (Trust::Pinned(pin), Some(shown)) => {
                format!("{place} shows a certificate with the SHA-256 fingerprint {shown}, but {pin} is pinned")
            }
            (Trust::Authorities, Some(shown)) => format!(
                "the certificate of {place} isn't trusted ({why}); it has the SHA-256 fingerprint {shown}: if `pvenode \
                 cert info` on the host says the same, set proxmox.tls_fingerprint to it"
            ),
            _ => format!("no TLS connection to {place}: {why}"),
        }
    }
}

impl Transport for Https {
    fn send(&self, request: Request) -> Sending<'_> {
        Box::pin(self.exchange(request))
    }
}

fn headers(pairs: Vec<(&'static str, String)>) -> Result<HeaderMap, TransportError> {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        let unfit =
            |_| TransportError::Unreachable("the credentials hold characters that no header can carry".to_owned());
        let mut value = HeaderValue::from_str(&value).map_err(unfit)?;
        value.set_sensitive(true);
        headers.insert(HeaderName::from_static(name), value);
    }
    Ok(headers)
}

/// The first error of a chain that `pick` takes. `io::Error` hides what it wraps from `source`.
fn find<T>(error: &(dyn StdError + 'static), pick: &dyn Fn(&(dyn StdError + 'static)) -> Option<T>) -> Option<T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = pick(error) {
            return Some(found);
        }
        let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        if let Some(found) = inner.and_then(|inner| find(inner, pick)) {
            return Some(found);
        }
        next = error.source();
    }
    None
}

fn tls_error(error: &(dyn StdError + 'static)) -> Option<rustls::Error> {
    find(error, &|error| error.downcast_ref::<rustls::Error>().cloned())
}

/// Whether the first bytes weren't even a TLS record: a web server without TLS says so in plain text.
const fn is_no_tls(why: &rustls::Error) -> bool {
    use rustls::InvalidMessage::{InvalidContentType, MessageTooLarge, UnknownProtocolVersion};
    let rustls::Error::InvalidMessage(why) = why else { return false };
    matches!(why, InvalidContentType | MessageTooLarge | UnknownProtocolVersion)
}

/// Whether the other side closed the connection.
fn closed(error: &(dyn StdError + 'static)) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionReset, UnexpectedEof};
    let kind = |error: &(dyn StdError + 'static)| error.downcast_ref::<io::Error>().map(io::Error::kind);
    let ends = |kind: &io::ErrorKind| matches!(kind, BrokenPipe | ConnectionReset | UnexpectedEof);
    find(error, &|error| kind(error).filter(ends)).is_some()
}

/// The innermost cause: what is around it says only that a request failed.
fn root(error: &(dyn StdError + 'static)) -> String {
    let mut innermost = error;
    while let Some(next) = innermost.source() {
        innermost = next;
    }
    innermost.to_string()
}

#[cfg(test)]
#[path = "http_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "http_records_tests.rs"]
mod records_tests;
