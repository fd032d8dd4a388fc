//! Replays, in their order, requests that real hosts of both versions answered: status, reason and errors exactly, bodies
//! by their keys and types, tasks by their exit status. What the recording leaves out between two requests is asked for
//! without a look at the answer (`quietly`).
//!
//! Not replayed: websockets, uploads (their bodies weren't kept), hook scripts that run, guests whose agent was killed or
//! forbidden something, containers that run, and what a task that isn't served left behind.

use super::{
    Release, Scenario, Sim, World, auth,
    recorded_tests::{differences, shape_of},
    router::{Raw, handle},
    tfa,
};
use crate::pve::transport::Response;
use serde::Deserialize;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    sync::Arc,
    time::Duration,
};

const ROWS: &str = include_str!("../../tests/data/replayed.json");
const WORLD: &str = include_str!("../../tests/data/sim-replayed-world.yaml");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Recording {
    shapes: Vec<BTreeSet<String>>,
    steps: Vec<Step>,
    unserved: Vec<Unserved>,
}

/// A request and its answer; `v8` and `v9` say what differs between the versions.
#[derive(Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Step {
    name: String,
    auth: String,
    request: String,
    params: BTreeMap<String, Value>,
    status: Option<u16>,
    reason: Option<String>,
    errors: BTreeMap<String, String>,
    shape: Option<usize>,
    /// A text in place of JSON.
    text: bool,
    /// Only which entries there are is compared, not what is in them.
    objects: bool,
    task: Option<Task>,
    /// Only of this version.
    only: Option<u8>,
    /// Asked for without a look at the answer, so often.
    quietly: usize,
    /// Seconds to wait before.
    wait: u64,
    /// Whether its task goes on while what follows is asked for.
    running: bool,
    v8: Option<Box<Step>>,
    v9: Option<Box<Step>>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Task {
    exit: Option<String>,
    log: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Unserved {
    name: String,
    auth: String,
    request: String,
    endpoint: String,
}

impl Step {
    /// As a version answered it.
    fn of(&self, release: Release) -> Option<Self> {
        if self.only.is_some_and(|only| only != release.major()) {
            return None;
        }
        let mut step = self.clone();
        let own = if release == Release::V8 { step.v8.take() } else { step.v9.take() };
        if let Some(own) = own {
            step.status = own.status.or(step.status);
            step.reason = own.reason.or(step.reason);
            step.shape = own.shape.or(step.shape);
            step.task = own.task.or(step.task);
            if !own.errors.is_empty() {
                step.errors = own.errors;
            }
            if !own.request.is_empty() {
                step.request = own.request;
            }
            if !own.params.is_empty() {
                step.params = own.params;
            }
        }
        Some(step)
    }
}

/// A host that remembers what its answers gave out.
struct Host {
    sim: Arc<Sim>,
    tickets: BTreeMap<&'static str, auth::Ticket>,
    upids: BTreeMap<String, String>,
    digest: String,
    half: String,
    /// The code of the second factor that was given last.
    code: String,
    recovery: String,
}

const SECRET: &str = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";

impl Host {
    fn new(release: Release) -> Self {
        let world = World::from_yaml(WORLD).unwrap().on(release);
        Self {
            sim: Sim::new(world, Scenario::default()).unwrap(),
            tickets: BTreeMap::new(),
            upids: BTreeMap::new(),
            digest: String::new(),
            half: String::new(),
            code: String::new(),
            recovery: String::new(),
        }
    }

    fn ticket(&mut self, user: &'static str, password: &str) -> auth::Ticket {
        let sim = self.sim.clone();
        self.tickets.entry(user).or_insert_with(|| auth::give_ticket(&sim, user, password).unwrap()).clone()
    }

    /// `{ticket}`, `{half}`, `{code}` and the like in a parameter.
    fn filled(&mut self, text: &str) -> String {
        let mut text = text.to_owned();
        if text.contains("{ticket}") {
            let ticket = self.ticket("root@pam", "rig-root-password").text;
            text = text.replace("{ticket}", &ticket);
        }
        if text.contains("{code}") {
            self.code = tfa::code_at(SECRET, self.sim.clock.unix()).unwrap();
            text = text.replace("{code}", &self.code);
        }
        text.replace("{half}", &self.half)
            .replace("{again}", &self.code)
            .replace("{digest}", &self.digest)
            .replace("{recovery}", &self.recovery)
    }

    async fn send(&mut self, step: &Step) -> Response {
        let (method, path) = step.request.split_once(' ').unwrap();
        let mut path = path.to_owned();
        for (name, upid) in &self.upids {
            let encoded = percent_encoding::utf8_percent_encode(upid, percent_encoding::NON_ALPHANUMERIC).to_string();
            path = path.replace(&format!("{{upid:{name}}}"), &encoded);
        }
        let mut pairs = Vec::new();
        for (name, value) in &step.params {
            let values = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
            for value in values {
                let text = self.filled(value.as_str().unwrap());
                let text = percent_encoding::utf8_percent_encode(&text, percent_encoding::NON_ALPHANUMERIC);
                pairs.push(format!("{name}={text}"));
            }
        }
        let reads = matches!(method, "GET" | "DELETE");
        let (query, body) = if reads { (pairs.join("&"), String::new()) } else { (String::new(), pairs.join("&")) };
        let mut raw = Raw {
            method: method.into(),
            path: format!("/api2/json{path}"),
            query,
            content_type: "application/x-www-form-urlencoded".into(),
            body: body.into_bytes(),
            authorization: None,
            cookie: None,
            csrf: None,
        };
        self.identify(step, &mut raw);
        handle(&self.sim, raw).await.unwrap()
    }

    fn identify(&mut self, step: &Step, raw: &mut Raw) {
        let token = |id: &str| Some(format!("PVEAPIToken={id}={}", super::token_secret(self.sim.world(), id).unwrap()));
        let id = match step.auth.as_str() {
            "root" => "root@pam!root-token",
            "morpheus" => "morpheus@pam!morpheus-token",
            "auditor" => "auditor@pve!t1",
            "nobody" => "nobody@pve!t1",
            "gpu" => "gpu@pve!t1",
            "privsep" => "priv@pve!sep",
            _ => "",
        };
        if !id.is_empty() {
            raw.authorization = token(id);
            return;
        }
        let ticket = match step.auth.as_str() {
            "root-ticket" | "raw-ticket" | "ticket-header" | "no-csrf" | "other-csrf" | "damaged-ticket" => {
                self.ticket("root@pam", "rig-root-password")
            }
            "setup-ticket" => self.ticket("setup@pve", "rig-setup-password"),
            "tfa-ticket" => self.ticket("tfa@pve", "rig-tfa-password"),
            "half-ticket" => {
                raw.cookie = Some(format!("PVEAuthCookie={}", self.half));
                return;
            }
            "none" => return,
            other => panic!("{}: {other}", step.name),
        };
        let encoded = percent_encoding::utf8_percent_encode(&ticket.text, percent_encoding::NON_ALPHANUMERIC);
        raw.cookie = Some(format!("PVEAuthCookie={encoded}"));
        raw.csrf = Some(ticket.csrf.clone());
        match step.auth.as_str() {
            "raw-ticket" => raw.cookie = Some(format!("PVEAuthCookie={}", ticket.text)),
            "ticket-header" => raw.authorization = raw.cookie.take(),
            "damaged-ticket" => raw.cookie = raw.cookie.take().map(|text| text + "x"),
            "no-csrf" => raw.csrf = None,
            "other-csrf" => raw.csrf = Some(self.ticket("setup@pve", "rig-setup-password").csrf),
            _ => {}
        }
    }

    /// Keeps what later requests need of an answer.
    fn remember(&mut self, step: &Step, data: &Value) {
        let writes = !step.request.starts_with("GET ");
        let upid = Some(data).filter(|_| writes).and_then(|data| data["upid"].as_str().or(data.as_str()));
        let upid = upid.filter(|text| text.starts_with("UPID:"));
        if let Some(upid) = upid {
            self.upids.insert(step.name.clone(), upid.to_owned());
        }
        let entry = data.get(0).unwrap_or(data);
        if let Some(digest) = entry["digest"].as_str() {
            digest.clone_into(&mut self.digest);
        }
        if let Some(key) = data["recovery"][0].as_str() {
            key.clone_into(&mut self.recovery);
        }
        if let Some(half) = data["ticket"].as_str().filter(|text| text.starts_with("PVE:!tfa!")) {
            half.clone_into(&mut self.half);
        }
    }

    async fn step(&mut self, step: &Step, shapes: &[BTreeSet<String>]) -> Vec<String> {
        tokio::time::sleep(Duration::from_secs(step.wait)).await;
        for _ in 1..step.quietly {
            self.send(step).await;
        }
        let response = self.send(step).await;
        let body: Option<Value> = serde_json::from_slice(&response.body).ok();
        let data = body.as_ref().map(|body| body["data"].clone()).unwrap_or_default();
        self.remember(step, &data);
        let mut found = Vec::new();
        if step.quietly > 0 {
            if response.status >= 400 && step.quietly == 1 {
                found.push(format!("quietly: {} {} {:?}", response.status, response.reason, body));
            }
        } else {
            compare(step, shapes, &response, body.as_ref(), &mut found);
        }
        if let Some(upid) = self.upids.get(&step.name).cloned().filter(|_| !step.running) {
            found.extend(self.follow(step, &upid).await);
        }
        found
    }

    /// Waits for a task's end and compares how it ended.
    async fn follow(&mut self, step: &Step, upid: &str) -> Vec<String> {
        let (mut exit, mut log) = (None, Vec::new());
        for _ in 0..240 {
            tokio::time::sleep(Duration::from_secs(1)).await;
            let state = self.sim.state();
            let task = state.tasks.iter().find(|task| task.upid == upid);
            exit = task.and_then(|task| task.exit.clone());
            log = task.map(|task| task.log.clone()).unwrap_or_default();
            if exit.is_some() {
                break;
            }
        }
        let expected = step.task.as_ref().and_then(|task| task.exit.clone());
        match (expected, exit) {
            (Some(expected), exit) if exit.as_ref() != Some(&expected) => {
                vec![format!("exit {exit:?} instead of {expected:?}")]
            }
            (_, None) => vec!["its task never ends".to_owned()],
            _ if step.task.as_ref().is_some_and(|task| !task.log.is_empty() && task.log != log) => {
                vec![format!("log {log:?} instead of {:?}", step.task.as_ref().map(|task| &task.log))]
            }
            _ => Vec::new(),
        }
    }
}

/// Figures that the real host adds where QEMU answers it in time.
fn is_of_qemu(line: &str) -> bool {
    [".blockstat", ".running-", ".diskread", ".diskwrite", ".nics", ".clipboard"]
        .iter()
        .any(|begin| line.starts_with(begin))
}

fn compare(
    step: &Step,
    shapes: &[BTreeSet<String>],
    response: &Response,
    body: Option<&Value>,
    found: &mut Vec<String>,
) {
    let (status, reason) = (step.status.unwrap_or(200), step.reason.as_deref().unwrap_or("OK"));
    if (response.status, response.reason.as_str()) != (status, reason) {
        found.push(format!("{} {} instead of {status} {reason}: {body:?}", response.status, response.reason));
        return;
    }
    let errors = body.map(|body| &body["errors"]).filter(|errors| !errors.is_null());
    if !step.errors.is_empty() && errors != Some(&serde_json::json!(step.errors)) {
        found.push(format!("{errors:?} instead of {:?}", step.errors));
    }
    if status == 200 && !step.text {
        let data = body.map_or(&Value::Null, |body| &body["data"]);
        match step.shape {
            Some(shape) => {
                let mut own = shape_of(data);
                own.retain(|line| !is_of_qemu(line) && (!step.objects || line.ends_with(": object")));
                let mut real = shapes[shape].clone();
                real.retain(|line| !is_of_qemu(line));
                found.extend(differences(&real, &own));
            }
            None if !data.is_null() => found.push(format!("{data} instead of nothing")),
            None => {}
        }
    }
}

/// Where the simulated host answers otherwise, and why: request, beginning of the difference, reason.
const DEVIATIONS: [(&str, &str, &str); 7] = [
    ("mapping-pci-check-node-unknown", "500 hostname lookup", "the words are those of a resolver that answers"),
    ("mapping-usb-check-node-unknown", "500 hostname lookup", "the words are those of a resolver that answers"),
    ("node-unknown", "500 hostname lookup", "the words are those of a resolver that answers"),
    ("sleep-suspend-todisk", "exit Some(\"OK\")", "the QEMU that was recorded lacks savevm-start, Proxmox' own has it"),
    ("hibernated-resume", "exit Some(\"OK\")", "the saved memory that was recorded was made up, and didn't load"),
    ("cfg-cpu-nope", "200 OK", "models of processors aren't known, only `host` is used"),
    ("con-send-key-bad", "200 OK", "names of keys are QEMU's, and aren't known"),
];

/// What isn't served, and why: a reason, and its endpoints or their beginnings.
const UNSERVED: [(&str, &[&str]); 9] = [
    (
        "containers are only shown",
        &[
            "PUT /nodes/{node}/lxc",
            "POST /nodes/{node}/lxc",
            "DELETE /nodes/{node}/lxc",
            "GET /nodes/{node}/lxc/{vmid}",
        ],
    ),
    (
        "storages are used as they are set up",
        &[
            "POST /storage",
            "GET /storage",
            "PUT /storage",
            "DELETE /storage",
            "GET /nodes/{node}/storage/{storage}/import-metadata",
            "GET /nodes/{node}/storage/{storage}/rrddata",
        ],
    ),
    (
        "backups are made by jobs",
        &["POST /nodes/{node}/vzdump", "GET /nodes/{node}/vzdump", "GET /cluster/backup-info"],
    ),
    ("no clusters, no HA rules, no replication", &["GET /cluster/", "GET /nodes/{node}/replication"]),
    (
        "guests are neither copied nor moved nor saved",
        &[
            "POST /nodes/{node}/qemu/{vmid}/snapshot",
            "POST /nodes/{node}/qemu/{vmid}/clone",
            "POST /nodes/{node}/qemu/{vmid}/template",
            "GET /nodes/{node}/qemu/{vmid}/migrate",
            "GET /nodes/{node}/qemu/{vmid}/feature",
        ],
    ),
    (
        "the websocket behind a console isn't simulated",
        &[
            "POST /access/vncticket",
            "POST /nodes/{node}/qemu/{vmid}/vncproxy",
            "POST /nodes/{node}/qemu/{vmid}/spiceproxy",
            "POST /nodes/{node}/qemu/{vmid}/monitor",
            "GET /nodes/{node}/qemu/{vmid}/vncwebsocket",
        ],
    ),
    (
        "the agent is asked for no more than is used",
        &[
            "GET /nodes/{node}/qemu/{vmid}/agent/get-memory-block",
            "POST /nodes/{node}/qemu/{vmid}/agent/suspend-",
            "POST /nodes/{node}/qemu/{vmid}/agent/fsfreeze-",
            "POST /nodes/{node}/qemu/{vmid}/agent/set-user-password",
        ],
    ),
    ("only the web interface asks for it", &["GET /nodes/{node}/query-url-metadata", "GET /nodes/{node}/capabilities"]),
    (
        "the node's own system is left alone",
        &[
            "GET /nodes/{node}/apt",
            "GET /nodes/{node}/aplinfo",
            "GET /nodes/{node}/certificates",
            "GET /nodes/{node}/dns",
            "GET /nodes/{node}/firewall",
            "GET /nodes/{node}/hosts",
            "GET /nodes/{node}/network/{iface}",
            "GET /nodes/{node}/scan",
            "GET /nodes/{node}/sdn",
            "GET /nodes/{node}/version",
            "POST /nodes/{node}/execute",
            "POST /nodes/{node}/status",
        ],
    ),
];

#[tokio::test(start_paused = true)]
async fn what_both_versions_answered_is_answered_alike() {
    let recording: Recording = serde_json::from_str(ROWS).unwrap();
    assert!(recording.steps.len() > 500);
    let (mut report, mut used) = (String::new(), BTreeSet::new());
    for release in Release::ALL {
        let mut host = Host::new(release);
        for step in recording.steps.iter().filter_map(|step| step.of(release)) {
            for difference in host.step(&step, &recording.shapes).await {
                let known =
                    DEVIATIONS.iter().find(|(name, what, _)| step.name == *name && difference.starts_with(what));
                match known {
                    Some((name, ..)) => drop(used.insert(*name)),
                    None => writeln!(report, "{release} {}: {difference}", step.name).unwrap(),
                }
            }
        }
    }
    assert!(report.is_empty(), "not as the real hosts answer:\n{report}");
    assert_eq!(used.len(), DEVIATIONS.len(), "a deviation is listed that is none");
}

#[tokio::test(start_paused = true)]
async fn what_is_not_served_is_answered_as_a_path_that_there_is_not() {
    let recording: Recording = serde_json::from_str(ROWS).unwrap();
    let mut used = BTreeSet::new();
    for release in Release::ALL {
        let mut host = Host::new(release);
        for Unserved { name, auth, request, endpoint } in &recording.unserved {
            let begins = UNSERVED.iter().flat_map(|(_, begins)| begins.iter());
            let reason = begins.filter(|begin| endpoint.starts_with(**begin)).max_by_key(|begin| begin.len());
            used.insert(reason.unwrap_or_else(|| panic!("{endpoint}: why isn't it served?")));
            let step = Step { auth: auth.clone(), request: request.clone(), ..Step::default() };
            let response = host.send(&step).await;
            let (status, reason) = match auth.as_str() {
                "none" => (401, "No ticket".to_owned()),
                _ => (501, format!("Method '{request}' not implemented")),
            };
            assert_eq!((response.status, response.reason), (status, reason), "{release} {name}");
        }
    }
    let all: BTreeSet<&&str> = UNSERVED.iter().flat_map(|(_, begins)| begins.iter()).collect();
    assert_eq!(used, all, "a reason is given for what is served");
}
