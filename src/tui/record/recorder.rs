//! The newest messages, compressed. They lie in chunks, each of which begins with the model that it starts from, so that
//! the oldest can be dropped.

use super::{
    format::{End, Header, SCHEMA, Written},
    keep::kept,
    spill::Spill,
};
use crate::{
    domain::ids::Millis,
    tui::{caps::Caps, model::Model, msg::Msg},
};
use flate2::{Compression, write::GzEncoder};
use std::{
    collections::VecDeque,
    io::{self, Write as _},
    sync::Arc,
};

/// Messages that are kept at least, however long the dashboard runs.
pub(super) const KEPT: u64 = 10_000;
/// Messages of a chunk.
const CHUNK: u64 = 1_000;
/// Chunks at most: each may hold a file open.
const CHUNKS: usize = 48;
/// Bytes that a chunk may have in files, and all of them together.
const FILES: (u64, u64) = (8 << 20, 64 << 20);
/// Bytes that a chunk may have in memory, and all of them together, where files can't be had.
const MEMORY: (usize, usize) = (256 << 10, 1 << 20);
/// Bytes of text that are compressed at once, with LZ4: deflate would take 300 KB to do it.
const BLOCK: usize = 48 << 10;

/// The newest messages of a session.
#[derive(Debug)]
pub(super) struct Recorder {
    chunks: VecDeque<Arc<Chunk>>,
    open: Open,
    /// Messages of the open chunk.
    fresh: u64,
    /// Messages that were dropped.
    dropped: u64,
    /// Size and capabilities, for the header of a file that is written without a model.
    terminal: ((u16, u16), Caps),
}

/// A chunk that grows.
#[derive(Debug, Default)]
struct Open {
    bytes: Spill,
    /// Lines that come next, not yet compressed.
    plain: Vec<u8>,
}

#[derive(Debug)]
pub(super) struct Chunk {
    messages: u64,
    bytes: Spill,
}

/// What a file is written from: it doesn't change any more.
#[derive(Debug)]
pub(super) struct Recording {
    /// The first line.
    pub(super) header: Header,
    /// What follows, each a member of a gzip file of its own.
    chunks: Vec<Arc<Chunk>>,
    /// The last line.
    end: End,
}

impl Open {
    /// Takes the model that messages follow. A part of one would be worse than none.
    fn begin(&mut self, model: &Model) {
        if self.put(&Written::Model(model)).is_err() {
            *self = Self::default();
        }
    }

    /// Takes a line. One that can't be taken leaves a part of itself behind: the chunk is no good then.
    fn put(&mut self, line: &Written<'_>) -> io::Result<()> {
        serde_json::to_writer(&mut *self, line)?;
        self.write_all(b"\n")
    }

    /// Compresses what has gathered.
    fn press(&mut self) -> io::Result<()> {
        for plain in self.plain.chunks(BLOCK) {
            let block = lz4_flex::compress_prepend_size(plain);
            let size = u32::try_from(block.len()).map_err(io::Error::other)?;
            self.bytes.write_all(&size.to_le_bytes())?;
            self.bytes.write_all(&block)?;
        }
        self.plain.clear();
        self.plain.shrink_to(BLOCK);
        Ok(())
    }

    fn finish(mut self) -> io::Result<Spill> {
        self.press().map(|()| self.bytes)
    }
}

/// A long line is never held whole.
impl io::Write for Open {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.plain.extend_from_slice(bytes);
        if self.plain.len() >= BLOCK {
            self.press()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Recorder {
    /// A recorder of what follows this model.
    pub(super) fn new(model: &Model) -> Self {
        let mut recorder = Self {
            chunks: VecDeque::new(),
            open: Open::default(),
            fresh: 0,
            dropped: 0,
            terminal: (model.size, model.setup.caps),
        };
        recorder.open.begin(model);
        recorder
    }

    /// Takes a message down that this model is about to meet. What can't be written down, and what was before it, is
    /// dropped: a session with a hole in it would be replayed to something else.
    pub(super) fn record(&mut self, model: &Model, msg: &Msg) {
        let bytes = &self.open.bytes;
        if self.fresh >= CHUNK || bytes.len() >= FILES.0 || bytes.resident() >= MEMORY.0 {
            self.turn(model);
        }
        if self.open.put(&Written::Msg(&kept(model, msg))).is_ok() {
            self.fresh += 1;
        } else {
            let lost = self.dropped + self.fresh + self.chunks.iter().map(|chunk| chunk.messages).sum::<u64>() + 1;
            *self = Self { dropped: lost, ..Self::new(model) };
            self.fresh = CHUNK;
        }
    }

    /// Everything until now, for a file. The model is the present one.
    pub(super) fn recording(&mut self, model: &Model, at: Millis, screen: String) -> Recording {
        self.turn(model);
        self.terminal = (model.size, model.setup.caps);
        self.all(at, Some(screen), None)
    }

    /// The same at the end, without a model.
    pub(super) fn last_recording(mut self, at: Millis, panic: Option<String>) -> Recording {
        self.close();
        self.all(at, None, panic)
    }

    fn all(&self, at: Millis, screen: Option<String>, panic: Option<String>) -> Recording {
        let (size, caps) = self.terminal;
        let version = env!("CARGO_PKG_VERSION").to_owned();
        let header = Header { schema: SCHEMA.to_owned(), version, at, size, caps, dropped: self.dropped, panic };
        let messages = self.chunks.iter().map(|chunk| chunk.messages).sum();
        Recording { header, chunks: self.chunks.iter().cloned().collect(), end: End { messages, screen } }
    }

    /// Ends the open chunk and begins another.
    fn turn(&mut self, model: &Model) {
        self.close();
        self.open.begin(model);
        self.terminal = (model.size, model.setup.caps);
        self.forget();
    }

    fn close(&mut self) {
        let done = std::mem::take(&mut self.open);
        let messages = std::mem::take(&mut self.fresh);
        if let Ok(bytes) = done.finish() {
            self.chunks.push_back(Arc::new(Chunk { messages, bytes }));
        }
    }

    /// Drops the oldest chunks, as long as enough is left or there is too much of them.
    fn forget(&mut self) {
        while let Some(first) = self.chunks.front() {
            let all = |size: fn(&Chunk) -> u64| self.chunks.iter().map(|chunk| size(chunk)).sum::<u64>();
            let enough = all(|chunk| chunk.messages).saturating_sub(first.messages) >= KEPT;
            let memory = all(|chunk| chunk.bytes.resident() as u64) > MEMORY.1 as u64;
            let files = all(|chunk| chunk.bytes.len()) > FILES.1;
            let surplus = enough || memory || files || self.chunks.len() > CHUNKS;
            if !surplus || self.chunks.len() == 1 {
                return;
            }
            self.dropped += first.messages;
            self.chunks.pop_front();
        }
    }
}

impl Recording {
    /// Writes the whole file.
    ///
    /// # Errors
    /// It can't be written, or a chunk can't be read back.
    pub(super) fn write(&self, to: &mut dyn io::Write) -> io::Result<()> {
        member(to, &self.header)?;
        self.chunks.iter().try_for_each(|chunk| chunk.write(to))?;
        member(to, &Written::End(&self.end))
    }
}

impl Chunk {
    /// Its lines as a member of a gzip file.
    fn write(&self, to: &mut dyn io::Write) -> io::Result<()> {
        let mut bytes = Vec::new();
        self.bytes.copy(&mut bytes)?;
        let mut member = GzEncoder::new(to, Compression::fast());
        let mut rest = bytes.as_slice();
        while let Some((size, next)) = rest.split_first_chunk() {
            let size = usize::try_from(u32::from_le_bytes(*size)).map_err(io::Error::other)?;
            let (block, next) = next.split_at_checked(size).ok_or(io::ErrorKind::UnexpectedEof)?;
            member.write_all(&lz4_flex::decompress_size_prepended(block).map_err(io::Error::other)?)?;
            rest = next;
        }
        member.finish().map(drop)
    }
}

/// A line as a member of a gzip file.
fn member(to: &mut dyn io::Write, line: &impl serde::Serialize) -> io::Result<()> {
    let mut text = serde_json::to_vec(line)?;
    text.push(b'\n');
    let mut member = GzEncoder::new(to, Compression::fast());
    member.write_all(&text)?;
    member.finish().map(drop)
}
