//! A real guest that is booted from our seed: `cloud-init` reads it, the set-up runs to its end, the agent tells it.

use crate::{
    debian, live,
    planting::answers,
    seed::{PASSWORD, plant, secrets},
    tools,
};
use morpheus::domain::plant::{
    contract::{LINUX_DIR, PROGRESS, Progress, READY, Ready, Stage},
    iso, linux,
};
use sha2::{Digest, Sha256};
use std::{
    fs,
    io::{Read, Write},
    net::TcpListener,
    thread,
};

/// What NimsForest's place is taken by: it finds its files by the names that the real one goes by, and ends without them;
/// the server that it brings is nats-server's own, with the ports that it chooses (`internal/natsembed/server.go`).
const PROGRAM: &str = "#!/bin/sh\ngrep -q node_id \"$NATS_CLUSTER_NODE_INFO\" && grep -q nodes \"$NATS_CLUSTER_REGISTRY\" || exit 1\n\
                       exec nats-server --port -1 --http_port 8222 --jetstream --store_dir \"$JETSTREAM_DIR\"\n";
/// The parts that every Linux has; the others install from Arch's mirrors.
const PARTS: &str = "PARTS='system account restart nats nimsforest firewall check tidy'";

/// Serves a program on loopback, which a guest of QEMU's own network sees as 10.0.2.2.
fn serve() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]).unwrap();
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", PROGRAM.len());
            stream.write_all(format!("{head}{PROGRAM}").as_bytes()).unwrap();
        }
    });
    port
}

#[test]
fn a_guest_booted_from_the_seed_tells_that_it_is_ready() {
    if !debian::TOOLS.iter().all(|(program, package)| tools::has(program, package)) {
        return;
    }
    let url = format!("http://10.0.2.2:{}/nimsforest", serve());
    let sum = format!("{:x}", Sha256::digest(PROGRAM));
    // Neither hub nor registry is anywhere outside of the guest.
    let nowhere = [("forest.hubs", "nats://127.0.0.1:7422"), ("forest.registry", "/var/lib/morpheus/forest.json")];
    let changes = [&nowhere[..], &[("forest.binary", &url), ("forest.binary_sha256", &sum)]].concat();
    let answers = answers(&changes);
    let mut files = linux::seed(&answers, &secrets(), &plant());
    let lines = files[0].text.lines().map(|line| match line.trim_start() {
        setting if setting.starts_with("PARTS=") => format!("      {PARTS}\n"),
        "LOOK_AT_CARD='yes'" => "      LOOK_AT_CARD='no'\n".to_owned(),
        _ => format!("{line}\n"),
    });
    files[0].text = lines.collect();
    assert!(files[0].text.contains(PARTS) && files[0].text.contains("LOOK_AT_CARD='no'"));
    let dir = tempfile::tempdir().unwrap();
    let disc = dir.path().join("seed.iso");
    fs::write(&disc, iso::build(linux::SEED_LABEL, &files).unwrap()).unwrap();

    let mut guest = debian::start(dir.path(), &disc);
    let mut progress = Progress::default();
    let mut ready = None;
    // Each round takes five seconds or a little more.
    for _ in 0..300 {
        if let Some(text) = guest.agent.read(&format!("{LINUX_DIR}/{READY}")) {
            ready = Some(serde_json::from_str::<Ready>(&text).unwrap());
            break;
        }
        if let Some(text) = guest.agent.read(&format!("{LINUX_DIR}/{PROGRESS}")) {
            progress = serde_json::from_str(&text).unwrap();
        }
        assert_eq!(progress.error, None, "{}", guest.console());
        guest.agent.wait();
    }
    let Some(ready) = ready else { panic!("it never came further than {progress:?}: {}", guest.console()) };
    assert_eq!((ready.plant.as_str(), ready.stage, progress.of), (plant().as_str(), Stage::Ready, 8));
    assert_eq!(ready.errors, Vec::<String>::new());
    let versions: Vec<&str> = ready.versions.keys().map(String::as_str).collect();
    assert_eq!(versions, ["kernel", "nats-server", "nimsforest"]);
    looks_right(&mut guest);
    // Booted once, it is of use for the other way too.
    live::installs(&mut guest.agent);
}

fn looks_right(guest: &mut debian::Guest) {
    let mut said = |script: &str| guest.agent.shell(script);
    let mut is = |script: &str, wanted: &str| assert_eq!(said(script), (0, format!("{wanted}\n")), "{script}");
    is("cat /etc/hostname", "vr-linux");
    is("readlink /etc/localtime", "/usr/share/zoneinfo/Europe/Amsterdam");
    is("tail -n 1 /home/player/.ssh/authorized_keys", &answers(&[]).linux.ssh_keys[0]);
    is("wc -l </home/player/.ssh/authorized_keys", "1");
    is("cat /etc/sudoers.d/50-morpheus", "player ALL=(ALL:ALL) ALL");
    is("getent shadow root | cut -c 1-6", "root:!");
    is("sshd -T | grep -c -x -e 'passwordauthentication no' -e 'permitrootlogin no'", "2");
    is("ls /var/lib/systemd/linger", "player");
    is("systemctl is-active nats-server nimsforest ssh qemu-guest-agent", "active\nactive\nactive\nactive");
    is("stat -c %a /etc/nats/forest.creds /etc/morpheus/setup.env", "600\n600");
    is("ufw status | grep -c '^9757/'", "4");
    is("systemctl is-enabled morpheus-setup", "enabled");
    is("last -x reboot | grep -c '^reboot' || true", "2");
    // Nothing of the seed is left: neither hash nor credentials. The agent logs what it runs, this search among it.
    is("ls -d /var/lib/cloud 2>/dev/null || echo none", "none");
    let kept = "grep -rl 'BEGIN NATS USE[R]' /etc /run /var | grep -v -e ^/etc/nats/ -e ^/run/credentials/; echo end";
    is(kept, "end");
    // The password is the person's own: the system's own crypt says so.
    let check = "$hash = (getpwnam 'player')[1]; print crypt($ARGV[0], $hash) eq $hash ? 'same' : $hash, qq(\\n)";
    let quoted = |text: &str| format!("'{}'", text.replace('\'', r"'\''"));
    is(&format!("perl -e {} {}", quoted(check), quoted(PASSWORD)), "same");
}
