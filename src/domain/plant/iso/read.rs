//! Reads a disc back.

use super::BLOCK;

/// Files of an image by their Joliet names, sorted by path. None if it isn't a whole image with Joliet.
#[must_use]
pub fn files(image: &[u8]) -> Option<Vec<(String, Vec<u8>)>> {
    let descriptors = image.chunks_exact(BLOCK).skip(16).take_while(|block| block.get(1..6) == Some(b"CD001"));
    let joliet = descriptors
        .take(16)
        .find(|block| block.first() == Some(&2) && matches!(block.get(88..91), Some(b"%/@" | b"%/C" | b"%/E")))?;
    let (mut found, mut dirs) = (Vec::new(), 0_u32);
    let mut queue = vec![(String::new(), 0, extent(image, joliet.get(156..)?)?)];
    while let Some((path, depth, dir)) = queue.pop() {
        // The root and seven levels below it; a ring of directories ends here.
        dirs += 1;
        if depth > 8 || dirs > u32::from(u16::MAX) {
            return None;
        }
        for block in dir.chunks(BLOCK) {
            let mut rest = block;
            while let Some(length) = rest.first().map(|length| usize::from(*length)).filter(|length| *length > 0) {
                let (record, after) = rest.split_at_checked(length)?;
                rest = after;
                let id = record.get(33..33 + usize::from(*record.get(32)?))?;
                if matches!(id, [0 | 1]) {
                    continue;
                }
                let units: Vec<u16> =
                    id.chunks_exact(2).map(|pair| pair.iter().fold(0, |n, b| n << 8 | u16::from(*b))).collect();
                let name = format!("{path}{}", String::from_utf16(&units).ok()?);
                let bytes = extent(image, record)?;
                if record.get(25)? & 2 == 2 {
                    queue.push((format!("{name}/"), depth + 1, bytes));
                } else {
                    found.push((name.strip_suffix(";1").unwrap_or(&name).to_owned(), bytes.to_vec()));
                }
            }
        }
    }
    found.sort();
    Some(found)
}

/// The bytes that a directory record leads to.
fn extent<'a>(image: &'a [u8], record: &[u8]) -> Option<&'a [u8]> {
    let number = |at: usize| Some(u32::from_le_bytes(record.get(at..at + 4)?.try_into().ok()?));
    let start = usize::try_from(number(2)?).ok()?.checked_mul(BLOCK)?;
    image.get(start..start.checked_add(usize::try_from(number(10)?).ok()?)?)
}
