//! The host's API without a network: requests take the same way through decoding and checks as over HTTPS.

use super::{
    Sim,
    router::{Lost, Raw, handle},
};
use crate::pve::transport::{Method, Request, Sending, Transport, TransportError};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use std::{sync::Arc, time::Duration};

/// Seconds after which an answer is no longer waited for.
const DEADLINE: u64 = 30;

/// A transport into a simulated host.
pub(crate) struct InMemory(Arc<Sim>);

impl InMemory {
    pub(crate) const fn new(sim: Arc<Sim>) -> Self {
        Self(sim)
    }

    async fn carry(&self, request: Request) -> Result<crate::pve::transport::Response, TransportError> {
        let header = |name: &str| {
            let found = request.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
            found.map(|(_, value)| value.clone())
        };
        let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let pairs: Vec<String> = request.params.iter().map(|(k, v)| format!("{}={}", encode(k), encode(v))).collect();
        let in_query = matches!(request.method, Method::Get | Method::Delete);
        let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
        let (query, body) =
            if in_query { (pairs.join("&"), String::new()) } else { (query.to_owned(), pairs.join("&")) };
        let (content_type, body) = match &request.file {
            Some(file) => file.form(&request.params),
            None => ("application/x-www-form-urlencoded".to_owned(), body.into_bytes()),
        };
        let raw = Raw {
            method: request.method.as_str().to_owned(),
            path: format!("/api2/json{path}"),
            query,
            content_type,
            body,
            authorization: header("authorization"),
            cookie: header("cookie"),
            csrf: header("csrfpreventiontoken"),
        };
        let answer = tokio::time::timeout(Duration::from_secs(DEADLINE), handle(&self.0, raw)).await;
        match answer {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(Lost::Unreachable)) => Err(TransportError::Unreachable("connection refused".to_owned())),
            Ok(Err(Lost::Cut)) => Err(TransportError::Broken("connection reset by peer".to_owned())),
            Err(_) => Err(TransportError::Timeout(DEADLINE)),
        }
    }
}

impl Transport for InMemory {
    fn send(&self, request: Request) -> Sending<'_> {
        Box::pin(self.carry(request))
    }
}
