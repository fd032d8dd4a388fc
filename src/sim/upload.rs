//! The body of an upload, read as crudely as pve-http-server does (`AnyEvent.pm:1280-1430`): fields in one order, the
//! file last.

use super::{answer::Refused, form::Params};
use serde_json::json;
use std::sync::Arc;

/// A file that arrived.
#[derive(Clone, Debug)]
pub(crate) struct Uploaded {
    pub(crate) bytes: Arc<[u8]>,
}

/// Fields before the file, in the only order in which they are read.
const ORDER: [&str; 3] = ["content", "checksum-algorithm", "checksum"];

/// Reads fields and file.
///
/// # Errors
/// Another order of fields, or no file: refused without words.
pub(crate) fn read(content_type: &str, body: &[u8]) -> Result<(Params, Uploaded), Refused> {
    let bad = || Refused::Bare(400, "Bad Request");
    let boundary = content_type.split("boundary=").nth(1).ok_or_else(bad)?.trim_matches('"');
    let mut params = Params::new();
    let mut rest = body.strip_prefix(format!("--{boundary}\r\n").as_bytes()).ok_or_else(bad)?;
    let mut order = ORDER.iter();
    loop {
        let head_ends = find(rest, b"\r\n\r\n").ok_or_else(bad)?;
        let (head, after) = (rest.get(..head_ends).ok_or_else(bad)?, rest.get(head_ends + 4..).ok_or_else(bad)?);
        let head = String::from_utf8_lossy(head);
        let quoted = |key: &str| Some(head.split(key).nth(1)?.split('"').next()?.to_owned());
        let name = quoted("form-data; name=\"").ok_or_else(bad)?;
        let end = find(after, format!("\r\n--{boundary}").as_bytes()).ok_or_else(bad)?;
        let value = after.get(..end).ok_or_else(bad)?;
        if name == "filename" {
            let file = quoted("; filename=\"").ok_or_else(bad)?;
            let file: String =
                file.chars().map(|c| if c.is_ascii_alphanumeric() || "_.-".contains(c) { c } else { '_' }).collect();
            params.insert("filename".to_owned(), json!(file));
            return Ok((params, Uploaded { bytes: value.into() }));
        }
        if !order.any(|known| *known == name) {
            return Err(bad());
        }
        params.insert(name, json!(String::from_utf8_lossy(value)));
        rest = after.get(end + boundary.len() + 6..).ok_or_else(bad)?;
    }
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window == wanted)
}
