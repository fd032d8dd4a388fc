use super::{testing::*, *};
use crate::domain::finding::FindingId;
use proptest::prelude::*;

const LITERAL: &str = "proxmox: {host: h, api_token_id: 'u@pam!tok', api_token_secret: abc}\n";

#[test]
fn a_literal_secret_that_others_can_read_is_warned_about() {
    let readable = |text: &str, mode: u32| {
        let world = World::with_file(text, &TOKEN);
        set_mode(&world.env.cwd.join("config.yaml"), mode);
        let notices = world.load().notices;
        notices
            .iter()
            .filter(|n| n.finding == FindingId::ConfigSecretReadable)
            .map(ToString::to_string)
            .collect::<Vec<_>>()
    };
    let expected = "config.yaml:1:65: proxmox.api_token_secret: others can read this secret; run `chmod 600` on the \
                    file, or take it from the environment";
    assert_eq!(readable(LITERAL, 0o644), [expected]);
    assert_eq!(readable(LITERAL, 0o640), [expected]);
    assert_eq!(readable(LITERAL, 0o600), Vec::<String>::new());
    assert_eq!(readable(MODES, 0o644), Vec::<String>::new());
}

#[test]
fn without_a_pin_an_unchecked_certificate_is_warned_about() {
    let pin = format!("tls_fingerprint: 'SHA256:{}'", "ab".repeat(32));
    let findings = |extra: &str| {
        let text = format!("proxmox: {{host: h, verify_ssl: false, {extra}}}\n");
        World::with_file(&text, &[]).load().notices.iter().map(|n| n.finding).collect::<Vec<_>>()
    };
    assert_eq!(findings(""), [FindingId::PveTlsUnverified]);
    assert_eq!(findings(&pin), []);
}

/// Everything that is ever printed about a configuration.
fn everything(world: &World, flags: &Overrides) -> String {
    match load(flags, &world.env) {
        Ok(loaded) => {
            format!("{loaded:?}{loaded:#?}{}", show(&loaded.config))
                + &loaded.notices.iter().map(ToString::to_string).collect::<String>()
        }
        Err(error) => format!("{error}{error:?}{error:#?}"),
    }
}

/// Files into which people put secrets, rightly and wrongly; `@` is where the secret stands.
const PLACES: [&str; 22] = [
    "proxmox: {host: h, api_token_id: 'u@pam!tok', api_token_secret: @}",
    "proxmox: {host: h, user: root@pam, password: @}",
    "proxmox:\n  host: h\n  api_token_id: u@pam!tok\n  api_token_secret: @\n  modes: [\n",
    "proxmox:\n  api_token_secret: @\n   host: h\n",
    "proxmox: {api_token_secret: [@], password: {x: @}}",
    "proxmox: {host: h, api_token_secre: @}",
    "proxmox: {host: h, api_token_id: 'u@pam!tok=@'}",
    "proxmox: {host: h, api_token_id: @}",
    "proxmox: {host: 'https://root:@@pve'}",
    "proxmox: {host: h, user: 'root:@'}",
    "secrets: {hetzner_api_token: @}",
    "nimsforest: {registry_url: 'https://me:@@example.com/'}",
    "nimsforest: {registry_url: 'https://example.com/?token=@'}",
    "proxmox: {host: h, port: @}",
    "proxmox: {host: h, timeout: @, verify_ssl: @}",
    "proxmox: {host: h, tls_fingerprint: @}",
    "proxmox: {host: h, @: x}",
    "proxmox: {host: h, @: x, @: y}",
    "@: {host: h}",
    "proxmox: {modes: {a: {vmid: @}}}",
    "vr: {linux: {vmid: 101, memory: @, cores: @}}",
    "proxmox: {host: 'https://@/', node: 'x.@'}",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_secret_is_never_printed(
        before in "[A-Za-z0-9+/!*&%@`|>#?:,'\"\\\\{}\\[\\]-]{0,4}",
        core in "[A-Za-z0-9]{9}",
        after in "[!-~]{0,3}",
    ) {
        // The middle is what is looked for: quoting may change the rest.
        let secret = format!("{before}{core}{after}");
        prop_assume!(!secret.contains("${"));
        let quoted = serde_json::Value::from(secret.clone()).to_string();
        let flags = Overrides::default();
        for place in PLACES {
            for written in [&secret, &quoted] {
                let marked = place.replace("u@", "u\u{1}").replace("root@", "root\u{1}").replace("@@", "\u{2}\u{1}");
                let text = marked.replace('@', written).replace('\u{2}', &secret).replace('\u{1}', "@");
                let world = World::with_file(&text, &[]);
                let said = everything(&world, &flags);
                prop_assert!(!said.contains(&core), "{core} of\n{text}\nin\n{said}");
            }
        }
        let file = "proxmox: {host: '${S}', port: '${S}', api_token_id: '${S}', modes: {a: {vmid: '${S}', gpu_mode: '${S}'}}}\n";
        for name in ["PROXMOX_API_TOKEN", "PROXMOX_PASSWORD", "S"] {
            let world = World::with_file(file, &[("S", ""), (name, &secret)]);
            prop_assert!(!everything(&world, &flags).contains(&core));
            let vars = [("PROXMOX_HOST", "h"), ("PROXMOX_TOKEN_ID", "u@pam!tok"), (name, secret.as_str())];
            prop_assert!(!everything(&World::new(&vars), &flags).contains(&core));
            let surroundings = format!("{:?}", world.env);
            prop_assert!(!surroundings.contains(&core));
        }
    }
}

#[test]
fn a_tokens_secret_is_taken_for_no_name() {
    const SECRET: &str = "2f5f0e3c-8f0e-4a53-9a7b-1d2f6a1c0101";
    let flags = Overrides::default();
    let token = format!("root@pam!t={SECRET}");
    for (name, value) in [
        ("PROXMOX_HOST", SECRET),
        ("PROXMOX_HOST", &token),
        ("PROXMOX_PORT", SECRET),
        ("PROXMOX_NODE", SECRET),
        ("PROXMOX_TLS_FINGERPRINT", SECRET),
        ("PROXMOX_VERIFY_SSL", SECRET),
        ("PROXMOX_GPU_PCI", SECRET),
        ("PROXMOX_LINUX_VMID", SECRET),
    ] {
        let mut vars = vec![("PROXMOX_TOKEN_ID", "u@pam!tok")];
        vars.extend((name != "PROXMOX_HOST").then_some(("PROXMOX_HOST", "h")));
        vars.push((name, value));
        let said = everything(&World::with_file(VR, &vars), &flags);
        assert!(!said.contains("4a53"), "{name}: {said}");
    }
    let flags = Overrides { host: Some(SECRET.into()), node: Some(SECRET.into()), ..Overrides::default() };
    assert!(!everything(&World::new(&[]), &flags).contains("4a53"));
}

#[test]
fn a_configuration_that_others_could_have_written_is_passed_over() {
    let open = |path: &str, mode: u32| {
        let world = World::with_file("proxmox: {host: evil}\n", &TOKEN);
        world.write("home/.morpheus/config.yaml", "proxmox: {host: mine}\n");
        set_mode(&world.dir.path().join(path), mode);
        let loaded = world.load();
        let said = loaded.notices.iter().find(|notice| notice.finding == FindingId::ConfigUntrusted);
        (loaded.config.proxmox.unwrap().host, said.map(ToString::to_string))
    };
    let dir = "its directory isn't only yours: others can write to it";
    for (path, mode, why) in
        [("work", 0o777, dir), ("work", 0o1777, dir), ("work/config.yaml", 0o666, "others can write to it")]
    {
        let said = format!("config.yaml: not read: {why}; if it is yours all the same, name it with --config");
        assert_eq!(open(path, mode), ("mine".to_owned(), Some(said)), "{path} {mode:o}");
    }
    for (path, mode) in [("work", 0o755), ("work/config.yaml", 0o644)] {
        assert_eq!(open(path, mode), ("evil".to_owned(), None));
    }
    let world = World::with_file("proxmox: {host: evil}\n", &TOKEN);
    set_mode(&world.env.cwd, 0o777);
    assert!(world.load().config.proxmox.is_none(), "nothing else is read");
    let named = Overrides { config: Some("config.yaml".into()), ..Overrides::default() };
    assert_eq!(load(&named, &world.env).unwrap().config.proxmox.unwrap().host, "evil", "whoever names it means it");
    set_mode(&world.env.cwd, 0o755);
    if crate::files::given_away(&world.env.cwd.join("config.yaml")) {
        assert!(world.load().notices[0].message.contains("it belongs to another user (65534)"));
    }
}

#[test]
fn the_environment_goes_into_no_address_of_somebody_elses_file() {
    let text = "proxmox: {host: 'x${S}', port: '${S}', node: '${S}', api_token_id: 'u@pam!tok', api_token_secret: '${S}'}\n\
                nimsforest: {registry_url: 'https://${S}/'}\n";
    let world = World::with_file(text, &[("S", "77")]);
    let named = Overrides { config: Some("config.yaml".into()), ..Overrides::default() };
    assert_eq!(load(&named, &world.env).unwrap().config.proxmox.unwrap().port, 77);
    if crate::files::given_away(&world.env.cwd.join("config.yaml")) {
        let problems = load(&named, &world.env).unwrap_err().problems;
        let keys: Vec<&str> = problems.iter().map(|problem| problem.key.as_str()).collect();
        assert_eq!(keys, ["proxmox.host", "proxmox.port", "proxmox.node", "nimsforest.registry_url"]);
        assert!(problems[0].message.contains("it belongs to another user (65534)"), "{}", problems[0]);
    }
}

#[test]
fn a_pipe_in_a_configurations_place_holds_nobody_up() {
    let world = World::new(&TOKEN);
    let pipe = world.env.cwd.join("config.yaml");
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    assert!(world.error().contains("it isn't a regular file"), "{}", world.error());
    let named = Overrides { config: Some("config.yaml".into()), ..Overrides::default() };
    assert!(load(&named, &world.env).unwrap().config.proxmox.is_none(), "nobody writes into it");
}
