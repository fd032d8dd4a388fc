//! Files that every Linux guest gets, whichever way it is installed.

use super::{network, quote};
use crate::domain::{
    ids::OpId,
    mode::Os,
    plant::{
        Answers, File, Secrets,
        answers::{Nats, Way},
        forest,
    },
};
use std::fmt::Write as _;

/// The script.
const SETUP: &str = include_str!("../../../../assets/plant/linux/setup.sh");
/// What it tells with.
pub(super) const TELL: &str = include_str!("../../../../assets/plant/linux/tell.sh");
/// What runs it.
const UNIT: &str = include_str!("../../../../assets/plant/linux/setup.service");
/// What runs `WiVRn`.
const WIVRN: &str = include_str!("../../../../assets/plant/linux/wivrn.service");

/// What gives its flatpak the card's driver.
const WIVRN_DRIVER: &str = include_str!("../../../../assets/plant/linux/wivrn-driver.sh");
/// What has the desktop drawn by the card.
const SCREENS: &str = include_str!("../../../../assets/plant/linux/screens.sh");

/// A file of the guest.
pub(super) struct Placed {
    /// The file, with its absolute path.
    pub file: File,
    /// Its permissions, octal digits.
    pub mode: &'static str,
}

impl Placed {
    fn new(file: File, mode: &'static str) -> Self {
        Self { file, mode }
    }
}

/// All of them.
pub(super) fn files(answers: &Answers, secrets: &Secrets, plant: &OpId) -> Vec<Placed> {
    let at = |name: &str| format!("/usr/local/lib/morpheus/{name}");
    let settings = settings(answers, secrets, plant);
    let mut files = vec![
        Placed::new(File::new("/etc/morpheus/setup.env", settings, "What is set up, and with what."), "0600"),
        Placed::new(File::new(at("setup"), SETUP, "Sets the guest up, part by part."), "0755"),
        Placed::new(File::new(at("tell"), TELL, "How it tells what it does."), "0644"),
        Placed::new(File::new(at("screens.sh"), SCREENS, "Has the desktop drawn by the card."), "0644"),
        Placed::new(
            File::new("/etc/systemd/system/morpheus-setup.service", UNIT, "Runs it, after restarts too."),
            "0644",
        ),
    ];
    if answers.linux.wivrn {
        files.push(Placed::new(File::new(at("wivrn.service"), WIVRN, "The user's service of WiVRn."), "0644"));
        let driver = File::new(at("wivrn-driver"), WIVRN_DRIVER, "Gives its flatpak the driver of the card.");
        files.push(Placed::new(driver, "0644"));
    }
    if let (Way::Cachyos, Some(connection)) = (answers.linux.way, network::connection(&answers.linux.address)) {
        let path = "/etc/NetworkManager/system-connections/morpheus.nmconnection";
        files.push(Placed::new(File::new(path, connection, "The guest's own address."), "0600"));
    }
    let forest = forest::linux_files(answers, secrets);
    files.extend(forest.into_iter().map(|file| {
        let mode = if file.secret { "0600" } else { "0644" };
        Placed::new(file, mode)
    }));
    files
}

/// The parts of the set-up, in order. What needs the driver comes after the restart.
fn parts(answers: &Answers) -> Vec<&'static str> {
    let way: &[&str] = match answers.linux.way {
        Way::ArchCloud => &["system", "account", "repositories", "upgrade", "kernel"],
        Way::Cachyos => &["account"],
    };
    let mut parts = way.to_vec();
    parts.extend(["driver", "desktop", "steam", "restart"]);
    parts.extend(answers.linux.wivrn.then_some("wivrn"));
    parts.extend((answers.forest.nats != Nats::None).then_some("nats"));
    parts.extend(answers.forest.nimsforest(Os::Linux).map(|_| "nimsforest"));
    parts.extend(["firewall", "check", "tidy"]);
    parts
}

/// What the script reads: values in quotes, which may have any text.
fn settings(answers: &Answers, secrets: &Secrets, plant: &OpId) -> String {
    let (linux, forest) = (&answers.linux, &answers.forest);
    let nimsforest = forest.nimsforest(Os::Linux);
    let beside = nimsforest.is_some();
    let yes = |yes: bool| if yes { "yes" } else { "no" }.to_owned();
    let ports = |ports: Vec<u16>| ports.iter().map(u16::to_string).collect::<Vec<_>>().join(" ");
    let wivrn = linux.wivrn.then_some(9757);
    let tcp = [22].into_iter().chain(wivrn).chain(forest::open_ports(forest, beside));
    let udp = wivrn.into_iter().chain(linux.wivrn.then_some(5353));
    let mut values = vec![
        ("PLANT", plant.as_str().to_owned()),
        ("PARTS", parts(answers).join(" ")),
        ("GUEST_USER", linux.machine.user.clone()),
        ("HAS_PASSWORD", yes(secrets.linux_password.is_some())),
        ("SSH_KEYS", linux.ssh_keys.join("\n")),
        ("TIMEZONE", linux.timezone.clone()),
        ("LOCALE", linux.locale.clone()),
        ("KEYMAP", linux.keymap.clone()),
        ("LOOK_AT_CARD", yes(true)),
        ("TCP_PORTS", ports(tcp.collect())),
        ("UDP_PORTS", ports(udp.collect())),
    ];
    if forest.nats != Nats::None {
        values.push(("NATS_MONITOR", forest.nats_ports(beside).1.to_string()));
    }
    if let Some(binary) = nimsforest {
        values.push(("NIMSFOREST_URL", binary.url.clone()));
        values.push(("NIMSFOREST_SHA256", binary.sha256.clone()));
    }
    shell_values("What is set up in this guest, and with what", &values)
}

/// A file that a shell sources.
pub(super) fn shell_values(about: &str, values: &[(&str, String)]) -> String {
    let mut text = format!("# Made by morpheus. {about}.\n");
    for (name, value) in values {
        let _ = writeln!(text, "{name}={}", quote::shell(value));
    }
    text
}
