//! What drives CachyOS' installer in its live system.

use super::guest;
use crate::domain::{
    ids::OpId,
    plant::{Answers, File, Secrets, contract::Installer},
};
use secrecy::ExposeSecret;
use serde_json::json;
use std::fmt::Write as _;

/// The script.
const INSTALL: &str = include_str!("../../../../assets/plant/linux/install.sh");
/// The partition that gets the boot loader and the kernels.
const BOOT: &str = "/dev/sda1";
/// The partition that gets everything else, in btrfs' subvolumes of CachyOS' own layout (`docs/config.md`,
/// "subvolumes"): `@` is the root.
const ROOT: &str = "/dev/sda2";
/// Where it lies in the live system.
const HERE: &str = "/var/lib/morpheus/install";
/// Begins it, unless it runs already. What an earlier try has told is gone before.
const BEGIN: &str = "systemctl is-active --quiet morpheus-install && exit 0; \
                     rm -f /var/lib/morpheus/progress.json /var/lib/morpheus/ready.json; \
                     exec systemd-run --collect --unit=morpheus-install /bin/bash /var/lib/morpheus/install/install.sh";

/// The files, and what begins.
#[must_use]
pub fn installer(answers: &Answers, secrets: &Secrets, plant: &OpId) -> Installer {
    let at = |name: &str| format!("{HERE}/{name}");
    let settings = File::new(at("settings.json"), settings(answers, secrets, plant), "What CachyOS' installer does.");
    let values = [
        ("PLANT", plant.as_str().to_owned()),
        ("GUEST_USER", answers.linux.machine.user.clone()),
        ("HAS_PASSWORD", if secrets.linux_password.is_some() { "yes" } else { "no" }.to_owned()),
        ("ROOT_PARTITION", ROOT.to_owned()),
    ];
    let values = guest::shell_values("What is installed", &values);
    let mut files = vec![
        settings.with_secret(),
        File::new(at("install.sh"), INSTALL, "Runs the installer and tells how far it is."),
        File::new(at("tell.sh"), guest::TELL, "How it tells that."),
        File::new(at("install.env"), values, "What it does that for."),
    ];
    let mut list = String::new();
    for placed in guest::files(answers, secrets, plant) {
        let _ = writeln!(list, "{} {}", placed.mode, placed.file.path);
        files.push(File { path: format!("{HERE}/files{}", placed.file.path), ..placed.file });
    }
    files.push(File::new(at("files.list"), list, "Files of the new system, with their permissions."));
    let command = ["/bin/sh", "-c", BEGIN].map(str::to_owned).to_vec();
    Installer { files, command }
}

/// The installer's settings (New-Cli-Installer `docs/config.md`); it refuses keys that it doesn't know. Its own
/// post-install hook isn't used, for it swallows the hook's failure.
fn settings(answers: &Answers, secrets: &Secrets, plant: &OpId) -> String {
    let (linux, machine) = (&answers.linux, &answers.linux.machine);
    // Both accounts need one here; where none is wanted, they are locked before the system's first boot.
    let nobody_knows = plant.as_str();
    let password = secrets.linux_password.as_ref().map_or(nobody_knows, ExposeSecret::expose_secret);
    let settings = json!({
        "install_type": "simple",
        "headless_mode": true,
        "device": "/dev/sda",
        "fs_name": "btrfs",
        "subvolumes": "default",
        "partitions": [
            { "name": BOOT, "mountpoint": "/boot", "size": "2G", "fs_name": "vfat", "type": "boot" },
            { "name": ROOT, "mountpoint": "/", "size": "100%", "type": "root" },
        ],
        "hostname": machine.name,
        "locale": linux.locale,
        // A layout of X, where the console's may have a variant: de-latin1.
        "xkbmap": linux.keymap.split('-').next(),
        "timezone": linux.timezone,
        "hw_clock": "utc",
        "user_name": machine.user,
        "user_pass": password,
        "user_shell": "/bin/bash",
        "root_pass": password,
        "kernel": "linux-cachyos",
        "bootloader": "grub",
        "desktop": "kde",
        "autologin": true,
        "chwd": true,
        "carry_network": false,
        "os_prober": false,
    });
    format!("{settings:#}\n")
}
