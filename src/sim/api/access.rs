//! `/access`: permissions and tickets.

use super::Call;
use crate::sim::{
    access::{Identity, Privileges, privileges, require},
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
            require(&call.sim.world, &own, "/access", &["Sys.Audit"], false)?;
            let (user, token) = text.split_once('!').map_or((text.as_str(), None), |(u, t)| (u, Some(t.to_owned())));
            Identity { user: user.to_owned(), token }
        }
        _ => own,
    };
    let world = &call.sim.world;
    if let Some(path) = call.text("path") {
        let held = as_json(&privileges(world, &who, &path));
        return Ok(json!({ path: held }).into());
    }
    let mut paths: BTreeSet<&str> = PATHS.into();
    paths.extend(world.acl.iter().map(|entry| entry.path.as_str()));
    let held = paths.into_iter().map(|path| (path, privileges(world, &who, path)));
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

/// `POST /access/ticket`.
pub(super) fn ticket(call: &Call<'_>) -> Result<Answer, Refused> {
    let mut user = call.text("username").unwrap_or_default();
    if let (Some(realm), false) = (call.text("realm"), user.contains('@')) {
        user = format!("{user}@{realm}");
    }
    let ticket = auth::give_ticket(call.sim, &user, &call.text("password").unwrap_or_default())?;
    let who = Identity { user: ticket.user.clone(), token: None };
    let cap: Map<String, Value> = CAPS
        .iter()
        .map(|(name, path, kinds)| {
            let mut held = privileges(&call.sim.world, &who, path);
            held.retain(|privilege, _| kinds.iter().any(|kind| privilege.starts_with(kind)));
            ((*name).to_owned(), as_json(&held))
        })
        .collect();
    let answer = json!({
        "username": ticket.user, "ticket": ticket.text, "CSRFPreventionToken": ticket.csrf, "cap": cap,
    });
    Ok(answer.into())
}
