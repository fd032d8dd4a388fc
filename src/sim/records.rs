//! A connection as pveproxy has it: one TLS record at a time.
//!
//! Checking a ticket leaves an error in OpenSSL's queue, which the next read from TLS takes for its own
//! (`Crypt::OpenSSL::RSA` 0.35): a request with a ticket whose body isn't whole in the record that its head ends in gets
//! no answer.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, ready},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Length of a record's head: kind, version, length.
const HEAD: usize = 5;

/// The kind of a record that carries data.
const DATA: u8 = 23;

/// Bytes that are read of a record at once.
const PART: usize = 4096;

/// Bytes within which the head of a request ends.
const LONGEST_HEAD: usize = 64 * 1024;

/// How many records with data came, and how many may: TLS reads ahead, and pveproxy doesn't.
#[derive(Debug)]
pub(super) struct Gate {
    came: AtomicUsize,
    most: AtomicUsize,
}

impl Default for Gate {
    /// The handshake ends with the first one.
    fn default() -> Self {
        Self { came: AtomicUsize::new(0), most: AtomicUsize::new(1) }
    }
}

impl Gate {
    fn came(&self) -> usize {
        self.came.load(Ordering::Relaxed)
    }

    /// Lets one more in.
    fn open(&self) {
        self.most.store(self.came() + 1, Ordering::Relaxed);
    }

    fn is_shut(&self) -> bool {
        self.came() >= self.most.load(Ordering::Relaxed)
    }
}

/// The encrypted side of a connection: gives no more than one record at a time, and counts those with data.
pub(super) struct Records<S> {
    inner: S,
    head: Vec<u8>,
    /// Bytes of the record that are still to come.
    left: usize,
    part: Box<[u8; PART]>,
    gate: Arc<Gate>,
}

impl<S> Records<S> {
    pub(super) fn new(inner: S, gate: &Arc<Gate>) -> Self {
        Self { inner, head: Vec::with_capacity(HEAD), left: 0, part: Box::new([0; PART]), gate: Arc::clone(gate) }
    }
}

/// Takes in bytes that came: never more than what is left of a record, or of its head.
fn follow(head: &mut Vec<u8>, left: &mut usize, gate: &Gate, bytes: &[u8]) {
    if *left > 0 {
        *left = left.saturating_sub(bytes.len());
        return;
    }
    head.extend_from_slice(bytes);
    if let [kind, _, _, high, low] = head[..] {
        *left = usize::from(u16::from_be_bytes([high, low]));
        gate.came.fetch_add(usize::from(kind == DATA), Ordering::Relaxed);
        head.clear();
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Records<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let Self { inner, head, left, part, gate } = self.get_mut();
        if *left == 0 && head.is_empty() && gate.is_shut() {
            // Nothing wakes whoever waits for what is there already.
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let most = if *left > 0 { *left } else { HEAD - head.len() };
        let most = most.min(PART).min(into.remaining());
        let mut got = ReadBuf::new(part.get_mut(..most).unwrap_or_default());
        ready!(Pin::new(inner).poll_read(cx, &mut got))?;
        follow(head, left, gate, got.filled());
        into.put_slice(got.filled());
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Records<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

/// What of a request is being read.
#[derive(Debug, Default)]
enum Reading {
    /// Its head, or nothing yet.
    #[default]
    Head,
    /// A body that any number of records may bring: the bytes that are still to come.
    Body(usize),
    /// A body that no record may bring after this many.
    Bound(usize, usize),
}

/// The plain side of a connection, which ends where pveproxy would drop it.
pub(super) struct Requests<S> {
    inner: S,
    seen: Vec<u8>,
    reading: Reading,
    gate: Arc<Gate>,
}

impl<S> Requests<S> {
    pub(super) const fn new(inner: S, gate: Arc<Gate>) -> Self {
        Self { inner, seen: Vec::new(), reading: Reading::Head, gate }
    }

    /// Takes in bytes that came. False if pveproxy wouldn't have got them.
    fn takes(&mut self, bytes: &[u8]) -> bool {
        let records = self.gate.came();
        match self.reading {
            Reading::Head => {
                self.seen.extend_from_slice(bytes);
                self.head_ends(records);
                true
            }
            Reading::Body(left) => {
                self.reading = rest(left, bytes.len()).map_or(Reading::Head, Reading::Body);
                true
            }
            Reading::Bound(left, last) => {
                self.reading = rest(left, bytes.len()).map_or(Reading::Head, |left| Reading::Bound(left, last));
                records <= last
            }
        }
    }

    fn head_ends(&mut self, records: usize) {
        let Some(end) = self.seen.windows(4).position(|four| four == b"\r\n\r\n") else {
            self.seen.truncate(LONGEST_HEAD);
            return;
        };
        let head = String::from_utf8_lossy(self.seen.get(..end).unwrap_or_default()).to_ascii_lowercase();
        let value = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        let length = value("content-length").and_then(|length| length.trim().parse().ok()).unwrap_or(0);
        let by_ticket = ["cookie", "authorization"]
            .iter()
            .filter_map(|name| value(name))
            .any(|text| text.contains("pveauthcookie="));
        self.reading = match rest(length, self.seen.len() - end - 4) {
            None => Reading::Head,
            Some(left) if by_ticket => Reading::Bound(left, records),
            Some(left) => Reading::Body(left),
        };
        self.seen.clear();
    }
}

/// What is still to come of a body; none if it is whole.
fn rest(left: usize, came: usize) -> Option<usize> {
    left.checked_sub(came).filter(|left| *left > 0)
}

impl<S: AsyncRead + Unpin> AsyncRead for Requests<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = into.filled().len();
        this.gate.open();
        ready!(Pin::new(&mut this.inner).poll_read(cx, into))?;
        if !this.takes(into.filled().get(before..).unwrap_or_default()) {
            // The end of the connection.
            into.set_filled(before);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Requests<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
