//! The file: lines of JSON, usually compressed with gzip. First a header; then the model that everything starts from,
//! and messages in their order, with a model now and then to check by; last an end, which a file that was cut off lacks.
//!
//! A field that a later version adds has a default where it is read, and one that it drops is passed over, so an old file
//! goes on being read. What a version doesn't know at all is an error with its line. A change that makes old files mean
//! something else gets a new number in [`SCHEMA`].

use crate::{
    domain::ids::Millis,
    tui::{caps::Caps, model::Model, msg::Msg},
};
use flate2::bufread::MultiGzDecoder;
use serde::{Deserialize, Serialize};
use std::{
    fmt,
    fs::File,
    io::{self, BufRead, BufReader, Cursor, Read},
    path::Path,
};

/// What the header's `schema` says.
pub const SCHEMA: &str = "morpheus.session/1";
/// The same without the number.
const FAMILY: &str = "morpheus.session/";
/// Longest line that is read, bytes.
const LONGEST: u64 = 64 << 20;
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// The first line.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Header {
    /// [`SCHEMA`].
    pub schema: String,
    /// The version of morpheus that wrote it.
    pub version: String,
    /// When it was written.
    pub at: Millis,
    /// Columns and rows of the terminal.
    pub size: (u16, u16),
    /// What the terminal can show.
    pub caps: Caps,
    /// Messages before the first one here, which are no longer kept.
    #[serde(default)]
    pub dropped: u64,
    /// File and line of the panic, if it was written because of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub panic: Option<String>,
}

/// Any other line.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    /// All that the screen knew before the next message.
    Model(Box<Model>),
    /// What happened.
    Msg(Msg),
    /// Nothing is missing.
    End(End),
}

/// A line that is written.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Written<'a> {
    /// See [`Line::Model`].
    Model(&'a Model),
    /// See [`Line::Msg`].
    Msg(&'a Msg),
    /// See [`Line::End`].
    End(&'a End),
}

/// The last line.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct End {
    /// Messages in the file.
    pub messages: u64,
    /// SHA-256 of the last screen's text, in hexadecimal; none after a panic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub screen: Option<String>,
}

/// Why a file can't be replayed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The operating system says so.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The first line is no header.
    #[error("line 1 isn't the header of a recorded session")]
    NoSession,
    /// The header names another schema.
    #[error("the file is of the format {0}, and this morpheus reads {SCHEMA}; take the version that wrote it")]
    Newer(String),
    /// A line isn't what the format has.
    #[error("line {line}: {why} (written by morpheus {version})")]
    Line {
        /// Which, from 1.
        line: usize,
        /// What is wrong with it.
        why: String,
        /// What wrote the file.
        version: String,
    },
}

/// A file that is being read.
pub struct Reader {
    source: Box<dyn BufRead>,
    header: Header,
    line: usize,
    is_cut: bool,
    ended: bool,
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").field("header", &self.header).field("line", &self.line).finish_non_exhaustive()
    }
}

impl Reader {
    /// Opens a file, compressed or not.
    ///
    /// # Errors
    /// It can't be read, or is no session of this format.
    pub fn open(path: &Path) -> Result<Self, Error> {
        Self::new(File::open(path)?)
    }

    /// Reads a session from anywhere.
    ///
    /// # Errors
    /// It can't be read, or is no session of this format.
    pub fn new(mut source: impl Read + 'static) -> Result<Self, Error> {
        let mut magic = Vec::new();
        source.by_ref().take(2).read_to_end(&mut magic)?;
        let zipped = magic == GZIP;
        let whole = BufReader::new(Cursor::new(magic).chain(source));
        let mut source: Box<dyn BufRead> =
            if zipped { Box::new(BufReader::new(MultiGzDecoder::new(whole))) } else { Box::new(whole) };
        let mut first = Vec::new();
        source.by_ref().take(LONGEST).read_until(b'\n', &mut first).map_err(|_| Error::NoSession)?;
        let value: serde_json::Value = serde_json::from_slice(&first).map_err(|_| Error::NoSession)?;
        match value.get("schema").and_then(serde_json::Value::as_str) {
            Some(SCHEMA) => {}
            Some(other) if other.starts_with(FAMILY) => return Err(Error::Newer(other.to_owned())),
            _ => return Err(Error::NoSession),
        }
        let header = serde_json::from_value(value).map_err(|why| Error::Line {
            line: 1,
            why: why.to_string(),
            version: "?".into(),
        })?;
        Ok(Self { source, header, line: 1, is_cut: false, ended: false })
    }

    /// The first line.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// Whether the file ended before its end: what was whole was read.
    #[must_use]
    pub const fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// The next line; none at the end.
    ///
    /// # Errors
    /// The file is damaged there, or holds what this version doesn't know.
    pub fn next_line(&mut self) -> Result<Option<Line>, Error> {
        if self.ended || self.is_cut {
            return Ok(None);
        }
        let mut text = Vec::new();
        self.line += 1;
        let read = self.source.by_ref().take(LONGEST).read_until(b'\n', &mut text);
        let is_whole = text.ends_with(b"\n");
        match read {
            Err(why) if why.kind() != io::ErrorKind::UnexpectedEof => return Err(self.bad(&why)),
            Ok(_) if is_whole => {}
            Ok(_) if text.len() as u64 >= LONGEST => return Err(self.bad(&"it is longer than any line should be")),
            _ => {
                self.is_cut = true;
                return Ok(None);
            }
        }
        let line = serde_json::from_slice(&text).map_err(|why| self.bad(&in_words(&why)))?;
        self.ended = matches!(line, Line::End(_));
        Ok(Some(line))
    }

    fn bad(&self, why: &dyn ToString) -> Error {
        Error::Line { line: self.line, why: why.to_string(), version: self.header.version.clone() }
    }
}

/// The parser counts lines too, and always says 1.
fn in_words(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let (words, column) = (text.split(" at line ").next().unwrap_or_default(), error.column());
    if column == 0 { words.to_owned() } else { format!("{words}, column {column}") }
}
