//! What to type on the host when a privilege is missing, in words that its version knows.
//!
//! An ACL entry on a deeper path *replaces* what was inherited there, so a role made for one missing privilege alone
//! would take others away: the roles printed here hold all that morpheus needs on such a path.

use super::auth::Identity;
use crate::domain::{
    plant::rights,
    release::{MONITOR, Release},
};

/// Privileges that morpheus needs on guests every day.
const GUESTS: &[&str] = &["VM.Audit", "VM.PowerMgmt", "VM.GuestAgent.Audit", "VM.GuestAgent.Unrestricted"];

/// The shell lines that grant `privileges` (alternatives joined by `|`) on `path` to who asked. `release` is the host's
/// version, where it is known: else it shows in the privilege that the host itself named.
pub(crate) fn lines(path: &str, privileges: &str, who: &Identity, release: Option<Release>) -> Vec<String> {
    let alternatives: Vec<&str> = privileges.split('|').map(str::trim).filter(|p| !p.is_empty()).collect();
    let shown = if alternatives.contains(&MONITOR) { Release::new(8, 4) } else { Release::new(9, 0) };
    let release = release.unwrap_or(shown);
    let (role, known): (&str, &[&str]) = match path.split('/').nth(1) {
        Some("vms" | "pool") => ("MorpheusGuests", GUESTS),
        Some("mapping") => ("MorpheusMappings", &["Mapping.Audit"]),
        Some("nodes" | "") | None => ("MorpheusHost", &["Sys.Audit"]),
        _ => ("MorpheusExtra", &[]),
    };
    let mut privs = release.privileges(known);
    if !alternatives.iter().any(|wanted| privs.iter().any(|held| held == wanted)) {
        privs.extend(alternatives.first().and_then(|wanted| release.privilege(wanted)).map(str::to_owned));
    }
    grant(path, role, &privs, who)
}

/// The shell lines that let who asked plant: one role with all that planting needs, on a path. It is also enough for
/// everything that morpheus does on such a path every day.
pub(crate) fn planter(path: &str, who: &Identity, release: Release) -> Vec<String> {
    grant(path, "MorpheusPlanter", &rights::role(release), who)
}

fn grant(path: &str, role: &str, privileges: &[String], who: &Identity) -> Vec<String> {
    let (path, privs) = (quote(path), quote(&privileges.join(" ")));
    let made = format!("pveum role add {role} --privs {privs} || pveum role modify {role} --privs {privs} --append 1");
    let entry = |flag: &str, name: &str| format!("pveum acl modify {path} --{flag} {} --roles {role}", quote(name));
    let user = Some(entry("users", &who.user)).filter(|_| who.user != "root@pam");
    [made].into_iter().chain(user).chain(who.token.as_ref().map(|token| entry("tokens", token))).collect()
}

/// A word for a POSIX shell; `!` would be taken for history by an interactive bash outside of single quotes.
fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/@._-:".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEW: Release = Release::new(9, 2);
    const OLD: Release = Release::new(8, 4);

    fn token() -> Identity {
        Identity { user: "morpheus@pam".into(), token: Some("morpheus@pam!morpheus-token".into()) }
    }

    #[test]
    fn a_token_gets_its_role_on_itself_and_on_its_user() {
        let role = "MorpheusGuests --privs 'VM.Audit VM.PowerMgmt VM.GuestAgent.Audit VM.GuestAgent.Unrestricted'";
        assert_eq!(
            lines("/vms/101", "VM.PowerMgmt", &token(), Some(NEW)),
            [
                format!("pveum role add {role} || pveum role modify {role} --append 1"),
                "pveum acl modify /vms/101 --users morpheus@pam --roles MorpheusGuests".to_owned(),
                "pveum acl modify /vms/101 --tokens 'morpheus@pam!morpheus-token' --roles MorpheusGuests".to_owned(),
            ]
        );
    }

    #[test]
    fn proxmox_8_gets_its_own_privilege_names() {
        let first = |privileges, release| lines("/vms/101", privileges, &token(), release).remove(0);
        assert!(first("VM.Audit", Some(OLD)).contains("'VM.Audit VM.PowerMgmt VM.Monitor'"));
        assert!(first("VM.Monitor", None).contains("'VM.Audit VM.PowerMgmt VM.Monitor'"));
        assert!(first("VM.Audit", None).contains("VM.GuestAgent.Unrestricted"));
        // What another version calls it isn't printed, whoever asks for it.
        let old = first("VM.GuestAgent.Unrestricted|VM.Monitor", Some(OLD));
        assert!(old.contains(MONITOR) && !old.contains("GuestAgent"), "{old}");
        let new = first("VM.GuestAgent.Unrestricted|VM.Monitor", Some(NEW));
        assert!(!new.contains(MONITOR), "{new}");
        let planted = planter("/storage", &token(), OLD).remove(0);
        assert!(planted.contains(" VM.Monitor ") && !planted.contains("GuestAgent"), "{planted}");
    }

    #[test]
    fn of_alternatives_one_is_enough_and_root_itself_needs_no_entry() {
        let root = Identity { user: "root@pam".into(), token: Some("root@pam!t".into()) };
        let lines = lines("/", "Sys.Audit|Sys.Modify", &root, None);
        assert_eq!(lines.len(), 2);
        assert!(lines[0].starts_with("pveum role add MorpheusHost --privs Sys.Audit ||"), "{}", lines[0]);
        assert_eq!(lines[1], "pveum acl modify / --tokens 'root@pam!t' --roles MorpheusHost");
    }

    #[test]
    fn a_privilege_that_no_role_of_ours_has_is_added() {
        let lines = lines("/storage/local", "Datastore.Audit|Datastore.AllocateSpace", &token(), Some(NEW));
        assert!(lines[0].contains("--privs Datastore.Audit "), "{}", lines[0]);
    }
}
