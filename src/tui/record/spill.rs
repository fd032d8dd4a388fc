//! Bytes that grow in memory at first and then in a file without a name, which is gone when nobody holds it any more,
//! however the program ends.

use rustix::fs::{CWD, Mode, OFlags, openat};
use std::{
    fs::File,
    io::{self, Write},
    os::unix::fs::FileExt as _,
    path::PathBuf,
};

/// Bytes in memory from which on they are written out.
const PAGE: usize = 16 << 10;

/// Bytes that only grow.
#[derive(Debug, Default)]
pub(super) struct Spill {
    memory: Vec<u8>,
    file: Option<File>,
    written: u64,
    /// No file can be had, or it is full: everything stays in memory.
    stuck: bool,
}

impl Spill {
    /// In memory alone.
    #[cfg(test)]
    pub(super) fn stuck() -> Self {
        Self { stuck: true, ..Self::default() }
    }

    /// Bytes in memory.
    pub(super) const fn resident(&self) -> usize {
        self.memory.len()
    }

    /// All bytes.
    pub(super) const fn len(&self) -> u64 {
        self.written + self.memory.len() as u64
    }

    /// Copies all bytes.
    ///
    /// # Errors
    /// The file can't be read, or `to` can't be written.
    pub(super) fn copy(&self, to: &mut dyn Write) -> io::Result<()> {
        let (mut at, mut bytes) = (0, vec![0; 64 << 10]);
        while let (Some(file), true) = (&self.file, at < self.written) {
            let wanted = usize::try_from(self.written - at).unwrap_or(usize::MAX).min(bytes.len());
            let part = bytes.get_mut(..wanted).unwrap_or_default();
            file.read_exact_at(part, at)?;
            to.write_all(part)?;
            at += part.len() as u64;
        }
        to.write_all(&self.memory)
    }

    fn page_out(&mut self) -> io::Result<()> {
        let file = match &self.file {
            Some(file) => file,
            None => self.file.insert(nameless()?),
        };
        file.write_all_at(&self.memory, self.written)?;
        self.written += self.memory.len() as u64;
        self.memory.clear();
        Ok(())
    }
}

impl Write for Spill {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.memory.extend_from_slice(bytes);
        if self.memory.len() >= PAGE && !self.stuck {
            self.stuck = self.page_out().is_err();
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A file that no directory lists, for its owner alone.
fn nameless() -> io::Result<File> {
    let wished = std::env::var_os("TMPDIR").map(PathBuf::from);
    let usual = ["/var/tmp", "/tmp"].map(PathBuf::from);
    let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    for dir in wished.into_iter().chain(usual) {
        match openat(CWD, &dir, flags, Mode::RUSR | Mode::WUSR) {
            Ok(file) => return Ok(file.into()),
            Err(why) => last = why.into(),
        }
    }
    Err(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(mut spill: Spill) -> (Vec<u8>, Spill) {
        let text: Vec<u8> = (0..100_000_u32).flat_map(u32::to_le_bytes).collect();
        for part in text.chunks(999) {
            spill.write_all(part).unwrap();
        }
        let mut copy = Vec::new();
        spill.copy(&mut copy).unwrap();
        assert_eq!((copy == text, spill.len()), (true, text.len() as u64));
        (text, spill)
    }

    #[test]
    fn memory_stays_small_where_there_is_a_file() {
        let (_, spill) = written(Spill::default());
        assert!(spill.resident() < 2 * PAGE, "{}", spill.resident());
    }

    #[test]
    fn without_a_file_everything_is_still_there() {
        let (text, spill) = written(Spill::stuck());
        assert_eq!(spill.resident(), text.len());
    }
}
