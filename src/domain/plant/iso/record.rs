//! Numbers and records as ECMA-119 writes them.

use super::BLOCK;

/// The day that every file is of, so that the same files give the same bytes: 1 January 2026, as years since 1900,
/// month, day, hour, minute, second, offset (9.1.5).
const DAY: [u8; 7] = [126, 1, 1, 0, 0, 0, 0];

/// A stretch of the disc.
#[derive(Clone, Copy, Default)]
pub(super) struct Extent {
    /// Its first block.
    pub block: u32,
    /// Its length in bytes.
    pub bytes: u32,
}

/// 16 bits in both orders (7.2.3).
pub(super) fn both16(out: &mut Vec<u8>, number: u16) {
    out.extend(number.to_le_bytes());
    out.extend(number.to_be_bytes());
}

/// 32 bits in both orders (7.3.3).
pub(super) fn both32(out: &mut Vec<u8>, number: u32) {
    out.extend(number.to_le_bytes());
    out.extend(number.to_be_bytes());
}

/// Zeros up to the end of the block.
pub(super) fn pad(out: &mut Vec<u8>) {
    out.resize(out.len().next_multiple_of(BLOCK), 0);
}

/// The length of a directory record (9.1).
pub(super) fn length(id: &[u8]) -> usize {
    (33 + id.len()).next_multiple_of(2)
}

/// Writes a directory record; one that doesn't fit into the rest of its block begins the next (6.8.1.1).
pub(super) fn write(out: &mut Vec<u8>, id: &[u8], is_dir: bool, extent: Extent) {
    let length = length(id);
    if out.len() % BLOCK + length > BLOCK {
        pad(out);
    }
    let end = out.len() + length;
    out.push(u8::try_from(length).unwrap_or(u8::MAX));
    out.push(0);
    both32(out, extent.block);
    both32(out, extent.bytes);
    out.extend(DAY);
    out.extend([if is_dir { 2 } else { 0 }, 0, 0]);
    both16(out, 1);
    out.push(u8::try_from(id.len()).unwrap_or(u8::MAX));
    out.extend(id);
    out.resize(end, 0);
}
