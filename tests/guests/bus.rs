//! The question to `WiVRn`'s server, asked of a real D-Bus: a service of dbusmock has the server's name and properties.

use crate::tools::{command, has};
use morpheus::{
    domain::{probe::Answers, probe::Checks, wivrn::Wivrn},
    guest::linux_checks,
};
use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::Path,
    process::{Child, Stdio},
    time::Duration,
};
use tokio::time::sleep;

const NAME: &str = "io.github.wivrn.Server";
const PATH: &str = "/io/github/wivrn/Server";

/// A process that ends with this value.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Whether it comes true within half a minute.
async fn until(mut done: impl FnMut() -> bool) -> bool {
    for _ in 0..600 {
        if done() {
            return true;
        }
        sleep(Duration::from_millis(50)).await;
    }
    false
}

fn ask(root: &Path) -> Option<Wivrn> {
    let words = linux_checks(&Checks { wivrn: true, ..Checks::default() });
    let (program, rest) = words.split_first().unwrap();
    let moved = rest.iter().map(|word| word.replace("/run/user", &format!("{}/run/user", root.display())));
    let run = command(program).args(moved).output().unwrap();
    let out = Answers::parse(&String::from_utf8_lossy(&run.stdout));
    assert!(out.complete, "{run:?}");
    out.wivrn
}

#[tokio::test]
async fn wivrns_properties_are_read_from_its_users_bus() {
    let python = "/usr/bin/python3";
    let mock = command(python).args(["-c", "import dbusmock"]).output().is_ok_and(|run| run.status.success());
    if !has("dbus-daemon", "dbus") || !has("busctl", "systemd") || !(mock || has("dbusmock", "python3-dbusmock")) {
        return;
    }
    let root = tempfile::tempdir().unwrap();
    let uid = fs::metadata(root.path()).unwrap().uid();
    let dir = root.path().join(format!("run/user/{uid}"));
    fs::create_dir_all(&dir).unwrap();
    let address = format!("unix:path={}", dir.join("bus").display());
    let mut daemon = command("dbus-daemon");
    daemon.args(["--session", "--nofork", "--nopidfile", &format!("--address={address}")]);
    let _daemon = Running(daemon.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    assert!(until(|| dir.join("bus").exists()).await, "the bus comes up");
    assert_eq!(ask(root.path()), None, "no server is there, and none is started");

    let mut server = command(python);
    server.env("DBUS_SESSION_BUS_ADDRESS", &address).args(["-m", "dbusmock", "--session", NAME, PATH, NAME]);
    let _server = Running(server.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    let call = |method: &str, rest: &[&str]| {
        let mut busctl = command("busctl");
        busctl.arg(format!("--address={address}")).args(["call", NAME, PATH, "org.freedesktop.DBus.Mock", method]);
        busctl.args(rest).output().unwrap().status.success()
    };
    assert!(until(|| call("AddProperty", &["ssv", NAME, "Pin", "s", "012345"])).await, "the server comes up");
    assert!(call("AddProperty", &["ssv", NAME, "SteamCommand", "s", ""]));
    assert!(call("AddProperty", &["ssv", NAME, "HeadsetConnected", "b", "false"]));
    let ready = Wivrn { pin: Some("012345".into()), connected: Some(false), ..Wivrn::default() };
    assert_eq!(ask(root.path()), Some(ready));

    let odd = "it's \"%command%\" \\ \n é";
    assert!(call(
        "UpdateProperties",
        &["sa{sv}", NAME, "3", "Pin", "s", "", "SteamCommand", "s", odd, "HeadsetConnected", "b", "true"]
    ));
    let paired = Wivrn { steam: Some(odd.into()), connected: Some(true), ..Wivrn::default() };
    assert_eq!(ask(root.path()), Some(paired));
}
