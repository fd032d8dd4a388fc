use super::{testing::*, *};
use secrecy::ExposeSecret as _;
use std::time::Duration;

/// One setting in every layer, and what comes out with the first `n` of flag, environment, file and default removed.
#[test]
fn flags_over_environment_over_file_over_defaults() {
    let file = "proxmox: {host: file, port: 3, node: file, api_token_id: 'u@file!tok', api_token_secret: f, timeout: 3, \
                verify_ssl: false, tls_fingerprint: '3333333333333333333333333333333333333333333333333333333333333333'}\n";
    let pin = "22".repeat(32);
    let vars = [
        ("PROXMOX_HOST", "env"),
        ("PROXMOX_PORT", "2"),
        ("PROXMOX_NODE", "env"),
        ("PROXMOX_TOKEN_ID", "u@env!tok"),
        ("PROXMOX_API_TOKEN", "e"),
        ("PROXMOX_VERIFY_SSL", "true"),
        ("PROXMOX_TLS_FINGERPRINT", pin.as_str()),
    ];
    let flags = Overrides {
        host: Some("flag".into()),
        port: Some(1),
        node: Some("flag".into()),
        token_id: Some("u@flag!tok".into()),
        tls_fingerprint: Some("11".repeat(32)),
        verify_ssl: Some(false),
        timeout: Some(1),
        ..Overrides::default()
    };
    let seen = |flags: &Overrides, vars: &[(&str, &str)], file: &str| {
        let loaded = load(flags, &World::with_file(file, vars).env).unwrap();
        let p = loaded.config.proxmox.unwrap();
        let credentials = match &p.credentials {
            Credentials::Token { id, secret } => format!("{id}={}", secret.expose_secret()),
            other => format!("{other:?}"),
        };
        let pin = p.tls_fingerprint.map(|bytes| bytes[0]);
        (p.host, p.port, format!("{:?}", p.node), credentials, p.verify_ssl, pin, p.timeout.as_secs())
    };
    let named = |name: &str| format!("{:?}", NodeChoice::Named(name.into()));
    let none = Overrides::default();
    assert_eq!(
        seen(&flags, &vars, file),
        ("flag".into(), 1, named("flag"), "u@flag!tok=e".into(), false, Some(0x11), 1)
    );
    assert_eq!(seen(&none, &vars, file), ("env".into(), 2, named("env"), "u@env!tok=e".into(), true, Some(0x22), 3));
    assert_eq!(seen(&none, &[], file), ("file".into(), 3, named("file"), "u@file!tok=f".into(), false, Some(0x33), 3));
    let bare = seen(&none, &[], "proxmox: {host: h}\n");
    assert_eq!((bare.1, bare.2.as_str(), bare.4, bare.5, bare.6), (8006, "Auto", true, None, 10));
}

#[test]
fn what_is_overridden_need_not_exist() {
    let file = "proxmox: {host: '${NOPE}', api_token_id: 'u@pam!tok', api_token_secret: '${NOPE}'}\n";
    let world = World::with_file(file, &[("PROXMOX_HOST", "h"), ("PROXMOX_API_TOKEN", "s")]);
    assert_eq!(world.load().config.proxmox.unwrap().host, "h");
}

#[test]
fn an_empty_variable_counts_as_not_set() {
    let world = World::with_file("proxmox: {host: h}\n", &[("PROXMOX_HOST", ""), ("PROXMOX_PORT", "")]);
    assert_eq!(world.load().config.proxmox.unwrap().host, "h");
}

#[test]
fn the_environment_changes_the_vr_guests() {
    let vars = [("PROXMOX_LINUX_VMID", "555"), ("PROXMOX_GPU_PCI", "0000:0A:00")];
    let config = World::with_file(VR, &vars).load().config;
    assert_eq!(names(&config), ["linux(nimsforest-vr-linux)=555", "windows(nimsforest-vr-windows)=102"]);
    assert_eq!(config.modes.0[1].gpu_pci.unwrap().to_string(), "0000:0a:00");
    let merged = World::with_file(MODES, &[TOKEN[0], ("PROXMOX_LINUX_VMID", "103")]).load().config;
    assert_eq!(merged.modes.find("linux").unwrap().name.as_str(), "nimsforestnogpu");
}

#[test]
fn credentials_are_chosen_by_the_first_layer_that_names_them() {
    let of = |vars: &[(&str, &str)], file: &str, user: Option<&str>| {
        let flags = Overrides { user: user.map(Into::into), ..Overrides::default() };
        match load(&flags, &World::with_file(file, vars).env).unwrap().config.proxmox.unwrap().credentials {
            Credentials::Token { id, secret } => format!("token {id} {}", secret.expose_secret()),
            Credentials::Password { user, password } => {
                format!("user {user} {}", password.map_or("-".into(), |p| p.expose_secret().to_owned()))
            }
            Credentials::Missing(what) => format!("missing {what}"),
        }
    };
    let token = "proxmox: {host: h, api_token_id: 'u@pam!tok', api_token_secret: s}\n";
    assert_eq!(of(&[], token, None), "token u@pam!tok s");
    assert_eq!(of(&[], token, Some("root@pam")), "user root@pam -");
    assert_eq!(of(&[("PROXMOX_USER", "root@pam"), ("PROXMOX_PASSWORD", "p")], token, None), "user root@pam p");
    assert_eq!(of(&[], "proxmox: {host: h, user: root@pam, password: 0123}\n", None), "user root@pam 0123");
    let combined = [("PROXMOX_API_TOKEN", "PVEAPIToken=a@pve!tt=x=y")];
    assert_eq!(of(&combined, "proxmox: {host: h}\n", None), "token a@pve!tt x=y");
    let id = "proxmox: {host: h, api_token_id: 'u@pam!tok'}\n";
    assert_eq!(of(&[], id, None), "missing proxmox.api_token_secret (or PROXMOX_API_TOKEN)");
    assert_eq!(of(&[], "proxmox: {host: h}\n", None), "missing proxmox.api_token_id (or PROXMOX_TOKEN_ID)");
}

#[test]
fn the_first_file_that_exists_is_read_and_a_named_one_comes_first() {
    let world = World::new(&[("XDG_CONFIG_HOME", "/nowhere/xdg"), ("OTHER", "1")]);
    let order = |world: &World| candidates(&Overrides::default(), &world.env);
    let words: Vec<String> = order(&world).iter().map(|c| format!("{} {}", c.found_by, c.exists)).collect();
    assert_eq!(
        words,
        [
            "./config.yaml false",
            "~/.morpheus/config.yaml false",
            "$XDG_CONFIG_HOME/morpheus/config.yaml false",
            "/etc/morpheus/config.yaml false"
        ]
    );
    assert_eq!(order(&world)[2].path.to_str(), Some("/nowhere/xdg/morpheus/config.yaml"));
    let mut world = World::new(&[]);
    let port = |world: &World, flags: &Overrides| load(flags, &world.env).unwrap().config.proxmox.unwrap().port;
    let steps = ["etc/morpheus", "home/.config/morpheus", "home/.morpheus", "work"];
    for (port_number, dir) in (1..).zip(steps) {
        world.write(&format!("{dir}/config.yaml"), &format!("proxmox: {{host: h, port: {port_number}}}\n"));
        assert_eq!(port(&world, &Overrides::default()), port_number, "{dir}");
    }
    world.write("home/named.yaml", "proxmox: {host: h, port: 8}\n");
    world.env.vars.insert("MORPHEUS_CONFIG_PATH".into(), "~/named.yaml".into());
    assert_eq!(port(&world, &Overrides::default()), 8);
    world.write("work/flag.yaml", "proxmox: {host: h, port: 9}\n");
    assert_eq!(port(&world, &Overrides { config: Some("flag.yaml".into()), ..Overrides::default() }), 9);
}

#[test]
fn a_timeout_is_seconds() {
    let world = World::with_file("proxmox: {host: h, timeout: 30}\n", &[]);
    assert_eq!(world.load().config.proxmox.unwrap().timeout, Duration::from_secs(30));
}
