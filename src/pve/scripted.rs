//! A transport for tests that gives prepared answers in order and keeps what was asked.

use super::{
    Client, Credentials,
    transport::{Method, Request, Response, Sending, Transport, TransportError},
};
use serde_json::Value;
use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// What to answer.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// This.
    Answer(Response),
    /// This failure of the wire.
    Fail(TransportError),
    /// Never.
    Silence,
}

/// What was asked: method, path, parameters, headers.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Asked {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) params: Vec<(String, String)>,
    pub(crate) headers: Vec<(&'static str, String)>,
}

#[derive(Default)]
pub(crate) struct Scripted {
    steps: Mutex<VecDeque<Step>>,
    asked: Mutex<Vec<Asked>>,
    /// The last answer named a missing privilege: the client may ask for the version, which few scripts prepare.
    denied: AtomicBool,
}

/// Whether a step is the answer to a question for the version.
fn is_version(step: Option<&Step>) -> bool {
    matches!(step, Some(Step::Answer(answer)) if String::from_utf8_lossy(&answer.body).contains("\"version\":"))
}

impl Scripted {
    pub(crate) fn new(steps: impl IntoIterator<Item = Step>) -> Arc<Self> {
        Arc::new(Self {
            steps: Mutex::new(steps.into_iter().collect()),
            asked: Mutex::default(),
            denied: AtomicBool::default(),
        })
    }

    /// A client with a token over this transport, with a deadline of ten seconds.
    pub(crate) fn client(self: &Arc<Self>) -> Client {
        let credentials =
            Credentials::Token { id: "morpheus@pam!morpheus-token".into(), secret: "s3cret-s3cret".into() };
        Client::over(Arc::clone(self) as Arc<dyn Transport>, credentials, Duration::from_secs(10))
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// What was asked, as `METHOD path name=value ...`.
    pub(crate) fn lines(&self) -> Vec<String> {
        let line = |asked: &Asked| {
            let params = asked.params.iter().map(|(name, value)| format!("{name}={value}"));
            let words = [asked.method.as_str().to_owned(), asked.path.clone()].into_iter().chain(params);
            words.collect::<Vec<_>>().join(" ")
        };
        self.asked().iter().map(line).collect()
    }
}

impl Transport for Scripted {
    fn send(&self, request: Request) -> Sending<'_> {
        let Request { method, path, params, headers, .. } = request;
        let denied = self.denied.swap(false, Ordering::Relaxed);
        if denied && path == "/version" && !is_version(self.steps.lock().unwrap().front()) {
            return Box::pin(async { Err(TransportError::Unreachable("no version is prepared".to_owned())) });
        }
        self.asked.lock().unwrap().push(Asked { method, path: path.clone(), params, headers });
        let step = self.steps.lock().unwrap().pop_front();
        let is_denied = matches!(&step, Some(Step::Answer(answer)) if answer.status == 403);
        self.denied.store(is_denied, Ordering::Relaxed);
        Box::pin(async move {
            match step.unwrap_or_else(|| panic!("nothing prepared for {} {path}", method.as_str())) {
                Step::Answer(response) => Ok(response),
                Step::Fail(failure) => Err(failure),
                Step::Silence => std::future::pending().await,
            }
        })
    }
}

/// An answer of a real host (Proxmox VE 9.2.11), by its name in `tests/data/answers.json`.
pub(crate) fn recorded(name: &str) -> Step {
    let all: Value = serde_json::from_str(include_str!("../../tests/data/answers.json")).unwrap();
    let one = all.get(name).unwrap_or_else(|| panic!("no answer is called {name}"));
    let body = if one["body"].is_null() { Vec::new() } else { one["body"].to_string().into_bytes() };
    let status = one["status"].as_u64().unwrap().try_into().unwrap();
    Step::Answer(Response { status, reason: one["reason"].as_str().unwrap().into(), body })
}

/// An answer of our own making: a good one with this `data`.
pub(crate) fn good(data: &Value) -> Step {
    answer(200, "OK", &serde_json::json!({ "data": data }).to_string())
}

/// An answer of our own making.
pub(crate) fn answer(status: u16, reason: &str, body: &str) -> Step {
    Step::Answer(Response { status, reason: reason.into(), body: body.into() })
}
