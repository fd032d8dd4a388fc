//! `/access/roles` (pve-access-control `API2/Role.pm`).

use super::{Call, failed};
use crate::sim::{
    answer::{Answer, Refused},
    release::Release,
};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// `GET`: whoever is logged in sees them all.
pub(super) fn list(call: &Call<'_>) -> Answer {
    let access = call.sim.access();
    let names = Release::ROLES.into_iter().chain(access.roles.keys().map(String::as_str));
    let entry = |name: &str| {
        let privileges = access.role(name).unwrap_or_default().join(",");
        json!({"roleid": name, "privs": privileges, "special": u8::from(Release::ROLES.contains(&name))})
    };
    Value::Array(names.map(entry).collect()).into()
}

/// `GET {roleid}`.
pub(super) fn get(call: &Call<'_>) -> Result<Answer, Refused> {
    let (access, name) = (call.sim.access(), id(call));
    let privileges = access.role(&name).ok_or_else(|| missing(&name))?;
    let held: Map<String, Value> = privileges.into_iter().map(|held| (held.to_owned(), json!(1))).collect();
    Ok(Value::Object(held).into())
}

/// `POST`: none of the built-in ones' names, and none that there is.
pub(super) fn create(call: &Call<'_>) -> Result<Answer, Refused> {
    let (name, given) = (id(call), privileges(call));
    if name.to_ascii_lowercase().starts_with("pve") {
        let why = "cannot use role ID starting with the (case-insensitive) 'PVE' namespace";
        return Err(Refused::param("roleid", why));
    }
    let made = call.sim.change_access(|access| {
        if access.role(&name).is_some() {
            return Err(Refused::died(format!("role '{name}' already exists")));
        }
        access.roles.insert(name, given);
        Ok(Value::Null.into())
    });
    made.map_err(failed("create role"))
}

/// `PUT {roleid}`: what isn't given goes, unless it is said that it is appended.
pub(super) fn update(call: &Call<'_>) -> Result<Answer, Refused> {
    let (name, given, append) = (id(call), privileges(call), call.flag("append"));
    refuse_built_in(&name, "modified")?;
    let changed = call.sim.change_access(|access| {
        let own = access.roles.get_mut(&name).ok_or_else(|| missing(&name))?;
        if !append {
            own.clear();
        }
        own.extend(given);
        Ok(Value::Null.into())
    });
    changed.map_err(failed("update role"))
}

/// `DELETE {roleid}`: control entries that name it stay, and count for nothing.
pub(super) fn delete(call: &Call<'_>) -> Result<Answer, Refused> {
    let name = id(call);
    refuse_built_in(&name, "deleted")?;
    let gone = call
        .sim
        .change_access(|access| access.roles.remove(&name).map(|_| Value::Null.into()).ok_or_else(|| missing(&name)));
    gone.map_err(failed("delete role"))
}

fn id(call: &Call<'_>) -> String {
    call.text("roleid").unwrap_or_default()
}

fn missing(name: &str) -> Refused {
    Refused::died(format!("role '{name}' does not exist"))
}

fn refuse_built_in(name: &str, what: &str) -> Result<(), Refused> {
    if !Release::ROLES.contains(&name) {
        return Ok(());
    }
    Err(Refused::died(format!("auto-generated role '{name}' cannot be {what}")))
}

fn privileges(call: &Call<'_>) -> BTreeSet<String> {
    super::super::words(&call.text("privs").unwrap_or_default()).map(str::to_owned).collect()
}
