//! Replays requests that a real host answered, and compares the answers: status, reason, words, rights exactly;
//! other bodies by their keys and types; tasks by their exit status and their log.
//!
//! Not replayed: tasks of endpoints that aren't served (clone, resize, upload, snapshot ...), programs in the guest
//! beyond the simulated handful (`hexdump`, `head`), configurations changed by requests that aren't served, and
//! requests whose headers weren't recorded.

use super::{
    Scenario, Sim, World,
    router::{Raw, handle},
};
use crate::pve::transport::Response;
use serde::Deserialize;
use serde_json::{Value, json};
use std::{collections::BTreeSet, fmt::Write as _, sync::Arc, time::Duration};

const ROWS: &str = include_str!("../../tests/data/recorded.json");
const WORLD: &str = include_str!("../../tests/data/sim-recorded-world.yaml");

/// Where the simulated host answers otherwise, and why: row (or its beginning), difference, reason.
const DEVIATIONS: [(&str, &str, &str); 0] = [];

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    name: String,
    auth: String,
    request: String,
    #[serde(default)]
    params: Vec<(String, String)>,
    /// What the guests are doing, as changes to the world; `acl: true` adds the token's own entry.
    #[serde(default)]
    given: serde_json::Map<String, Value>,
    /// Requests that go before: identity, request, parameters; or `["wait"]`.
    #[serde(default)]
    before: Vec<Value>,
    status: u16,
    reason: String,
    body: Option<Value>,
    /// Whether the body's values count too.
    #[serde(default)]
    exact: bool,
    task: Option<Task>,
    /// The end of a program in the guest.
    end: Option<Value>,
}

#[derive(Debug, Deserialize)]
struct Task {
    status: Value,
    log: Vec<String>,
}

fn host(row: &Row) -> Arc<Sim> {
    let mut world = World::from_yaml(WORLD).unwrap();
    let guests: serde_json::Map<_, _> = row.given.clone().into_iter().filter(|(key, _)| key != "acl").collect();
    if !row.given.contains_key("acl") {
        world.acl.retain(|entry| !entry.who.contains('!'));
    }
    let scenario = Scenario { world: Some(json!({ "guests": guests })), ..Scenario::default() };
    Sim::new(world, scenario).unwrap()
}

fn credentials(sim: &Arc<Sim>, auth: &str) -> (Option<String>, Option<String>) {
    let token = |id: &str| format!("PVEAPIToken={id}={}", super::token_secret(sim.world(), id).unwrap());
    let morpheus = || token("morpheus@pam!morpheus-token");
    let header = match auth {
        "root" => token("root@pam!root-token"),
        "morpheus" => morpheus(),
        "auditor" => token("auditor@pve!t1"),
        "nobody" => token("nobody@pve!t1"),
        "gpu" => token("gpu@pve!t1"),
        "privsep" => token("priv@pve!sep"),
        "expired" => token("priv@pve!expired"),
        "disabled" => token("disabled@pve!t1"),
        "badsecret" => format!("{}0", morpheus()),
        "notoken" => morpheus().replace("morpheus-token", "other"),
        "malformed" => "PVEAPIToken=nonsense".into(),
        "lowercase" => morpheus().replace("PVEAPIToken", "pveapitoken"),
        "bearer" => morpheus().replace("PVEAPIToken=", "Bearer "),
        "colon" => morpheus().replace("-token=", "-token:"),
        "ticket" => {
            let ticket = super::auth::give_ticket(sim, "root@pam", "morpheus-test").unwrap();
            return (None, Some(format!("PVEAuthCookie={}", ticket.text)));
        }
        _ => return (None, None),
    };
    (Some(header), None)
}

async fn send(sim: &Arc<Sim>, auth: &str, request: &str, params: &[(String, String)]) -> Response {
    let (method, path) = request.split_once(' ').unwrap();
    let encode = |text: &str| {
        let text = text.strip_prefix("x*").map_or(text.to_owned(), |count| "x".repeat(count.parse().unwrap()));
        percent_encoding::utf8_percent_encode(&text, percent_encoding::NON_ALPHANUMERIC).to_string()
    };
    let pairs: Vec<String> = params.iter().map(|(k, v)| format!("{k}={}", encode(v))).collect();
    let (query, body) =
        if method == "GET" { (pairs.join("&"), String::new()) } else { (String::new(), pairs.join("&")) };
    let (authorization, cookie) = credentials(sim, auth);
    let raw = Raw {
        method: method.into(),
        path: format!("/api2/json{path}"),
        query,
        content_type: "application/x-www-form-urlencoded".into(),
        body: body.into_bytes(),
        authorization,
        cookie,
        csrf: None,
    };
    handle(sim, raw).await.unwrap()
}

async fn data(sim: &Arc<Sim>, auth: &str, request: &str, params: &[(String, String)]) -> Value {
    let response = send(sim, auth, request, params).await;
    assert_eq!(response.status, 200, "{request}: {}", response.reason);
    serde_json::from_slice::<Value>(&response.body).unwrap()["data"].take()
}

/// What a body looks like: keys and types, as a sorted list of paths.
fn shape(value: &Value, path: &str, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(entries) => {
            into.insert(format!("{path}: object"));
            for (key, value) in entries {
                let varies = key.starts_with("tap") && key.ends_with("i0");
                shape(value, &format!("{path}.{}", if varies { "tapNiN" } else { key }), into);
            }
        }
        Value::Array(items) => {
            into.insert(format!("{path}: array"));
            for item in items {
                shape(item, &format!("{path}[]"), into);
            }
        }
        Value::String(_) => drop(into.insert(format!("{path}: text"))),
        Value::Number(_) | Value::Bool(_) => drop(into.insert(format!("{path}: number"))),
        Value::Null => drop(into.insert(format!("{path}: null"))),
    }
}

/// The shape of a value.
pub(super) fn shape_of(value: &Value) -> BTreeSet<String> {
    let mut lines = BTreeSet::new();
    shape(value, "", &mut lines);
    lines
}

/// Differences in shape: `- path: type` that the real host has, `+` that only the simulated one has.
pub(super) fn differences(real: &BTreeSet<String>, simulated: &BTreeSet<String>) -> Vec<String> {
    let gone = real.difference(simulated).map(|line| format!("- {line}"));
    gone.chain(simulated.difference(real).map(|line| format!("+ {line}"))).collect()
}

/// Lists in an order of their own, and without what differs from host to host.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Array(items) => {
            let mut items: Vec<Value> = items.iter().map(sorted).collect();
            items.sort_by_key(ToString::to_string);
            Value::Array(items)
        }
        Value::Object(entries) => {
            let kept = entries.iter().filter(|(key, _)| *key != "digest");
            Value::Object(kept.map(|(key, value)| (key.clone(), sorted(value))).collect())
        }
        other => other.clone(),
    }
}

async fn replay(row: &Row) -> Vec<String> {
    let sim = host(row);
    let mut upid = String::new();
    for step in &row.before {
        let Some(request) = step[1].as_str() else {
            tokio::time::sleep(Duration::from_mins(1)).await;
            continue;
        };
        let params: Vec<(String, String)> = serde_json::from_value(step[2].clone()).unwrap();
        upid = data(&sim, step[0].as_str().unwrap(), request, &params).await.as_str().unwrap().to_owned();
    }
    let response = send(&sim, &row.auth, &row.request.replace("{upid}", &upid), &row.params).await;
    let mut found = Vec::new();
    if (response.status, &response.reason) != (row.status, &row.reason) {
        found.push(format!("{} {} instead of {} {}", response.status, response.reason, row.status, row.reason));
    }
    let body: Option<Value> = serde_json::from_slice(&response.body).ok();
    match (&row.body, &body) {
        (Some(real), Some(simulated)) if row.exact || row.status >= 400 => {
            if sorted(real) != sorted(simulated) {
                found.push(format!("{simulated} instead of {real}"));
            }
        }
        (Some(real), Some(simulated)) => found.extend(differences(&shape_of(real), &shape_of(simulated))),
        (None, None) => {}
        (real, simulated) => found.push(format!("{simulated:?} instead of {real:?}")),
    }
    let id = body.map(|mut body| body["data"].take()).unwrap_or_default();
    if let Some(task) = &row.task {
        found.extend(follow(&sim, &row.auth, id.as_str().unwrap_or_default(), task).await);
    }
    if let Some(end) = &row.end {
        tokio::time::sleep(Duration::from_secs(2)).await;
        let path = format!("{}-status", row.request.replace("POST", "GET"));
        let simulated = data(&sim, &row.auth, &path, &[("pid".into(), id["pid"].to_string())]).await;
        if *end != simulated {
            found.push(format!("{simulated} instead of {end}"));
        }
    }
    found
}

/// Waits for a task's end and compares how it ended.
async fn follow(sim: &Arc<Sim>, auth: &str, upid: &str, task: &Task) -> Vec<String> {
    tokio::time::sleep(Duration::from_mins(2)).await;
    let status = data(sim, auth, &format!("GET /nodes/pve/tasks/{upid}/status"), &[]).await;
    let mut found = differences(&shape_of(&task.status), &shape_of(&status));
    if status["exitstatus"] != task.status["exitstatus"] || status["type"] != task.status["type"] {
        found.push(format!("exit {} instead of {}", status["exitstatus"], task.status["exitstatus"]));
    }
    let log = data(sim, auth, &format!("GET /nodes/pve/tasks/{upid}/log"), &[]).await;
    let lines: Vec<String> = log.as_array().unwrap().iter().map(|line| plain(line["t"].as_str().unwrap())).collect();
    if lines != task.log {
        found.push(format!("log {lines:?} instead of {:?}", task.log));
    }
    found
}

/// A line with UPIDs taken out.
fn plain(line: &str) -> String {
    line.split(' ').map(|word| if word.starts_with("UPID:") { "UPID" } else { word }).collect::<Vec<_>>().join(" ")
}

#[tokio::test(start_paused = true)]
async fn recorded_requests_are_answered_alike() {
    let rows: Vec<Row> = serde_json::from_str(ROWS).unwrap();
    assert!(rows.len() > 150);
    let (mut report, mut used) = (String::new(), BTreeSet::new());
    for row in &rows {
        for difference in replay(row).await {
            let known = DEVIATIONS.iter().position(|(name, what, _)| row.name.starts_with(name) && difference == *what);
            match known {
                Some(place) => drop(used.insert(place)),
                None => writeln!(report, "{}: {difference}", row.name).unwrap(),
            }
        }
    }
    assert!(report.is_empty(), "not as the real host answers:\n{report}");
    assert_eq!(used.len(), DEVIATIONS.len(), "a deviation is listed that is none");
}
