//! `/access/users` and their tokens (pve-access-control `API2/User.pm`).

use super::{Call, failed};
use crate::sim::{
    access::Access,
    answer::{Answer, Entry, Refused},
    auth::digest,
    world::{TokenSpec, UserSpec},
};
use serde_json::{Map, Value, json};

/// Realms that the answers name the kind of.
const KNOWN: [&str; 2] = ["pam", "pve"];

/// `GET`: everybody, for those who may change or see users, else oneself; a token isn't oneself.
pub(super) fn list(call: &Call<'_>) -> Answer {
    let access = call.sim.access();
    let all = call.may("/access/groups", &["User.Modify", "Sys.Audit"]);
    let enabled = call.text("enabled");
    let seen = access.users.iter().filter(|(id, spec)| {
        let wanted = enabled.as_deref().is_none_or(|wanted| (wanted == "1") != spec.disabled);
        wanted && (all || **id == call.who().full())
    });
    let entries = seen.map(|(id, spec)| {
        let mut entry = data(spec);
        entry.set("userid", id.as_str());
        if let Some(realm) = id.rsplit_once('@').map(|(_, realm)| realm).filter(|realm| KNOWN.contains(realm)) {
            entry.set("realm-type", realm);
        }
        if !spec.tfa.is_empty() {
            entry.set("keys", "x");
        }
        if spec.tfa.is_locked() {
            entry.set("totp-locked", 1);
        }
        if call.flag("full") {
            entry.set("groups", "");
            entry.set("tokens", token_list(spec));
        }
        entry
    });
    Value::Array(entries.collect()).into()
}

/// What every answer says of a user. Without later fields, the file that it is kept in has no empty earlier ones.
fn data(spec: &UserSpec) -> Value {
    let mut entry = json!({"enable": u8::from(!spec.disabled), "expire": spec.expire});
    if spec.email.is_some() || spec.comment.is_some() {
        entry.set("email", spec.email.clone().unwrap_or_default());
    }
    let more = [("comment", &spec.comment), ("firstname", &spec.firstname), ("lastname", &spec.lastname)];
    for (name, text) in more {
        if let Some(text) = text.as_ref().filter(|text| !text.is_empty()) {
            entry.set(name, text.as_str());
        }
    }
    entry
}

fn token_list(spec: &UserSpec) -> Value {
    let entries = spec.tokens.iter().map(|(name, token)| {
        let mut entry = token_data(token);
        entry.set("tokenid", name.as_str());
        entry
    });
    if spec.tokens.is_empty() { Value::Null } else { Value::Array(entries.collect()) }
}

fn token_data(token: &TokenSpec) -> Value {
    let mut entry = json!({"privsep": u8::from(token.privsep), "expire": token.expire});
    if let Some(comment) = token.comment.as_ref().filter(|comment| !comment.is_empty()) {
        entry.set("comment", comment.as_str());
    }
    entry
}

/// `GET {userid}`.
pub(super) fn get(call: &Call<'_>) -> Result<Answer, Refused> {
    let (access, id) = (call.sim.access(), user(call));
    let spec = known(&access, &id)?;
    let mut entry = data(spec);
    entry.set("groups", json!([]));
    let tokens = spec.tokens.iter().map(|(name, token)| (name.clone(), token_data(token)));
    entry.set("tokens", if spec.tokens.is_empty() { Value::Null } else { tokens.collect::<Map<_, _>>().into() });
    Ok(entry.into())
}

/// `POST`: a realm isn't looked up; only its own realm keeps a password.
pub(super) fn create(call: &Call<'_>) -> Result<Answer, Refused> {
    let id = call.text("userid").unwrap_or_default();
    let made = call.sim.change_access(|access| {
        if access.users.contains_key(&id) {
            return Err(Refused::died(format!("user '{id}' already exists")));
        }
        if let Some(group) = super::super::words(&call.text("groups").unwrap_or_default()).next() {
            return Err(Refused::died(format!("no such group '{group}'")));
        }
        let mut spec = UserSpec { password: call.text("password"), ..UserSpec::default() };
        if let (Some(name), true) = (id.strip_suffix("@pam"), spec.password.is_some()) {
            return Err(Refused::died(format!("change password failed: user '{name}' does not exist")));
        }
        change(call, &mut spec);
        access.users.insert(id, spec);
        Ok(Value::Null.into())
    });
    made.map_err(failed("create user"))
}

/// `PUT {userid}`.
pub(super) fn update(call: &Call<'_>) -> Result<Answer, Refused> {
    let id = user(call);
    let changed = call.sim.change_access(|access| {
        let spec = access.users.get_mut(&id).ok_or_else(|| unknown(&id))?;
        change(call, spec);
        Ok(Value::Null.into())
    });
    changed.map_err(failed("update user"))
}

fn change(call: &Call<'_>, spec: &mut UserSpec) {
    if let Some(enable) = call.text("enable") {
        spec.disabled = enable == "0";
    }
    if let Some(expire) = call.number("expire") {
        spec.expire = expire;
    }
    for (name, field) in [
        ("comment", &mut spec.comment),
        ("email", &mut spec.email),
        ("firstname", &mut spec.firstname),
        ("lastname", &mut spec.lastname),
    ] {
        if let Some(text) = call.text(name) {
            *field = Some(text).filter(|text| !text.is_empty());
        }
    }
}

/// `DELETE {userid}`: with tokens and control entries.
pub(super) fn delete(call: &Call<'_>) -> Answer {
    let id = user(call);
    call.sim.change_access(|access| {
        access.users.remove(&id);
        access.acl.retain(|entry| entry.who.split('!').next() != Some(id.as_str()));
    });
    Value::Null.into()
}

/// `GET {userid}/token`.
pub(super) fn tokens(call: &Call<'_>) -> Result<Answer, Refused> {
    let access = call.sim.access();
    let list = token_list(known(&access, &user(call))?);
    Ok(if list.is_null() { json!([]) } else { list }.into())
}

/// `GET {userid}/token/{tokenid}`.
pub(super) fn token(call: &Call<'_>) -> Result<Answer, Refused> {
    let (access, id, name) = (call.sim.access(), user(call), token_name(call));
    let token = access.token(&id, &name).ok_or_else(|| unknown_token(&id, &name))?;
    Ok(token_data(token).into())
}

/// `POST {userid}/token/{tokenid}`: its secret is told now, and never again.
pub(super) fn create_token(call: &Call<'_>) -> Result<Answer, Refused> {
    let (id, name) = (user(call), token_name(call));
    let secret = new_secret(call);
    call.sim.change_access(|access| {
        let spec = access.users.get_mut(&id).ok_or_else(|| unknown(&id))?;
        if spec.tokens.contains_key(&name) {
            return Err(Refused::param("tokenid", "Token already exists."));
        }
        let token = TokenSpec {
            secret: secret.clone(),
            privsep: call.text("privsep").as_deref() != Some("0"),
            expired: false,
            expire: call.number("expire").unwrap_or_default(),
            comment: call.text("comment"),
        };
        spec.tokens.insert(name.clone(), token);
        Ok(())
    })?;
    // What was given is told as it was given: as text.
    let mut info = json!({"privsep": 1});
    for key in ["privsep", "expire", "comment"] {
        if let Some(text) = call.text(key) {
            info.set(key, text);
        }
    }
    Ok(json!({"full-tokenid": format!("{id}!{name}"), "value": secret, "info": info}).into())
}

/// `PUT {userid}/token/{tokenid}`.
pub(super) fn update_token(call: &Call<'_>) -> Result<Answer, Refused> {
    let (id, name) = (user(call), token_name(call));
    let fresh = call.flag("regenerate").then(|| new_secret(call));
    let mut info = call.sim.change_access(|access| {
        let spec = access.users.get_mut(&id).ok_or_else(|| unknown(&id))?;
        let token = spec.tokens.get_mut(&name).ok_or_else(|| unknown_token(&id, &name))?;
        if let Some(privsep) = call.text("privsep") {
            token.privsep = privsep == "1";
        }
        if let Some(expire) = call.number("expire") {
            token.expire = expire;
        }
        for key in super::super::words(&call.text("delete").unwrap_or_default()) {
            match key {
                "comment" => token.comment = None,
                "expire" => token.expire = 0,
                _ => {}
            }
        }
        if let Some(comment) = call.text("comment") {
            token.comment = Some(comment);
        }
        if let Some(fresh) = &fresh {
            token.secret.clone_from(fresh);
        }
        Ok(token_data(token))
    })?;
    for key in ["privsep", "expire", "comment"] {
        if let Some(text) = call.text(key) {
            info.set(key, text);
        }
    }
    if let Some(fresh) = fresh {
        info.set("full-tokenid", format!("{id}!{name}"));
        info.set("value", fresh);
    }
    Ok(info.into())
}

/// `DELETE {userid}/token/{tokenid}`: with its control entries.
pub(super) fn delete_token(call: &Call<'_>) -> Result<Answer, Refused> {
    let (id, name) = (user(call), token_name(call));
    call.sim.change_access(|access| {
        let spec = access.users.get_mut(&id).ok_or_else(|| unknown(&id))?;
        spec.tokens.remove(&name).ok_or_else(|| unknown_token(&id, &name))?;
        let full = format!("{id}!{name}");
        access.acl.retain(|entry| entry.who != full);
        Ok(Value::Null.into())
    })
}

/// A secret of its own, the same in every run.
fn new_secret(call: &Call<'_>) -> String {
    let number = call.sim.state().pid();
    let hex = digest(&format!("token{number}"));
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default().to_owned();
    [part(0, 8), part(8, 12), format!("4{}", part(13, 16)), format!("8{}", part(17, 20)), part(20, 32)].join("-")
}

fn user(call: &Call<'_>) -> String {
    call.text("userid").unwrap_or_default()
}

fn token_name(call: &Call<'_>) -> String {
    call.text("tokenid").unwrap_or_default()
}

fn known<'a>(access: &'a Access, id: &str) -> Result<&'a UserSpec, Refused> {
    access.users.get(id).ok_or_else(|| unknown(id))
}

fn unknown(id: &str) -> Refused {
    Refused::died(format!("no such user ('{id}')"))
}

fn unknown_token(id: &str, name: &str) -> Refused {
    Refused::died(format!("no such token '{name}' for user '{id}'"))
}
