use super::*;
use crate::domain::{
    guest::Health::{self, Degraded, Down, Unknown, Up},
    load::{GpuLoad, Space},
    probe::{Answer, Answers},
    wivrn::Wivrn,
};
use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, process::Command};
use tempfile::TempDir;

/// A guest's `/usr/bin`: what the script needs of the real one, and nothing of what it asks.
struct Guest(TempDir);

impl Guest {
    fn new() -> Self {
        let guest = Self(tempfile::tempdir().unwrap());
        for tool in ["head", "sed", "tr", "base64", "timeout", "cat", "cut", "id"] {
            let real = ["/usr/bin", "/bin"].map(|dir| Path::new(dir).join(tool)).into_iter().find(|path| path.exists());
            std::os::unix::fs::symlink(real.unwrap(), guest.path(tool)).unwrap();
        }
        guest
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    /// Puts a program there.
    fn with(self, name: &str, script: &str) -> Self {
        fs::write(self.path(name), format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o755)).unwrap();
        self
    }

    /// Runs the checks as the agent would.
    fn run(&self, probes: Vec<Probe>, gpu: bool) -> Answers {
        let command = command(&Checks { gpu, load: gpu, wivrn: gpu, probes });
        assert!(command.iter().all(|word| word.is_ascii()));
        let root = self.0.path().display();
        let script = command[2]
            .replace(":/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "")
            .replace("/proc/driver", &format!("{root}/proc/driver"))
            .replace("/run/user", &format!("{root}/run/user"))
            .replace("/sys/module", &format!("{root}/sys/module"))
            .replace("/var/lib/flatpak", &format!("{root}/var/lib/flatpak"))
            .replace("/sys/class", &format!("{root}/sys/class"))
            .replace("/sys/bus", &format!("{root}/sys/bus"));
        let output =
            Command::new(&command[0]).args(["-c", &script]).env_clear().env("PATH", self.0.path()).output().unwrap();
        let (out, err) = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).into();
        assert_eq!(err, "", "{out}");
        Answers::parse(&out)
    }

    /// One probe's answer.
    fn see(&self, probe: Probe) -> (Health, String) {
        let mut answers = self.run(vec![probe], false);
        assert!(answers.complete);
        let Answer { health, detail } = answers.probes.remove(&0).unwrap();
        (health, detail.unwrap_or_default())
    }
}

fn seen(health: Health, detail: &str) -> (Health, String) {
    (health, detail.to_owned())
}

fn tcp(port: u16, udp: bool) -> Probe {
    Probe::Tcp { port, udp, outside: false }
}

fn user_unit(user: Option<&str>) -> Probe {
    Probe::SystemdUser { unit: "wivrn.service".into(), user: user.map(Into::into) }
}

#[test]
fn where_no_tool_is_everything_is_unknown() {
    let guest = Guest::new();
    let probes = vec![
        Probe::Systemd { unit: "nats.service".into() },
        user_unit(None),
        Probe::Process { process: "vrserver".into() },
        tcp(9757, true),
        Probe::Http { url: "http://127.0.0.1/".into() },
        Probe::Nats { port: 4222, monitor: 8222 },
        Probe::Winsvc { service: "NimsForest".into() },
    ];
    let answers = guest.run(probes, true);
    assert!(answers.complete && answers.gpu.is_none());
    assert_eq!(answers.probes.keys().copied().collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5]);
    assert!(answers.probes.values().all(|answer| answer.health == Unknown), "{answers:?}");
}

#[test]
fn units_are_up_only_when_active() {
    let systemctl = r#"case "$*" in
      "is-active -- nats.service") echo active ;;
      "is-active -- slow.service") echo activating; exit 3 ;;
      "is-active -- odd.service") echo "System has not been booted with systemd" >&2; exit 1 ;;
      *) echo inactive; exit 3 ;;
    esac"#;
    let guest = Guest::new().with("systemctl", systemctl);
    let unit = |unit: &str| guest.see(Probe::Systemd { unit: unit.into() });
    assert_eq!(unit("nats.service"), seen(Up, "active"));
    assert_eq!(unit("slow.service"), seen(Down, "activating"));
    assert_eq!(unit("gone.service"), seen(Down, "inactive"));
    assert_eq!(unit("odd.service").0, Unknown);
}

#[test]
fn a_users_unit_is_looked_for_with_everybody_who_is_logged_in() {
    let loginctl = "printf '%s\\n' '  120 gdm yes' ' 1000 ann no active'";
    let systemctl = r#"case "$*" in
      "--user -M ann@ is-active -- wivrn.service") echo active ;;
      *) echo "Failed to connect to user scope bus" >&2; exit 1 ;;
    esac"#;
    let guest = Guest::new().with("systemctl", systemctl).with("loginctl", loginctl);
    assert_eq!(guest.see(user_unit(None)), seen(Up, "active"));
    assert_eq!(guest.see(user_unit(Some("ann"))), seen(Up, "active"));
    assert_eq!(guest.see(user_unit(Some("gdm"))).0, Unknown);
    assert_eq!(guest.see(user_unit(Some("bob"))), seen(Down, "not logged in"));
    let empty = Guest::new().with("systemctl", systemctl).with("loginctl", "exit 0");
    assert_eq!(empty.see(user_unit(None)), seen(Down, "not logged in"));
    let broken = Guest::new().with("systemctl", systemctl).with("loginctl", "exit 1");
    assert_eq!(broken.see(user_unit(None)).0, Unknown);
}

#[test]
fn processes_and_ports_are_seen() {
    let pgrep = r#"case "$*" in "-x -- vrserver") exit 0 ;; "-x -- broken") exit 3 ;; *) exit 1 ;; esac"#;
    let ss = r#"case "$*" in
      "-H -l -n -t sport = :4222") echo "LISTEN 0 4096 *:4222 *:*" ;;
      "-H -l -n -u sport = :9757") echo "UNCONN 0 0 *:9757 *:*" ;;
      "-H -l -n -t sport = :1") exit 1 ;;
    esac"#;
    let guest = Guest::new().with("pgrep", pgrep).with("ss", ss);
    let process = |process: &str| guest.see(Probe::Process { process: process.into() });
    assert_eq!([process("vrserver"), process("gone")], [seen(Up, "running"), seen(Down, "not running")]);
    assert_eq!(process("broken").0, Unknown);
    assert_eq!(
        [guest.see(tcp(4222, false)), guest.see(tcp(9757, true))],
        [seen(Up, "listening"), seen(Up, "listening")]
    );
    assert_eq!([guest.see(tcp(9757, false)).0, guest.see(tcp(1, false)).0], [Down, Unknown]);
}

#[test]
fn only_2xx_is_a_good_answer() {
    let http = |guest: &Guest| guest.see(Probe::Http { url: "http://127.0.0.1:8222/healthz".into() });
    let curl = |script: &str| http(&Guest::new().with("curl", script));
    assert_eq!(curl("printf 200"), seen(Up, "HTTP 200"));
    assert_eq!(curl("printf 503"), seen(Down, "HTTP 503"));
    assert_eq!(curl("printf 000; exit 7"), seen(Down, "no answer"));
    assert_eq!(curl("exit 2").0, Unknown);
    assert_eq!(http(&Guest::new().with("wget", "exit 0")), seen(Up, "answers"));
    assert_eq!(http(&Guest::new().with("wget", "exit 8")).0, Down);
}

/// A NATS server's monitoring, by page.
fn nats(varz: &str, routez: &str) -> (Health, String) {
    let curl = format!(
        "for url; do :; done\ncase $url in\n*:8222/varz) printf '%s' '{varz}' ;;\n\
         *:8222/routez) printf '%s' '{routez}' ;;\n*:8222/healthz) ;;\n*) exit 7 ;;\nesac"
    );
    let guest = Guest::new().with("curl", &curl).with("hostname", "echo '10.0.0.3 fd00::3 '");
    guest.see(Probe::Nats { port: 4222, monitor: 8222 })
}

#[test]
fn a_nats_server_without_its_routes_or_hub_is_degraded() {
    let varz = |urls: &str| {
        format!(
            r#"{{ "cluster": {{ "name": "home", "cluster_port": 6222, "urls": [ {urls} ] }}, "leafnodes": 0, "x": 1 }}"#
        )
    };
    let alone = r#"{ "cluster": {}, "leaf": {}, "leafnodes": 0, "x": 1 }"#;
    assert_eq!(nats(alone, "{}"), seen(Up, "healthy"));
    let peers = r#""10.0.0.1:6222", "[fd00::2]:6222", "10.0.0.3:6222", "[fd00::3]:6222""#;
    let two = r#"{ "routes": [ { "rid": 1, "remote_id": "A" }, { "remote_id": "A" }, { "remote_id": "B" } ] }"#;
    let one = r#"{ "routes": [ { "rid": 1, "remote_id": "A" }, { "rid": 2, "remote_id": "A" } ] }"#;
    assert_eq!(nats(&varz(peers), two), seen(Up, "healthy"), "its own addresses are no peers");
    assert_eq!(nats(&varz(peers), one), seen(Degraded, "1 of 2 routes"));
    assert_eq!(nats(&varz(peers), "{}"), seen(Degraded, "0 of 2 routes"));
    let leaf = r#"{ "cluster": {}, "leafnodes": 0, "leaf": { "remotes": [ { "urls": [ "h" ] } ] } }"#;
    assert_eq!(nats(leaf, "{}"), seen(Degraded, "not connected to its hub"));
    assert_eq!(nats(&leaf.replace("\"leafnodes\": 0", "\"leafnodes\": 1"), "{}"), seen(Up, "healthy"));
}

#[test]
fn a_nats_server_without_monitoring_is_seen_by_its_port() {
    let ss = r#"case "$*" in "-H -l -n -t sport = :4333") echo "LISTEN 0 4096 *:4333 *:*" ;; esac"#;
    let guest = Guest::new().with("ss", ss).with("curl", "exit 7");
    let nats = |port| guest.see(Probe::Nats { port, monitor: 8222 });
    assert_eq!([nats(4333), nats(4222)], [seen(Up, "listening"), seen(Down, "not listening")]);
    let sick = Guest::new().with("curl", "for url; do :; done; case $url in */varz) echo '{}' ;; *) exit 22 ;; esac");
    assert_eq!(sick.see(Probe::Nats { port: 4222, monitor: 8222 }), seen(Degraded, "not healthy"));
}

#[test]
fn no_name_can_break_out_of_its_word() {
    for name in ["x'; touch pwned; '", "$(touch pwned)", "`id`", "größe", "a\nb", "-x", "100%s\\n"] {
        let guest = Guest::new().with("pgrep", "for last; do :; done; printf %s \"$last\" > \"${0%/*}/asked\"");
        guest.see(Probe::Process { process: name.into() });
        let asked = fs::read_to_string(guest.path("asked")).unwrap();
        assert_eq!(asked, pattern(name));
        let guest = guest.with("systemctl", "for last; do :; done; printf %s \"$last\" > \"${0%/*}/asked\"");
        guest.see(Probe::Systemd { unit: name.into() });
        assert_eq!(fs::read_to_string(guest.path("asked")).unwrap(), name);
    }
}

#[test]
fn long_process_names_are_cut_as_the_kernel_cuts_them() {
    assert_eq!(pattern("VirtualDesktop.Streamer"), r"VirtualDesktop\.");
    assert_eq!(pattern("äääääääää"), "äääääää");
}

#[test]
fn the_card_is_named_from_its_drivers_files() {
    let guest = Guest::new();
    let dir = guest.path("proc/driver/nvidia/gpus/0000:01:00.0");
    fs::create_dir_all(&dir).unwrap();
    fs::write(dir.join("information"), "Model: \t\t NVIDIA GeForce RTX 4090\nIRQ:   \t\t 16\n").unwrap();
    assert_eq!(guest.run(Vec::new(), true).gpu.as_deref(), Some("NVIDIA GeForce RTX 4090"));
    let amd = Guest::new();
    let dir = amd.path("sys/class/drm/card1/device");
    fs::create_dir_all(&dir).unwrap();
    fs::write(dir.join("product_name"), "AMD Radeon RX 6900 XT\n").unwrap();
    assert_eq!(amd.run(Vec::new(), true).gpu.as_deref(), Some("AMD Radeon RX 6900 XT"));
}

#[test]
fn a_card_that_sleeps_is_left_alone() {
    let smi = "touch \"${0%/*}/woken\"; echo '37, 1024, 24564'";
    let guest = Guest::new().with("nvidia-smi", smi);
    fs::create_dir_all(guest.path("proc/driver/nvidia/gpus/0000:01:00.0")).unwrap();
    let power = guest.path("sys/bus/pci/devices/0000:01:00.0/power");
    fs::create_dir_all(&power).unwrap();
    fs::write(power.join("runtime_status"), "suspended\n").unwrap();
    assert_eq!(guest.run(Vec::new(), true).load, Some(GpuLoad { asleep: true, ..GpuLoad::default() }));
    assert!(!guest.path("woken").exists());
    fs::write(power.join("runtime_status"), "active\n").unwrap();
    let memory = Some(Space { total: 24_564 << 20, used: 1 << 30 });
    assert_eq!(guest.run(Vec::new(), true).load, Some(GpuLoad { asleep: false, busy: Some(37), memory }));
    let guest = guest.with("nvidia-smi", "echo '[N/A], [N/A], [N/A]'");
    assert_eq!(guest.run(Vec::new(), true).load, None);
}

#[test]
fn an_amd_card_tells_by_files() {
    let guest = Guest::new();
    let dir = guest.path("sys/class/drm/card1/device");
    fs::create_dir_all(dir.join("power")).unwrap();
    for (file, text) in [("gpu_busy_percent", "63"), ("mem_info_vram_used", "1000"), ("mem_info_vram_total", "4000")] {
        fs::write(dir.join(file), format!("{text}\n")).unwrap();
    }
    let memory = Some(Space { total: 4_000, used: 1_000 });
    assert_eq!(guest.run(Vec::new(), true).load, Some(GpuLoad { asleep: false, busy: Some(63), memory }));
    fs::write(dir.join("power/runtime_status"), "suspended\n").unwrap();
    assert!(guest.run(Vec::new(), true).load.unwrap().asleep);
}

/// What `busctl` of systemd 252 prints, for a server with that name on the bus and for one without.
const BUSCTL: &str = r#"case "$*" in
  "--address=unix:path="*"/bus --json=short --auto-start=no --timeout=2 get-property io.github.wivrn.Server \
/io/github/wivrn/Server io.github.wivrn.Server Pin SteamCommand HeadsetConnected") ;;
  *) echo "busctl: $*" >&2; exit 9 ;;
esac
printf '%s\n' '{"type":"s","data":"012345"}' '{"type":"s","data":""}' '{"type":"b","data":false}'"#;

/// A guest in which somebody is logged in.
fn logged_in(guest: Guest) -> (Guest, std::os::unix::net::UnixListener) {
    let uid = fs::metadata(guest.0.path()).map(|made| std::os::unix::fs::MetadataExt::uid(&made)).unwrap();
    let dir = guest.path(&format!("run/user/{uid}"));
    fs::create_dir_all(&dir).unwrap();
    let bus = std::os::unix::net::UnixListener::bind(dir.join("bus")).unwrap();
    (guest, bus)
}

#[test]
fn wivrn_tells_its_pin_where_its_server_runs() {
    assert_eq!(Guest::new().with("busctl", BUSCTL).run(Vec::new(), true).wivrn, None, "nobody is logged in");
    let (guest, _bus) = logged_in(Guest::new().with("busctl", BUSCTL));
    let ready = Wivrn { pin: Some("012345".into()), connected: Some(false), ..Wivrn::default() };
    assert_eq!(guest.run(Vec::new(), true).wivrn, Some(ready));
    let silent = "echo 'Failed to get property Pin: The name io.github.wivrn.Server was not provided' >&2; exit 1";
    let (silent, _bus) = logged_in(Guest::new().with("busctl", silent));
    let answers = silent.run(Vec::new(), true);
    assert!(answers.wivrn.is_none() && answers.complete, "{answers:?}");
}

/// Flathub's part for a driver is of one version: one for another doesn't count.
#[test]
fn a_driver_without_its_part_for_flatpaks_is_named() {
    let home = "echo 'ann:x:1000:1000::/home/ann:/bin/bash'";
    let (guest, _bus) = logged_in(Guest::new().with("busctl", BUSCTL).with("getent", home));
    let driver = |guest: &Guest| guest.run(Vec::new(), true).wivrn.unwrap().driver;
    fs::create_dir_all(guest.path("sys/module/nvidia")).unwrap();
    fs::write(guest.path("sys/module/nvidia/version"), "575.64.05\n").unwrap();
    let there = |name: &str| fs::create_dir_all(guest.path("var/lib/flatpak").join(name)).unwrap();
    assert_eq!(driver(&guest), None, "no flatpak needs one");
    there("app/io.github.wivrn.wivrn");
    there("runtime/org.freedesktop.Platform.GL.nvidia-570-144");
    assert_eq!(driver(&guest).as_deref(), Some("575.64.05"));
    there("runtime/org.freedesktop.Platform.GL.nvidia-575-64-05");
    assert_eq!(driver(&guest), None);
}
