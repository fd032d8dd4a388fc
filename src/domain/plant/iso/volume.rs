//! The descriptors that name a disc and say where its hierarchies begin.

use super::{
    BLOCK,
    layout::Hierarchy,
    names::{self, Naming},
    record::{self, Extent, both16, both32, pad},
};

/// Who made it.
const MAKER: &str = "MORPHEUS";

/// A volume descriptor: the primary one (ECMA-119 8.4), or Joliet's supplementary one (8.5).
pub(super) fn descriptor(out: &mut Vec<u8>, label: &str, blocks: u32, hierarchy: &Hierarchy) {
    let joliet = hierarchy.naming == Naming::Joliet;
    let text = |out: &mut Vec<u8>, text: &str, width: usize| {
        let end = out.len() + width;
        let (bytes, blank): (Vec<u8>, &[u8]) =
            if joliet { (names::ucs2(text), &[0, b' ']) } else { (text.as_bytes().to_vec(), b" ") };
        out.extend(bytes);
        while out.len() + blank.len() <= end {
            out.extend(blank);
        }
        out.resize(end, 0);
    };
    out.push(if joliet { 2 } else { 1 });
    out.extend(b"CD001");
    out.extend([1, 0]);
    text(out, "", 32);
    text(out, label, 32);
    out.extend([0; 8]);
    both32(out, blocks);
    let mut escapes = [0; 32];
    if joliet {
        // UCS-2 at level 3.
        escapes[..3].copy_from_slice(b"%/E");
    }
    out.extend(escapes);
    both16(out, 1);
    both16(out, 1);
    both16(out, 2048);
    both32(out, hierarchy.little.bytes);
    out.extend(hierarchy.little.block.to_le_bytes());
    out.extend([0; 4]);
    out.extend(hierarchy.big.block.to_be_bytes());
    out.extend([0; 4]);
    root(out, hierarchy.extents.first().copied().unwrap_or_default());
    for (words, width) in [("", 128), ("", 128), (MAKER, 128), (MAKER, 128), ("", 37), ("", 37), ("", 37)] {
        text(out, words, width);
    }
    // Made and changed on the day of its files; no end, no beginning (8.4.26.1).
    for day in ["2026010100000000", "2026010100000000", "0000000000000000", "0000000000000000"] {
        out.extend(day.as_bytes());
        out.push(0);
    }
    out.push(1);
    pad(out);
}

/// The root's record. A record begins no new block here: 156 bytes are before it.
fn root(out: &mut Vec<u8>, extent: Extent) {
    record::write(out, &[0], true, extent);
}

/// The end of the descriptors (8.3).
pub(super) fn end(out: &mut Vec<u8>) {
    out.push(255);
    out.extend(b"CD001");
    out.push(1);
    out.resize(out.len().next_multiple_of(BLOCK), 0);
}
