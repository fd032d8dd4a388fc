use super::*;
use rustix::fs::{CWD, FileType, XattrFlags, fgetxattr, fsetxattr, mknodat};
use std::{
    fs::{self, Permissions},
    io::Write as _,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink},
    path::PathBuf,
};
use tempfile::TempDir;

/// Somebody who is neither root nor whoever runs the tests.
const SOMEBODY: u32 = 65_534;

/// A directory with a file that nobody may touch.
fn room() -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let victim = dir.path().join("victim");
    fs::write(&victim, "theirs").unwrap();
    (dir, victim)
}

/// Gives a file to somebody else, as only root can; says so where that can't be tried.
pub(crate) fn given_away(path: &Path) -> bool {
    let given = rustix::fs::chownat(
        CWD,
        path,
        Some(rustix::fs::Uid::from_raw(SOMEBODY)),
        Some(rustix::fs::Gid::from_raw(SOMEBODY)),
        rustix::fs::AtFlags::SYMLINK_NOFOLLOW,
    );
    if given.is_err() {
        println!("skipped: only root can give files away");
    }
    given.is_ok()
}

fn fifo(path: &Path) {
    mknodat(CWD, path, FileType::Fifo, PRIVATE, 0).unwrap();
}

#[test]
fn what_is_replaced_keeps_its_owner_mode_and_attributes() {
    let (dir, victim) = room();
    let path = dir.path().join("config.yaml");
    fs::write(&path, "old").unwrap();
    let attribute = |file: &File| {
        let mut value = Vec::with_capacity(64);
        fgetxattr(file, "user.note", rustix::buffer::spare_capacity(&mut value)).map(|_| value)
    };
    let marked = fsetxattr(File::open(&path).unwrap(), "user.note", b"mine", XattrFlags::empty()).is_ok();
    if !marked {
        println!("skipped: this file system has no extended attributes");
    }
    fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
    let owned = given_away(&path);
    let place = Place::of(&path).unwrap();
    let (bytes, kept) = place.read().unwrap().unwrap();
    assert_eq!(bytes, b"old");
    place.replace(b"new", &kept).unwrap();
    let about = fs::metadata(&path).unwrap();
    assert_eq!((fs::read(&path).unwrap(), about.mode() & 0o7777), (b"new".to_vec(), 0o640));
    assert!(!owned || (about.uid(), about.gid()) == (SOMEBODY, SOMEBODY));
    assert!(!marked || attribute(&File::open(&path).unwrap()).unwrap() == b"mine");
    assert_eq!(fs::read(&victim).unwrap(), b"theirs");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2, "nothing is left beside it");
}

#[test]
fn a_link_is_replaced_or_followed_only_for_its_owner() {
    let (dir, victim) = room();
    let link = dir.path().join("link");
    symlink(&victim, &link).unwrap();
    let exact = Place::exact(&link).unwrap();
    assert!(exact.read().is_err(), "a link is no file");
    assert_eq!(Place::of(&link).unwrap().path(), victim);
    if given_away(&link) {
        let why = Place::of(&link).unwrap_err().to_string();
        assert_eq!(why, "it is a link, and it belongs to another user (65534)");
    }
    exact.replace(b"mine", &Kept::fresh(0o600)).unwrap();
    assert_eq!((fs::read(&victim).unwrap(), fs::read(&link).unwrap()), (b"theirs".to_vec(), b"mine".to_vec()));
    assert!(!link.is_symlink());
}

#[test]
fn a_log_goes_into_no_link_no_pipe_and_nobody_elses_file() {
    let (dir, victim) = room();
    let [link, dangling, pipe, log, shared] =
        ["link", "dangling", "pipe", "log", "shared"].map(|name| dir.path().join(name));
    symlink(&victim, &link).unwrap();
    symlink("nowhere", &dangling).unwrap();
    fifo(&pipe);
    for bad in [&link, &dangling, &pipe, &dir.path().to_owned()] {
        assert!(append(bad).is_err(), "{}", bad.display());
    }
    assert!(!dir.path().join("nowhere").exists());
    for _ in 0..2 {
        append(&log).unwrap().write_all(b"a line\n").unwrap();
    }
    assert_eq!(fs::read_to_string(&log).unwrap(), "a line\na line\n");
    assert_eq!(fs::metadata(&log).unwrap().mode() & 0o7777, 0o600);
    append(Path::new("/dev/null")).unwrap();
    fs::write(&shared, "").unwrap();
    if given_away(&shared) {
        assert!(append(&shared).unwrap_err().to_string().starts_with("it belongs to another user"));
        // In a directory of theirs it is theirs rightly.
        chown(dir.path(), Some(SOMEBODY), None).unwrap();
        append(&shared).unwrap();
    }
    assert_eq!(fs::read(&victim).unwrap(), b"theirs");
}

#[test]
fn a_pipe_holds_nobody_up_and_a_link_isnt_read() {
    let (dir, victim) = room();
    let [link, pipe] = ["link", "pipe"].map(|name| dir.path().join(name));
    symlink(&victim, &link).unwrap();
    fifo(&pipe);
    for bad in [&link, &pipe] {
        assert!(read(bad).is_err() && Own::open(bad).is_err() && shared(bad).is_err(), "{}", bad.display());
    }
    assert_eq!(read(&victim).unwrap().unwrap(), b"theirs");
    assert_eq!(read(&victim.join("below")).unwrap(), None);
    assert!(Own::open(&victim).unwrap().is_some());
    if given_away(&victim) {
        assert!(Own::open(&victim).is_err() && Own::open_to_append(&victim).is_err() && shared(&victim).is_err());
    }
}

#[test]
fn who_else_may_write_is_seen() {
    let dir = tempfile::tempdir().unwrap();
    let about = |mode: u32| {
        fs::set_permissions(dir.path(), Permissions::from_mode(mode)).unwrap();
        others_can_change(&fs::metadata(dir.path()).unwrap())
    };
    for open in [0o777, 0o1777, 0o702] {
        assert_eq!(about(open).as_deref(), Some("others can write to it"), "{open:o}");
    }
    for closed in [0o700, 0o755, 0o711] {
        assert_eq!(about(closed), None, "{closed:o}");
    }
    if given_away(dir.path()) {
        assert_eq!(about(0o700).as_deref(), Some("it belongs to another user (65534)"));
        // A person's own group is the person; another one is others.
        chown(dir.path(), Some(0), Some(SOMEBODY)).unwrap();
        assert_eq!(about(0o770).as_deref(), Some("others can write to it"));
        chown(dir.path(), Some(0), Some(0)).unwrap();
        assert_eq!(about(0o770), None);
    }
}
