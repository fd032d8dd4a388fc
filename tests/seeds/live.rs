//! What drives `CachyOS`' installer, in a guest that stands for its live system.

use crate::{
    agent::Agent,
    installer::{STAND_INS, installer},
    seed::{PASSWORD, plant},
};
use morpheus::domain::plant::contract::{LINUX_DIR, PROGRESS, Progress, READY, Ready, Stage};

/// Once with an installer that fails, then with one that doesn't.
pub(crate) fn installs(agent: &mut Agent) {
    let installer = installer();
    let dirs: Vec<&str> = installer.files.iter().map(|file| file.path.rsplit_once('/').unwrap().0).collect();
    let begin = |agent: &mut Agent| {
        assert_eq!(agent.shell(&format!("mkdir -p {}", dirs.join(" "))), (0, String::new()));
        for file in &installer.files {
            agent.write(&file.path, &file.text);
        }
        let command = installer.command.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" ");
        assert_eq!(agent.shell(&format!("{command} >/dev/null 2>&1")), (0, String::new()));
    };
    let progress = |agent: &mut Agent| {
        let text = agent.read(&format!("{LINUX_DIR}/{PROGRESS}"));
        text.map(|text| serde_json::from_str::<Progress>(&text).unwrap())
    };
    for (path, script) in STAND_INS {
        agent.write(&format!("/usr/local/bin/{path}"), script);
    }
    assert_eq!(agent.shell("chmod 755 /usr/local/bin/*; touch /tmp/broken; rm /var/lib/morpheus/ready.json").0, 0);

    begin(agent);
    let error = (0..60).find_map(|_| {
        agent.wait();
        progress(agent)?.error
    });
    let Some(error) = error else { panic!("it never fails") };
    assert!(error.contains("installing CachyOS: ") && error.contains("no such device"), "{error}");
    assert_eq!(
        agent.shell("ls /var/lib/morpheus/install/settings.json 2>/dev/null; rm /tmp/broken"),
        (0, String::new())
    );

    begin(agent);
    let ready = (0..60).find_map(|_| {
        agent.wait();
        agent.read(&format!("{LINUX_DIR}/{READY}"))
    });
    let Some(ready) = ready else { panic!("it never ends: {:?}", progress(agent)) };
    let ready: Ready = serde_json::from_str(&ready).unwrap();
    assert_eq!((ready.plant.as_str(), ready.stage), (plant().as_str(), Stage::Installed));
    let ended = progress(agent).unwrap();
    assert_eq!((ended.part, ended.of, ended.error), (2, 2, None));

    let mut is = |script: &str, wanted: &str| assert_eq!(agent.shell(script), (0, format!("{wanted}\n")), "{script}");
    is("grep -c 'Formatting' /var/lib/morpheus/install/log", "2");
    is("test -e /var/lib/morpheus/install/settings.json || echo gone", "gone");
    is(
        "stat -c '%a %U' /var/lib/morpheus/install /tmp/disk/@/etc/nats/forest.creds /tmp/disk/@/usr/local/lib/morpheus/setup",
        "700 root\n600 root\n755 root",
    );
    is("cmp /tmp/disk/@/usr/local/lib/morpheus/setup /usr/local/lib/morpheus/setup && echo same", "same");
    is("cut -d: -f2 /tmp/disk/@/etc/shadow", "!secret");
    is("ls /tmp/disk/@/etc/systemd/system/multi-user.target.wants", "morpheus-setup.service\nsshd.service");
    is("cat /tmp/disk/@/chroot", "/mnt pacman -S --needed --noconfirm qemu-guest-agent openssh");
    is(
        "mountpoint -q /mnt || ls /tmp/disk/@/boot /tmp/disk/esp",
        "/tmp/disk/@/boot:\n\n/tmp/disk/esp:\nvmlinuz-linux-cachyos",
    );
    let settings: serde_json::Value = serde_json::from_str(&agent.read("/tmp/disk/settings").unwrap()).unwrap();
    assert_eq!((&settings["user_pass"], &settings["device"]), (&PASSWORD.into(), &"/dev/sda".into()));
}
