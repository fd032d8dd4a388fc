//! `/access`: permissions, tickets and realms; roles, users and control entries in files of their own.

mod acl;
mod roles;
mod tfa;
mod users;

use super::Call;
use crate::sim::{
    access::{Identity, Privileges},
    answer::{Answer, Refused},
    auth,
};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// Paths that the answer always looks at.
const PATHS: [&str; 8] = ["/", "/access", "/access/groups", "/nodes", "/pool", "/sdn", "/storage", "/vms"];

/// `GET /access/permissions`: of oneself, or of others for those who may see that.
pub(super) fn permissions(call: &Call<'_>) -> Result<Answer, Refused> {
    let own = call.who();
    let who = match call.text("userid") {
        Some(text) if text != own.full() => {
            call.sim.access().require(&own, "/access", &["Sys.Audit"], false)?;
            let (user, token) = text.split_once('!').map_or((text.as_str(), None), |(u, t)| (u, Some(t.to_owned())));
            Identity { user: user.to_owned(), token }
        }
        _ => own,
    };
    let access = call.sim.access();
    if let Some(path) = call.text("path") {
        let path = normalized(&path);
        let held = as_json(&access.privileges(&who, &path));
        return Ok(json!({ path: held }).into());
    }
    let mut paths: BTreeSet<&str> = PATHS.into();
    for entry in &access.acl {
        let ends = entry.path.match_indices('/').map(|(at, _)| at).chain([entry.path.len()]);
        paths.extend(ends.filter_map(|end| entry.path.get(..end)).filter(|path| !path.is_empty()));
    }
    let held = paths.into_iter().map(|path| (path, access.privileges(&who, path)));
    let found: Map<String, Value> =
        held.filter(|(_, held)| !held.is_empty()).map(|(path, held)| (path.to_owned(), as_json(&held))).collect();
    Ok(Value::Object(found).into())
}

/// Groups of privileges that a ticket's answer names for the web interface: name, path, beginnings of privileges
/// (pve-access-control `RPCEnvironment.pm`, `compute_api_permission`).
const CAPS: [(&str, &str, &[&str]); 7] = [
    ("access", "/access", &["User.Modify", "Group.Allocate", "Permissions.Modify"]),
    ("dc", "/", &["SDN.", "Sys.Audit", "Sys.Modify"]),
    ("mapping", "/mapping", &["Mapping.", "Permissions.Modify"]),
    ("nodes", "/nodes", &["Sys.", "Permissions.Modify"]),
    ("sdn", "/sdn", &["SDN.", "Permissions.Modify"]),
    ("storage", "/storage", &["Datastore.", "Permissions.Modify"]),
    ("vms", "/vms", &["VM.", "Permissions.Modify"]),
];

fn as_json(held: &Privileges) -> Value {
    held.iter().map(|(name, below)| (name.clone(), json!(u8::from(*below)))).collect::<Map<_, _>>().into()
}

/// `POST /access/ticket`. With path and privileges it is only checked whether the user has them.
pub(super) fn ticket(call: &Call<'_>) -> Result<Answer, Refused> {
    let text = |name: &str| call.text(name);
    let (name, password) = (text("username").unwrap_or_default(), text("password").unwrap_or_default());
    let user = match text("realm") {
        Some(realm) => format!("{name}@{realm}"),
        None => name,
    };
    let (challenge, otp) = (text("tfa-challenge"), text("otp"));
    let login = auth::Login { user: &user, password: &password, challenge: challenge.as_deref(), otp: otp.as_deref() };
    let ticket = auth::log_in(call.sim, &login)?;
    if ticket.half {
        let answer = json!({
            "username": ticket.user, "ticket": ticket.text, "CSRFPreventionToken": ticket.csrf, "NeedTFA": 1,
        });
        return Ok(answer.into());
    }
    let who = Identity { user: ticket.user.clone(), token: None };
    let access = call.sim.access();
    let cap: Map<String, Value> = CAPS
        .iter()
        .map(|(name, path, kinds)| {
            let mut held = access.privileges(&who, path);
            held.retain(|privilege, _| kinds.iter().any(|kind| privilege.starts_with(kind)));
            ((*name).to_owned(), as_json(&held))
        })
        .collect();
    if let (Some(path), Some(wanted)) = (text("path"), text("privs")) {
        let wanted: Vec<&str> = super::words(&wanted).collect();
        access.require(&who, &path, &wanted, false).map_err(|_| Refused::BadPassword)?;
        return Ok(json!({"username": ticket.user, "cap": cap}).into());
    }
    let answer = json!({
        "username": ticket.user, "ticket": ticket.text, "CSRFPreventionToken": ticket.csrf, "cap": cap,
    });
    Ok(answer.into())
}

/// `PUT /access/password`.
fn password(call: &Call<'_>) -> Result<Answer, Refused> {
    let (id, password) = (call.text("userid").unwrap_or_default(), call.text("password").unwrap_or_default());
    confirmed(call, "confirmation-password")?;
    call.sim.change_access(|access| {
        let unknown = || Refused::died(format!("no such user ('{id}')"));
        access.users.get_mut(&id).ok_or_else(unknown)?.password = Some(password);
        Ok(Value::Null.into())
    })
}

/// Checks the asker's own password, which root needn't tell.
fn confirmed(call: &Call<'_>, name: &str) -> Result<(), Refused> {
    let who = call.who();
    if who.is_root() {
        return Ok(());
    }
    let given = call.text(name).ok_or_else(|| Refused::param(name, "password is required to modify user"))?;
    let access = call.sim.access();
    let own = access.users.get(&who.user).and_then(|spec| spec.password.as_deref());
    if own == Some(given.as_str()) { Ok(()) } else { Err(Refused::BadPassword) }
}

/// Realms with their comments; the built-in ones, which every host has.
const REALMS: [(&str, &str, &str); 2] = [
    ("pam", "Linux PAM standard authentication", "PVE::Auth::PAM"),
    ("pve", "Proxmox VE authentication server", "PVE::Auth::PVE"),
];

/// Answers what has a file of its own; none if the endpoint isn't one of these.
pub(super) fn handle(call: &Call<'_>) -> Option<Result<Answer, Refused>> {
    let rest = call.endpoint.path.strip_prefix("/access/")?;
    Some(match (call.endpoint.method, rest) {
        ("GET", "domains") => Ok(domains()),
        ("GET", "domains/{realm}") => domain(call),
        ("GET", "acl") => Ok(acl::list(call)),
        ("PUT", "acl") => acl::update(call),
        ("GET", "roles") => Ok(roles::list(call)),
        ("GET", "roles/{roleid}") => roles::get(call),
        ("POST", "roles") => roles::create(call),
        ("PUT", "roles/{roleid}") => roles::update(call),
        ("DELETE", "roles/{roleid}") => roles::delete(call),
        ("PUT", "password") => password(call),
        ("GET", "tfa") => Ok(tfa::all(call)),
        ("GET", "tfa/{userid}") => tfa::list(call),
        ("POST", "tfa/{userid}") => tfa::add(call),
        ("GET", "tfa/{userid}/{id}") => tfa::get(call),
        ("PUT", "tfa/{userid}/{id}") => tfa::update(call),
        ("DELETE", "tfa/{userid}/{id}") => tfa::delete(call),
        ("GET", "users/{userid}/tfa") => tfa::kinds(call),
        ("PUT", "users/{userid}/unlock-tfa") => tfa::unlock(call),
        ("GET", "users") => Ok(users::list(call)),
        ("GET", "users/{userid}") => users::get(call),
        ("POST", "users") => users::create(call),
        ("PUT", "users/{userid}") => users::update(call),
        ("DELETE", "users/{userid}") => Ok(users::delete(call)),
        ("GET", "users/{userid}/token") => users::tokens(call),
        ("GET", "users/{userid}/token/{tokenid}") => users::token(call),
        ("POST", "users/{userid}/token/{tokenid}") => users::create_token(call),
        ("PUT", "users/{userid}/token/{tokenid}") => users::update_token(call),
        ("DELETE", "users/{userid}/token/{tokenid}") => users::delete_token(call),
        _ => return None,
    })
}

/// `GET /access/domains`: open to everybody, for the login.
fn domains() -> Answer {
    let all = REALMS.iter().map(|(realm, comment, _)| json!({"realm": realm, "type": realm, "comment": comment}));
    Value::Array(all.collect()).into()
}

/// `GET /access/domains/{realm}`.
fn domain(call: &Call<'_>) -> Result<Answer, Refused> {
    let wanted = call.text("realm").unwrap_or_default();
    let found = REALMS.iter().find(|(realm, ..)| *realm == wanted);
    let (realm, comment, plugin) = found.ok_or_else(|| Refused::died(format!("domain '{wanted}' does not exist")))?;
    // The SHA-1 of a file that isn't there.
    let digest = "da39a3ee5e6b4b0d3255bfef95601890afd80709";
    Ok(json!({"type": realm, "comment": comment, "plugin": plugin, "digest": digest}).into())
}

/// A path of rights with a slash before it, none after it and none twice.
fn normalized(path: &str) -> String {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    format!("/{}", parts.join("/"))
}

/// What an error of a change to the file of users begins with (`lock_user_config`).
pub(super) fn failed(what: &str) -> impl Fn(Refused) -> Refused {
    move |refused| match refused {
        Refused::Died(why) => Refused::Died(format!("{what} failed: {why}")),
        other => other,
    }
}
