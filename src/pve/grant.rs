//! What to type on the host when a privilege is missing.
//!
//! An ACL entry on a deeper path *replaces* what was inherited there, so a role made for one missing privilege alone
//! would take others away: the roles printed here hold all that morpheus needs on such a path. Proxmox VE 9 split
//! `VM.Monitor` into `VM.GuestAgent.*` (pve-access-control 9.0.2).

use super::auth::Identity;
use crate::domain::plant::rights;

/// Privileges that morpheus needs on guests, for Proxmox VE 8 and from 9 on.
const GUESTS_8: [&str; 3] = ["VM.Audit", "VM.PowerMgmt", "VM.Monitor"];
const GUESTS_9: [&str; 4] = ["VM.Audit", "VM.PowerMgmt", "VM.GuestAgent.Audit", "VM.GuestAgent.Unrestricted"];

/// The shell lines that grant `privileges` (alternatives joined by `|`) on `path` to who asked. `major` is Proxmox VE's
/// major version, where known.
pub(crate) fn lines(path: &str, privileges: &str, who: &Identity, major: Option<u64>) -> Vec<String> {
    let alternatives: Vec<&str> = privileges.split('|').map(str::trim).filter(|p| !p.is_empty()).collect();
    let before_9 = major.map_or(alternatives.contains(&"VM.Monitor"), |major| major < 9);
    let (role, known): (&str, &[&str]) = match path.split('/').nth(1) {
        Some("vms" | "pool") if before_9 => ("MorpheusGuests", &GUESTS_8),
        Some("vms" | "pool") => ("MorpheusGuests", &GUESTS_9),
        Some("mapping") => ("MorpheusMappings", &["Mapping.Audit"]),
        Some("nodes" | "") | None => ("MorpheusHost", &["Sys.Audit"]),
        _ => ("MorpheusExtra", &[]),
    };
    let mut privs = known.to_vec();
    if !alternatives.iter().any(|wanted| known.contains(wanted)) {
        privs.extend(alternatives.first());
    }
    let (path, privs) = (quote(path), quote(&privs.join(" ")));
    let mut lines =
        vec![format!("pveum role add {role} --privs {privs} || pveum role modify {role} --privs {privs} --append 1")];
    if who.user != "root@pam" {
        lines.push(format!("pveum acl modify {path} --users {} --roles {role}", quote(&who.user)));
    }
    if let Some(token) = &who.token {
        lines.push(format!("pveum acl modify {path} --tokens {} --roles {role}", quote(token)));
    }
    lines
}

/// The shell lines that let who asked plant: one role with all that planting needs, on a path. It is also enough for
/// everything that morpheus does on such a path every day.
pub(crate) fn planter(path: &str, who: &Identity, major: Option<u64>) -> Vec<String> {
    let before_9 = major.is_some_and(|major| major < 9);
    let mut privs: Vec<&str> = rights::role();
    if before_9 {
        privs.retain(|one| !one.starts_with("VM.GuestAgent."));
        privs.push("VM.Monitor");
    }
    let role = "MorpheusPlanter";
    let (path, privs) = (quote(path), quote(&privs.join(" ")));
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

    fn token() -> Identity {
        Identity { user: "morpheus@pam".into(), token: Some("morpheus@pam!morpheus-token".into()) }
    }

    #[test]
    fn a_token_gets_its_role_on_itself_and_on_its_user() {
        let role = "MorpheusGuests --privs 'VM.Audit VM.PowerMgmt VM.GuestAgent.Audit VM.GuestAgent.Unrestricted'";
        assert_eq!(
            lines("/vms/101", "VM.PowerMgmt", &token(), Some(9)),
            [
                format!("pveum role add {role} || pveum role modify {role} --append 1"),
                "pveum acl modify /vms/101 --users morpheus@pam --roles MorpheusGuests".to_owned(),
                "pveum acl modify /vms/101 --tokens 'morpheus@pam!morpheus-token' --roles MorpheusGuests".to_owned(),
            ]
        );
    }

    #[test]
    fn proxmox_8_gets_its_own_privilege_names() {
        let first = |privileges, major| lines("/vms/101", privileges, &token(), major).remove(0);
        assert!(first("VM.Audit", Some(8)).contains("'VM.Audit VM.PowerMgmt VM.Monitor'"));
        assert!(first("VM.Monitor", None).contains("'VM.Audit VM.PowerMgmt VM.Monitor'"));
        assert!(first("VM.Audit", None).contains("VM.GuestAgent.Unrestricted"));
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
        let lines = lines("/storage/local", "Datastore.Audit|Datastore.AllocateSpace", &token(), Some(9));
        assert!(lines[0].contains("--privs Datastore.Audit "), "{}", lines[0]);
    }
}
