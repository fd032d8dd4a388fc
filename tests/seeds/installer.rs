//! What stands for `CachyOS`' installer and its disk, and what drives it with them, in a mount namespace of its own.

use crate::{
    planting::answers,
    said::said,
    seed::{plant, secrets},
    tools::command,
};
use morpheus::domain::plant::{contract::Installer, linux};
use std::{
    fs,
    io::{Write, stderr},
    os::unix::fs::PermissionsExt,
    path::Path,
};

/// Programs that are put before the system's own. The installer's words and its progress go to one stream each
/// (`src/main.cpp`); in its last step it unmounts all that it has mounted (`installer-lib/src/steps/cleanup.cpp`), so
/// that nothing is mounted here either. The disk is a directory for each subvolume; its fstab is as `genfstab` has it.
pub(crate) const STAND_INS: [(&str, &str); 3] = [
    (
        "cachyos-installer",
        r#"#!/bin/bash
echo "installing as $*"
echo '[ 12.5%] Formatting "the" disk' >&2
[ ! -e /tmp/broken ] || { echo 'Headless config validation failed: no such device' >&2; exit 255; }
disk=/tmp/disk
mkdir -p $disk/@/{boot,home,proc,etc/systemd/system,var/cache} $disk/@home $disk/@cache $disk/esp
cp "$2" $disk/settings
printf '%s\n' '# /etc/fstab: static file system information.' \
  'UUID=1-1 / btrfs rw,noatime,compress=zstd:3,subvol=/@ 0 0' \
  'UUID=1-1 /home btrfs rw,noatime,compress=zstd:3,subvol=/@home 0 0' \
  'UUID=1-1 /var/cache btrfs rw,noatime,compress=zstd:3,subvol=/@cache 0 0' '' \
  'UUID=2-2 /boot vfat defaults,umask=0077 0 2' 'tmpfs /tmp tmpfs noatime,mode=1777 0 0' >$disk/@/etc/fstab
printf '[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n' >$disk/@/etc/systemd/system/sshd.service
printf 'root:x:0:0::/root:/bin/bash\n' >$disk/@/etc/passwd
printf 'root:secret:1::::::\n' >$disk/@/etc/shadow
"#,
    ),
    (
        "mount",
        r#"#!/bin/bash
case "$*" in
  '-o subvol=@ /dev/sda2 /mnt') part=@ ;;
  '-t btrfs -o rw,noatime,compress=zstd:3,subvol=/@home UUID=1-1 /mnt/home') part=@home ;;
  '-t btrfs -o rw,noatime,compress=zstd:3,subvol=/@cache UUID=1-1 /mnt/var/cache') part=@cache ;;
  '-t vfat -o defaults,umask=0077 UUID=2-2 /mnt/boot') part=esp ;;
  *) echo "mount: $*: no such disk" >&2; exit 32 ;;
esac
exec /usr/bin/mount --bind /tmp/disk/$part "${!#}"
"#,
    ),
    (
        "arch-chroot",
        r#"#!/bin/bash
printf '%s\n' "$*" >>"$1/chroot"
touch "$1/boot/vmlinuz-linux-cachyos" "$1/var/cache/package"
"#,
    ),
];

/// What drives the installer.
pub(crate) fn installer() -> Installer {
    let answers = answers(&[("linux.install", "cachyos"), ("linux.image", "local:iso/cachyos.iso")]);
    linux::installer(&answers, &secrets(), &plant())
}

fn put(path: &Path, text: &str, mode: u32) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

const RUN: &str = r#"
mount -t tmpfs none /var/lib
cp -r "$1/var/lib/." /var/lib
mount -t tmpfs none /tmp
status=0
PATH=/var/lib/bin:$PATH bash /var/lib/morpheus/install/install.sh >/tmp/said 2>&1 || status=$?
cd /tmp/disk
cat /var/lib/morpheus/*.json
for path in @/usr/local/lib/morpheus/setup @/etc/systemd/system/multi-user.target.wants/morpheus-setup.service \
  @/chroot @cache/package esp/vmlinuz-linux-cachyos @/var/cache/package @/boot/vmlinuz-linux-cachyos; do
  [ ! -e "$path" ] && [ ! -L "$path" ] || echo "$path"
done
! mountpoint -q /mnt || status=$((status + 100))
exit $status
"#;

/// Everything lands where the new system sees it when it is booted: nothing below the place of another subvolume.
#[test]
fn the_new_disk_is_mounted_anew_and_let_go() {
    let apart = command("unshare").args(["--map-root-user", "--mount", "true"]).output();
    if !apart.is_ok_and(|apart| apart.status.success()) {
        stderr().write_all(b"NOT TESTED here: this system lets nobody have mounts of their own\n").unwrap();
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    for file in &installer().files {
        put(&dir.path().join(file.path.trim_start_matches('/')), &file.text, 0o644);
    }
    // Accounts of the disk need ids that a namespace of one user hasn't.
    for (name, script) in STAND_INS.into_iter().chain([("passwd", "#!/bin/sh\n")]) {
        put(&dir.path().join("var/lib/bin").join(name), script, 0o755);
    }
    let root = dir.path().to_str().unwrap();
    let out = said("unshare", &["--map-root-user", "--mount", "bash", "-euc", RUN, "bash", root]);
    let out = String::from_utf8(out).unwrap();
    let lines: Vec<&str> = out.lines().collect();
    assert!(lines[0].contains(r#""doing":"preparing the first boot","part":2,"of":2,"error":null"#), "{out}");
    assert_eq!(lines[1], format!(r#"{{"plant":"{}","stage":"installed"}}"#, plant().as_str()));
    let placed = [
        "@/usr/local/lib/morpheus/setup",
        "@/etc/systemd/system/multi-user.target.wants/morpheus-setup.service",
        "@/chroot",
        "@cache/package",
        "esp/vmlinuz-linux-cachyos",
    ];
    assert_eq!(lines[2..], placed, "{out}");
}
