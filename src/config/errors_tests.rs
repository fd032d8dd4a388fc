use super::{testing::*, *};
use crate::domain::finding::FindingId;

/// A configuration and everything that is said about it, one problem a line.
fn refused(text: &str, expected: &str) {
    let expected: Vec<&str> = expected.trim().lines().map(str::trim).collect();
    assert_eq!(World::with_file(text, &[("HOST", "x y")]).error(), expected.join("\n"), "of\n{text}");
}

/// A mode's map in flow style, at line 3 column 6.
fn mode(map: &str) -> String {
    format!("proxmox:\n  modes:\n    a: {map}\n")
}

#[test]
fn values_that_are_not_allowed() {
    refused(
        "proxmox:\n  modes:\n    win:\n      vmid: 102\n      gpu_mode: exlusive\n",
        "config.yaml:5:17: proxmox.modes.win.gpu_mode: 'exlusive' is not allowed; use exclusive, shared or none (did you mean exclusive?)",
    );
    refused(
        "proxmox: {host: 'https://pve.lan:8006', port: 80060, node: pve.lan, timeout: 10s}\n",
        "config.yaml:1:17: proxmox.host: 'https://pve.lan:8006' is not allowed; use a name or an address such as 192.168.1.100, without https:// and port (did you mean pve.lan?)
         config.yaml:1:47: proxmox.port: '80060' is not allowed; use a number from 1 to 65535
         config.yaml:1:60: proxmox.node: 'pve.lan' is not allowed; use auto or a node's name such as pve (did you mean pve?)
         config.yaml:1:78: proxmox.timeout: '10s' is not allowed; use a number of seconds from 1 to 600",
    );
    refused(
        "proxmox: {host: a, verify_ssl: no, tls_fingerprint: 'AA:BB'}\nswitch: {rollback: perhaps, shutdown_fallback: kill, on_conflict: replce}\n",
        "config.yaml:1:32: proxmox.verify_ssl: 'no' is not allowed; use true or false (did you mean false?)
         config.yaml:1:53: proxmox.tls_fingerprint: 'AA:BB' is not allowed; use the SHA-256 fingerprint of the certificate: 64 hex digits, with or without colons
         config.yaml:2:20: switch.rollback: 'perhaps' is not allowed; use true or false
         config.yaml:2:48: switch.shutdown_fallback: 'kill' is not allowed; use ask, stop or fail
         config.yaml:2:67: switch.on_conflict: 'replce' is not allowed; use refuse or replace (did you mean replace?)",
    );
    refused(
        "proxmox: {host: '${HOST}', tls_fingerprint: '0000000000000000000000000000000000000000'}\n",
        "config.yaml:1:17: proxmox.host: '${HOST}' is not allowed; use a name or an address such as 192.168.1.100, without https:// and port
         config.yaml:1:45: proxmox.tls_fingerprint: this has 20 bytes, as SHA-1 has; use the SHA-256 fingerprint of the certificate",
    );
}

#[test]
fn bad_modes() {
    refused(
        &mode("{vmid: 99}"),
        "config.yaml:3:15: proxmox.modes.a.vmid: '99' is not allowed; use a number from 100 to 999999999",
    );
    refused(
        &mode("{gpu_mode: none}"),
        "config.yaml:3:5: proxmox.modes.a.vmid: the vmid is missing; use a number from 100 to 999999999",
    );
    refused(&mode("101"), "config.yaml:3:8: proxmox.modes.a: a single value is not allowed; use a map of keys");
    refused(&mode(""), "config.yaml:3:5: proxmox.modes.a: an empty value is not allowed; use a map of keys");
    refused(
        &mode("{vmid: 101, gpu_pci: '01.00', os: macos, vr_software: wivern}"),
        "config.yaml:3:29: proxmox.modes.a.gpu_pci: '01.00' is not allowed; use a PCI address such as 0000:01:00 or 0000:01:00.0
         config.yaml:3:42: proxmox.modes.a.os: 'macos' is not allowed; use linux or windows
         config.yaml:3:62: proxmox.modes.a.vr_software: 'wivern' is not allowed; use wivrn, steam-link, steamvr or virtual-desktop (did you mean wivrn?)",
    );
    refused(
        "proxmox: {modes: {1st: {vmid: 101}, list: {vmid: 102}}}\n",
        "config.yaml:1:19: proxmox.modes.1st: '1st' is not allowed; use a name of letters, digits, '-', '_' and '.' that begins with a letter
         config.yaml:1:37: proxmox.modes.list: 'list' is a command of `morpheus mode`; use another name, such as list-mode",
    );
}

#[test]
fn guests_names_and_conflicts() {
    refused(
        "proxmox:\n  modes:\n    a: {vmid: 101}\n    b: {vmid: 101}\n",
        "config.yaml:4:15: proxmox.modes.b.vmid: VM 101 is already mode a on line 3; every mode needs a VM of its own",
    );
    refused(
        "proxmox:\n  modes:\n    linuxvr: {vmid: 101}\n    b: {vmid: 102, conflicts_with: [linuxvrr, b, 'x']}\n",
        "config.yaml:4:37: proxmox.modes.b.conflicts_with: 'linuxvrr' is not allowed; use linuxvr (did you mean linuxvr?)
         config.yaml:4:47: proxmox.modes.b.conflicts_with: 'b' is this mode itself; name the modes that it can't run beside
         config.yaml:4:50: proxmox.modes.b.conflicts_with: 'x' is not allowed; use linuxvr",
    );
    refused(
        "proxmox:\n  modes:\n    a: {vmid: 101, aliases: [b, x]}\n    b: {vmid: 102, aliases: [X, 'y z']}\n    A: {vmid: 103}\n",
        "config.yaml:3:30: proxmox.modes.a.aliases: 'b' already means the mode b on line 4
         config.yaml:4:30: proxmox.modes.b.aliases: 'X' already means the mode a on line 3
         config.yaml:4:33: proxmox.modes.b.aliases: 'y z' is not allowed; use a name of letters, digits, '-', '_' and '.' that begins with a letter
         config.yaml:5:5: proxmox.modes.A: the mode a has the same name on line 3",
    );
    refused(
        "proxmox:\n  modes:\n    a: {vmid: 101, aliases: [linux]}\nvr: {linux: {vmid: 102}, windows: {vmid: 102}}\n",
        "config.yaml:4:20: vr.linux: 'linux' already means the mode a (VM 101) on line 3; give both the same vmid, or rename the mode
         config.yaml:4:42: vr.windows.vmid: VM 102 is already vr.linux on line 4; every mode needs a VM of its own",
    );
    // A mode that can't be used is one problem, not one for each that names it.
    refused(
        "proxmox:\n  modes:\n    a: {vmid: x}\n    b: {vmid: 102, conflicts_with: [a]}\n",
        "config.yaml:3:15: proxmox.modes.a.vmid: 'x' is not allowed; use a number from 100 to 999999999",
    );
}

#[test]
fn services_that_cannot_be_asked() {
    refused(
        &mode("{vmid: 101, services: [natss, {tcp: 1}, {name: X}, {name: Y, tcp: 0}, {name: Z, http: 'ftp://x'}]}"),
        "config.yaml:3:31: proxmox.modes.a.services: 'natss' is not allowed; use wivrn, steam-link, steamvr, virtual-desktop, nimsforest or nats, or a map with name and probes (did you mean nats?)
         config.yaml:3:38: proxmox.modes.a.services.name: the name of the service is missing; use a text
         config.yaml:3:48: proxmox.modes.a.services: the service 'X' has no probe; use http, tcp, udp, systemd, systemd-user, process, winsvc or nats
         config.yaml:3:74: proxmox.modes.a.services.tcp: '0' is not allowed; use a number from 1 to 65535
         config.yaml:3:94: proxmox.modes.a.services.http: 'ftp://x' is not allowed; use a URL such as https://registry.example.com",
    );
}

#[test]
fn shapes_and_yaml() {
    refused(
        "proxmox: [a]\nvr: text\nswitch: {rollback: [true]}\n",
        "config.yaml:1:10: proxmox: a list is not allowed; use a map of keys
         config.yaml:2:5: vr: a single value is not allowed; use a map of keys
         config.yaml:3:20: switch.rollback: a list is not allowed; use true or false",
    );
    refused("- a\n", "config.yaml:1:1: a list is not allowed; use a map of keys");
    refused(
        "proxmox:\n  host: a\nproxmox:\n  host: b\n",
        "config.yaml:3:1: proxmox: this key stands twice, first on line 1",
    );
    refused("proxmox:\n  host: [a\n", "config.yaml:2:9: not valid YAML: unclosed bracket '['");
    refused(
        "proxmox:\n  host: a\n   port: 1\n",
        "config.yaml:3:8: not valid YAML: ': ' where no key can be; check the indentation, or put the value in quotes",
    );
    refused("proxmox:\n  host: @a\n", "config.yaml:2:9: not valid YAML: put this value in quotes");
    refused("a: 1\n---\nb: 2\n", "config.yaml:3:1: one file is one YAML document; remove the '---'");
}

#[test]
fn variables() {
    refused(
        "proxmox: {host: '${HOSTT}', api_token_secret: '${NOPE}', api_token_id: 'a@pam!tok', node: '${x', user: '${UNUSED}'}\nmachine: {x: '${OLD}'}\n",
        "config.yaml:1:17: proxmox.host: the environment variable HOSTT is not set (did you mean HOST?)
         config.yaml:1:47: proxmox.api_token_secret: the environment variable NOPE is not set
         config.yaml:1:91: proxmox.node: a '${' has no '}'; for a literal '${' write '$${'",
    );
    let world = World::new(&[
        ("PROXMOX_HOST", "a/b"),
        ("PROXMOX_PORT", "x"),
        ("PROXMOX_LINUX_VMID", "7"),
        ("PROXMOX_GPU_PCI", "gpu"),
    ]);
    assert_eq!(
        world.error(),
        "environment: PROXMOX_GPU_PCI: 'gpu' is not allowed; use a PCI address such as 0000:01:00 or 0000:01:00.0\n\
         environment: PROXMOX_HOST: 'a/b' is not allowed; use a name or an address such as 192.168.1.100, without https:// and port (did you mean a?)\n\
         environment: PROXMOX_LINUX_VMID: '7' is not allowed; use a number from 100 to 999999999\n\
         environment: PROXMOX_PORT: 'x' is not allowed; use a number from 1 to 65535"
    );
}

#[test]
fn files_that_cannot_be_read() {
    let world = World::new(&[("MORPHEUS_CONFIG_PATH", "nowhere.yaml")]);
    assert_eq!(world.error(), "nowhere.yaml: there is no such file, but $MORPHEUS_CONFIG_PATH names it");
    let flags = Overrides { config: Some("gone.yaml".into()), ..Overrides::default() };
    let error = load(&flags, &world.env).unwrap_err();
    assert_eq!(error.to_string(), "gone.yaml: there is no such file, but --config names it");
    let flags = Overrides { config: Some(".".into()), ..Overrides::default() };
    assert_eq!(load(&flags, &world.env).unwrap_err().to_string(), ".: this is a directory; use the path of a file");
    let world = World::new(&[]);
    world.write("work/config.yaml", "");
    std::fs::write(world.env.cwd.join("config.yaml"), b"a: 1\nb: \xff\n").unwrap();
    assert_eq!(world.error(), "config.yaml:2:1: this line is not UTF-8; save the file as UTF-8");
}

#[test]
fn unknown_and_old_keys_are_named_and_ignored() {
    let text = "
proxmox: {hots: a, modes: {a: {vmid: 101, gpumode: none, services: [{name: X, tcp: 1, prt: 2}]}}}
machine: {provider: hetzner}
dns: null
zzz: {proxmox: 1}
vr: {linus: {vmid: 5}, gpu: , tail}
";
    let loaded = World::with_file(text, &[]).load();
    let said: Vec<String> = loaded.notices.iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        [
            "config.yaml:2:11: proxmox.hots: unknown key, ignored (did you mean host?)",
            "config.yaml:2:43: proxmox.modes.a.gpumode: unknown key, ignored (did you mean gpu_mode?)",
            "config.yaml:2:87: proxmox.modes.a.services.prt: unknown key, ignored",
            "config.yaml:3:1: machine: a key of an older morpheus, ignored",
            "config.yaml:4:1: dns: a key of an older morpheus, ignored",
            "config.yaml:5:1: zzz: unknown key, ignored",
            "config.yaml:6:6: vr.linus: unknown key, ignored (did you mean linux?)",
            "config.yaml:6:24: vr.gpu: unknown key, ignored (did you mean gpu_pci?)",
            "config.yaml:6:31: vr: an unknown key without a value, ignored; if it belongs to the value before it, put that in quotes",
        ]
    );
    assert_eq!(loaded.notices[3].finding, FindingId::ConfigOldKey);
}
