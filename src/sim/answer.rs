//! Answers and refusals, and how they look on the wire.

use crate::pve::transport::Response;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// What a handler found.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) data: Value,
    /// Number of entries before `limit` cut them.
    pub(crate) total: Option<usize>,
    /// Whether the data is a text for itself, not JSON.
    is_text: bool,
}

impl Answer {
    /// One page of a list.
    pub(crate) const fn page(data: Value, total: Option<usize>) -> Self {
        Self { data, total, is_text: false }
    }

    /// A text for itself.
    pub(crate) const fn text(text: String) -> Self {
        Self { data: Value::String(text), total: None, is_text: true }
    }
}

impl From<Value> for Answer {
    fn from(data: Value) -> Self {
        Self::page(data, None)
    }
}

/// Adds entries to a JSON object that is being made.
pub(crate) trait Entry {
    /// Sets a key; does nothing to what isn't an object.
    fn set(&mut self, key: impl Into<String>, value: impl Into<Value>);
    /// Takes keys away.
    fn without(self, keys: &[&str]) -> Self;
}

impl Entry for Value {
    fn set(&mut self, key: impl Into<String>, value: impl Into<Value>) {
        if let Self::Object(entries) = self {
            entries.insert(key.into(), value.into());
        }
    }

    fn without(mut self, keys: &[&str]) -> Self {
        if let Self::Object(entries) = &mut self {
            entries.retain(|key, _| !keys.contains(&key.as_str()));
        }
        self
    }
}

/// Why a request is refused. Codes and bodies: pve-http-server `AnyEvent.pm`, pve-common `RESTHandler.pm`.
#[derive(Clone, Debug)]
pub(crate) enum Refused {
    /// 400, with a reason per parameter.
    Params(BTreeMap<String, String>),
    /// 401 without a body, 3 s late.
    Unauthorized(&'static str),
    /// 401 of a ticket that isn't given: with a body.
    BadPassword,
    /// 403.
    Forbidden(String),
    /// 500: the message of a `die`.
    Died(String),
    /// 501.
    NotImplemented(String),
    /// 595, 596, 599: the proxy lost the daemon.
    Proxy(u16, &'static str),
    /// A code and a reason without a body.
    Bare(u16, &'static str),
}

impl Refused {
    /// A 400 for one parameter.
    pub(crate) fn param(name: &str, why: impl Into<String>) -> Self {
        Self::Params(BTreeMap::from([(name.to_owned(), why.into())]))
    }

    /// A 403 with what was missing where, as `raise_perm_exc` words it.
    pub(crate) fn missing(what: &str) -> Self {
        Self::Forbidden(format!("Permission check failed ({what})"))
    }

    /// A 403 that doesn't say what was missing.
    pub(crate) fn unnamed() -> Self {
        Self::Forbidden("Permission check failed".to_owned())
    }

    pub(crate) fn died(message: impl Into<String>) -> Self {
        Self::Died(message.into())
    }

    /// Seconds by which the answer is late.
    pub(crate) const fn delay(&self) -> f64 {
        match self {
            Self::Unauthorized(_) | Self::BadPassword => 3.0,
            _ => 0.0,
        }
    }
}

/// The response for a handler's result.
pub(crate) fn response(result: Result<Answer, Refused>) -> Response {
    match result {
        Ok(Answer { data: Value::String(text), is_text: true, .. }) => {
            Response { status: 200, reason: "OK".to_owned(), body: text.into_bytes() }
        }
        Ok(Answer { data, total, .. }) => {
            let mut body = Map::from_iter([("data".to_owned(), data)]);
            if let Some(total) = total {
                body.insert("total".to_owned(), json!(total));
            }
            with_body(200, "OK", &Value::Object(body))
        }
        Err(refused) => refusal(refused),
    }
}

fn refusal(refused: Refused) -> Response {
    match refused {
        Refused::Params(errors) => {
            let message = "Parameter verification failed.";
            let body = json!({"data": null, "message": format!("{message}\n"), "errors": errors});
            with_body(400, message, &body)
        }
        Refused::Unauthorized(reason) => empty(401, reason),
        Refused::BadPassword => message(401, "authentication failure"),
        Refused::Forbidden(text) => message(403, &text),
        Refused::Died(text) => message(500, &text),
        Refused::NotImplemented(text) => with_body(501, &text, &json!({"data": null, "message": text})),
        Refused::Proxy(status, reason) | Refused::Bare(status, reason) => empty(status, reason),
    }
}

/// An answer whose message stands in the status line and in the body.
pub(crate) fn message(status: u16, text: &str) -> Response {
    let reason = text.lines().next().unwrap_or_default();
    with_body(status, reason, &json!({"data": null, "message": format!("{text}\n")}))
}

/// An answer without a body.
pub(crate) fn empty(status: u16, reason: &str) -> Response {
    Response { status, reason: reason.to_owned(), body: Vec::new() }
}

fn with_body(status: u16, reason: &str, body: &Value) -> Response {
    Response { status, reason: reason.to_owned(), body: body.to_string().into_bytes() }
}
