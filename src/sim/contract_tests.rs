//! Holds the simulated host against the table of served endpoints: what the real one takes is taken, what it refuses
//! is refused, in its words.

use super::{
    Sim, World,
    router::{Raw, handle},
    schema::{Endpoint, Param, Permission, Property, endpoints},
};
use crate::pve::transport::Response;
use serde_json::Value;
use std::sync::Arc;

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
    let by_format = match param.format {
        Some("pve-vmid") => "103",
        Some("pve-node") => "pve",
        Some("pve-storage-id") => "local",
        Some("pve-storage-content-list") => "iso,images",
        Some("pve-storage-content") => "iso",
        Some("pve-task-status-type-list") => "ok,error",
        Some("pve-priv-list") => "VM.Audit",
        Some("pve-realm") => "pam",
        Some("pve-tokenid-or-userid") => "morpheus@pam!morpheus-token",
        Some("pve-configid") => "snap1",
        Some("dns-name") => "guest",
        Some("pci-map") => "node=pve,path=0000:01:00,id=10de:2684,subsystem-id=10de:16f4,iommugroup=12",
        Some("CIDR") => "192.0.2.0/24",
        Some("nets-host-mtu") => "net0=1500",
        _ => "",
    };
    match (by_format, param.kind, name) {
        ("", "boolean", _) => "1".into(),
        ("", "integer" | "number", _) => "7".into(),
        ("", _, "upid") => "UPID:pve:00000001:00000001:00000001:qmstart:103:root@pam:".into(),
        ("", _, "username") => "root@pam".into(),
        ("", _, "password") => "simulated".into(),
        ("", _, "filename") => "text.iso".into(),
        ("", _, "delete" | "revert") => "description".into(),
        ("", _, "volume") => "local:iso/none.iso".into(),
        ("", _, "url") => "https://example.org/text.iso".into(),
        ("", _, "path") => "/vms/103".into(),
        ("", ..) => "text".into(),
        (format, ..) => format.into(),
    }
}

/// A property string with what it can't do without.
fn valid_properties(param: &Param) -> String {
    let of = |(name, property): (&&str, &Property)| {
        let value = property.one_of.first().copied().unwrap_or(match property.kind {
            Some("boolean") => "1",
            Some(_) => "7",
            None => "text",
        });
        format!("{name}={value}")
    };
    let needed: Vec<String> = param.properties.iter().filter(|(_, property)| property.required).map(of).collect();
    let first = || param.properties.iter().find(|(_, property)| property.alias.is_none()).map(of);
    if needed.is_empty() { first().unwrap_or_default() } else { needed.join(",") }
}

/// The name of a parameter, the first one of a numbered kind.
fn first_name(name: &str) -> String {
    name.replace("[n]", "0")
}

/// A value that the parameter doesn't take, and why; none if it takes every text.
fn invalid(param: &Param) -> Option<(String, String)> {
    let mistyped = |value: &str| (value.into(), format!("type check ('{}') failed - got '{value}'", param.kind));
    if !param.properties.is_empty() {
        let why = "property is not defined in schema and the schema does not allow additional properties";
        return Some(("nonsense=1".into(), format!("invalid format - format error\nnonsense: {why}\n")));
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
        (_, Some("pve-configid")) => Some(("1 x".into(), "invalid format - invalid configuration ID '1 x'\n".into())),
        (_, Some("pci-map")) => Some((
            "node=pve,path=01:00,id=10de:2684".into(),
            "invalid format - format error\npath: value does not match the regex pattern\n".into(),
        )),
        (_, Some("pve-priv-list")) => {
            Some(("Sys.Nope".into(), "invalid format - invalid privilege 'Sys.Nope'\n".into()))
        }
        _ => param
            .max_length
            .map(|longest| ("x".repeat(longest + 1), format!("value may only be {longest} characters long"))),
    }
}

/// Parameters that the endpoint can't do without, with valid values; and those that the extra one needs.
fn required(endpoint: &Endpoint, extra: Option<&str>) -> Vec<(String, String)> {
    let declared = endpoint.declared();
    let needed = extra.and_then(|name| declared.iter().find(|(known, _)| *known == name)?.1.requires);
    let in_path = |name: &str| endpoint.path.contains(&format!("{{{name}}}"));
    let wanted = |name: &str, param: &Param| !param.optional || in_path(name) || Some(name) == needed;
    let chosen = declared.iter().filter(|(name, param)| wanted(name, param) && extra != Some(name));
    chosen.map(|(name, param)| (name.to_owned(), valid(name, param))).collect()
}

#[tokio::test(start_paused = true)]
async fn every_parameter_is_taken_with_a_valid_value_and_refused_with_another() {
    let world = World::demo().unwrap();
    for endpoint in endpoints() {
        let name_of = format!("{} {}", endpoint.method, endpoint.path);
        for (name, param) in endpoint.declared().iter() {
            let mut params = required(endpoint, Some(name));
            let given = &first_name(name);
            params.push((given.clone(), valid(name, param)));
            let answer = ask(&fresh(&world), endpoint, &params, As::RootTicket).await;
            let why = errors(&answer);
            let unknown_task = why["upid"] == "no such task";
            let taken = why["vmid"] == "VM 103 already exists";
            assert!(why.is_null() || unknown_task || taken, "{name_of} {name}: {why}");
            // The node is looked up before its format is checked, the enumeration of a path's part isn't a parameter.
            let Some((bad, why)) = invalid(param).filter(|_| !(name == "node" && endpoint.proxied)) else { continue };
            params.pop();
            params.push((given.clone(), bad));
            let answer = ask(&fresh(&world), endpoint, &params, As::RootTicket).await;
            assert_eq!(
                (answer.status, answer.reason.as_str()),
                (400, "Parameter verification failed."),
                "{name_of} {name}"
            );
            assert_eq!(errors(&answer)[given], why, "{name_of} {name}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn unknown_and_missing_parameters_are_refused() {
    let world = World::demo().unwrap();
    for endpoint in endpoints() {
        let name_of = format!("{} {}", endpoint.method, endpoint.path);
        let mut params = required(endpoint, None);
        params.push(("nonsense".into(), "1".into()));
        let answer = ask(&fresh(&world), endpoint, &params, As::RootTicket).await;
        let why = "property is not defined in schema and the schema does not allow additional properties";
        assert_eq!(errors(&answer)["nonsense"], why, "{name_of}");
        let in_path = |name: &str| endpoint.path.contains(&format!("{{{name}}}"));
        for (name, _) in endpoint.declared().iter().filter(|(name, param)| !param.optional && !in_path(name)) {
            let without: Vec<_> = required(endpoint, None).into_iter().filter(|(key, _)| key != name).collect();
            let answer = ask(&fresh(&world), endpoint, &without, As::RootTicket).await;
            assert_eq!(errors(&answer)[name], "property is missing and it is not optional", "{name_of} {name}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn who_has_no_rights_gets_the_missing_one_named_or_an_empty_list() {
    let world = World::demo().unwrap();
    for endpoint in endpoints() {
        let name_of = format!("{} {}", endpoint.method, endpoint.path);
        let params = required(endpoint, None);
        let answer = ask(&fresh(&world), endpoint, &params, As::Token(NOBODY)).await;
        match &endpoint.permission {
            Permission::Check { path, privs, any } => {
                let path = path.replace("{vmid}", "103").replace("{node}", "pve").replace("{id}", "snap1");
                let path = path.replace("{storage}", "local");
                let needed = privs.join(if *any { "|" } else { ", " });
                let expected = format!("Permission check failed ({path}, {needed})");
                assert_eq!((answer.status, answer.reason), (403, expected), "{name_of}");
            }
            Permission::User(_) => {
                let text = String::from_utf8_lossy(&answer.body);
                assert!(!text.contains("nimsforest-") && !text.contains("gpu0"), "{name_of}: {text}");
            }
        }
        let answer = ask(&fresh(&world), endpoint, &params, As::None).await;
        let world_may = matches!(&endpoint.permission, Permission::User("world"));
        assert_eq!(answer.status == 401, !world_may, "{name_of}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_auditor_sees_everything_and_changes_nothing() {
    let world = World::demo().unwrap();
    for endpoint in endpoints().iter().filter(|endpoint| endpoint.path != "/access/ticket") {
        let name_of = format!("{} {}", endpoint.method, endpoint.path);
        let sim = fresh(&world);
        let answer = ask(&sim, endpoint, &required(endpoint, None), As::Token(AUDITOR)).await;
        let refused = answer.status == 403;
        // The ping, and a task that there isn't.
        let harmless = endpoint.path.ends_with("/agent/ping") || endpoint.path.ends_with("{upid}");
        let runs = endpoint.path.contains("/agent/exec") || endpoint.path.ends_with("/agent/file-read");
        assert_eq!(refused, runs || (endpoint.method != "GET" && !harmless), "{name_of}: {}", answer.reason);
    }
}
