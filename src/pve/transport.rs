//! The seam between the API client and the wire: the real one is HTTPS, the simulated host also offers one in memory,
//! so that tests run on a paused clock.

mod multipart;

use std::{fmt, future::Future, pin::Pin, sync::Arc};

/// HTTP method.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Method {
    /// Reads.
    Get,
    /// Creates or starts something.
    Post,
    /// Changes.
    Put,
    /// Removes.
    Delete,
}

impl Method {
    /// The method's name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }
}

/// A request before it is put on the wire.
pub struct Request {
    /// The method.
    pub method: Method,
    /// The path below `/api2/json`, percent-encoded, with a leading slash.
    pub path: String,
    /// Parameters in order; a repeated name is an array. In the query of a GET or DELETE, else in a form body.
    pub params: Vec<(String, String)>,
    /// Headers with credentials. Never printed.
    pub headers: Vec<(&'static str, String)>,
    /// A file to upload: the body is then `multipart/form-data`, parameters first.
    pub file: Option<Box<File>>,
}

/// A file to upload.
#[derive(Clone)]
pub struct File {
    /// Its name on the storage.
    pub name: String,
    /// What is in it.
    pub bytes: Arc<[u8]>,
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method.as_str(), self.path)
    }
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status code; Proxmox uses 595, 596 and 599 too.
    pub status: u16,
    /// The reason phrase: Proxmox puts its error text here.
    pub reason: String,
    /// The body, often JSON, sometimes empty.
    pub body: Vec<u8>,
}

/// Why no answer came.
#[derive(Clone, Debug, thiserror::Error)]
pub enum TransportError {
    /// No connection.
    #[error("{0}")]
    Unreachable(String),
    /// The TLS handshake failed, or the certificate isn't trusted.
    #[error("{0}")]
    Tls(String),
    /// Something answered, and it speaks no TLS.
    #[error("{0}")]
    NoTls(String),
    /// The request was sent, the answer didn't come in time.
    #[error("no answer within {0} s")]
    Timeout(u64),
    /// The connection broke after the request was sent.
    #[error("{0}")]
    Broken(String),
    /// The request was sent; its answer, of more than so many bytes, wasn't read to its end.
    #[error("the answer is larger than {} MiB", .0 >> 20)]
    TooLarge(usize),
}

/// A boxed future, so that the trait can be used as an object.
pub type Sending<'a> = Pin<Box<dyn Future<Output = Result<Response, TransportError>> + Send + 'a>>;

/// Puts requests on a wire.
pub trait Transport: Send + Sync {
    /// Sends one request and waits for its answer.
    fn send(&self, request: Request) -> Sending<'_>;
}
