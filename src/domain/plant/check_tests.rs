use super::*;
use crate::domain::plant::{Answers, testing};

#[test]
fn each_kind_takes_what_is_right_and_says_what_would_be() {
    let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl me@home";
    let right = [
        (Key::LinuxVmid, "101"),
        (Key::LinuxName, "vr-linux"),
        (Key::LinuxMemory, "32768"),
        (Key::LinuxUser, "player"),
        (Key::LinuxSshKeys, key),
        (Key::LinuxImage, "local:import/arch.qcow2"),
        (Key::LinuxImage, "https://mirror.example.org/images/Arch-Linux-x86_64-cloudimg.qcow2"),
        (Key::LinuxAddress, "dhcp"),
        (Key::LinuxAddress, "192.168.1.150/24 via 192.168.1.1"),
        (Key::LinuxAddress, "fd00::5/64 via fd00::1"),
        (Key::WindowsTimezone, "W. Europe Standard Time"),
        (Key::WindowsProductKey, "VK7JG-NPHTM-C97JM-9MPGT-3V66T"),
        (Key::ForestHubs, "tls://hub-a:7422, nats://10.0.0.1:7422"),
    ];
    for (key, text) in right {
        assert_eq!(value(key.kind(), text), Ok(()), "{key} {text}");
    }
    let wrong = [
        (Key::LinuxVmid, "99"),
        (Key::LinuxName, "-vr"),
        (Key::LinuxName, "vr_linux"),
        (Key::LinuxMemory, "32 GB"),
        (Key::LinuxMemory, "512"),
        (Key::LinuxUser, "root"),
        (Key::LinuxUser, "Player One"),
        (Key::LinuxSshKeys, "-----BEGIN OPENSSH PRIVATE KEY-----"),
        (Key::LinuxSshKeys, "ssh-ed25519 short"),
        (Key::LinuxImage, "/root/arch.qcow2"),
        (Key::LinuxImage, "https://mirror.example.org/images/"),
        (Key::LinuxAddress, "192.168.1.150"),
        (Key::LinuxAddress, "192.168.1.150/24 via fd00::1"),
        (Key::LinuxAddress, "192.168.1.150/33 via 192.168.1.1"),
        (Key::WindowsUser, "Administrator"),
        (Key::LinuxKeymap, "us; reboot"),
        (Key::LinuxTimezone, "../../etc/passwd"),
        (Key::ForestHubs, "hub"),
        (Key::ForestBinary, "https://example.org/$(reboot)'"),
    ];
    for (key, text) in wrong {
        let why = value(key.kind(), text).unwrap_err();
        assert!(why.contains("; use "), "{key} {text}: {why}");
    }
}

#[test]
fn answers_are_read_from_a_right_form_and_every_fault_of_a_wrong_one_is_named() {
    let form = testing::form();
    let answers = Answers::read(&form).unwrap();
    assert_eq!(answers.linux.machine.vmid.get(), 121);
    assert!(answers.windows.is_some());
    let wrong = form.with(Key::LinuxVmid, "9").with(Key::WindowsName, "vr-linux").with(Key::LinuxUser, "");
    let problems = Answers::read(&wrong).unwrap_err();
    let keys: Vec<Key> = problems.iter().filter_map(|problem| problem.key).collect();
    assert_eq!(keys, [Key::LinuxVmid, Key::LinuxUser, Key::WindowsName]);
}

#[test]
fn what_isnt_asked_isnt_checked() {
    let form = testing::form().with(Key::WindowsWanted, "no").with(Key::WindowsVmid, "nonsense");
    assert!(Answers::read(&form).unwrap().windows.is_none());
}

#[test]
fn the_port_of_nats_is_one_and_nobody_elses() {
    let said = |port: &str| {
        let found = form(&testing::form().with(Key::ForestNatsPort, port));
        found.into_iter().map(|problem| (problem.key.unwrap(), problem.message)).collect::<Vec<_>>()
    };
    for port in ["", "1", "4222", "4333", "65535"] {
        assert_eq!(said(port), [], "{port}");
    }
    for port in ["0", "65536", "-1", "nats"] {
        let words = format!("'{port}' can't be used here; use a number from 1 to 65535");
        assert_eq!(said(port), [(Key::ForestNatsPort, words)]);
    }
    for (port, whose) in [("8222", "the monitoring of NATS"), ("6322", "the routes of a cluster"), ("22", "SSH")] {
        let words = format!("port {port} of a guest is for {whose}; use another one");
        assert_eq!(said(port), [(Key::ForestNatsPort, words)]);
    }
    let unasked = testing::form().with(Key::ForestNats, "none").with(Key::ForestNatsPort, "8222");
    assert_eq!(form(&unasked), []);
}

#[test]
fn routes_that_would_have_no_tls_arent_called_tls() {
    let cluster = testing::form().with(Key::ForestNats, "cluster");
    for (hubs, right) in
        [("nats://a:6222, nats://b:6222", true), ("nats://a:6222, tls://b:6222", false), ("wss://a", false)]
    {
        let problems = form(&cluster.clone().with(Key::ForestHubs, hubs));
        assert_eq!(problems.is_empty(), right, "{hubs}: {problems:?}");
    }
    assert_eq!(form(&cluster.with(Key::ForestNats, "leaf").with(Key::ForestHubs, "tls://a:7422")), []);
}
