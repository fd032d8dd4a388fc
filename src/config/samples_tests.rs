use super::{testing::*, *};
use crate::domain::{gpu::PciAddr, mode::GpuMode, mode::Os, service::Probe};
use secrecy::ExposeSecret as _;
use std::time::Duration;

fn service_names(config: &Config, mode: &str) -> Vec<String> {
    config.modes.find(mode).unwrap().services.iter().map(|check| check.name.clone()).collect()
}

#[test]
fn the_modes_sample_loads_unchanged() {
    let loaded = World::with_file(MODES, &TOKEN).load();
    let config = &loaded.config;
    let host = config.proxmox.as_ref().unwrap();
    assert_eq!((host.host.as_str(), host.port, host.verify_ssl), ("192.168.1.100", 8006, false));
    assert_eq!(host.node, NodeChoice::Named("pve".into()));
    assert_eq!((host.timeout, host.tls_fingerprint), (Duration::from_secs(10), None));
    let Credentials::Token { id, secret } = &host.credentials else { panic!("no token") };
    assert_eq!((id.as_str(), secret.expose_secret()), ("morpheus@pam!morpheus-token", "5ec3e7"));
    assert_eq!(
        names(config),
        [
            "linuxvrstreaming(linux)=101",
            "windowsvrstreaming(windows)=102",
            "nimsforestnogpu()=103",
            "nimsforestsharedgpu()=104"
        ]
    );
    let shared = config.modes.find("nimsforestsharedgpu").unwrap();
    assert_eq!(shared.gpu_mode, Some(GpuMode::Shared));
    assert_eq!(shared.conflicts_with, ["linuxvrstreaming".into(), "windowsvrstreaming".into()]);
    assert_eq!(config.switch, SwitchOptions::default());
    let notices: Vec<String> = loaded.notices.iter().map(ToString::to_string).collect();
    assert_eq!(
        notices,
        ["config.yaml:8:15: proxmox.verify_ssl: the host's certificate isn't checked, so anyone in between can read \
          the token; set proxmox.tls_fingerprint"]
    );
}

#[test]
fn services_come_from_what_the_mode_is_for() {
    let text = format!(
        "{MODES}    linuxdesktop: {{ vmid: 105 }}\n    games: {{ vmid: 106, os: windows, description: VR games }}\n"
    );
    let config = World::with_file(&text, &TOKEN).load().config;
    assert_eq!(service_names(&config, "linuxvrstreaming"), ["WiVRn"]);
    assert_eq!(service_names(&config, "windowsvrstreaming"), ["Steam Link"]);
    assert_eq!(service_names(&config, "nimsforestnogpu"), ["NimsForest", "NATS"]);
    assert_eq!(service_names(&config, "linuxdesktop"), Vec::<String>::new());
    assert_eq!(service_names(&config, "games"), ["Steam Link"]);
    // Two modes begin with linux, so that the word alone means neither.
    assert!(config.modes.find("linux").is_none());
}

#[test]
fn the_vr_sample_makes_two_exclusive_modes() {
    let loaded = World::with_file(VR, &[]).load();
    let config = &loaded.config;
    assert!(config.proxmox.is_none() && loaded.notices.is_empty());
    assert_eq!(names(config), ["linux(nimsforest-vr-linux)=101", "windows(nimsforest-vr-windows)=102"]);
    let linux = config.modes.find("linux").unwrap();
    assert_eq!((linux.gpu_mode, linux.os), (Some(GpuMode::Exclusive), Some(Os::Linux)));
    assert_eq!(linux.gpu_pci, Some("0000:01:00".parse::<PciAddr>().unwrap()));
    let guest = config.vr_windows.as_ref().unwrap();
    assert_eq!((guest.memory, guest.cores, guest.disk_size), (Some(32768), Some(12), Some(200)));
    assert_eq!(config.nimsforest.cluster_id.as_deref(), Some("forest-abc123"));
    assert_eq!(config.nimsforest.nats_port, Some(4222));
    assert_eq!(config.nimsforest.registry_url.as_deref(), Some("https://registry.example.com"));
    assert_eq!(service_names(config, "linux"), ["WiVRn", "NimsForest", "NATS"]);
    assert_eq!(service_names(config, "windows"), ["Steam Link", "NimsForest", "NATS"]);
    let nimsforest = linux.services.iter().find(|service| service.name == "NimsForest").unwrap();
    assert_eq!(nimsforest.note.as_deref(), Some("cluster: forest-abc123"));
    assert!(linux.is_of_forest(), "so it leaves the forest before it is shut down");
}

#[test]
fn a_vr_guest_lists_its_own_services_and_the_port_of_nats_counts() {
    let vr = |more: &str| {
        let forest = "nimsforest: { cluster_id: home, nats_port: 4333 }";
        World::with_file(&format!("vr: {{ linux: {{ vmid: 101{more} }} }}\n{forest}\n"), &[]).load().config
    };
    let probes = |config: &Config| config.modes.find("linux").unwrap().services.last().unwrap().probes.clone();
    assert_eq!(probes(&vr("")), [Probe::Nats { port: 4333, monitor: 8222 }]);
    assert_eq!(service_names(&vr(", services: [wivrn]"), "linux"), ["WiVRn"]);
    assert_eq!(service_names(&vr(", services: []"), "linux"), [""; 0]);
    assert_eq!(
        probes(&vr(", services: [{ name: X, nats: 4444, monitor: 8333 }]")),
        [Probe::Nats { port: 4444, monitor: 8333 }]
    );
    let text =
        format!("{MODES}vr: {{ linux: {{ vmid: 101, services: [nats] }} }}\nnimsforest: {{ nats_port: 4333 }}\n");
    let config = World::with_file(&text, &TOKEN).load().config;
    assert_eq!(service_names(&config, "linuxvrstreaming"), ["NATS"]);
    assert_eq!(probes(&config), [Probe::Nats { port: 4333, monitor: 8222 }]);
    assert_eq!(
        service_names(&World::with_file(VR_ALONE, &[]).load().config, "linux"),
        ["WiVRn"],
        "no forest, nothing of one"
    );
}

/// A VR guest of no forest.
const VR_ALONE: &str = "vr: { linux: { vmid: 101 } }\nnimsforest: { registry_url: https://registry.example.com }\n";

#[test]
fn together_the_same_vmid_is_one_mode() {
    for text in [format!("{MODES}{VR}"), format!("{VR}{MODES}")] {
        let config = World::with_file(&text, &TOKEN).load().config;
        assert_eq!(
            names(&config),
            [
                "linuxvrstreaming(linux,nimsforest-vr-linux)=101",
                "windowsvrstreaming(windows,nimsforest-vr-windows)=102",
                "nimsforestnogpu()=103",
                "nimsforestsharedgpu()=104"
            ]
        );
        assert!(config.modes.find("linux").unwrap().gpu_pci.is_some());
    }
}

#[test]
fn together_a_different_vmid_is_another_mode_and_linux_means_vr() {
    let other = VR.replace("vmid: 101", "vmid: 201");
    let config = World::with_file(&format!("{MODES}{other}"), &TOKEN).load().config;
    let tail = ["nimsforestnogpu()=103", "nimsforestsharedgpu()=104", "linux(nimsforest-vr-linux)=201"];
    let head = ["linuxvrstreaming()=101", "windowsvrstreaming(windows,nimsforest-vr-windows)=102"];
    assert_eq!(names(&config), [head.as_slice(), tail.as_slice()].concat());
    let first = World::with_file(&format!("{other}{MODES}"), &TOKEN).load().config;
    assert_eq!(names(&first).first().unwrap(), "linux(nimsforest-vr-linux)=201");
}

#[test]
fn the_environment_alone_suffices() {
    let world = World::new(&[
        ("PROXMOX_HOST", "fe80::1"),
        ("PROXMOX_PORT", "443"),
        ("PROXMOX_NODE", "pve2"),
        ("PROXMOX_TOKEN_ID", "morpheus@pam!tok"),
        ("PROXMOX_API_TOKEN", "5ec3e7"),
        ("PROXMOX_LINUX_VMID", "301"),
        ("PROXMOX_WINDOWS_VMID", "302"),
        ("PROXMOX_GPU_PCI", "01:00"),
    ]);
    let loaded = world.load();
    let host = loaded.config.proxmox.as_ref().unwrap();
    assert_eq!((host.host.as_str(), host.port, host.verify_ssl), ("fe80::1", 443, true));
    assert_eq!(names(&loaded.config), ["linux()=301", "windows()=302"]);
    assert_eq!(loaded.config.modes.0[1].gpu_pci, Some("0000:01:00".parse().unwrap()));
    assert_eq!(loaded.config.source, Source::NoFile);
}

#[test]
fn with_nothing_at_all_there_is_no_host_and_no_error() {
    let config = World::new(&[]).load().config;
    assert!(config.proxmox.is_none() && config.modes.0.is_empty());
    let empty = World::with_file("# nothing yet\n", &[]).load().config;
    assert!(matches!(empty.source, Source::File { found_by: FoundBy::WorkingDirectory, .. }));
}

#[test]
fn older_spellings_and_explicit_services_are_read() {
    let text = "
vr: {gpu_pci: '0000:02:00', linux: {vmid: 105}}
proxmox:
  modes:
    a: {vmid: 101, gpu_passthrough: true, aliases: [x, Y]}
    b: {vmid: 102, gpu_passthrough: false, conflicts_with: y, vr_software: SteamLink}
    c:
      vmid: '${VMID}'
      os: windows
      services:
        - nats
        - steamvr
        - {name: Web, http: 'http://127.0.0.1:8080/', tcp: 8080, outside: true}
        - {name: Forest, winsvc: NimsForest, udp: 9}
    d: {vmid: 104, services: []}
";
    let config = World::with_file(text, &[("VMID", "103")]).load().config;
    assert_eq!(names(&config), ["linux()=105", "a(x,Y)=101", "b()=102", "c()=103", "d()=104"]);
    let [linux, a, b, c, d] = config.modes.0.as_slice() else { panic!() };
    assert_eq!(linux.gpu_pci, Some("0000:02:00".parse().unwrap()));
    assert_eq!((a.gpu_mode, b.gpu_mode, c.gpu_mode), (Some(GpuMode::Exclusive), Some(GpuMode::None), None));
    assert_eq!((b.conflicts_with.as_slice(), b.vr_software.as_deref()), (["a".into()].as_slice(), Some("steam-link")));
    assert_eq!(
        c.services.iter().map(|s| (s.name.as_str(), s.probes.len())).collect::<Vec<_>>(),
        [("NATS", 1), ("Steam Link", 2), ("Web", 2), ("Forest", 2)]
    );
    assert!(d.services.is_empty());
}

#[test]
fn what_is_shown_loads_as_the_same_configuration() {
    let other = VR.replace("vmid: 101", "vmid: 201").replace("forest-abc123", "a: \\\"${X}\\\" é");
    let other = other.replace("${X}", "$${X}");
    for text in [MODES.to_owned(), VR.to_owned(), format!("{MODES}{VR}"), format!("{MODES}{other}")] {
        let first = World::with_file(&text, &TOKEN).load().config;
        let shown = show(&first);
        let second = World::with_file(&shown, &[]).load().config;
        assert_eq!(first.modes.0.len(), second.modes.0.len(), "{shown}");
        for mode in &first.modes.0 {
            assert_eq!(Some(mode), second.modes.find(mode.name.as_str()), "{shown}");
        }
        assert_eq!((&first.vr_linux, &first.nimsforest), (&second.vr_linux, &second.nimsforest), "{shown}");
        assert_eq!(shown, show(&second));
    }
}

#[test]
fn the_carried_sample_loads() {
    let text = include_str!("../../assets/config.yaml");
    let loaded = World::with_file(text, &TOKEN).load();
    assert_eq!(loaded.notices, []);
    assert_eq!(names(&loaded.config)[0], "linuxvrstreaming(linux,nimsforest-vr-linux)=101");
    let shown = show(&loaded.config);
    insta::with_settings!({ snapshot_path => concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots"), prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("config_show", shown);
    });
}
