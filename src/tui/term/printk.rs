//! Kernel messages on a virtual console: the kernel draws them over the screen, and a guest that takes a GPU makes it
//! print at exactly the wrong moment. While the dashboard owns the console, its log level is lowered.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Where the kernel keeps its console log levels; the first number is the one that counts (`proc_sys_kernel(5)`).
pub(crate) const PATH: &str = "/proc/sys/kernel/printk";
/// Emergencies only. At 0 not even those would be shown.
const QUIET: &str = "1";

/// The level that was found, until it is restored.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Lowered {
    path: PathBuf,
    found: String,
}

impl Lowered {
    /// Lowers the level. None if it is as low already, or isn't ours to change.
    pub(crate) fn lower(path: &Path) -> Option<Self> {
        let found = fs::read_to_string(path).ok()?;
        let level: i32 = found.split_whitespace().next()?.parse().ok()?;
        if level <= 1 {
            return None;
        }
        fs::write(path, QUIET).ok()?;
        Some(Self { path: path.to_owned(), found })
    }

    /// Puts back what was found.
    pub(crate) fn restore(self) {
        let _ = fs::write(&self.path, self.found.split_whitespace().next().unwrap_or(QUIET));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_level_is_lowered_and_put_back() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("printk");
        fs::write(&path, "7\t4\t1\t7\n").unwrap();
        let lowered = Lowered::lower(&path).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "1");
        assert_eq!(Lowered::lower(&path), None, "a second dashboard must not remember the lowered level");
        lowered.restore();
        assert_eq!(fs::read_to_string(&path).unwrap(), "7");
    }

    #[test]
    fn a_level_that_can_not_be_read_is_left_alone() {
        assert_eq!(Lowered::lower(Path::new("/nonexistent/printk")), None);
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("printk");
        fs::write(&path, "what\n").unwrap();
        assert_eq!(Lowered::lower(&path), None);
        assert_eq!(fs::read_to_string(&path).unwrap(), "what\n");
    }
}
