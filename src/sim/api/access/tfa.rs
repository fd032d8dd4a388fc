//! `/access/tfa` (pve-access-control `API2/TFA.pm`).

use super::{Call, confirmed};
use crate::sim::{
    answer::{Answer, Entry, Refused},
    auth::digest,
    tfa::{TfaSpec, code_at},
    world::TotpSpec,
};
use serde_json::{Value, json};

/// `GET`: of everybody, for those who may change or see users, else one's own; of those who have any.
pub(super) fn all(call: &Call<'_>) -> Answer {
    let access = call.sim.access();
    let seen = call.may("/access/groups", &["User.Modify", "Sys.Audit"]);
    let known =
        access.users.iter().filter(|(id, spec)| !spec.tfa.entries().is_empty() && (seen || **id == call.who().full()));
    let entries = known.map(|(id, spec)| {
        let mut entry = json!({"userid": id, "entries": spec.tfa.entries()});
        if spec.tfa.is_locked() {
            entry.set("totp-locked", true);
        }
        entry
    });
    Value::Array(entries.collect()).into()
}

/// `GET {userid}`.
pub(super) fn list(call: &Call<'_>) -> Result<Answer, Refused> {
    Ok(Value::Array(of(call)?.entries()).into())
}

/// `GET {userid}/{id}`.
pub(super) fn get(call: &Call<'_>) -> Result<Answer, Refused> {
    let id = call.text("id").unwrap_or_default();
    let found = of(call)?.entries().into_iter().find(|entry| entry["id"] == id.as_str());
    Ok(found.ok_or_else(missing)?.into())
}

/// `GET /access/users/{userid}/tfa`: the kinds that a user has.
pub(super) fn kinds(call: &Call<'_>) -> Result<Answer, Refused> {
    let spec = of(call)?;
    let mut kinds: Vec<Value> = spec.entries().iter().map(|entry| entry["type"].clone()).collect();
    kinds.dedup();
    let mut answer = json!({});
    if call.flag("multiple") {
        answer.set("types", kinds);
    } else if !spec.is_empty() {
        answer.set("user", "oath");
    }
    Ok(answer.into())
}

/// `POST {userid}`: an app, which shows that it has the secret; or ten recovery keys, told once.
pub(super) fn add(call: &Call<'_>) -> Result<Answer, Refused> {
    confirmed(call, "password")?;
    let (user, now) = (call.text("userid").unwrap_or_default(), call.sim.clock.unix());
    let text = |name: &str| call.text(name).unwrap_or_default();
    match text("type").as_str() {
        "totp" => {
            let url = text("totp");
            let secret = url.split(['?', '&']).find_map(|part| part.strip_prefix("secret=")).unwrap_or_default();
            let shown = text("value");
            let now_or_near = [now, now.saturating_sub(30), now + 30];
            let Some(at) = now_or_near.into_iter().find(|at| code_at(secret, *at).as_deref() == Some(&*shown)) else {
                return Err(Refused::died("failed to verify TOTP challenge"));
            };
            let hex = digest(&format!("totp{user}{now}"));
            let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default().to_owned();
            let id = [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-");
            let app = TotpSpec {
                id: id.clone(),
                secret: secret.to_owned(),
                description: text("description"),
                created: now,
                last: at / 30,
            };
            change(call, |tfa| tfa.totp.push(app))?;
            Ok(json!({ "id": id }).into())
        }
        "recovery" => {
            if !of(call)?.recovery.is_empty() {
                return Err(Refused::died("user already has recovery keys"));
            }
            let keys: Vec<String> = (0..10).map(|number| key(&user, now, number)).collect();
            change(call, |tfa| {
                tfa.recovery.clone_from(&keys);
                tfa.recovery_created = now;
            })?;
            Ok(json!({"id": "recovery", "recovery": keys}).into())
        }
        kind => Err(Refused::died(format!("tfa type '{kind}' isn't simulated"))),
    }
}

/// A recovery key: four times four hexadecimal digits.
fn key(user: &str, now: u64, number: u32) -> String {
    let hex = digest(&format!("recovery{user}{now}{number}"));
    let part = |at: usize| hex.get(at..at + 4).unwrap_or_default();
    [part(0), part(4), part(8), part(12)].join("-")
}

/// `PUT {userid}/{id}`.
pub(super) fn update(call: &Call<'_>) -> Result<Answer, Refused> {
    confirmed(call, "password")?;
    let (id, description) = (call.text("id").unwrap_or_default(), call.text("description"));
    let found = change(call, |tfa| match tfa.totp.iter_mut().find(|app| app.id == id) {
        Some(app) => {
            if let Some(description) = description {
                app.description = description;
            }
            true
        }
        None => id == "recovery" && !tfa.recovery.is_empty(),
    })?;
    if found { Ok(Value::Null.into()) } else { Err(missing()) }
}

/// `DELETE {userid}/{id}`.
pub(super) fn delete(call: &Call<'_>) -> Result<Answer, Refused> {
    confirmed(call, "password")?;
    let id = call.text("id").unwrap_or_default();
    let found = change(call, |tfa| {
        let before = tfa.totp.len();
        tfa.totp.retain(|app| app.id != id);
        let keys = id == "recovery" && !tfa.recovery.is_empty();
        if keys {
            tfa.recovery.clear();
        }
        keys || tfa.totp.len() < before
    })?;
    if found { Ok(json!("").into()) } else { Err(missing()) }
}

/// `PUT /access/users/{userid}/unlock-tfa`: whether there was anything to unlock.
pub(super) fn unlock(call: &Call<'_>) -> Result<Answer, Refused> {
    let was = change(call, |tfa| {
        let was = tfa.is_locked();
        tfa.wrong = 0;
        was
    })?;
    Ok(json!(u8::from(was)).into())
}

fn missing() -> Refused {
    Refused::died("no such entry")
}

fn of(call: &Call<'_>) -> Result<TfaSpec, Refused> {
    let (access, user) = (call.sim.access(), call.text("userid").unwrap_or_default());
    access.exists(&user)?;
    Ok(access.users.get(&user).map(|spec| spec.tfa.clone()).unwrap_or_default())
}

fn change<T>(call: &Call<'_>, change: impl FnOnce(&mut TfaSpec) -> T) -> Result<T, Refused> {
    let user = call.text("userid").unwrap_or_default();
    call.sim.change_access(|access| {
        access.exists(&user)?;
        let spec = access.users.get_mut(&user).ok_or_else(missing)?;
        Ok(change(&mut spec.tfa))
    })
}
