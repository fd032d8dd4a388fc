//! `gpu plan`, `apply`, `verify`, `rollback`, `bind`, `unbind` on example hosts, by the real binary.

use crate::{
    machine::{self, Machine},
    rig::{Said, bare, finish, snapshot},
};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
};
use tempfile::TempDir;

type Tree = BTreeMap<PathBuf, (u32, Vec<u8>)>;

/// Every file and link of a tree: mode, and bytes or target.
fn files(top: &Path) -> Tree {
    let mut found = Tree::new();
    for entry in fs::read_dir(top).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.is_symlink() {
            found.extend(files(&path));
        } else {
            let mode = fs::symlink_metadata(&path).unwrap().mode();
            let target = fs::read_link(&path).map(|target| target.into_os_string().into_encoded_bytes());
            found.insert(path.clone(), (mode, target.unwrap_or_else(|_| fs::read(&path).unwrap())));
        }
    }
    found
}

fn tree(name: &str) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    Machine::load(name).write(dir.path());
    dir
}

fn command(tree: &TempDir, line: &str) -> Command {
    let mut command = bare(line);
    command.arg("--root").arg(tree.path());
    command
}

fn run(tree: &TempDir, line: &str) -> Said {
    finish(command(tree, line).spawn().unwrap())
}

fn ok(tree: &TempDir, line: &str) -> String {
    let said = run(tree, line);
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{line}");
    let real = tree.path().canonicalize().unwrap();
    said.out.replace(&real.display().to_string(), "/mnt")
}

/// The card of a host that can be made ready: its slot, and that something has to be changed for it.
fn changeable() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for name in machine::names() {
        let machine = Machine::load(&name);
        let cards = machine.expect.cards.iter().filter(|card| card.strategy.is_some() && card.ready == Some(false));
        found.extend(cards.map(|card| (name.clone(), card.at.rsplit_once('.').unwrap().0.to_owned())));
    }
    assert!(found.len() >= 3);
    found
}

#[test]
fn a_plan_is_shown_as_a_diff_before_anything_is_written() {
    for name in ["trx40-dual-rtx3090", "cachyos-limine-7900xtx", "pve-bios-single-rtx2070s", "intel-z790-rtx4090"] {
        let host = tree(name);
        let before = files(host.path());
        snapshot(&format!("cli_gpu_plan_{}", name.split('-').next().unwrap()), &ok(&host, "gpu plan"));
        assert_eq!(files(host.path()), before, "{name}");
    }
}

#[test]
fn what_is_applied_is_taken_back_to_every_byte() {
    for (name, card) in changeable() {
        let host = tree(&name);
        let before = files(host.path());
        let said = ok(&host, &format!("gpu apply {card} --confirm {card}"));
        assert!(said.contains("Nothing is run for another root.") && said.contains("  chroot /mnt "), "{said}");
        let after = files(host.path());
        assert_ne!(before, after, "{name}");
        // Twice is once.
        assert!(ok(&host, &format!("gpu apply {card} --confirm {card}")).ends_with("\nNothing was changed.\n"));
        assert_eq!(files(host.path()), after, "{name}");
        let dry = ok(&host, "gpu rollback --dry-run");
        assert_eq!(files(host.path()), after, "{name} {dry}");
        ok(&host, &format!("gpu rollback --confirm {card}"));
        assert_eq!(files(host.path()), before, "{name}");
        let said = run(&host, &format!("gpu rollback --confirm {card}"));
        assert_eq!(said.code, Some(3));
        assert!(said.err.contains("setup.nothing-to-roll-back"), "{}", said.err);
    }
}

#[test]
fn a_killed_change_is_finished_or_taken_back() {
    let (name, card) = ("trx40-dual-rtx3090", "0000:4b:00");
    let applied = {
        let host = tree(name);
        ok(&host, &format!("gpu apply {card} --confirm {card}"));
        fs::read(host.path().join("etc/udev/rules.d/10-morpheus-vfio.rules")).unwrap()
    };
    let journal = "var/lib/morpheus/host/0001";
    let milestones = [
        "var/lib/morpheus/host".to_owned(),
        format!("{journal}/0.before"),
        format!("{journal}/2.after"),
        format!("{journal}/manifest.json"),
        "etc/udev/rules.d".to_owned(),
        "etc/udev/rules.d/10-morpheus-vfio.rules".to_owned(),
        "etc/modules-load.d/morpheus-vfio.conf".to_owned(),
    ];
    for (number, milestone) in milestones.iter().enumerate() {
        let host = tree(name);
        let before = files(host.path());
        let mut child = command(&host, &format!("gpu apply {card} --confirm {card}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        while !host.path().join(milestone).exists() && child.try_wait().unwrap().is_none() {
            thread::yield_now();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        if number % 2 == 0 {
            ok(&host, &format!("gpu apply {card} --confirm {card}"));
            assert_eq!(fs::read(host.path().join("etc/udev/rules.d/10-morpheus-vfio.rules")).unwrap(), applied);
        }
        // A change that ended before its journal began leaves nothing to take back.
        let code = run(&host, &format!("gpu rollback --confirm {card}")).code;
        assert!(matches!(code, Some(0 | 3)), "{code:?}");
        assert_eq!(files(host.path()), before, "killed at {milestone}");
    }
}

#[test]
fn nothing_is_written_without_the_cards_address() {
    let host = tree("trx40-dual-rtx3090");
    let before = files(host.path());
    for (line, words) in [
        ("gpu apply", "nobody is here to ask"),
        ("gpu apply --confirm 0000:21:00", "is not the card's address"),
        ("gpu apply --confirm yes", "is not the card's address"),
    ] {
        let said = run(&host, line);
        assert_eq!(said.code, Some(3), "{line}");
        assert!(said.err.contains(words) && said.err.contains("--confirm 0000:4b:00"), "{}", said.err);
    }
    assert!(ok(&host, "gpu apply --dry-run").ends_with("\nNothing was changed.\n"));
    assert_eq!(files(host.path()), before);
}

#[test]
fn what_somebody_else_wrote_since_is_left_and_named() {
    let host = tree("trx40-dual-rtx3090");
    ok(&host, "gpu apply --confirm 4b:00");
    let file = host.path().join("etc/modprobe.d/vfio.conf");
    fs::write(&file, "# mine\n").unwrap();
    let said = run(&host, "gpu rollback --confirm 4b:00");
    assert_eq!(said.code, Some(7), "{}", said.err);
    assert!(said.err.contains("/var/lib/morpheus/host/0001/0.before"), "{}", said.err);
    assert_eq!(fs::read(&file).unwrap(), b"# mine\n");
    assert!(!host.path().join("etc/udev/rules.d/10-morpheus-vfio.rules").exists());
    let said = run(&host, "gpu rollback --confirm 4b:00");
    assert_eq!(said.code, Some(3), "{}", said.err);
}

#[test]
fn what_the_host_needs_is_refused() {
    for (name, line, id) in [
        ("amd-b450-dirty-group", "gpu plan", "setup.group-dirty"),
        ("amd-b450-dirty-group", "gpu plan 02:00.1", "setup.vital-device"),
        ("amd-b450-dirty-group", "gpu bind 06:00 --confirm 06:00", "setup.group-dirty"),
        ("intel-z790-rtx4090", "gpu plan 00:01", "setup.vital-device"),
        ("intel-z390-no-iommu", "gpu plan", "setup.no-iommu"),
        ("intel-z390-no-iommu", "gpu bind 01:00 --confirm 01:00", "setup.no-iommu"),
    ] {
        let said = run(&tree(name), line);
        assert_eq!(said.code, Some(3), "{name} {line}");
        assert!(said.err.contains(id), "{}", said.err);
    }
    // The only display, and no way in that can be seen.
    let host = tree("pve-bios-single-rtx2070s");
    fs::remove_dir(host.path().join("etc/pve")).unwrap();
    let said = run(&host, "gpu plan");
    assert_eq!(said.code, Some(3));
    assert!(said.err.contains("setup.last-display") && said.err.contains("gpu plan --root"), "{}", said.err);
    assert!(ok(&host, "gpu plan --confirm 01:00").contains("It is the host's only display"));
}

#[test]
fn a_plan_takes_what_is_the_cards_and_nothing_else() {
    for (name, addr, id) in [
        ("amd-8945hs-apu", "c5:00.0", "setup.integrated"),
        ("amd-8945hs-apu", "c5:00.3", "setup.vital-device"),
        ("intel-n100-igpu-slices", "00:02.1", "setup.virtual-functions"),
        ("intel-n100-igpu-slices", "00:02.0", "setup.virtual-functions"),
        ("arch-refind", "", "setup.boot-loader-by-hand"),
        ("pve-cmdline-two-lines", "", "host.cmdline-second-line"),
    ] {
        let said = run(&tree(name), &format!("gpu plan {addr}"));
        assert_eq!(said.code, Some(3), "{name} {addr}: {}", said.out);
        assert!(said.err.contains(id), "{name} {addr}: {}", said.err);
    }
    for (name, addr) in [
        ("amd-8945hs-apu", "c5:00 --confirm c5:00"),
        ("intel-arc-a770", ""),
        ("epyc-a100-dummy-bridge", ""),
        ("tesla-k80-two-chips", "84:00"),
        ("vfio-ids-blank", ""),
        ("twins-by-maker", "0a:00"),
    ] {
        let plan = ok(&tree(name), &format!("gpu plan {addr}"));
        snapshot(&format!("cli_gpu_plan_{}", name.replace('-', "_")), &plan);
    }
}

#[test]
fn documents_say_what_the_text_says() {
    let host = tree("cachyos-limine-7900xtx");
    let plan: Value = serde_json::from_str(&ok(&host, "gpu plan --json")).unwrap();
    assert_eq!((&plan["schema"], &plan["strategy"]), (&"morpheus.gpu-plan/1".into(), &"ids".into()));
    assert_eq!((&plan["loader"], &plan["done"], &plan["ready"]), (&"limine".into(), &false.into(), &false.into()));
    assert_eq!(plan["ids"], serde_json::json!(["1002:744c", "1002:ab30"]));
    assert_eq!(plan["commands"][0]["argv"], serde_json::json!(["limine-mkinitcpio"]));
    let done: Value = serde_json::from_str(&ok(&host, "gpu apply --json --confirm 03:00")).unwrap();
    assert_eq!(
        (&done["schema"], &done["id"], &done["ran"]),
        (&"morpheus.gpu-change/1".into(), &"0001".into(), &false.into())
    );
    let said = run(&host, "gpu verify --json");
    assert_eq!(said.code, Some(3));
    let seen: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!((&seen["good"], &seen["checks"][0]["good"]), (&false.into(), &true.into()));
    let good = ok(&tree("intel-z790-rtx4090"), "gpu verify");
    assert!(!good.contains("BAD"), "{good}");
    let back: Value = serde_json::from_str(&ok(&host, "gpu rollback --json --confirm 03:00")).unwrap();
    assert_eq!((&back["schema"], back["files"].as_array().unwrap().len()), (&"morpheus.gpu-rollback/1".into(), 3));
}

/// A kernel's files as plain ones: what is written to them can be read.
fn with_kernel_files(name: &str, functions: &[(&str, &str)]) -> TempDir {
    let host = tree(name);
    for (_, driver) in functions {
        fs::write(host.path().join(format!("sys/bus/pci/drivers/{driver}/unbind")), "").unwrap();
    }
    fs::write(host.path().join("sys/bus/pci/drivers_probe"), "").unwrap();
    host
}

/// Does what the kernel does when functions are bound, until it is dropped: a function whose driver let go of it goes to
/// vfio-pci, and back to its driver once nothing else is said.
struct Kernel {
    over: Arc<AtomicBool>,
    works: Option<JoinHandle<()>>,
}

impl Kernel {
    fn at(top: &Path, functions: &[(&'static str, &'static str)]) -> Self {
        fs::create_dir_all(top.join("sys/bus/pci/drivers/vfio-pci")).unwrap();
        fs::write(top.join("sys/bus/pci/drivers/vfio-pci/unbind"), "").unwrap();
        let over = Arc::new(AtomicBool::new(false));
        let (ended, top, functions) = (Arc::clone(&over), top.to_owned(), functions.to_vec());
        let works = thread::spawn(move || {
            while !ended.load(Ordering::Relaxed) {
                for (addr, native) in &functions {
                    let device = fs::read_link(top.join(format!("sys/bus/pci/devices/{addr}"))).unwrap();
                    let device = top.join(device.strip_prefix("/").unwrap());
                    let only = fs::read_to_string(device.join("driver_override")).unwrap_or_default();
                    let gone = fs::read_to_string(top.join(format!("sys/bus/pci/drivers/{native}/unbind")));
                    let driver = match only.as_str() {
                        "vfio-pci\n" if gone.is_ok_and(|gone| gone.trim() == *addr) => "vfio-pci",
                        "\n" => native,
                        _ => continue,
                    };
                    let beside = device.join("driver.new");
                    drop(fs::remove_file(&beside));
                    std::os::unix::fs::symlink(format!("/sys/bus/pci/drivers/{driver}"), &beside).unwrap();
                    fs::rename(&beside, device.join("driver")).unwrap();
                }
                thread::yield_now();
            }
        });
        Self { over, works: Some(works) }
    }
}

impl Drop for Kernel {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        drop(self.works.take().map(JoinHandle::join));
    }
}

#[test]
fn a_driver_that_didnt_let_go_is_a_failure_and_what_was_is_kept() {
    let host =
        with_kernel_files("trx40-dual-rtx3090", &[("0000:4b:00.0", "nvidia"), ("0000:4b:00.1", "snd_hda_intel")]);
    let said = run(&host, "gpu bind 4b:00 --confirm 4b:00");
    assert_eq!(said.code, Some(7), "{said:?}");
    assert!(
        said.err.contains("setup.driver-unchanged") && said.err.contains("0000:4b:00.0 is still with nvidia"),
        "{}",
        said.err
    );
    let record = host.path().join("run/morpheus/bind/0000:4b:00.json");
    assert!(record.exists());
    // The card never left its driver: giving it back takes the order away and is done.
    ok(&host, "gpu unbind 4b:00 --confirm 4b:00");
    assert!(!record.exists());
}

#[test]
fn a_card_that_stays_with_vfio_isnt_given_back_and_its_record_stays() {
    let functions = [("0000:4b:00.0", "nvidia"), ("0000:4b:00.1", "snd_hda_intel")];
    let host = with_kernel_files("trx40-dual-rtx3090", &functions);
    let kernel = Kernel::at(host.path(), &functions);
    ok(&host, "gpu bind 4b:00 --confirm 4b:00");
    drop(kernel);
    let said = run(&host, "gpu unbind 4b:00 --confirm 4b:00");
    assert_eq!(said.code, Some(7), "{said:?}");
    assert!(said.err.contains("0000:4b:00.0 is still with vfio-pci"), "{}", said.err);
    assert!(host.path().join("run/morpheus/bind/0000:4b:00.json").exists());
}

#[test]
fn a_card_is_bound_now_and_given_back() {
    let functions = [("0000:4b:00.0", "nvidia"), ("0000:4b:00.1", "snd_hda_intel")];
    let host = with_kernel_files("trx40-dual-rtx3090", &functions);
    let _kernel = Kernel::at(host.path(), &functions);
    let read = |path: &str| fs::read_to_string(host.path().join(path)).unwrap();
    ok(&host, "gpu bind 4b:00 --confirm 4b:00");
    for (addr, driver) in functions {
        let device = fs::read_link(host.path().join(format!("sys/bus/pci/devices/{addr}"))).unwrap();
        assert_eq!(
            read(&format!("{}/driver_override", device.display().to_string().trim_start_matches('/'))),
            "vfio-pci\n"
        );
        assert_eq!(read(&format!("sys/bus/pci/drivers/{driver}/unbind")), format!("{addr}\n"));
    }
    assert_eq!(read("sys/bus/pci/drivers_probe"), "0000:4b:00.1\n");
    let record: Value = serde_json::from_str(&read("run/morpheus/bind/0000:4b:00.json")).unwrap();
    assert_eq!(record[0]["driver"], "nvidia");
    // The twin isn't touched.
    let twin = fs::read_link(host.path().join("sys/bus/pci/devices/0000:21:00.0")).unwrap();
    assert_eq!(read(&format!("{}/driver_override", twin.display().to_string().trim_start_matches('/'))), "(null)\n");
    ok(&host, "gpu unbind 4b:00 --confirm 4b:00");
    let device = fs::read_link(host.path().join("sys/bus/pci/devices/0000:4b:00.0")).unwrap();
    assert_eq!(read(&format!("{}/driver_override", device.display().to_string().trim_start_matches('/'))), "\n");
    assert!(!host.path().join("run/morpheus/bind/0000:4b:00.json").exists());
    assert_eq!(run(&host, "gpu unbind 4b:00 --confirm 4b:00").code, Some(3));
}

#[test]
fn a_card_that_a_running_vm_has_stays_with_it() {
    let host = with_kernel_files("trx40-dual-rtx3090", &[("0000:4b:00.0", "nvidia")]);
    fs::create_dir_all(host.path().join("run/qemu-server")).unwrap();
    fs::create_dir_all(host.path().join("proc/4711")).unwrap();
    fs::write(host.path().join("run/qemu-server/pci-id-reservations"), "0000:4b:00.0 101 pid:4711\n").unwrap();
    let said = run(&host, "gpu bind 4b:00 --confirm 4b:00");
    assert_eq!(said.code, Some(3));
    assert!(said.err.contains("VM 101 has 0000:4b:00"), "{}", said.err);
    // Its process is gone: a leftover.
    fs::remove_dir(host.path().join("proc/4711")).unwrap();
    assert!(ok(&host, "gpu bind 4b:00 --dry-run").contains("Nothing was changed."));
}
