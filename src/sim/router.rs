//! From a request to its answer: faults, endpoint, identity, rights, node, parameters, handler; in the order of
//! `PVE/HTTPServer.pm`, so that the right refusal wins.

use super::{
    Sim, access,
    answer::{Refused, empty, message, response},
    api, auth,
    fault::Effect,
    form::{self, Params},
    schema::{self, Endpoint},
    upload,
};
use crate::pve::transport::Response;
use serde_json::{Value, json};
use std::sync::Arc;

const API: &str = "/api2/json";

/// A request as it came.
pub(crate) struct Raw {
    pub(crate) method: String,
    /// Path with `/api2/json`, encoded, without a query.
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) content_type: String,
    pub(crate) body: Vec<u8>,
    pub(crate) authorization: Option<String>,
    pub(crate) cookie: Option<String>,
    pub(crate) csrf: Option<String>,
}

/// No answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Lost {
    /// The host isn't there.
    Unreachable,
    /// The connection was cut.
    Cut,
}

/// Answers a request.
///
/// # Errors
/// A fault swallowed the answer.
pub(crate) async fn handle(sim: &Arc<Sim>, raw: Raw) -> Result<Response, Lost> {
    if sim.is_unreachable() {
        return Err(Lost::Unreachable);
    }
    if raw.path == "/sim/counts" {
        return Ok(counts(sim));
    }
    let Some(path) = raw.path.strip_prefix(API) else { return Ok(empty(404, "not found")) };
    let found = schema::find(sim.world.release(), &raw.method, path);
    sim.state().counts.add(&raw.method, found.as_ref().map_or("(unknown)", |(endpoint, _)| endpoint.path));
    if let Some((_, variables)) = found.as_ref().filter(|(endpoint, _)| endpoint.path.ends_with("/status/start")) {
        let vmid = variables.iter().find(|(name, _)| *name == "vmid").and_then(|(_, text)| text.parse().ok());
        if let Some(vmid) = vmid {
            sim.state().note_request(&sim.world, vmid);
        }
    }
    let fault = sim.faults.request(&sim.clock, &raw.method, path);
    match &fault {
        Some(Effect::Answer { status, reason, body }) => {
            let response = message(*status, reason);
            let body = body.as_ref().map_or(response.body, |body| body.clone().into_bytes());
            return Ok(Response { status: *status, reason: reason.clone(), body });
        }
        Some(Effect::Never) => std::future::pending().await,
        Some(Effect::Cut) => return Err(Lost::Cut),
        Some(Effect::Slow(seconds)) => sim.clock.sleep(*seconds).await,
        _ => {}
    }
    let result = match found {
        Some((endpoint, variables)) => serve(sim, endpoint, &variables, &raw).await,
        None => identify(sim, &raw).and_then(|_| {
            Err(Refused::NotImplemented(format!("Method '{} {}' not implemented", raw.method, decoded(path))))
        }),
    };
    if let Err(refused) = &result {
        sim.clock.sleep(refused.delay()).await;
    }
    match fault {
        Some(Effect::CutAfter) => Err(Lost::Cut),
        Some(Effect::NeverAfter) => std::future::pending().await,
        Some(Effect::AnswerAfter { status, reason }) => Ok(message(status, &reason)),
        _ => Ok(response(result)),
    }
}

fn identify(sim: &Sim, raw: &Raw) -> Result<access::Identity, Refused> {
    let given = auth::Credentials {
        authorization: raw.authorization.as_deref(),
        cookie: raw.cookie.as_deref(),
        csrf: raw.csrf.as_deref(),
    };
    auth::identify(sim, &given, raw.method != "GET")
}

async fn serve(
    sim: &Arc<Sim>,
    endpoint: &'static Endpoint,
    variables: &[(&'static str, String)],
    raw: &Raw,
) -> Result<super::answer::Answer, Refused> {
    let release = sim.world.release();
    let permission = endpoint.permission(release);
    // Before anybody is asked for, also where everybody may.
    let by_token =
        raw.cookie.is_none() && raw.authorization.as_deref().is_some_and(|text| text.contains("PVEAPIToken"));
    if by_token && !endpoint.token && matches!(permission, schema::Permission::User("world")) {
        return Err(needs_ticket(raw));
    }
    let who = match permission {
        schema::Permission::User("world") => None,
        _ => Some(identify(sim, raw)?),
    };
    let is_file = raw.content_type.starts_with("multipart/form-data");
    let (fields, file) = if is_file && endpoint.path.ends_with("/upload") {
        upload::read(&raw.content_type, &raw.body).map(|(fields, file)| (fields, Some(file)))?
    } else {
        (form::body(&raw.content_type, &raw.body)?, None)
    };
    let params = collect(variables, &raw.query, fields)?;
    if let Some(who) = &who {
        if who.token.is_some() && !endpoint.token {
            return Err(needs_ticket(raw));
        }
        sim.access().check(who, permission, &|name| text(&params, name))?;
    }
    if endpoint.proxied {
        let node = text(&params, "node");
        if node != sim.world.node.name && node != "localhost" {
            let why = format!("failed to get address info for: {node}: Name or service not known");
            return Err(Refused::died(format!("hostname lookup '{node}' failed - {why}")));
        }
    }
    schema::check(release, endpoint, &params)?;
    api::dispatch(api::Call { sim, endpoint, who, params, file }).await
}

fn needs_ticket(raw: &Raw) -> Refused {
    let path = raw.path.strip_prefix(API).unwrap_or_default();
    Refused::missing(&format!("URI '{path}' not available with API token, need proper ticket.\n"))
}

fn decoded(path: &str) -> String {
    percent_encoding::percent_decode_str(path).decode_utf8_lossy().into_owned()
}

/// Parameters of path, query and body together.
fn collect(variables: &[(&'static str, String)], query: &str, fields: Params) -> Result<Params, Refused> {
    let mut params: Params = variables.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    let mut given = form::decode(query);
    given.extend(fields);
    for (name, value) in given {
        let same = params.get(&name).is_none_or(|known| plain(known) == plain(&value));
        if !same {
            let why = "duplicate parameter (already defined in URI) with conflicting values!";
            return Err(Refused::param(&name, why));
        }
        params.insert(name, value);
    }
    Ok(params)
}

fn text(params: &Params, name: &str) -> String {
    params.get(name).map(plain).unwrap_or_default()
}

/// A value as text.
pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Bool(flag) => u8::from(*flag).to_string(),
        other => other.to_string(),
    }
}

/// `/sim/counts`: what tests and scripts want to know, outside of the API.
fn counts(sim: &Sim) -> Response {
    let state = sim.state();
    let body = json!({
        "counts": state.counts,
        "violations": state.violations,
        "refused_starts": state.refused_starts,
        "rash_requests": state.rash_requests,
    });
    Response { status: 200, reason: "OK".to_owned(), body: body.to_string().into_bytes() }
}
