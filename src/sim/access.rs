//! Rights: roles, access control entries, and the checks of an endpoint (pve-access-control `RPCEnvironment.pm`).

use super::{
    answer::Refused,
    schema::Permission,
    world::{TokenSpec, World},
};
use std::collections::BTreeMap;

/// Every privilege of Proxmox VE 9 (pve-access-control `AccessControl.pm:1057-1204`).
const PRIVILEGES: [&str; 47] = [
    "Datastore.Allocate",
    "Datastore.AllocateSpace",
    "Datastore.AllocateTemplate",
    "Datastore.Audit",
    "Group.Allocate",
    "Mapping.Audit",
    "Mapping.Modify",
    "Mapping.Use",
    "Permissions.Modify",
    "Pool.Allocate",
    "Pool.Audit",
    "Realm.Allocate",
    "Realm.AllocateUser",
    "SDN.Allocate",
    "SDN.Audit",
    "SDN.Use",
    "Sys.AccessNetwork",
    "Sys.Audit",
    "Sys.Console",
    "Sys.Incoming",
    "Sys.Modify",
    "Sys.PowerMgmt",
    "Sys.Syslog",
    "User.Modify",
    "VM.Allocate",
    "VM.Audit",
    "VM.Backup",
    "VM.Clone",
    "VM.Config.CDROM",
    "VM.Config.CPU",
    "VM.Config.Cloudinit",
    "VM.Config.Disk",
    "VM.Config.HWType",
    "VM.Config.Memory",
    "VM.Config.Network",
    "VM.Config.Options",
    "VM.Console",
    "VM.GuestAgent.Audit",
    "VM.GuestAgent.FileRead",
    "VM.GuestAgent.FileSystemMgmt",
    "VM.GuestAgent.FileWrite",
    "VM.GuestAgent.Unrestricted",
    "VM.Migrate",
    "VM.PowerMgmt",
    "VM.Replicate",
    "VM.Snapshot",
    "VM.Snapshot.Rollback",
];

/// Whether there is such a privilege.
pub(crate) fn is_privilege(name: &str) -> bool {
    PRIVILEGES.contains(&name)
}

/// Who asks.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Identity {
    /// `name@realm`.
    pub(crate) user: String,
    /// The token's name, if a token asks.
    pub(crate) token: Option<String>,
}

impl Identity {
    /// `name@realm` or `name@realm!token`, as tasks carry it.
    pub(crate) fn full(&self) -> String {
        self.token.as_ref().map_or_else(|| self.user.clone(), |token| format!("{}!{token}", self.user))
    }

    /// Whether it is root itself; a token of root's isn't.
    pub(crate) fn is_root(&self) -> bool {
        self.user == "root@pam" && self.token.is_none()
    }
}

/// Privileges, each with whether it holds below too.
pub(crate) type Privileges = BTreeMap<String, bool>;

/// The privileges of `who` on `path`.
pub(crate) fn privileges(world: &World, who: &Identity, path: &str) -> Privileges {
    let found = PRIVILEGES.iter().filter_map(|name| Some(((*name).to_owned(), holds(world, who, path, name)?)));
    found.collect()
}

/// Whether `who` has a privilege on `path`: whether it holds below too, none if not at all.
fn holds(world: &World, who: &Identity, path: &str, privilege: &str) -> Option<bool> {
    let by_user = user_holds(world, &who.user, path, privilege);
    match who.token.as_ref().map(|token| token_spec(world, &who.user, token)) {
        None => by_user,
        Some(None) => None,
        Some(Some(spec)) if !spec.privsep => by_user,
        Some(Some(_)) => by_user.and(entries_give(world, &who.full(), path, privilege)),
    }
}

pub(crate) fn token_spec<'a>(world: &'a World, user: &str, token: &str) -> Option<&'a TokenSpec> {
    world.users.get(user)?.tokens.get(token)
}

fn user_holds(world: &World, user: &str, path: &str, privilege: &str) -> Option<bool> {
    if user == "root@pam" { Some(true) } else { entries_give(world, user, path, privilege) }
}

/// What the entries for exactly `who` give on `path`: the entries nearest to the path replace those above them.
fn entries_give(world: &World, who: &str, path: &str, privilege: &str) -> Option<bool> {
    let covers = |at: &str, below: bool| {
        at == path || (below && (at == "/" || path.strip_prefix(at).is_some_and(|rest| rest.starts_with('/'))))
    };
    let mut given = world.acl.iter().filter(|e| e.who == who && covers(&e.path, e.propagate)).collect::<Vec<_>>();
    let nearest = given.iter().map(|entry| entry.path.len()).max()?;
    given.retain(|entry| entry.path.len() == nearest && role_has(world, &entry.role, privilege));
    if given.is_empty() { None } else { Some(given.iter().any(|entry| entry.propagate)) }
}

/// Whether a role has a privilege: built-in roles by their rule, own ones from the world.
fn role_has(world: &World, role: &str, privilege: &str) -> bool {
    match role {
        "Administrator" => true,
        "PVEAuditor" => privilege.ends_with(".Audit"),
        "PVEVMAdmin" => privilege.starts_with("VM."),
        "PVEVMUser" => VM_USER.contains(&privilege),
        "PVEDatastoreUser" => matches!(privilege, "Datastore.AllocateSpace" | "Datastore.Audit"),
        "PVEMappingUser" => matches!(privilege, "Mapping.Audit" | "Mapping.Use"),
        "PVESysAdmin" => matches!(privilege, "Sys.Audit" | "Sys.Console" | "Sys.Syslog"),
        _ => world.roles.get(role).is_some_and(|own| own.iter().any(|name| name == privilege)),
    }
}

/// Privileges of the role `PVEVMUser`.
const VM_USER: [&str; 10] = [
    "VM.Audit",
    "VM.Backup",
    "VM.Config.CDROM",
    "VM.Config.Cloudinit",
    "VM.Console",
    "VM.GuestAgent.Audit",
    "VM.GuestAgent.FileRead",
    "VM.GuestAgent.FileSystemMgmt",
    "VM.GuestAgent.FileWrite",
    "VM.PowerMgmt",
];

/// Whether `who` has any of `wanted` on `path`.
pub(crate) fn has_any(world: &World, who: &Identity, path: &str, wanted: &[&str]) -> bool {
    wanted.iter().any(|name| holds(world, who, path, name).is_some())
}

/// Checks privileges on a path.
///
/// # Errors
/// A 403 with the path and the privileges.
pub(crate) fn require(world: &World, who: &Identity, path: &str, wanted: &[&str], any: bool) -> Result<(), Refused> {
    let mut hits = wanted.iter().map(|name| holds(world, who, path, name).is_some());
    let fine = if any { hits.any(|hit| hit) } else { hits.all(|hit| hit) };
    let joined = wanted.join(if any { "|" } else { ", " });
    if fine { Ok(()) } else { Err(Refused::missing(&format!("{path}, {joined}"))) }
}

/// The check that an endpoint's own entry asks for. `fill` gives the value for a `{name}` in its path.
///
/// # Errors
/// A 403.
pub(crate) fn check(
    world: &World,
    who: &Identity,
    permission: &Permission,
    fill: impl Fn(&str) -> String,
) -> Result<(), Refused> {
    let Permission::Check { path, privs, any } = permission else { return Ok(()) };
    let path: Vec<String> = path
        .split('/')
        .map(|part| match part.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
            Some(name) => fill(name),
            None => part.to_owned(),
        })
        .collect();
    require(world, who, &path.join("/"), privs, *any)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn world(acl: &serde_json::Value) -> World {
        let users = json!({"a@pve": {"tokens": {"own": {"secret": "x", "privsep": true}, "all": {"secret": "y"}}}});
        let patch = json!({"users": users, "roles": {"Look": ["VM.Audit"], "Steer": ["VM.PowerMgmt"]}, "acl": acl});
        World::demo().unwrap().patched(&patch).unwrap()
    }

    fn names(world: &World, token: Option<&str>, path: &str) -> Vec<String> {
        let who = Identity { user: "a@pve".into(), token: token.map(Into::into) };
        privileges(world, &who, path).into_keys().collect()
    }

    #[test]
    fn the_nearest_entry_replaces_those_above_and_some_hold_only_where_they_stand() {
        let world = world(&json!([
            {"path": "/", "who": "a@pve", "role": "Look"},
            {"path": "/vms/101", "who": "a@pve", "role": "Steer"},
            {"path": "/nodes", "who": "a@pve", "role": "Steer", "propagate": false},
        ]));
        assert_eq!(names(&world, None, "/vms/1010"), ["VM.Audit"]);
        assert_eq!(names(&world, None, "/vms/101"), ["VM.PowerMgmt"]);
        assert_eq!(names(&world, None, "/nodes"), ["VM.PowerMgmt"]);
        assert_eq!(names(&world, None, "/nodes/pve"), ["VM.Audit"]);
    }

    #[test]
    fn a_separated_token_has_what_both_have() {
        let world = world(&json!([
            {"path": "/vms", "who": "a@pve", "role": "Look"},
            {"path": "/", "who": "a@pve!own", "role": "PVEVMAdmin"},
        ]));
        assert_eq!(names(&world, Some("own"), "/vms/101"), ["VM.Audit"]);
        assert_eq!(names(&world, Some("all"), "/vms/101"), ["VM.Audit"]);
        assert!(names(&world, Some("own"), "/nodes/pve").is_empty());
        assert!(names(&world, Some("other"), "/vms/101").is_empty());
    }

    #[test]
    fn roots_token_may_everything_but_is_not_root() {
        let world = world(&json!([]));
        let token = Identity { user: "root@pam".into(), token: Some("root-token".into()) };
        assert_eq!(privileges(&world, &token, "/").len(), PRIVILEGES.len());
        assert!(!token.is_root());
    }
}
