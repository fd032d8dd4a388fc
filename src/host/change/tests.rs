use super::*;
use crate::domain::iommu::Known;
use std::{
    collections::BTreeMap,
    os::unix::fs::{MetadataExt, PermissionsExt, symlink},
};

type Tree = BTreeMap<PathBuf, (u32, Vec<u8>)>;

/// Every file with its mode and bytes, and every directory.
fn tree(top: &Path) -> Tree {
    let mut found = Tree::new();
    for entry in fs::read_dir(top).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.is_symlink() {
            found.extend(tree(&path));
            found.insert(path, (0, Vec::new()));
        } else {
            let mode = fs::symlink_metadata(&path).unwrap().mode();
            let bytes = fs::read_link(&path)
                .map_or_else(|_| fs::read(&path).unwrap(), |to| to.into_os_string().into_encoded_bytes());
            found.insert(path, (mode, bytes));
        }
    }
    found
}

/// A root with two files (one of them behind a link, one with a mode of its own), and a plan that changes both and makes
/// two.
fn example() -> (tempfile::TempDir, Root, HostPlan) {
    // In memory where there is such a place: each write here is waited for.
    let dir = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    let top = dir.path();
    for below in ["etc/default", "etc/modprobe.d", "usr/share"] {
        fs::create_dir_all(top.join(below)).unwrap();
    }
    fs::write(top.join("usr/share/grub"), "a=1\n").unwrap();
    symlink("/usr/share/grub", top.join("etc/default/grub")).unwrap();
    fs::write(top.join("etc/modprobe.d/vfio.conf"), "options vfio-pci ids=1\n").unwrap();
    fs::set_permissions(top.join("etc/modprobe.d/vfio.conf"), fs::Permissions::from_mode(0o640)).unwrap();
    let edit = |path: &str, before: Option<&str>, after: &str| Edit {
        path: path.to_owned(),
        before: before.map(str::to_owned),
        after: after.to_owned(),
        why: String::new(),
    };
    let plan = HostPlan {
        card: "01:00".parse().unwrap(),
        name: String::new(),
        strategy: None,
        ready: false,
        loader: Known::Unknown,
        edits: vec![
            edit("/etc/default/grub", Some("a=1\n"), "a=2\n"),
            edit("/etc/modprobe.d/vfio.conf", Some("options vfio-pci ids=1\n"), ""),
            edit("/etc/udev/rules.d/10.rules", None, "rule\n"),
            edit("/etc/modprobe.d/new.conf", None, "new\n"),
        ],
        commands: Vec::new(),
        notes: Vec::new(),
        risks: Vec::new(),
    };
    let root = Root::at(top).unwrap();
    (dir, root, plan)
}

#[test]
fn what_is_applied_and_taken_back_is_as_it_was() {
    let (dir, root, plan) = example();
    let before = tree(dir.path());
    let manifest = apply(&Disk::new(), &root, &plan).unwrap();
    assert_eq!((manifest.stage, manifest.id.as_str()), (Stage::Done, "0001"));
    for edit in &plan.edits {
        assert_eq!(root.whole_text(&edit.path).unwrap().as_deref(), Some(edit.after.as_str()));
    }
    let mode = fs::metadata(dir.path().join("etc/modprobe.d/vfio.conf")).unwrap().mode();
    assert_eq!(mode & 0o7777, 0o640);
    assert!(dir.path().join("etc/default/grub").is_symlink());
    let looked = rollback(None, &root).unwrap().unwrap();
    let back = rollback(Some(&Disk::new()), &root).unwrap().unwrap();
    assert_eq!(looked, back);
    assert_eq!(tree(dir.path()), before);
    assert!(!dir.path().join("etc/udev").exists() && !dir.path().join("var").exists());
    assert_eq!(rollback(Some(&Disk::new()), &root).unwrap(), None);
}

#[test]
fn whenever_the_power_goes_the_way_back_is_whole() {
    for touches in 0.. {
        let (dir, root, plan) = example();
        let before = tree(dir.path());
        let died = apply(&Disk::dying_after(touches), &root, &plan).is_err();
        rollback(Some(&Disk::new()), &root).unwrap();
        assert_eq!(tree(dir.path()), before, "after {touches}");
        if !died {
            assert!(touches > 60, "{touches}");
            return;
        }
    }
}

#[test]
fn whenever_the_power_goes_it_can_be_finished() {
    for touches in 0.. {
        let (_dir, root, plan) = example();
        let died = apply(&Disk::dying_after(touches), &root, &plan).is_err();
        match newest(&root).unwrap() {
            Some(mut manifest) => finish(&Disk::new(), &root, &mut manifest).unwrap(),
            // It ended before anything was changed.
            None => drop(apply(&Disk::new(), &root, &plan).unwrap()),
        }
        for edit in &plan.edits {
            assert_eq!(root.whole_text(&edit.path).unwrap().as_deref(), Some(edit.after.as_str()), "after {touches}");
        }
        assert_eq!(newest(&root).unwrap().unwrap().stage, Stage::Done);
        if !died {
            return;
        }
    }
}

#[test]
fn a_way_back_that_dies_can_be_gone_again() {
    for touches in 0.. {
        let (dir, root, plan) = example();
        let before = tree(dir.path());
        apply(&Disk::new(), &root, &plan).unwrap();
        let died = rollback(Some(&Disk::dying_after(touches)), &root).is_err();
        rollback(Some(&Disk::new()), &root).unwrap();
        assert_eq!(tree(dir.path()), before, "after {touches}");
        if !died {
            return;
        }
    }
}

#[test]
fn what_somebody_else_wrote_is_left_and_named() {
    let (dir, root, plan) = example();
    apply(&Disk::new(), &root, &plan).unwrap();
    fs::write(dir.path().join("usr/share/grub"), "mine\n").unwrap();
    // As if it had ended in the middle: nobody goes on with it once it was taken back.
    let mut manifest = newest(&root).unwrap().unwrap();
    manifest.stage = Stage::Begun;
    manifest.save(&Disk::new(), &root).unwrap();
    let back = rollback(Some(&Disk::new()), &root).unwrap().unwrap();
    assert_eq!(interrupted(newest(&root).unwrap().as_ref()), None);
    assert_eq!(back.left().collect::<Vec<_>>(), ["/etc/default/grub"]);
    let kept = Fate::Changed { kept: Some("/var/lib/morpheus/host/0001/0.before".into()) };
    assert_eq!(back.files.last().unwrap().1, kept);
    assert_eq!(root.whole_text("/etc/default/grub").unwrap().as_deref(), Some("mine\n"));
    assert_eq!(root.whole_text("/etc/modprobe.d/new.conf").unwrap(), None);
    assert_eq!(root.whole_text("/var/lib/morpheus/host/0001/0.before").unwrap().as_deref(), Some("a=1\n"));
}

#[test]
fn a_plan_from_other_texts_is_refused_before_anything_is_written() {
    let (dir, root, plan) = example();
    fs::write(dir.path().join("etc/modprobe.d/new.conf"), "theirs\n").unwrap();
    let before = tree(dir.path());
    assert!(
        matches!(apply(&Disk::new(), &root, &plan), Err(Trouble::Changed(path)) if path == "/etc/modprobe.d/new.conf")
    );
    assert_eq!(tree(dir.path()), before);
}

#[test]
fn changes_are_taken_back_one_after_the_other() {
    let (dir, root, plan) = example();
    let before = tree(dir.path());
    apply(&Disk::new(), &root, &plan).unwrap();
    let edit = Edit {
        path: "/etc/default/grub".into(),
        before: Some("a=2\n".into()),
        after: "a=3\n".into(),
        why: String::new(),
    };
    let second = HostPlan { edits: vec![edit], ..plan };
    assert_eq!(apply(&Disk::new(), &root, &second).unwrap().id, "0002");
    assert_eq!(rollback(Some(&Disk::new()), &root).unwrap().unwrap().id, "0002");
    assert_eq!(rollback(Some(&Disk::new()), &root).unwrap().unwrap().id, "0001");
    assert_eq!(tree(dir.path()), before);
}

#[test]
fn two_at_once_are_one_too_many() {
    let (dir, root, plan) = example();
    apply(&Disk::new(), &root, &plan).unwrap();
    let _held = lock(&dir.path().join("var/lib/morpheus/host")).unwrap();
    assert!(matches!(rollback(Some(&Disk::new()), &root), Err(Trouble::Locked)));
}

#[test]
fn copies_can_be_read_by_whom_their_files_can() {
    let (dir, root, plan) = example();
    apply(&Disk::new(), &root, &plan).unwrap();
    for name in ["1.before", "1.after"] {
        let copy = dir.path().join("var/lib/morpheus/host/0001").join(name);
        assert_eq!(fs::metadata(copy).unwrap().mode() & 0o7777, 0o640, "{name}");
    }
}

#[test]
fn a_copy_that_isnt_what_was_kept_is_never_written() {
    for (name, text) in [("0.before", Some("evil\n")), ("0.before", None)] {
        let (dir, root, plan) = example();
        apply(&Disk::new(), &root, &plan).unwrap();
        let copy = dir.path().join("var/lib/morpheus/host/0001").join(name);
        match text {
            Some(text) => fs::write(&copy, text).unwrap(),
            None => fs::remove_file(&copy).unwrap(),
        }
        let before = tree(dir.path());
        let why = rollback(Some(&Disk::new()), &root).unwrap_err().to_string();
        assert!(why.starts_with("/var/lib/morpheus/host/0001/0.before: it is"), "{why}");
        assert!(rollback(None, &root).is_err(), "it is seen without being done too");
        assert_eq!(tree(dir.path()), before, "nothing else was taken back");
    }
    let (dir, root, plan) = example();
    let mut manifest = apply(&Disk::new(), &root, &plan).unwrap();
    fs::write(dir.path().join("usr/share/grub"), "a=1\n").unwrap();
    fs::write(dir.path().join("var/lib/morpheus/host/0001/0.after"), "evil\n").unwrap();
    assert!(finish(&Disk::new(), &root, &mut manifest).is_err());
    assert_eq!(root.whole_text("/etc/default/grub").unwrap().as_deref(), Some("a=1\n"));
}

#[test]
fn a_pipe_in_a_files_place_holds_nothing_up() {
    let pipe = |path: &Path| {
        drop(fs::remove_file(path));
        let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
        rustix::fs::mknodat(rustix::fs::CWD, path, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    };
    for place in ["usr/share/grub", "etc/modprobe.d/new.conf", "var/lib/morpheus/host/0001/0.before"] {
        let (dir, root, plan) = example();
        apply(&Disk::new(), &root, &plan).unwrap();
        pipe(&dir.path().join(place));
        let why = rollback(Some(&Disk::new()), &root).unwrap_err().to_string();
        assert!(why.ends_with("it isn't a regular file"), "{place}: {why}");
        assert_eq!(root.whole_text("/etc/modprobe.d/vfio.conf").unwrap().as_deref(), Some(""), "{place}");
    }
    let (dir, root, plan) = example();
    pipe(&dir.path().join("etc/modprobe.d/new.conf"));
    assert!(apply(&Disk::new(), &root, &plan).is_err());
    pipe(&dir.path().join("etc/os-release"));
    assert!(root.text("/etc/os-release").is_err());
}

#[test]
fn attributes_stay_and_other_names_are_said() {
    use rustix::fs::{XattrFlags, getxattr, setxattr};
    let (dir, root, plan) = example();
    let (file, other) = (dir.path().join("usr/share/grub"), dir.path().join("usr/share/other"));
    fs::hard_link(&file, &other).unwrap();
    let marked = setxattr(&file, "user.note", b"mine", XattrFlags::empty()).is_ok();
    let attribute = || {
        let mut value = Vec::with_capacity(64);
        getxattr(&file, "user.note", rustix::buffer::spare_capacity(&mut value)).map(|_| value)
    };
    let manifest = apply(&Disk::new(), &root, &plan).unwrap();
    assert_eq!(manifest.parted, ["/etc/default/grub"]);
    assert_eq!(fs::read_to_string(&other).unwrap(), "a=1\n");
    if marked {
        assert_eq!(attribute().unwrap(), b"mine");
        rollback(Some(&Disk::new()), &root).unwrap();
        assert_eq!(attribute().unwrap(), b"mine");
    } else {
        println!("skipped: this file system has no extended attributes");
    }
}
