//! What fills the body before anything of the host was seen. Nothing of it is cut, on the smallest screen either.

use super::{
    Scene, empty,
    troubles::{down, trouble},
};
use crate::{
    domain::{finding::FindingId, mode::ModeSet},
    tui::{
        effect::Effect,
        msg::{Link, Msg},
    },
};

const SHOWN: &str = "8F:0A:31:5C:77:E2:19:4B:D0:66:2E:91:AF:03:5D:C8:74:1B:E9:20:BD:46:F7:8A:12:93:CE:55:60:DB:3F:A4";
const PINNED: &str = "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF";

fn unconfigured() -> Scene {
    let scene = empty().with(|model| {
        model.setup.host.clear();
        model.setup.modes = ModeSet::default();
        model.setup.looked = vec![
            "/home/tom/config.yaml".into(),
            "/home/tom/.morpheus/config.yaml".into(),
            "/home/tom/.config/morpheus/config.yaml".into(),
            "/etc/morpheus/config.yaml (no host in it)".into(),
        ];
        model.ui.mode = None;
    });
    let message = "no Proxmox host is configured; set proxmox.host in config.yaml or PROXMOX_HOST";
    scene.msg(Msg::Link(Link::Unconfigured(trouble(FindingId::ConfigBad, message))))
}

/// At both sizes, with these words on the smaller one too.
fn both(scene: impl Fn() -> Scene, name: &str, words: &[&str]) {
    let small = scene().at(60, 16);
    for word in words {
        assert!(small.text().contains(word), "{word} in\n{}", small.text());
    }
    small.snap(&format!("{name}_60x16"));
    scene().snap(name);
}

#[test]
fn the_first_start_says_what_is_needed_and_where_it_was_looked_for() {
    let words =
        ["morpheus demo", "morpheus config template", "morpheus config check", "docs/setup.md", "(no host in it)"];
    both(unconfigured, "no_configuration", &words);
}

#[test]
fn a_host_without_credentials_is_told_from_no_host() {
    let message = "neither an API token nor a user is configured";
    let link = || Msg::Link(Link::Unconfigured(trouble(FindingId::ConfigBad, message)));
    both(|| empty().msg(link()), "no_credentials", &[message, "morpheus config check"]);
}

#[test]
fn a_host_that_never_answered() {
    let scene = || {
        let scene = down(empty(), FindingId::PveUnreachable, "192.168.1.100:8006: no route to host", 3);
        scene.later(63_000)
    };
    both(scene, "dead_host", &["no route to host", "proxmox.host", "3 times in 1m"]);
}

#[test]
fn a_certificate_that_is_not_trusted_can_be_compared_and_copied() {
    let message = format!(
        "the certificate of 192.168.1.100:8006 isn't trusted (unknown issuer); it has the SHA-256 fingerprint {SHOWN}: \
         if `pvenode cert info` on the host says the same, set proxmox.tls_fingerprint to it"
    );
    let scene = || down(empty(), FindingId::PveTls, &message, 1);
    both(scene, "untrusted", &["8F:0A:31", "DB:3F:A4", "pvenode cert info", "proxmox.tls_fingerprint"]);
    assert!(scene().keys("y").effects.contains(&Effect::Copy(SHOWN.into())));
}

#[test]
fn a_certificate_that_is_not_the_pinned_one_shows_both() {
    let message =
        format!("192.168.1.100:8006 shows a certificate with the SHA-256 fingerprint {SHOWN}, but {PINNED} is pinned");
    let scene = || down(empty(), FindingId::PveTls, &message, 1);
    both(scene, "not_the_pinned", &["Shown     8F:0A", "Pinned    00:11", "give it no token"]);
    assert!(scene().keys("y").effects.contains(&Effect::Copy(SHOWN.into())));
}

#[test]
fn a_wrong_token() {
    let message = "morpheus@pam!morpheus-token: Proxmox says 'invalid token value!'";
    let scene = || down(empty(), FindingId::PveAuth, message, 1);
    both(scene, "wrong_token", &["invalid token value", "pveum user token list morpheus@pam"]);
}

#[test]
fn a_wrong_password_says_nothing_of_tokens() {
    let scene = || down(empty(), FindingId::PvePassword, "root@pam: Proxmox says 'authentication failure'", 1);
    both(scene, "wrong_password", &["authentication failure", "realm"]);
    let text = scene().text();
    assert!(!text.to_lowercase().contains("token"), "{text}");
}

#[test]
fn a_token_without_rights_shows_the_lines_that_grant_them() {
    let message = "morpheus@pam!t lacks VM.Audit on /vms; it has to be granted on the host\npveum role add MorpheusGuests \
                   --privs \"VM.Audit VM.PowerMgmt\"\npveum acl modify /vms --users morpheus@pam --roles MorpheusGuests";
    let scene = || down(empty(), FindingId::PveForbidden, message, 2);
    both(scene, "no_privilege", &["lacks VM.Audit", "pveum role add", "pveum acl modify"]);
}
