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
const PLACES: [&str; 12] = [
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
