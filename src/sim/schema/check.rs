//! Checks values by type, limits and format, in the words of pve-common.

use super::{Endpoint, Param, Property};
use crate::sim::{answer::Refused, form::Params};
use serde_json::Value;
use std::collections::BTreeMap;

/// Checks all parameters, those of the path included.
///
/// # Errors
/// A 400 that names every parameter at fault.
pub(crate) fn check(endpoint: &Endpoint, params: &Params) -> Result<(), Refused> {
    let declared = endpoint.declared();
    let mut errors = BTreeMap::new();
    for (name, value) in params {
        match declared.param(name) {
            None => {
                let why = "property is not defined in schema and the schema does not allow additional properties";
                errors.insert(name.clone(), why.to_owned());
            }
            Some(param) => {
                if let Err(why) = value_fits(param, value) {
                    errors.insert(name.clone(), why);
                }
                if let Some(needed) = param.requires.filter(|needed| !params.contains_key(*needed)) {
                    errors.insert(needed.to_owned(), format!("missing property required by '{name}'"));
                }
            }
        }
    }
    for (name, param) in declared.iter() {
        if !param.optional && !params.contains_key(name) {
            errors.insert(name.to_owned(), "property is missing and it is not optional".to_owned());
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(Refused::Params(errors)) }
}

fn value_fits(param: &Param, value: &Value) -> Result<(), String> {
    if param.kind == "array" {
        // A single value is an array of one (pve-common turns it into one for arrays).
        let items: Vec<&Value> = match value {
            Value::Array(items) => items.iter().collect(),
            Value::String(_) | Value::Number(_) => vec![value],
            other => return Err(format!("type check ('array') failed - got '{other}'")),
        };
        let Some(format) = param.format else { return Ok(()) };
        let mut texts = items.into_iter().filter_map(Value::as_str);
        return texts.try_for_each(|text| format_fits(format, text).map_err(|why| format!("invalid format - {why}\n")));
    }
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => u8::from(*flag).to_string(),
        Value::Array(_) | Value::Object(_) | Value::Null => {
            return Err(format!("type check ('{}') failed - got '{}'", param.kind, kind_of(value)));
        }
    };
    let mistyped = || format!("type check ('{}') failed - got '{text}'", param.kind);
    match param.kind {
        "boolean" if !matches!(text.as_str(), "0" | "1") => return Err(mistyped()),
        "integer" if !is_integer(&text) => return Err(mistyped()),
        "number" if text.parse::<f64>().is_err() => return Err(mistyped()),
        _ => {}
    }
    if let Some(format) = param.format {
        format_fits(format, &text).map_err(|why| format!("invalid format - {why}\n"))?;
    }
    if !param.properties.is_empty() {
        properties_fit(param, &text).map_err(|why| format!("invalid format - format error\n{why}\n"))?;
    }
    limits_fit(param, &text)
}

/// Checks a property string such as `virtio,bridge=vmbr0` (pve-common `JSONSchema.pm:parse_property_string`).
fn properties_fit(param: &Param, text: &str) -> Result<(), String> {
    let mut seen = Vec::new();
    for part in text.split(',').filter(|part| !part.is_empty()) {
        let (name, value) = match part.split_once('=') {
            Some((name, value)) => (name, value),
            None => match param.properties.iter().find(|(_, property)| property.default_key) {
                Some((name, _)) => (*name, part),
                None => return Err(format!("{part}: value without key, but schema does not define a default key")),
            },
        };
        let Some(property) = param.properties.get(name) else {
            let why = "property is not defined in schema and the schema does not allow additional properties";
            return Err(format!("{name}: {why}"));
        };
        property_fits(property, value).map_err(|why| format!("{name}: {why}"))?;
        seen.push(property.alias.unwrap_or(name));
        // `virtio=BC:24:...` is the address of a card of that model.
        seen.extend(property.alias.filter(|alias| *alias == "macaddr").map(|_| "model"));
    }
    let missing = param.properties.iter().find(|(name, p)| p.required && !seen.contains(*name));
    missing.map_or(Ok(()), |(name, _)| Err(format!("{name}: property is missing and it is not optional")))
}

fn property_fits(property: &Property, value: &str) -> Result<(), String> {
    let mistyped = |kind: &str| Err(format!("type check ('{kind}') failed - got '{value}'"));
    match property.kind {
        // Within property strings the words are taken too.
        Some("boolean") if !matches!(value, "0" | "1" | "on" | "off" | "yes" | "no" | "true" | "false") => {
            return mistyped("boolean");
        }
        Some("integer") if !is_integer(value) => return mistyped("integer"),
        Some("number") if value.parse::<f64>().is_err() => return mistyped("number"),
        _ => {}
    }
    if property.one_of.is_empty() || property.one_of.contains(&value) {
        return Ok(());
    }
    Err(format!("value '{value}' does not have a value in the enumeration '{}'", property.one_of.join(", ")))
}

fn limits_fit(param: &Param, text: &str) -> Result<(), String> {
    let number: Option<i64> = if param.kind == "string" { None } else { text.parse().ok() };
    if let (Some(number), Some(minimum)) = (number, param.minimum)
        && number < minimum
    {
        return Err(format!("value must have a minimum value of {minimum}"));
    }
    if let (Some(number), Some(maximum)) = (number, param.maximum)
        && number > maximum
    {
        return Err(format!("value must have a maximum value of {maximum}"));
    }
    if let Some(longest) = param.max_length.filter(|longest| text.chars().count() > *longest) {
        return Err(format!("value may only be {longest} characters long"));
    }
    if !param.one_of.is_empty() && !param.one_of.contains(&text) {
        return Err(format!("value '{text}' does not have a value in the enumeration '{}'", param.one_of.join(", ")));
    }
    Ok(())
}

fn is_integer(text: &str) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
}

const fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Array(_) => "ARRAY",
        Value::Object(_) => "HASH",
        _ => "undef",
    }
}

/// Checks a format by its name in pve-common; one that isn't known lets everything through.
fn format_fits(format: &str, text: &str) -> Result<(), String> {
    let list = || text.split([',', ';', ' ']).filter(|item| !item.is_empty());
    let fits = match format {
        "pve-vmid" => {
            let number = text.parse::<u64>().is_ok_and(|n| (100..=999_999_999).contains(&n)) && !text.starts_with('0');
            return number.then_some(()).ok_or_else(|| "value does not look like a valid VM ID".to_owned());
        }
        "pve-node" => {
            let dashes = text.starts_with('-') || text.ends_with('-');
            let name = !text.is_empty() && !dashes && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
            return name.then_some(()).ok_or_else(|| "value does not look like a valid node name".to_owned());
        }
        "pci-map" => return map_fits(text),
        "dns-name" => {
            let label = |part: &str| {
                let inside = part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
                !part.is_empty() && inside && !part.starts_with('-') && !part.ends_with('-')
            };
            let name = text.split('.').all(label);
            return name.then_some(()).ok_or_else(|| "value does not look like a valid DNS name".to_owned());
        }
        "pve-configid" => word(text, "_-"),
        "pve-storage-id" => word(text, "-_."),
        "pve-realm" => word(text, ".-_"),
        "pve-storage-content" => CONTENT.contains(&text),
        "pve-storage-content-list" => list().all(|item| CONTENT.contains(&item)),
        "pve-task-status-type-list" => list().all(|item| ["ok", "error", "warning", "unknown"].contains(&item)),
        "pve-priv-list" => list().all(crate::sim::access::is_privilege),
        "CIDR" => text.split_once('/').is_some_and(|(ip, _)| ip.parse::<std::net::IpAddr>().is_ok()),
        "nets-host-mtu" => list().all(|item| item.starts_with("net") && item.contains('=')),
        "pve-tokenid-or-userid" => text.split_once('@').is_some_and(|(user, realm)| {
            let user = !user.is_empty() && !user.contains([':', '/', ' ']);
            user && realm.split('!').all(|part| word(part, ".-_"))
        }),
        _ => true,
    };
    if fits { Ok(()) } else { Err(misformatted(format, text)) }
}

/// An entry of a PCI mapping (pve-guest-common `Mapping/PCI.pm:51-87`).
fn map_fits(text: &str) -> Result<(), String> {
    let wrong = |name: &str, why: &str| Err(format!("format error\n{name}: {why}"));
    let mut seen = Vec::new();
    for part in text.split(',') {
        let Some((name, value)) = part.split_once('=') else { return wrong(part, "value without key") };
        let pair = || value.parse::<crate::domain::iommu::PciId>().is_ok() && value.len() == 9;
        // Unlike elsewhere in Proxmox, the domain can't be left out.
        let paths = || value.split(';').all(|path| path.matches(':').count() == 2 && is_lower_address(path));
        let fits = match name {
            "id" | "subsystem-id" => pair(),
            "path" => paths(),
            "iommugroup" => is_integer(value),
            "node" => format_fits("pve-node", value).is_ok(),
            "description" => true,
            _ => {
                return wrong(
                    name,
                    "property is not defined in schema and the schema does not allow additional properties",
                );
            }
        };
        if !fits {
            return wrong(name, "value does not match the regex pattern");
        }
        seen.push(name);
    }
    let missing = ["id", "node", "path"].into_iter().find(|name| !seen.contains(name));
    missing.map_or(Ok(()), |name| wrong(name, "property is missing and it is not optional"))
}

fn is_lower_address(path: &str) -> bool {
    path.parse::<crate::domain::gpu::PciAddr>().is_ok() && !path.bytes().any(|byte| byte.is_ascii_uppercase())
}

fn misformatted(format: &str, text: &str) -> String {
    match format {
        "pve-configid" => format!("invalid configuration ID '{text}'"),
        "pve-storage-id" => format!("storage ID '{text}' contains illegal characters"),
        "pve-storage-content" | "pve-storage-content-list" => format!("invalid content type '{text}'"),
        "pve-priv-list" => format!("invalid privilege '{text}'"),
        _ => "value does not match the regex pattern".to_owned(),
    }
}

const CONTENT: [&str; 8] = ["images", "rootdir", "vztmpl", "iso", "backup", "snippets", "import", "none"];

/// A letter first, then letters, digits and `others`, at least two characters.
fn word(text: &str, others: &str) -> bool {
    text.len() >= 2
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || others.contains(c))
}
