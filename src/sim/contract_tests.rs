//! Holds the simulated host against the table of served endpoints: what the real one takes is taken, what it refuses
//! is refused, in its words.

use super::{
    Release, Sim, World,
    router::{Raw, handle},
    schema::{Endpoint, Param, Permission, endpoints},
};
use crate::pve::transport::Response;
use serde_json::Value;
use std::{collections::BTreeMap, sync::Arc};

const NOBODY: &str = "PVEAPIToken=nobody@pve!t1=2f5f0e3c-8f0e-4a53-9a7b-1d2f6a1c0301";
const AUDITOR: &str = "PVEAPIToken=auditor@pve!t1=2f5f0e3c-8f0e-4a53-9a7b-1d2f6a1c0201";

/// Who asks.
#[derive(Clone, Copy)]
enum As {
    RootTicket,
    Token(&'static str),
    None,
}

fn fresh(world: &World) -> Arc<Sim> {
    Sim::new(world.clone(), super::Scenario::default()).unwrap()
}

async fn ask(sim: &Arc<Sim>, endpoint: &Endpoint, params: &[(String, String)], who: As) -> Response {
    let mut path = endpoint.path.to_owned();
    let mut pairs = Vec::new();
    for (name, value) in params {
        let place = format!("{{{name}}}");
        let encoded = percent_encoding::utf8_percent_encode(value, percent_encoding::NON_ALPHANUMERIC).to_string();
        if path.contains(&place) {
            path = path.replace(&place, &encoded);
        } else {
            pairs.push(format!("{name}={encoded}"));
        }
    }
    let reads = matches!(endpoint.method, "GET" | "DELETE");
    let (query, body) = if reads { (pairs.join("&"), String::new()) } else { (String::new(), pairs.join("&")) };
    let (authorization, cookie, csrf) = match who {
        As::None => (None, None, None),
        As::Token(token) => (Some(token.to_owned()), None, None),
        As::RootTicket => {
            let ticket = super::auth::give_ticket(sim, "root@pam", "simulated").unwrap();
            (None, Some(format!("PVEAuthCookie={}", ticket.text)), Some(ticket.csrf))
        }
    };
    let raw = Raw {
        method: endpoint.method.to_owned(),
        path: format!("/api2/json{path}"),
        query,
        content_type: "application/x-www-form-urlencoded".into(),
        body: body.into_bytes(),
        authorization,
        cookie,
        csrf,
    };
    handle(sim, raw).await.unwrap()
}

/// Every served endpoint of each version, with a host of that version.
fn all() -> impl Iterator<Item = (World, &'static Endpoint)> {
    let on = |release: Release| World::demo().unwrap().on(release);
    Release::ALL.into_iter().flat_map(move |release| endpoints(release).map(move |endpoint| (on(release), endpoint)))
}

fn name_of(world: &World, endpoint: &Endpoint) -> String {
    format!("{} {} {}", world.release(), endpoint.method, endpoint.path)
}

fn errors(response: &Response) -> Value {
    let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    if response.status == 400 { body["errors"].clone() } else { Value::Null }
}

/// A value that the parameter takes.
fn valid(name: &str, param: &Param) -> String {
    if !param.properties.is_empty() {
        return valid_properties(param);
    }
    if let Some(first) = param.one_of.first() {
        return (*first).to_owned();
    }
    if let Some(pattern) = &param.pattern {
        let known = ["0000:01:00", "10de:2684", "q35", "net0=1500", "https://example.org/x.iso", "+1G", "1", "own"];
        let more = ["scsi0", "0x0123456789abcdef", "+aes", "ab12cd", "9aa32263-b85e-48e5-ae2e-000000000103", "now"];
        let rest = ["0x10de", "/dev/parport0", "spice", "socket", "cdn", "root@pam", "/var/tmp/pveupload-1"];
        let fits = |text: &&str| super::schema::matches_pattern(pattern, text);
        return known
            .into_iter()
            .chain(more)
            .chain(rest)
            .find(fits)
            .unwrap_or_else(|| panic!("{name}: {pattern}"))
            .into();
    }
    let by_format = match param.format {
        Some("pve-vmid" | "pve-vmid-list") => "103",
        Some("pve-node") => "pve",
        Some("pve-storage-id") => "local",
        Some("pve-storage-content-list") => "iso,images",
        Some("pve-storage-content") => "iso",
        Some("pve-task-status-type-list") => "ok,error",
        Some("pve-userid" | "pve-userid-list") => "nobody@pve",
        Some("pve-tokenid-list") => "nobody@pve!t1",
        Some("pve-roleid") => "MorpheusHost",
        Some("pve-roleid-list") => "PVEAuditor",
        Some("pve-groupid-list") => "people",
        Some("email-opt") => "a@example.org",
        Some("mac-addr") => "bc:24:11:00:00:01",
        Some("pve-volume-id" | "pve-volume-id-or-qm-path" | "pve-volume-id-or-absolute-path") => "local:iso/none.iso",
        Some("pve-cpuset") => "0-3",
        Some("pve-priv-list") => "VM.Audit",
        Some("pve-realm") => "pam",
        Some("pve-configid") => "snap1",
        Some("dns-name") => "guest",
        Some("CIDR") => "192.0.2.0/24",
        _ => "",
    };
    match (by_format, param.kind, name) {
        ("", "boolean", _) => "1".into(),
        ("", "integer" | "number", _) => {
            7.max(param.minimum.unwrap_or(0)).min(param.maximum.unwrap_or(i64::MAX)).to_string()
        }
        ("", _, "upid") => "UPID:pve:00000001:00000001:00000001:qmstart:103:root@pam:".into(),
        ("", _, "username") => "root@pam".into(),
        ("", _, "password" | "confirmation-password") => "simulated".into(),
        ("", _, "filename") => "text.iso".into(),
        ("", _, "delete" | "revert") => "description".into(),
        ("", _, "volume") => "local:iso/none.iso".into(),
        (_, _, "hookscript") => "local:snippets/none.sh".into(),
        ("", _, "url") => "https://example.org/text.iso".into(),
        ("", _, "path") => "/vms/103".into(),
        ("", _, "realm") => "pam".into(),
        ("", ..) => "text".into(),
        (format, ..) => format.into(),
    }
}

/// A property string with what it can't do without.
fn valid_properties(param: &Param) -> String {
    let of = |(name, property): (&&str, &Param)| format!("{name}={}", valid(name, property));
    let needed: Vec<String> = param.properties.iter().filter(|(_, property)| property.required).map(of).collect();
    let first = || param.properties.iter().find(|(_, property)| property.alias.is_none()).map(of);
    if needed.is_empty() { first().unwrap_or_default() } else { needed.join(",") }
}

/// The name of a parameter, the first one of a numbered kind.
fn first_name(name: &str) -> String {
    name.replace("[n]", "0")
}

/// A value that the parameter doesn't take, and why; none if it takes every text.
fn invalid(name: &str, param: &Param) -> Option<(String, String)> {
    let mistyped = |value: &str| (value.into(), format!("type check ('{}') failed - got '{value}'", param.kind));
    if !param.properties.is_empty() {
        let why = "property is not defined in schema and the schema does not allow additional properties";
        return Some(("nonsense=1".into(), format!("invalid format - format error\n{name}.nonsense: {why}\n")));
    }
    if !param.one_of.is_empty() {
        let all = param.one_of.join(", ");
        if param.format.is_some() {
            // What isn't of the format at all is refused before the enumeration is looked at.
            return Some(("images".into(), format!("value 'images' does not have a value in the enumeration '{all}'")));
        }
        return Some(("nope".into(), format!("value 'nope' does not have a value in the enumeration '{all}'")));
    }
    match (param.kind, param.format) {
        ("boolean", _) => Some(mistyped("true")),
        ("integer", _) => Some(mistyped("soon")),
        (_, Some("pve-node")) => {
            Some(("a_b".into(), "invalid format - value does not look like a valid node name\n".into()))
        }
        (_, Some("pve-storage-id")) => {
            Some(("!x".into(), "invalid format - storage ID '!x' contains illegal characters\n".into()))
        }
        (_, Some("pve-userid")) => Some(("x".into(), "invalid format - user name 'x' is too short\n".into())),
        (_, Some("email-opt")) => {
            Some(("nobody".into(), "invalid format - value does not look like a valid email address\n".into()))
        }
        _ if param.pattern.is_some() => Some(("\u{1}".into(), "value does not match the regex pattern".into())),
        (_, Some("pve-configid")) => Some(("1x".into(), "invalid format - invalid configuration ID '1x'\n".into())),
        (_, Some("pve-priv-list")) => {
            Some(("Sys.Nope".into(), "invalid format - invalid privilege 'Sys.Nope'\n".into()))
        }
        _ => param
            .max_length
            .map(|longest| ("x".repeat(longest + 1), format!("value may only be {longest} characters long"))),
    }
}

/// Parameters that the endpoint can't do without, with valid values; and those that the extra one needs.
fn required(release: Release, endpoint: &Endpoint, extra: Option<&str>) -> Vec<(String, String)> {
    let declared = endpoint.declared(release);
    let needed = extra.and_then(|name| declared.iter().find(|(known, _)| *known == name)?.1.requires);
    let in_path = |name: &str| endpoint.path.contains(&format!("{{{name}}}"));
    let wanted = |name: &str, param: &Param| !param.optional || in_path(name) || Some(name) == needed;
    let chosen = declared.iter().filter(|(name, param)| wanted(name, param) && extra != Some(name));
    chosen.map(|(name, param)| (name.to_owned(), valid(name, param))).collect()
}

#[tokio::test(start_paused = true)]
async fn every_parameter_is_taken_with_a_valid_value_and_refused_with_another() {
    let mut report = Vec::new();
    for (world, endpoint) in all() {
        let (release, name_of) = (world.release(), name_of(&world, endpoint));
        for (name, param) in endpoint.declared(release).iter() {
            let mut params = required(release, endpoint, Some(name));
            let given = &first_name(name);
            params.push((given.clone(), valid(name, param)));
            let answer = ask(&fresh(&world), endpoint, &params, As::RootTicket).await;
            let why = errors(&answer);
            let known = KNOWN.iter().any(|(name, text)| why[name].as_str().is_some_and(|why| why.starts_with(text)));
            if !why.is_null() && !known {
                report.push(format!("{name_of} {name}: {why}"));
            }
            // An item of a list is named by its place.
            let place = if param.kind == "array" { format!("{given}[0]") } else { given.clone() };
            // The node is looked up before its format is checked, the enumeration of a path's part isn't a parameter.
            let bad = invalid(&place, param).filter(|_| !(name == "node" && endpoint.proxied));
            let Some((bad, why)) = bad else { continue };
            params.pop();
            params.push((given.clone(), bad));
            let answer = ask(&fresh(&world), endpoint, &params, As::RootTicket).await;
            let found = errors(&answer);
            if (answer.status, answer.reason.as_str()) != (400, "Parameter verification failed.")
                || found[&place] != why
            {
                report.push(format!("{name_of} {name}: {} {}: {found} instead of {why}", answer.status, answer.reason));
            }
        }
    }
    assert!(report.is_empty(), "{}", report.join("\n"));
}

/// Parameters that are right by themselves and are refused for what there is on the host, with the words' beginnings.
const KNOWN: [(&str, &str); 6] = [
    ("hookscript", "script 'local:snippets/none.sh' does not exist"),
    ("upid", "no such task"),
    ("vmid", "VM 103 already exists"),
    ("tokenid", "Token already exists."),
    ("path", "invalid ACL path"),
    ("users", "either 'users', 'groups' or 'tokens' is required."),
];

#[tokio::test(start_paused = true)]
async fn unknown_and_missing_parameters_are_refused() {
    for (world, endpoint) in all() {
        let (release, name_of) = (world.release(), name_of(&world, endpoint));
        let mut params = required(release, endpoint, None);
        params.push(("nonsense".into(), "1".into()));
        let answer = ask(&fresh(&world), endpoint, &params, As::RootTicket).await;
        let why = "property is not defined in schema and the schema does not allow additional properties";
        assert_eq!(errors(&answer)["nonsense"], why, "{name_of}");
        let in_path = |name: &str| endpoint.path.contains(&format!("{{{name}}}"));
        let declared = endpoint.declared(release);
        for (name, _) in declared.iter().filter(|(name, param)| !param.optional && !in_path(name)) {
            let without: Vec<_> =
                required(release, endpoint, None).into_iter().filter(|(key, _)| key != name).collect();
            let answer = ask(&fresh(&world), endpoint, &without, As::RootTicket).await;
            assert_eq!(errors(&answer)[name], "property is missing and it is not optional", "{name_of} {name}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn who_has_no_rights_gets_the_missing_one_named_or_an_empty_list() {
    for (world, endpoint) in all() {
        let (release, name_of) = (world.release(), name_of(&world, endpoint));
        let params = required(release, endpoint, None);
        let answer = ask(&fresh(&world), endpoint, &params, As::Token(NOBODY)).await;
        match endpoint.permission(release) {
            Permission::Check { path, privs, any } => {
                let mut path = (*path).to_owned();
                for (name, value) in &params {
                    path = path.replace(&format!("{{{name}}}"), value);
                }
                let needed = privs.join(if *any { "|" } else { ", " });
                let expected = format!("Permission check failed ({path}, {needed})");
                assert_eq!((answer.status, answer.reason), (403, expected), "{name_of}");
            }
            Permission::User("all" | "world") => {
                let text = String::from_utf8_lossy(&answer.body);
                assert!(!text.contains("nimsforest-") && !text.contains("gpu0"), "{name_of}: {text}");
            }
            _ => {
                assert_eq!(answer.status, 403, "{name_of}");
                assert!(answer.reason.starts_with("Permission check failed"), "{name_of}: {}", answer.reason);
            }
        }
        let answer = ask(&fresh(&world), endpoint, &params, As::None).await;
        let world_may = matches!(endpoint.permission(release), Permission::User("world"));
        assert_eq!(answer.status == 401, !world_may, "{name_of}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_auditor_sees_everything_and_changes_nothing() {
    for (world, endpoint) in all().filter(|(_, endpoint)| endpoint.path != "/access/ticket") {
        let (release, name_of) = (world.release(), name_of(&world, endpoint));
        let sim = fresh(&world);
        let answer = ask(&sim, endpoint, &required(release, endpoint, None), As::Token(AUDITOR)).await;
        let refused = answer.status == 403;
        // The ping, and a task that there isn't.
        let harmless =
            ["/agent/ping", "/agent/fsfreeze-status", "{upid}"].iter().any(|end| endpoint.path.ends_with(end));
        let runs = endpoint.path.contains("/agent/exec") || endpoint.path.ends_with("/agent/file-read");
        // In Proxmox VE 8 one privilege is for all that the agent does.
        let monitors = release == Release::V8 && endpoint.path.contains("/agent/");
        // Tokens are shown to those who make them.
        let tokens = endpoint.path.contains("/token");
        // USB devices are shown to those who may change the host.
        let usb = endpoint.path.ends_with("/hardware/usb");
        let expected = runs || monitors || tokens || usb || (endpoint.method != "GET" && !harmless);
        assert_eq!(refused, expected, "{name_of}: {}", answer.reason);
    }
}

/// The schemas of both versions, whole (`pvesh` of pve-manager 8.4.21 and 9.2.11): endpoints, their parameters and
/// answers by their numbers among the shapes.
const WHOLE: &str = include_str!("../../tests/data/schema.json");

#[derive(serde::Deserialize)]
struct Whole {
    #[serde(borrow)]
    shapes: Vec<&'static serde_json::value::RawValue>,
    endpoints: Vec<Told>,
}

/// An endpoint as the real host tells it.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Told {
    method: String,
    path: String,
    only: Option<u8>,
    permission: Value,
    permission8: Option<Value>,
    #[serde(default = "yes")]
    token: bool,
    #[serde(default)]
    proxied: bool,
    params: BTreeMap<String, usize>,
    #[serde(default)]
    params8: BTreeMap<String, usize>,
    #[serde(default)]
    params9: BTreeMap<String, usize>,
    returns: usize,
    returns8: Option<usize>,
}

const fn yes() -> bool {
    true
}

fn whole() -> Whole {
    serde_json::from_str(WHOLE).unwrap()
}

impl Told {
    /// The endpoint of a version.
    fn find<'a>(whole: &'a Whole, release: Release, endpoint: &Endpoint) -> Option<&'a Self> {
        whole.endpoints.iter().find(|told| {
            told.only.is_none_or(|major| major == release.major())
                && (told.method.as_str(), told.path.as_str()) == (endpoint.method, endpoint.path)
        })
    }

    fn params(&self, whole: &Whole, release: Release) -> Vec<(String, Param)> {
        let own = if release == Release::V8 { &self.params8 } else { &self.params9 };
        let all: BTreeMap<_, _> = self.params.iter().chain(own).collect();
        let read = |at: usize| -> Param { serde_json::from_str(whole.shapes[at].get()).unwrap() };
        all.into_iter().map(|(name, at)| (name.clone(), read(*at).of(release))).collect()
    }
}

#[test]
fn what_is_served_is_what_each_version_has() {
    let whole = whole();
    assert!(whole.endpoints.len() > 600);
    for release in Release::ALL {
        assert!(endpoints(release).count() > 70);
        for endpoint in endpoints(release) {
            let name_of = format!("{release} {} {}", endpoint.method, endpoint.path);
            let told = Told::find(&whole, release, endpoint).unwrap_or_else(|| panic!("{name_of}: there is none"));
            assert_eq!((told.token, told.proxied), (endpoint.token, endpoint.proxied), "{name_of}");
            let permission = told.permission8.as_ref().filter(|_| release == Release::V8).unwrap_or(&told.permission);
            let permission: Permission =
                serde_json::from_str(Box::leak(permission.to_string().into_boxed_str())).unwrap();
            assert_eq!(&permission, endpoint.permission(release), "{name_of}");
            let declared = endpoint.declared(release);
            let told = told.params(&whole, release);
            assert!(declared.iter().map(|(name, _)| name).eq(told.iter().map(|(name, _)| name)), "{name_of}");
            for ((name, own), (_, told)) in declared.iter().zip(&told) {
                assert_eq!(own, told, "{name_of} {name}");
            }
        }
    }
}

/// What doesn't fit what the schema says of an answer. Texts, numbers and switches stand for each other, as they do in
/// Perl.
fn misfits(schema: &Value, answer: &Value, place: &str, into: &mut Vec<String>) {
    let kind = schema["type"].as_str().unwrap_or("any");
    let fits = match kind {
        "object" => answer.is_object(),
        "array" => answer.is_array(),
        "null" => answer.is_null(),
        "any" => true,
        _ => !answer.is_object() && !answer.is_array(),
    };
    if !fits {
        into.push(format!("{place}: {answer} isn't {kind}"));
        return;
    }
    for item in answer.as_array().into_iter().flatten() {
        misfits(&schema["items"], item, &format!("{place}[]"), into);
    }
    let (Some(entries), Some(known)) = (answer.as_object(), schema["properties"].as_object()) else { return };
    for (name, schema) in known {
        match entries.get(name) {
            Some(value) => misfits(schema, value, &format!("{place}.{name}"), into),
            None if schema["optional"] != true => into.push(format!("{place}: {name} is missing")),
            None => {}
        }
    }
    if schema["closed"] == true {
        let more = entries.keys().filter(|name| !known.contains_key(*name));
        into.extend(more.map(|name| format!("{place}: {name} is too much")));
    }
}

/// Where real answers (`tests/data`) aren't what the schema says, and so the simulated ones aren't either.
const UNLIKE: [(&str, &str); 0] = [];

#[tokio::test(start_paused = true)]
async fn answers_have_the_shape_that_each_version_returns() {
    let whole = whole();
    let mut report = Vec::new();
    for (world, endpoint) in all() {
        let (release, name_of) = (world.release(), name_of(&world, endpoint));
        let answer = ask(&fresh(&world), endpoint, &required(release, endpoint, None), As::RootTicket).await;
        if answer.status != 200 {
            continue;
        }
        let told = Told::find(&whole, release, endpoint).unwrap();
        let shape = whole.shapes[told.returns8.filter(|_| release == Release::V8).unwrap_or(told.returns)];
        let (shape, body): (Value, Value) =
            (serde_json::from_str(shape.get()).unwrap(), serde_json::from_slice(&answer.body).unwrap());
        let mut found = Vec::new();
        misfits(&shape, &body["data"], "", &mut found);
        let known = |found: &str| UNLIKE.iter().any(|(path, what)| *path == endpoint.path && *what == found);
        report.extend(found.iter().filter(|found| !known(found)).map(|found| format!("{name_of} {found}")));
    }
    report.dedup();
    assert!(report.is_empty(), "{}", report.join("\n"));
}
