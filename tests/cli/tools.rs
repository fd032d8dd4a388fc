//! What `gpu apply` writes, read by the programs that will read it: modprobe, a shell, bash, udev.

use crate::{
    machine::Machine,
    rig::{bare, finish},
};
use std::{fs, path::Path, process::Command};
use tempfile::TempDir;

fn applied(name: &str, prepare: impl Fn(&Path)) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    Machine::load(name).write(dir.path());
    prepare(dir.path());
    let slot = Machine::load(name).expect.cards.iter().find(|card| card.strategy.is_some()).unwrap().at.clone();
    let mut command = bare(&format!("gpu apply {slot} --confirm {slot}"));
    command.arg("--root").arg(dir.path());
    let said = finish(command.spawn().unwrap());
    assert_eq!(said.code, Some(0), "{}", said.err);
    dir
}

/// What a program says that has to end well. `tests/run` installs all of them.
fn said(program: &str, args: &[&str]) -> String {
    let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default());
    let output = Command::new("env").arg(format!("PATH={path}")).arg(program).args(args).output().unwrap();
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn modprobe_reads_the_ids_and_the_order() {
    let host = applied("cachyos-limine-7900xtx", |_| ());
    let config = said("modprobe", &["--showconfig", "-C", host.path().join("etc/modprobe.d").to_str().unwrap()]);
    for line in [
        "options vfio_pci ids=1002:744c,1002:ab30",
        "softdep amdgpu pre: vfio-pci",
        "softdep snd_hda_intel pre: vfio-pci",
    ] {
        assert!(config.lines().any(|found| found.trim() == line), "{line}:\n{config}");
    }
    let host = applied("trx40-dual-rtx3090", |_| ());
    let config = said("modprobe", &["--showconfig", "-C", host.path().join("etc/modprobe.d").to_str().unwrap()]);
    assert!(!config.contains("options vfio_pci"), "{config}");
}

/// The words that a shell makes of a GRUB file.
fn words(root: &Path) -> Vec<String> {
    let file = root.join("etc/default/grub");
    let script = format!(
        ". '{}'; for x in '{}'/etc/default/grub.d/*.cfg; do [ ! -e \"$x\" ] || . \"$x\"; done; \
                          printf '%s ' $GRUB_CMDLINE_LINUX $GRUB_CMDLINE_LINUX_DEFAULT",
        file.display(),
        root.display()
    );
    said("sh", &["-n", file.to_str().unwrap()]);
    said("sh", &["-ec", &script]).split_whitespace().map(str::to_owned).collect()
}

#[test]
fn a_shell_reads_one_word_more_from_a_grub_file() {
    let key = "GRUB_CMDLINE_LINUX_DEFAULT";
    for text in [
        "K=\"quiet splash\"",
        "K='quiet splash'   # a remark",
        "K=quiet",
        "K=",
        "K=\"\"",
        "  export K=\"quiet\"",
        "K=\"quiet \\\n  splash \\\n  ro\"",
        "K='quiet\n splash'",
        "K=\"void\"\nK=\"quiet\"",
        "K=\"quiet\"\nK=\"$K splash\"",
        "K=\"quiet\"\nK=\"${K} splash\"",
        "GRUB_TIMEOUT=5 # K=\"no\"\n#K=\"no\"\nGRUB_CMDLINE_LINUX=\"root=ZFS=x boot=zfs\"\nK=\"a=b,c mitigations=off\"",
        "GRUB_DISTRIBUTOR=`lsb_release -i -s 2> /dev/null || echo Debian`\nK=\"quiet\"",
        "if [ -e /nonexistent ]; then\n  GRUB_TIMEOUT=1\nfi\nK=\"quiet\"",
        "GRUB_TIMEOUT=5",
        "GRUB_CMDLINE_LINUX=\"a\"'b c'\nK=\"a\"'b c'",
    ] {
        let text = text
            .replace("$K", &format!("${key}"))
            .replace("${K}", &format!("${{{key}}}"))
            .replace("K=", &format!("{key}="));
        let write = |root: &Path| fs::write(root.join("etc/default/grub"), format!("{text}\n")).unwrap();
        let before = tempfile::tempdir().unwrap();
        fs::create_dir_all(before.path().join("etc/default")).unwrap();
        write(before.path());
        let mut expected = words(before.path());
        expected.push("intel_iommu=on".to_owned());
        let host = applied("pve-bios-single-rtx2070s", write);
        assert_eq!(words(host.path()), expected, "{text}");
    }
}

#[test]
fn bash_reads_our_modules_before_the_users() {
    let host = applied("cachyos-limine-7900xtx", |_| ());
    let at = |path: &str| host.path().join(path).display().to_string();
    let script = format!(
        ". '{}'; . '{}'; echo \"${{MODULES[@]}}\"",
        at("etc/mkinitcpio.conf"),
        at("etc/mkinitcpio.conf.d/10-morpheus-vfio.conf")
    );
    assert_eq!(said("bash", &["-ec", &script]), "vfio_pci vfio vfio_iommu_type1 crc32c\n");
}

#[test]
fn udev_takes_the_rules() {
    let host = applied("trx40-dual-rtx3090", |_| ());
    let rules = host.path().join("etc/udev/rules.d/10-morpheus-vfio.rules");
    let version: u32 = said("udevadm", &["--version"]).trim().parse().unwrap();
    // `udevadm verify` is there since systemd 254.
    if version >= 254 {
        said("udevadm", &["verify", "--no-style", rules.to_str().unwrap()]);
    } else {
        println!("udevadm {version} can't verify; the rules are only looked at");
    }
    let text = fs::read_to_string(rules).unwrap();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        assert_eq!(line.matches('"').count() % 2, 0, "{line}");
        assert!(line.starts_with("ACTION==\"add\", SUBSYSTEM==\"pci\", KERNEL==\"0000:4b:00."), "{line}");
    }
}
