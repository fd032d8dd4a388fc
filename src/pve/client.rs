//! The client: one request, its deadline, its retries, its answer.

use super::{
    auth::{Auth, Credentials, Headers, Identity},
    bounded::{self, Budget},
    error::{self, Error},
    form,
    http::{Https, Target},
    transport::{File, Method, Request, Response, Transport, TransportError},
    wire::Object,
};
use crate::domain::{
    ids::{NodeName, Vmid},
    release::Release,
};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, value::RawValue};
use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::Mutex,
    time::{Instant, sleep, timeout_at},
};

/// Waits before a reading request is sent again.
const PAUSES: [Duration; 2] = [Duration::from_millis(150), Duration::from_millis(450)];

/// How long an upload may take at least. A line that stalls costs no more before the next try.
const UPLOAD: Duration = Duration::from_mins(1);
/// Bytes that any line takes in a second that is good enough for a dashboard: for each of them an upload has one more.
const UPLOADED: usize = 8 << 10;

/// What an entry of a list takes beside itself, bytes.
const ENTRY: usize = 128;

/// How long a refused login is not tried again.
const LOGIN_PAUSE: Duration = Duration::from_secs(10);

/// Speaks to one Proxmox VE host. Cheap to clone; clones share connections and the ticket.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    wire: Arc<dyn Transport>,
    auth: Auth,
    /// Held during a login; when and why the last one was refused.
    logging_in: Mutex<Option<(Instant, Error)>>,
    timeout: Duration,
    requests: AtomicU64,
    /// Proxmox VE's version, once it was seen.
    version: OnceLock<(String, Release)>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Client({})", self.0.auth.identity)
    }
}

/// What a request means, whatever its method: agent questions are reads that Proxmox takes by POST.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Meaning {
    /// Reads; sent again when no connection stood.
    Read,
    /// Reads, but is dear.
    ReadOnce,
    /// May change something; never sent again.
    Change,
}

impl Client {
    /// A client for the host over HTTPS. Does nothing yet: TLS and connection are set up by the first request.
    ///
    /// # Errors
    /// The host's name can't be part of an address.
    pub fn connect(target: &Target, credentials: Credentials) -> Result<Self, Error> {
        Ok(Self::over(Arc::new(Https::new(target)?), credentials, target.timeout))
    }

    /// A client over any transport. `timeout` is the deadline of each call, retries included.
    #[must_use]
    pub fn over(transport: Arc<dyn Transport>, credentials: Credentials, timeout: Duration) -> Self {
        let auth = Auth::new(credentials);
        Self(Arc::new(Inner {
            wire: transport,
            auth,
            logging_in: Mutex::default(),
            timeout,
            requests: AtomicU64::new(0),
            version: OnceLock::new(),
        }))
    }

    /// How many requests were sent so far, by this client and its clones: what looking has cost the host.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.0.requests.load(Ordering::Relaxed)
    }

    /// Who asks: user or token id.
    #[must_use]
    pub fn identity(&self) -> String {
        self.0.auth.identity.to_string()
    }

    /// What the exit status of a failed task means, such as a lock or a missing privilege.
    #[must_use]
    pub fn task_error(&self, exit: &str) -> Error {
        Error::from_words(exit.trim(), &self.0.auth.identity, self.known_release())
    }

    pub(crate) fn who(&self) -> &Identity {
        &self.0.auth.identity
    }

    /// The host's version, if it was asked for.
    pub(crate) fn known_release(&self) -> Option<Release> {
        self.0.version.get().map(|(_, release)| *release)
    }

    /// The same as the host says it, such as `9.2.11`.
    pub(crate) fn known_version(&self) -> Option<&str> {
        self.0.version.get().map(|(version, _)| version.as_str())
    }

    pub(crate) fn set_version(&self, version: &str, release: Release) {
        self.0.version.get_or_init(|| (version.to_owned(), release));
    }

    /// Reads; tried again when no answer came.
    pub(crate) async fn get(&self, path: String, params: &[(&str, String)]) -> Result<Value, Error> {
        self.request(Method::Get, path, params, Meaning::Read).await
    }

    /// Reads a list whose entries are taken one by one: nothing of a long list but what `read` makes of it is ever in
    /// memory at once. `what` names the list in errors.
    pub(crate) async fn get_each<T>(
        &self,
        path: String,
        params: &[(&str, String)],
        what: &str,
        read: impl Fn(Object<'_>) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        let response = self.answer(Method::Get, path, params, Meaning::Read).await?;
        let (mut all, mut bad, budget) = (Vec::new(), None, Budget::new());
        let mut take = |entry| {
            let room = budget.take(2 * size_of::<T>() + ENTRY);
            let taken = if room { Ok(()) } else { Err(Error::Protocol(format!("{what}: a list without an end"))) };
            let taken = taken.and_then(|()| self.value(entry)).and_then(|value| read(Object::new(&value, what)?));
            taken.map(|taken| all.push(taken)).map_err(|error| bad = Some(error))
        };
        let whole = bounded::each(data(&response)?.get(), &mut take);
        match (bad, whole) {
            (Some(error), _) => Err(error),
            (None, Err(_)) => Err(Error::Protocol(format!("{what}: expected a list"))),
            (None, Ok(())) => Ok(all),
        }
    }

    /// Reads a list of which there may be more, with the number of all.
    pub(crate) async fn get_with_total(
        &self,
        path: String,
        params: &[(&str, String)],
    ) -> Result<(Value, Option<usize>), Error> {
        let response = self.answer(Method::Get, path, params, Meaning::Read).await?;
        let total = serde_json::from_slice::<Total>(&response.body).ok().and_then(|body| body.total);
        Ok((self.value(data(&response)?)?, total))
    }

    /// Reads, once: for questions that are dear, as all of those to a guest agent are.
    pub(crate) async fn get_once(&self, path: String, params: &[(&str, String)]) -> Result<Value, Error> {
        self.request(Method::Get, path, params, Meaning::ReadOnce).await
    }

    /// Asks by POST, once.
    pub(crate) async fn ask(&self, path: String, params: &[(&str, String)]) -> Result<Value, Error> {
        self.request(Method::Post, path, params, Meaning::ReadOnce).await
    }

    /// Changes something, or may. Never sent again.
    pub(crate) async fn post(&self, path: String, params: &[(&str, String)]) -> Result<Value, Error> {
        self.request(Method::Post, path, params, Meaning::Change).await
    }

    /// Changes what exists.
    pub(crate) async fn put(&self, path: String, params: &[(&str, String)]) -> Result<Value, Error> {
        self.request(Method::Put, path, params, Meaning::Change).await
    }

    /// Removes.
    pub(crate) async fn delete(&self, path: String) -> Result<Value, Error> {
        self.request(Method::Delete, path, &[], Meaning::Change).await
    }

    /// Removes, with parameters.
    pub(crate) async fn delete_with(&self, path: String, params: &[(&str, String)]) -> Result<Value, Error> {
        self.request(Method::Delete, path, params, Meaning::Change).await
    }

    /// Sends a file, with a deadline that leaves it time.
    pub(crate) async fn send_file(&self, path: String, params: &[(&str, String)], file: File) -> Result<Value, Error> {
        let params = params.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let on_its_way = Duration::from_secs(u64::try_from(file.bytes.len() / UPLOADED).unwrap_or(u64::MAX));
        let request = Request { method: Method::Post, path, params, headers: Vec::new(), file: Some(Box::new(file)) };
        let deadline = Instant::now() + self.0.timeout.max(UPLOAD).saturating_add(on_its_way);
        let response = self.authorised(request, Meaning::Change, deadline).await?;
        self.value(data(&response)?)
    }

    async fn request(
        &self,
        method: Method,
        path: String,
        params: &[(&str, String)],
        meaning: Meaning,
    ) -> Result<Value, Error> {
        let response = self.answer(method, path, params, meaning).await?;
        self.value(data(&response)?)
    }

    /// Reads a part of an answer. What repeats our secret doesn't hand it on.
    pub(super) fn value(&self, raw: &RawValue) -> Result<Value, Error> {
        let read = bounded::value(raw.get());
        let mut value = read.map_err(|error| Error::Protocol(format!("the answer makes no sense: {error}")))?;
        self.0.auth.scrub_all(&mut value);
        Ok(value)
    }

    /// A good answer, as it came.
    async fn answer(
        &self,
        method: Method,
        path: String,
        params: &[(&str, String)],
        meaning: Meaning,
    ) -> Result<Response, Error> {
        let deadline = self.deadline();
        let params: Vec<_> = params.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let fresh = || Request { method, path: path.clone(), params: params.clone(), headers: Vec::new(), file: None };
        let mut error = match self.authorised(fresh(), meaning, deadline).await {
            Err(error @ Error::Unreachable(_)) if meaning == Meaning::Read => error,
            other => return other,
        };
        for pause in PAUSES {
            if Instant::now() + pause >= deadline {
                break;
            }
            sleep(pause).await;
            match self.authorised(fresh(), meaning, deadline).await {
                Err(newer @ Error::Unreachable(_)) => error = newer,
                // What went wrong before says more than that the time is up.
                Err(Error::Timeout(_)) => break,
                other => return other,
            }
        }
        Err(error)
    }

    /// Sends with credentials, after fetching or renewing a ticket if that is needed.
    async fn authorised(&self, mut request: Request, meaning: Meaning, deadline: Instant) -> Result<Response, Error> {
        let again = Request {
            method: request.method,
            params: request.params.clone(),
            path: request.path.clone(),
            headers: Vec::new(),
            file: request.file.clone(),
        };
        request.headers = self.credentials(request.method, deadline).await?;
        let changing = meaning == Meaning::Change;
        let response = self.send(request, changing, deadline).await?;
        if !self.0.auth.refused(&response).await {
            if response.status == 403 && self.known_release().is_none() {
                // Its privileges have other names in other versions.
                drop(Box::pin(self.learn_version(deadline)).await);
            }
            return self.good(response, changing);
        }
        let headers = self.credentials(again.method, deadline).await?;
        let response = self.send(Request { headers, ..again }, changing, deadline).await?;
        self.good(response, changing)
    }

    /// Asks for the host's version on the way to something else.
    async fn learn_version(&self, deadline: Instant) -> Result<(), Error> {
        let headers = self.credentials(Method::Get, deadline).await?;
        let path = "/version".to_owned();
        let request = Request { method: Method::Get, path, params: Vec::new(), headers, file: None };
        let response = self.good(self.send(request, false, deadline).await?, false)?;
        self.take_version(&self.value(data(&response)?)?).map(drop)
    }

    async fn credentials(&self, method: Method, deadline: Instant) -> Result<Headers, Error> {
        if let Some(headers) = self.0.auth.headers(method).await {
            return Ok(headers);
        }
        // One login for all that wait for it; and one that was refused isn't repeated at once, or a dashboard with a
        // wrong password would lock its user out.
        let turn = timeout_at(deadline, self.0.logging_in.lock()).await;
        let mut refused = turn.map_err(|_| Error::Timeout(self.seconds()))?;
        if let Some(headers) = self.0.auth.headers(method).await {
            return Ok(headers);
        }
        if let Some((_, error)) = refused.as_ref().filter(|(at, _)| at.elapsed() < LOGIN_PAUSE) {
            return Err(error.clone());
        }
        let entered = Box::pin(self.enter(deadline)).await.and_then(|challenge| match challenge {
            None => Ok(()),
            Some(challenge) => {
                let words = format!("a second factor is asked for ({challenge}), and nobody is here to ask");
                Err(Error::SecondFactor { who: self.identity(), words })
            }
        });
        if let Err(error) = entered {
            // Of a host that wasn't there nothing was refused.
            if matches!(error, Error::Auth { .. } | Error::SecondFactor { .. }) {
                *refused = Some((Instant::now(), error.clone()));
            }
            return Err(error);
        }
        let none = || Error::Protocol("the new ticket is already too old".to_owned());
        self.0.auth.headers(method).await.ok_or_else(none)
    }

    pub(super) fn auth(&self) -> &Auth {
        &self.0.auth
    }

    /// Until when a call that begins now may take.
    pub(super) fn deadline(&self) -> Instant {
        Instant::now() + self.0.timeout
    }

    fn seconds(&self) -> u64 {
        self.0.timeout.as_secs().max(1)
    }

    pub(super) async fn send(&self, request: Request, changing: bool, deadline: Instant) -> Result<Response, Error> {
        tracing::debug!(?request, "asking");
        let what = format!("{} {}", request.method.as_str(), request.path);
        // Larger than a TLS record, and such a request with a ticket is dropped (see the tests of the records).
        let by_ticket = request.file.is_some() && request.headers.iter().any(|(name, _)| *name == "cookie");
        // An upload has more time than other calls; one that is sent again has the rest of it.
        let left = deadline.saturating_duration_since(Instant::now()).as_millis().div_ceil(1_000);
        let seconds = self.seconds().max(u64::try_from(left).unwrap_or(u64::MAX));
        self.0.requests.fetch_add(1, Ordering::Relaxed);
        let answer = timeout_at(deadline, self.0.wire.send(request)).await;
        let failure = match answer.unwrap_or(Err(TransportError::Timeout(seconds))) {
            Ok(response) => {
                tracing::debug!(status = response.status, bytes = response.body.len(), "answered");
                return Ok(response);
            }
            Err(failure) => failure,
        };
        tracing::debug!(%failure, "no answer");
        Err(match failure {
            TransportError::Unreachable(why) => Error::Unreachable(why),
            TransportError::Tls(why) => Error::Tls(why),
            TransportError::NoTls(why) => Error::Protocol(why),
            TransportError::Timeout(_) | TransportError::Broken(_) | TransportError::TooLarge(_) if changing => {
                let advice = if by_ticket { "; Proxmox VE drops uploads by password: use an API token" } else { "" };
                Error::OutcomeUnknown(format!("{what}: {failure}; it may have been carried out{advice}"))
            }
            TransportError::Timeout(_) => Error::Timeout(seconds),
            TransportError::Broken(why) => Error::Unreachable(format!("the connection broke: {why}")),
            TransportError::TooLarge(_) => Error::Protocol(failure.to_string()),
        })
    }

    /// The answer if it is a good one.
    pub(super) fn good(&self, response: Response, changing: bool) -> Result<Response, Error> {
        if response.status == 200 {
            return Ok(response);
        }
        let words = self.0.auth.scrub(&error::words(&response));
        Err(Error::from_response(response.status, words, changing, &self.0.auth.identity, self.known_release()))
    }
}

/// The `data` of a good answer, unread.
pub(super) fn data(response: &Response) -> Result<&RawValue, Error> {
    let senseless = |why: &str| Error::Protocol(format!("the answer isn't one of Proxmox VE: {why}"));
    let body: Envelope<'_> = serde_json::from_slice(&response.body)
        .map_err(|error| senseless(if error.is_data() { "no object" } else { "no JSON" }))?;
    body.data.ok_or_else(|| senseless("no data in it"))
}

/// Every answer of the API.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, default, deserialize_with = "even_null")]
    data: Option<&'a RawValue>,
}

/// What some lists have beside their data.
#[derive(Deserialize)]
struct Total {
    total: Option<usize>,
}

/// Null is data too.
fn even_null<'de, D: Deserializer<'de>>(from: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(from).map(Some)
}

/// The path of a VM's endpoint.
pub(crate) fn vm(node: &NodeName, vmid: Vmid, rest: &str) -> String {
    format!("/nodes/{}/qemu/{vmid}/{rest}", form::encode(node))
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
