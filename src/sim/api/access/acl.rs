//! `/access/acl` (pve-access-control `API2/ACL.pm`).

use super::{Call, failed, normalized};
use crate::sim::{
    access::{Access, modifiers},
    answer::{Answer, Refused},
    world::AclSpec,
};
use serde_json::{Value, json};

/// `GET`: all of them for who may see that, else those of the paths whose rights the asker may change.
pub(super) fn list(call: &Call<'_>) -> Answer {
    let all = call.may("/access", &["Sys.Audit"]);
    let access = call.sim.access();
    let seen = access.acl.iter().filter(|entry| all || call.may(&entry.path, &modifiers(&entry.path)));
    let entries = seen.map(|entry| {
        let kind = if entry.who.contains('!') { "token" } else { "user" };
        json!({
            "path": entry.path, "propagate": u8::from(entry.propagate), "roleid": entry.role, "type": kind,
            "ugid": entry.who,
        })
    });
    Value::Array(entries.collect()).into()
}

/// `PUT`: adds entries, also ones that there are, and takes them away, also ones that there aren't.
pub(super) fn update(call: &Call<'_>) -> Result<Answer, Refused> {
    let given = call.text("path").unwrap_or_default();
    let (path, delete) = (normalized(&given), call.flag("delete"));
    if !delete && !is_known(&path) {
        return Err(Refused::param("path", format!("invalid ACL path '{given}'")));
    }
    let list = |name: &str| call.text(name).unwrap_or_default();
    let (roles, groups, tokens, users) = (list("roles"), list("groups"), list("tokens"), list("users"));
    if groups.is_empty() && tokens.is_empty() && users.is_empty() {
        let why = "either 'users', 'groups' or 'tokens' is required.";
        return Err(Refused::Params(
            ["groups", "tokens", "users"].map(|name| (name.to_owned(), why.to_owned())).into(),
        ));
    }
    let propagate = call.text("propagate").as_deref() != Some("0");
    let who = call.who();
    let changed = call.sim.change_access(|access| {
        let mut entries = Vec::new();
        for role in super::super::words(&roles) {
            let privileges = access.role(role).ok_or_else(|| missing("role", role))?;
            may_hand_out(access, &who, &path, (role, &privileges), propagate, delete)?;
            if let Some(group) = super::super::words(&groups).next() {
                return Err(missing("group", group));
            }
            for user in super::super::words(&users) {
                access.users.get(user).ok_or_else(|| missing("user", user))?;
                entries.push((user.to_owned(), role.to_owned()));
            }
            for token in super::super::words(&tokens) {
                let (user, name) = token.split_once('!').unwrap_or((token, ""));
                let unknown = || Refused::died(format!("no such token '{name}' for user '{user}'"));
                access.exists(user)?;
                access.token(user, name).ok_or_else(unknown)?;
                entries.push((token.to_owned(), role.to_owned()));
            }
        }
        for (who, role) in entries {
            access.acl.retain(|entry| (&entry.path, &entry.who, &entry.role) != (&path, &who, &role));
            if !delete {
                access.acl.push(AclSpec { path: path.clone(), who, role, propagate });
            }
        }
        Ok(Value::Null.into())
    });
    changed.map_err(failed("ACL update"))
}

fn missing(what: &str, name: &str) -> Refused {
    Refused::died(format!("{what} '{name}' does not exist"))
}

/// Who may change the rights on a path only because the path is that of a guest, a storage or a pool hands out no more
/// than he has himself.
fn may_hand_out(
    access: &Access,
    who: &crate::sim::access::Identity,
    path: &str,
    (role, privileges): (&str, &[&str]),
    propagate: bool,
    delete: bool,
) -> Result<(), Refused> {
    let own = access.privileges(who, path);
    if own.contains_key("Permissions.Modify") {
        return Ok(());
    }
    let verb = if delete { "remove" } else { "add" };
    let refused = |what: &str| Err(Refused::param("role", format!("Cannot {verb} role '{role}'{what}")));
    for privilege in privileges {
        match own.get(*privilege) {
            None => return refused(" - requires 'Permissions.Modify' or superset of privileges."),
            Some(false) if propagate && !delete => {
                return refused(
                    " with propagation - requires 'Permissions.Modify' or propagated superset of privileges.",
                );
            }
            Some(_) => {}
        }
    }
    if role == "NoAccess" { refused(" - requires 'Permissions.Modify'") } else { Ok(()) }
}

/// Folders that rights can be given on, and how many names may follow below.
const FOLDERS: [(&str, usize); 18] = [
    ("", 0),
    ("/access", 0),
    ("/access/groups", 1),
    ("/access/realm", 1),
    ("/mapping", 0),
    ("/mapping/dir", 1),
    ("/mapping/pci", 1),
    ("/mapping/usb", 1),
    ("/nodes", 1),
    ("/pool", 3),
    ("/sdn", 0),
    ("/sdn/controllers", 1),
    ("/sdn/dns", 1),
    ("/sdn/fabrics", 1),
    ("/sdn/ipams", 1),
    ("/sdn/zones", 3),
    ("/storage", 1),
    ("/vms", 1),
];

/// Whether rights can be given on a path (`AccessControl.pm:check_path`).
fn is_known(path: &str) -> bool {
    let name = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || ".-_".contains(c));
    let number = |text: &str| text.len() >= 3 && !text.starts_with('0') && text.bytes().all(|b| b.is_ascii_digit());
    let fits = |folder: &str, id: &str| if folder == "/vms" { number(id) } else { name(id) };
    let path = path.trim_end_matches('/');
    FOLDERS.iter().any(|(folder, below)| match path.strip_prefix(folder) {
        Some("") => true,
        Some(rest) => rest.strip_prefix('/').is_some_and(|rest| {
            let ids: Vec<&str> = rest.split('/').collect();
            ids.len() <= *below && ids.into_iter().all(|id| fits(folder, id))
        }),
        None => false,
    })
}

#[cfg(test)]
mod tests {
    use super::is_known;

    #[test]
    fn rights_are_given_where_there_can_be_something() {
        for path in
            ["/", "/vms", "/vms/101", "/vms/999999", "/pool/a/b/c", "/sdn/zones/localnetwork/vmbr0", "/nodes/pve"]
        {
            assert!(is_known(path), "{path}");
        }
        for path in ["/nope", "/vms/99", "/vms/0101", "/vms/101/x", "/mapping/gpu0", "/access/users", "/pool/a/b/c/d"] {
            assert!(!is_known(path), "{path}");
        }
    }
}
