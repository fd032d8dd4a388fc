//! Answers for tests.

use super::{Form, Key};

/// A form in which everything is answered, Windows and a leaf node too.
pub(crate) fn form() -> Form {
    let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl me@home";
    let sum = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    let answers = [
        (Key::GpuCard, "0000:01:00"),
        (Key::GpuMapping, "gpu0"),
        (Key::LinuxVmid, "121"),
        (Key::LinuxName, "vr-linux"),
        (Key::LinuxCores, "12"),
        (Key::LinuxMemory, "16384"),
        (Key::LinuxDisk, "100"),
        (Key::LinuxStorage, "local-lvm"),
        (Key::LinuxBridge, "vmbr0"),
        (Key::LinuxAddress, "dhcp"),
        (Key::LinuxUser, "player"),
        (Key::LinuxSshKeys, key),
        (Key::LinuxInstall, "arch-cloud"),
        (Key::LinuxMedia, "local"),
        (Key::LinuxImage, "https://mirror.example.org/images/Arch-Linux-x86_64-cloudimg.qcow2"),
        (Key::LinuxImageSha256, sum),
        (Key::LinuxTimezone, "Europe/Amsterdam"),
        (Key::LinuxLocale, "en_US.UTF-8"),
        (Key::LinuxKeymap, "us"),
        (Key::LinuxWivrn, "yes"),
        (Key::WindowsWanted, "yes"),
        (Key::WindowsVmid, "122"),
        (Key::WindowsName, "vr-windows"),
        (Key::WindowsCores, "12"),
        (Key::WindowsMemory, "16384"),
        (Key::WindowsDisk, "200"),
        (Key::WindowsStorage, "local-lvm"),
        (Key::WindowsBridge, "vmbr0"),
        (Key::WindowsMedia, "local"),
        (Key::WindowsIso, "local:iso/Win11_25H2_English_x64.iso"),
        (Key::WindowsVirtio, "local:iso/virtio-win.iso"),
        (Key::WindowsEdition, "Windows 11 Pro"),
        (Key::WindowsUser, "Player"),
        (Key::WindowsLanguage, "en-US"),
        (Key::WindowsTimezone, "W. Europe Standard Time"),
        (Key::WindowsVirtualDesktop, "yes"),
        (Key::WindowsHibernate, "no"),
        (Key::ForestId, "home"),
        (Key::ForestNats, "leaf"),
        (Key::ForestHubs, "tls://hub-a:7422, tls://hub-b:7422"),
        (Key::ForestCredentialsFile, "/etc/morpheus/forest.creds"),
        (Key::ForestBinary, "https://example.org/nimsforest-linux-amd64"),
        (Key::ForestBinarySha256, sum),
        (Key::ForestRegistry, "https://registry.example.org/forest.json"),
    ];
    answers.into_iter().fold(Form::default(), |form, (key, text)| form.with(key, text))
}

/// Compares a text with the snapshot of this name.
pub(crate) fn snapshot(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}
