//! The file of a recorded session: private, with the time in its name.

use super::recorder::Recording;
use crate::{domain::ids::Millis, files};
use jiff::Timestamp;
use std::{
    fs::File,
    io::{self, BufWriter, Write as _},
    path::{Path, PathBuf},
};

/// Files of one second at most.
const SAME_SECOND: u32 = 99;

/// Where sessions are written.
#[derive(Clone, Debug, Default)]
pub struct Place {
    /// The directory; made when it is needed.
    pub dir: PathBuf,
    /// The person's home, which is shown as `~`.
    pub home: Option<PathBuf>,
}

impl Place {
    /// Writes a session to a new file and says its path, with `~` for the home.
    ///
    /// # Errors
    /// The directory or the file can't be written.
    pub(super) fn write(&self, recording: &Recording) -> io::Result<String> {
        files::make_dir(&self.dir)?;
        let (path, file) = self.create(recording.header.at)?;
        let mut file = BufWriter::new(file);
        recording.write(&mut file)?;
        file.flush()?;
        Ok(self.shown(&path))
    }

    /// The directory, with `~` for the home.
    pub(super) fn shown(&self, path: &Path) -> String {
        let inside = self.home.as_ref().and_then(|home| path.strip_prefix(home).ok());
        inside.map_or_else(|| path.display().to_string(), |inside| format!("~/{}", inside.display()))
    }

    fn create(&self, at: Millis) -> io::Result<(PathBuf, File)> {
        let stamp = i64::try_from(at.0).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok()).unwrap_or_default();
        let stamp = stamp.strftime("%Y%m%d-%H%M%S").to_string();
        for number in 1..=SAME_SECOND {
            let name = if number == 1 { stamp.clone() } else { format!("{stamp}-{number}") };
            let path = self.dir.join(name).with_extension("jsonl.gz");
            match files::create(&path) {
                Ok(file) => return Ok((path, file)),
                Err(why) if why.kind() == io::ErrorKind::AlreadyExists => {}
                Err(why) => return Err(why),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }
}
