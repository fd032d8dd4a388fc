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
    let user = user_privileges(world, &who.user, path);
    let Some(token) = &who.token else { return user };
    match token_spec(world, &who.user, token) {
        None => Privileges::new(),
        Some(spec) if !spec.privsep => user,
        Some(_) => {
            let mut own = entries(world, &who.full(), path);
            own.retain(|name, _| user.contains_key(name));
            own
        }
    }
}

pub(crate) fn token_spec<'a>(world: &'a World, user: &str, token: &str) -> Option<&'a TokenSpec> {
    world.users.get(user)?.tokens.get(token)
}

fn user_privileges(world: &World, user: &str, path: &str) -> Privileges {
    if user == "root@pam" {
        return PRIVILEGES.iter().map(|name| ((*name).to_owned(), true)).collect();
    }
    entries(world, user, path)
}

/// What the entries for exactly `who` give on `path`: the entry nearest to the path replaces those above it.
fn entries(world: &World, who: &str, path: &str) -> Privileges {
    let mut found = Privileges::new();
    for prefix in prefixes(path) {
        let here = world.acl.iter().filter(|e| e.who == who && e.path == prefix && (e.propagate || prefix == path));
        let mut roles = here.peekable();
        if roles.peek().is_some() {
            found.clear();
        }
        for entry in roles {
            for name in role(world, &entry.role) {
                *found.entry(name).or_default() |= entry.propagate;
            }
        }
    }
    found
}

/// `/`, `/vms`, `/vms/101` for `/vms/101`.
fn prefixes(path: &str) -> impl Iterator<Item = &str> {
    let ends = path.match_indices('/').map(|(at, _)| at).skip(1).chain([path.len()]);
    std::iter::once("/").chain(ends.filter_map(|end| path.get(..end)).filter(|prefix| *prefix != "/"))
}

/// A role's privileges: built-in roles by their rule, own ones from the world.
fn role(world: &World, name: &str) -> Vec<String> {
    let all = |keep: fn(&str) -> bool| PRIVILEGES.iter().filter(|p| keep(p)).map(|p| (*p).to_owned()).collect();
    match name {
        "Administrator" => all(|_| true),
        "PVEAuditor" => all(|p| p.ends_with(".Audit")),
        "PVEVMAdmin" => all(|p| p.starts_with("VM.")),
        "PVEVMUser" => all(|p| {
            matches!(
                p,
                "VM.Audit" | "VM.Backup" | "VM.Config.CDROM" | "VM.Config.Cloudinit" | "VM.Console" | "VM.PowerMgmt"
            ) || (p.starts_with("VM.GuestAgent.") && !p.ends_with("Unrestricted"))
        }),
        "PVEDatastoreUser" => all(|p| matches!(p, "Datastore.AllocateSpace" | "Datastore.Audit")),
        "PVEMappingUser" => all(|p| matches!(p, "Mapping.Audit" | "Mapping.Use")),
        "PVESysAdmin" => all(|p| matches!(p, "Sys.Audit" | "Sys.Console" | "Sys.Syslog")),
        _ => world.roles.get(name).cloned().unwrap_or_default(),
    }
}

/// Whether `who` has any of `wanted` on `path`.
pub(crate) fn has_any(world: &World, who: &Identity, path: &str, wanted: &[&str]) -> bool {
    let held = privileges(world, who, path);
    wanted.iter().any(|name| held.contains_key(*name))
}

/// Checks privileges on a path.
///
/// # Errors
/// A 403 with the path and the privileges.
pub(crate) fn require(world: &World, who: &Identity, path: &str, wanted: &[&str], any: bool) -> Result<(), Refused> {
    let held = privileges(world, who, path);
    let mut hits = wanted.iter().map(|name| held.contains_key(*name));
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
    let privs: Vec<&str> = privs.iter().map(String::as_str).collect();
    require(world, who, &path.join("/"), &privs, *any)
}
