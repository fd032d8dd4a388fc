//! A registry that is an HTTP document.

use super::{Try, trouble};
use crate::{
    domain::{facts::Trouble, plant::registry::Document},
    pve,
};
use reqwest::{
    Client, RequestBuilder, Response, StatusCode,
    header::{ACCEPT, CONTENT_TYPE, ETAG, IF_MATCH, IF_NONE_MATCH},
    redirect::Policy,
};
use secrecy::{ExposeSecret, SecretString};
use std::time::Duration;

/// For one request with its answer.
const TIMEOUT: Duration = Duration::from_secs(15);
/// The longest document that is read, bytes: with what it becomes when it is read, less than 16 MiB.
const LONGEST: usize = 128 << 10;

/// What a document was when it was read.
pub(super) enum Version {
    /// There was none.
    Missing,
    /// It had this `ETag`.
    Tag(String),
}

pub(super) struct Remote<'a> {
    url: &'a str,
    token: Option<&'a SecretString>,
    client: Client,
}

impl<'a> Remote<'a> {
    pub(super) fn new(url: &'a str, token: Option<&'a SecretString>) -> Result<Self, Trouble> {
        let fail = |why: &dyn ToString| trouble(url, &why.to_string());
        let mut builder = Client::builder().timeout(TIMEOUT).redirect(Policy::none());
        if url.starts_with("https:") {
            builder = builder.tls_backend_preconfigured(pve::trusting_authorities().map_err(|why| fail(&why))?);
        } else {
            builder = builder.tls_backend_preconfigured(pve::trusting_nobody().map_err(|why| fail(&why))?);
        }
        Ok(Self { url, token, client: builder.build().map_err(|why| fail(&why))? })
    }

    fn with_token(&self, request: RequestBuilder) -> RequestBuilder {
        match self.token {
            Some(token) => request.bearer_auth(token.expose_secret().trim()),
            None => request,
        }
    }

    fn fail(&self, why: &str) -> Trouble {
        trouble(self.url, why)
    }

    /// The document and what it was; without an `ETag` it couldn't be written without risk for what others wrote.
    pub(super) async fn read(&self, forest: &str) -> Result<(Document, Version), Trouble> {
        let request = self.with_token(self.client.get(self.url)).header(ACCEPT, "application/json");
        let answer = request.send().await.map_err(|why| self.fail(&words(&why)))?;
        match answer.status() {
            StatusCode::NOT_FOUND => return Ok((Document::empty(forest), Version::Missing)),
            StatusCode::OK => {}
            status => return Err(self.fail(&meaning(status, "read"))),
        }
        let tag = answer.headers().get(ETAG).and_then(|tag| tag.to_str().ok()).map(str::to_owned);
        let tag = tag.ok_or_else(|| self.fail("it has no ETag, so what others write meanwhile could be lost"))?;
        let text = self.text(answer).await?;
        let document = Document::parse(&text, forest).map_err(|why| self.fail(&why.to_string()))?;
        Ok((document, Version::Tag(tag)))
    }

    async fn text(&self, mut answer: Response) -> Result<String, Trouble> {
        let mut bytes = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|why| self.fail(&words(&why)))? {
            if bytes.len() + chunk.len() > LONGEST {
                return Err(self.fail("it is longer than a registry can be"));
            }
            bytes.extend_from_slice(&chunk);
        }
        String::from_utf8(bytes).map_err(|_| self.fail("it is no UTF-8"))
    }

    /// Writes the document if it still is what it was.
    pub(super) async fn write(&self, document: &Document, version: &Version) -> Result<Try, Trouble> {
        let request = self.with_token(self.client.put(self.url)).header(CONTENT_TYPE, "application/json");
        let request = match version {
            Version::Missing => request.header(IF_NONE_MATCH, "*"),
            Version::Tag(tag) => request.header(IF_MATCH, tag),
        };
        match request.body(document.text()).send().await {
            Ok(answer) if answer.status().is_success() => Ok(Try::Done),
            Ok(answer) => match answer.status() {
                StatusCode::PRECONDITION_FAILED | StatusCode::CONFLICT => {
                    Ok(Try::Again("somebody else wrote it meanwhile".to_owned()))
                }
                status if status.is_server_error() => Ok(Try::Again(meaning(status, "written"))),
                status => Err(self.fail(&meaning(status, "written"))),
            },
            Err(why) if why.is_connect() => Err(self.fail(&words(&why))),
            // It may have arrived: what is there now tells.
            Err(why) => Ok(Try::Again(words(&why))),
        }
    }

    /// Posts a document; the reason if nobody took it.
    pub(super) async fn tell(&self, document: &Document) -> Result<(), String> {
        let request = self.client.post(self.url).header(CONTENT_TYPE, "application/json").body(document.text());
        let answer = request.send().await.map_err(|why| words(&why))?;
        if answer.status().is_success() { Ok(()) } else { Err(answer.status().to_string()) }
    }
}

fn meaning(status: StatusCode, what: &str) -> String {
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            format!("it can't be {what}: the token isn't taken ({status})")
        }
        status if status.is_redirection() => format!("it can't be {what}: it is somewhere else ({status})"),
        status => format!("it can't be {what}: {status}"),
    }
}

/// The innermost reason, without the address: that may hold a secret.
fn words(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return format!("no answer within {} s", TIMEOUT.as_secs());
    }
    let mut why: &dyn std::error::Error = error;
    while let Some(inner) = why.source() {
        why = inner;
    }
    why.to_string()
}
