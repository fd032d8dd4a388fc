//! Rights: users, roles, access control entries, and the checks of an endpoint (pve-access-control
//! `RPCEnvironment.pm`).

use super::{
    answer::Refused,
    release::Release,
    schema::Permission,
    world::{AclSpec, PoolSpec, TokenSpec, UserSpec, World},
};
use std::collections::{BTreeMap, BTreeSet};

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

/// Who there is, and who may do what.
#[derive(Clone, Debug)]
pub(crate) struct Access {
    pub(crate) release: Release,
    pub(crate) users: BTreeMap<String, UserSpec>,
    /// Own roles; the built-in ones aren't among them.
    pub(crate) roles: BTreeMap<String, BTreeSet<String>>,
    pub(crate) acl: Vec<AclSpec>,
    pub(crate) pools: BTreeMap<String, PoolSpec>,
}

impl Access {
    /// As a world has it at first.
    pub(crate) fn new(world: &World) -> Self {
        Self {
            release: world.release(),
            users: world.users.clone(),
            roles: world.roles.iter().map(|(name, own)| (name.clone(), own.iter().cloned().collect())).collect(),
            acl: world.acl.clone(),
            pools: world.pools.clone(),
        }
    }

    /// A token of a user.
    pub(crate) fn token(&self, user: &str, token: &str) -> Option<&TokenSpec> {
        self.users.get(user)?.tokens.get(token)
    }

    /// The privileges of a role; none if there is no such role.
    pub(crate) fn role(&self, role: &str) -> Option<Vec<&str>> {
        if Release::ROLES.contains(&role) {
            return Some(self.release.privileges().filter(|name| self.role_has(role, name)).collect());
        }
        self.roles.get(role).map(|own| own.iter().map(String::as_str).collect())
    }

    fn role_has(&self, role: &str, privilege: &str) -> bool {
        let built_in = self.release.role_has(role, privilege);
        built_in.unwrap_or_else(|| self.roles.get(role).is_some_and(|own| own.contains(privilege)))
    }

    /// The privileges of `who` on `path`.
    pub(crate) fn privileges(&self, who: &Identity, path: &str) -> Privileges {
        let held = self.release.privileges();
        held.filter_map(|name| Some((name.to_owned(), self.holds(who, path, name)?))).collect()
    }

    /// Whether `who` has a privilege on `path`: whether it holds below too, none if not at all.
    fn holds(&self, who: &Identity, path: &str, privilege: &str) -> Option<bool> {
        let by_user = self.user_holds(&who.user, path, privilege);
        match who.token.as_ref().map(|token| self.token(&who.user, token)) {
            None => by_user,
            Some(None) => None,
            Some(Some(spec)) if !spec.privsep => by_user,
            Some(Some(_)) => by_user.and(self.given(&who.full(), path, privilege)),
        }
    }

    fn user_holds(&self, user: &str, path: &str, privilege: &str) -> Option<bool> {
        if user == "root@pam" { Some(true) } else { self.given(user, path, privilege) }
    }

    /// What entries give on a path itself, or on the pool of the guest or storage that it names.
    fn given(&self, who: &str, path: &str, privilege: &str) -> Option<bool> {
        let pool = || {
            let pool = self.pool_of(path)?;
            self.entries_give(who, &format!("/pool/{pool}"), privilege).map(|_| false)
        };
        self.entries_give(who, path, privilege).or_else(pool)
    }

    /// The pool whose member a path names.
    fn pool_of(&self, path: &str) -> Option<&str> {
        let (kind, id) = path.strip_prefix('/')?.split_once('/')?;
        let has = |pool: &PoolSpec| match kind {
            "vms" => id.parse().is_ok_and(|vmid| pool.vms.contains(&vmid)),
            "storage" => pool.storages.contains(id),
            _ => false,
        };
        self.pools.iter().find(|(_, pool)| has(pool)).map(|(name, _)| name.as_str())
    }

    /// What the entries for exactly `who` give on `path`: the entries nearest to the path replace those above them.
    /// Entries of a role that is gone count for nothing.
    fn entries_give(&self, who: &str, path: &str, privilege: &str) -> Option<bool> {
        let covers = |at: &str, below: bool| {
            at == path || (below && (at == "/" || path.strip_prefix(at).is_some_and(|rest| rest.starts_with('/'))))
        };
        let known = |role: &str| Release::ROLES.contains(&role) || self.roles.contains_key(role);
        let mut given: Vec<_> =
            self.acl.iter().filter(|e| e.who == who && known(&e.role) && covers(&e.path, e.propagate)).collect();
        let nearest = given.iter().map(|entry| entry.path.len()).max()?;
        given.retain(|entry| entry.path.len() == nearest && self.role_has(&entry.role, privilege));
        if given.is_empty() { None } else { Some(given.iter().any(|entry| entry.propagate)) }
    }

    /// Whether `who` has any of `wanted` on `path`.
    pub(crate) fn has_any(&self, who: &Identity, path: &str, wanted: &[&str]) -> bool {
        wanted.iter().any(|name| self.holds(who, path, name).is_some())
    }

    /// Checks privileges on a path.
    ///
    /// # Errors
    /// A 403 with the path and the privileges.
    pub(crate) fn require(&self, who: &Identity, path: &str, wanted: &[&str], any: bool) -> Result<(), Refused> {
        let mut hits = wanted.iter().map(|name| self.holds(who, path, name).is_some());
        let fine = if any { hits.any(|hit| hit) } else { hits.all(|hit| hit) };
        let joined = wanted.join(if any { "|" } else { ", " });
        if fine { Ok(()) } else { Err(Refused::missing(&format!("{path}, {joined}"))) }
    }

    /// The check that an endpoint's own entry asks for. `fill` gives the value for a `{name}` in its path. Root itself
    /// isn't asked.
    ///
    /// # Errors
    /// A 403; or the words for a user that there isn't.
    pub(crate) fn check(
        &self,
        who: &Identity,
        permission: &Permission,
        fill: &dyn Fn(&str) -> String,
    ) -> Result<(), Refused> {
        if who.is_root() {
            return Ok(());
        }
        match permission {
            Permission::User("root") => {
                Err(Refused::Forbidden("Permission check failed (user != root@pam)".to_owned()))
            }
            Permission::User(_) => Ok(()),
            Permission::Check { path, privs, any } => self.require(who, &filled(path, fill), privs, *any),
            Permission::And { and } => and.iter().try_for_each(|part| self.check(who, part, fill)),
            Permission::Or { or } => {
                let fine = or.iter().any(|part| self.check(who, part, fill).is_ok());
                if fine { Ok(()) } else { Err(Refused::unnamed()) }
            }
            Permission::Modify { modify } => {
                let path = filled(modify, fill);
                self.require(who, &path, &modifiers(&path), true)
            }
            Permission::Userid { userid: "self" } => {
                let user = fill("userid");
                self.exists(&user)?;
                if who.full() == user { Ok(()) } else { Err(Refused::unnamed()) }
            }
            Permission::Userid { userid } => {
                let user = fill("userid");
                let realm = user.rsplit_once('@').map_or("", |(_, realm)| realm);
                self.require(who, &format!("/access/realm/{realm}"), &[userid], false)
            }
            Permission::Groups { groups, given } => {
                if *given != Some("create") {
                    self.exists(&fill("userid"))?;
                }
                if self.has_any(who, "/access/groups", groups) {
                    return Ok(());
                }
                match given {
                    Some("create") => Err(Refused::missing(&format!("/access/groups, {}", groups.join("|")))),
                    _ => Err(Refused::unnamed()),
                }
            }
        }
    }

    /// Whether there is a user.
    ///
    /// # Errors
    /// The host's words for a missing one.
    pub(crate) fn exists(&self, user: &str) -> Result<(), Refused> {
        self.users.get(user).map(|_| ()).ok_or_else(|| Refused::died(format!("no such user ('{user}')")))
    }
}

/// The privileges of which one is needed to change the rights on a path.
pub(crate) fn modifiers(path: &str) -> Vec<&'static str> {
    let own = match path.strip_prefix('/').and_then(|path| path.split_once('/')) {
        Some(("storage", _)) => Some("Datastore.Allocate"),
        Some(("vms", _)) => Some("VM.Allocate"),
        Some(("pool", _)) => Some("Pool.Allocate"),
        _ => None,
    };
    std::iter::once("Permissions.Modify").chain(own).collect()
}

/// A path with its `{name}`s filled in.
fn filled(path: &str, fill: &dyn Fn(&str) -> String) -> String {
    let mut filled = String::new();
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').unwrap_or((after, ""));
        filled.push_str(before);
        filled.push_str(&fill(name));
        rest = after;
    }
    filled + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn access(acl: &serde_json::Value) -> Access {
        let users = json!({"a@pve": {"tokens": {"own": {"secret": "x", "privsep": true}, "all": {"secret": "y"}}}});
        let patch = json!({"users": users, "roles": {"Look": ["VM.Audit"], "Steer": ["VM.PowerMgmt"]}, "acl": acl});
        Access::new(&World::demo().unwrap().patched(&patch).unwrap())
    }

    fn names(access: &Access, token: Option<&str>, path: &str) -> Vec<String> {
        let who = Identity { user: "a@pve".into(), token: token.map(Into::into) };
        access.privileges(&who, path).into_keys().collect()
    }

    #[test]
    fn the_nearest_entry_replaces_those_above_and_some_hold_only_where_they_stand() {
        let access = access(&json!([
            {"path": "/", "who": "a@pve", "role": "Look"},
            {"path": "/vms/101", "who": "a@pve", "role": "Steer"},
            {"path": "/nodes", "who": "a@pve", "role": "Steer", "propagate": false},
        ]));
        assert_eq!(names(&access, None, "/vms/1010"), ["VM.Audit"]);
        assert_eq!(names(&access, None, "/vms/101"), ["VM.PowerMgmt"]);
        assert_eq!(names(&access, None, "/nodes"), ["VM.PowerMgmt"]);
        assert_eq!(names(&access, None, "/nodes/pve"), ["VM.Audit"]);
    }

    #[test]
    fn a_separated_token_has_what_both_have() {
        let access = access(&json!([
            {"path": "/vms", "who": "a@pve", "role": "Look"},
            {"path": "/", "who": "a@pve!own", "role": "PVEVMAdmin"},
        ]));
        assert_eq!(names(&access, Some("own"), "/vms/101"), ["VM.Audit"]);
        assert_eq!(names(&access, Some("all"), "/vms/101"), ["VM.Audit"]);
        assert!(names(&access, Some("own"), "/nodes/pve").is_empty());
        assert!(names(&access, Some("other"), "/vms/101").is_empty());
    }

    #[test]
    fn roots_token_may_everything_but_is_not_root() {
        let access = access(&json!([]));
        let token = Identity { user: "root@pam".into(), token: Some("root-token".into()) };
        assert_eq!(access.privileges(&token, "/").len(), Release::V9.privileges().count());
        assert!(!token.is_root());
    }
}
