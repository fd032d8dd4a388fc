//! Where journals are kept.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    path::{Path, PathBuf},
};

/// The directory of the journals: `$MORPHEUS_STATE_DIR`, `$XDG_STATE_HOME/morpheus/ops`, `/var/lib/morpheus/ops` for
/// root, else `~/.local/state/morpheus/ops`.
#[must_use]
pub fn state_dir(vars: &BTreeMap<String, OsString>, home: Option<&Path>, is_root: bool) -> PathBuf {
    let var = |name: &str| vars.get(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(dir) = var("MORPHEUS_STATE_DIR") {
        return dir;
    }
    match (var("XDG_STATE_HOME"), is_root, home) {
        (Some(state), ..) => state.join("morpheus/ops"),
        (None, true, _) | (None, false, None) => PathBuf::from("/var/lib/morpheus/ops"),
        (None, false, Some(home)) => home.join(".local/state/morpheus/ops"),
    }
}

/// The directory of recorded sessions: `$MORPHEUS_DUMP_DIR`, else `dumps` in `$MORPHEUS_STATE_DIR`, else `dumps` beside
/// the journals.
#[must_use]
pub fn dumps_dir(vars: &BTreeMap<String, OsString>, home: Option<&Path>, is_root: bool) -> PathBuf {
    let is_set = |name: &str| vars.get(name).is_some_and(|value| !value.is_empty());
    if let Some(dir) = vars.get("MORPHEUS_DUMP_DIR").filter(|value| !value.is_empty()) {
        return PathBuf::from(dir);
    }
    let journals = state_dir(vars, home, is_root);
    if is_set("MORPHEUS_STATE_DIR") { journals.join("dumps") } else { journals.with_file_name("dumps") }
}

/// The file of answers that the wizard keeps: `answers.yaml` in `$MORPHEUS_STATE_DIR`, else beside the journals.
#[must_use]
pub fn answers_file(vars: &BTreeMap<String, OsString>, home: Option<&Path>, is_root: bool) -> PathBuf {
    let journals = state_dir(vars, home, is_root);
    let is_set = vars.get("MORPHEUS_STATE_DIR").is_some_and(|value| !value.is_empty());
    if is_set { journals.join("answers.yaml") } else { journals.with_file_name("answers.yaml") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_source_has_its_turn() {
        let vars = |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| ((*k).to_owned(), OsString::from(v))).collect();
        let home = Some(Path::new("/home/tim"));
        let dir = |pairs, home, root| state_dir(&vars(pairs), home, root).display().to_string();
        assert_eq!(dir(&[("MORPHEUS_STATE_DIR", "/x"), ("XDG_STATE_HOME", "/y")], home, true), "/x");
        assert_eq!(dir(&[("XDG_STATE_HOME", "/y")], home, true), "/y/morpheus/ops");
        assert_eq!(dir(&[("XDG_STATE_HOME", "")], home, true), "/var/lib/morpheus/ops");
        assert_eq!(dir(&[], home, false), "/home/tim/.local/state/morpheus/ops");
        assert_eq!(dir(&[], None, false), "/var/lib/morpheus/ops");
        let dir = |pairs, home, root| dumps_dir(&vars(pairs), home, root).display().to_string();
        assert_eq!(dir(&[("MORPHEUS_DUMP_DIR", "/d"), ("MORPHEUS_STATE_DIR", "/x")], home, false), "/d");
        assert_eq!(dir(&[("MORPHEUS_STATE_DIR", "/x")], home, false), "/x/dumps");
        assert_eq!(dir(&[], home, false), "/home/tim/.local/state/morpheus/dumps");
        assert_eq!(dir(&[], home, true), "/var/lib/morpheus/dumps");
    }
}
