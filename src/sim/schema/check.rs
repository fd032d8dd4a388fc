//! Checks values by type, format and limits, in the words of pve-common.

use super::{Endpoint, Param, format};
use crate::sim::{answer::Refused, form::Params, release::Release};
use serde_json::Value;
use std::{borrow::Cow, collections::BTreeMap};

/// Words for what isn't in the schema.
const UNKNOWN: &str = "property is not defined in schema and the schema does not allow additional properties";
/// Words for what is absent.
const MISSING: &str = "property is missing and it is not optional";

/// Errors by the parameter's name.
type Errors = BTreeMap<String, String>;

/// Checks all parameters, those of the path included.
///
/// # Errors
/// A 400 that names every parameter at fault.
pub(crate) fn check(release: Release, endpoint: &Endpoint, params: &Params) -> Result<(), Refused> {
    let declared = endpoint.declared(release);
    let mut errors = Errors::new();
    for (name, value) in params {
        let Some(param) = declared.param(name) else {
            errors.insert(name.clone(), UNKNOWN.to_owned());
            continue;
        };
        value_fits(release, name, param, value, &mut errors);
        if let Some(needed) = param.requires.filter(|needed| !params.contains_key(*needed)) {
            let why = match release {
                Release::V8 => format!("missing property - '{name}' requires this property"),
                Release::V9 => format!("missing property required by '{name}'"),
            };
            errors.insert(needed.to_owned(), why);
        }
    }
    for (name, param) in declared.iter() {
        if !param.optional && !params.contains_key(name) {
            errors.insert(name.to_owned(), MISSING.to_owned());
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(Refused::Params(errors)) }
}

fn value_fits(release: Release, name: &str, param: &Param, value: &Value, errors: &mut Errors) {
    if param.kind != "array" {
        if let Err(why) = scalar(param.kind, value).and_then(|text| text_fits(release, name, param, &text)) {
            errors.insert(name.to_owned(), why);
        }
        return;
    }
    // A single value is an array of one (pve-common turns it into one for arrays).
    let items: Vec<&Value> = match value {
        Value::Array(items) => items.iter().collect(),
        Value::String(_) | Value::Number(_) => vec![value],
        other => {
            errors.insert(name.to_owned(), format!("type check ('array') failed - got '{other}'"));
            return;
        }
    };
    for (place, item) in items.into_iter().enumerate() {
        let name = format!("{name}[{place}]");
        if let Err(why) = scalar("string", item).and_then(|text| text_fits(release, &name, param, &text)) {
            errors.insert(name, why);
        }
    }
}

/// A value as text.
fn scalar<'a>(kind: &str, value: &'a Value) -> Result<Cow<'a, str>, String> {
    match value {
        Value::String(text) => Ok(Cow::Borrowed(text)),
        Value::Number(number) => Ok(Cow::Owned(number.to_string())),
        Value::Bool(flag) => Ok(Cow::Owned(u8::from(*flag).to_string())),
        Value::Array(_) => Err(format!("type check ('{kind}') failed - got 'ARRAY'")),
        Value::Object(_) => Err(format!("type check ('{kind}') failed - got 'HASH'")),
        Value::Null => Err(format!("type check ('{kind}') failed - got 'undef'")),
    }
}

/// Checks a value that is no part of a property string.
fn text_fits(release: Release, name: &str, param: &Param, text: &str) -> Result<(), String> {
    if param.kind == "boolean" && !matches!(text, "0" | "1") {
        return Err(mistyped(param.kind, text));
    }
    fits(release, param, text)?;
    if param.properties.is_empty() {
        return Ok(());
    }
    properties_fit(release, name, param, text).map_err(|why| format!("invalid format - {why}\n"))
}

fn mistyped(kind: &str, text: &str) -> String {
    format!("type check ('{kind}') failed - got '{text}'")
}

/// Checks a property string such as `virtio,bridge=vmbr0` (pve-common `JSONSchema.pm:parse_property_string`).
fn properties_fit(release: Release, whole: &str, param: &Param, text: &str) -> Result<(), String> {
    let wrong = |name: &str, why: &str| Err(format!("format error\n{whole}.{name}: {why}"));
    let mut seen = Vec::new();
    for part in text.split(',').filter(|part| !part.is_empty()) {
        let (name, value) = match part.split_once('=') {
            Some((name, value)) => (name, value),
            None => match param.properties.iter().find(|(_, property)| property.default_key) {
                Some((name, _)) => (*name, part),
                None => return Err("value without key, but schema does not define a default key".to_owned()),
            },
        };
        let Some(property) = param.properties.get(name) else { return wrong(name, UNKNOWN) };
        if let Err(why) = property_fits(release, property, value) {
            return wrong(name, &why);
        }
        seen.push(property.alias.unwrap_or(name));
        // `virtio=BC:24:...` is the address of a card of that model.
        seen.extend(property.alias.filter(|alias| *alias == "macaddr").map(|_| "model"));
    }
    let missing = param.properties.iter().find(|(name, p)| p.required && !seen.contains(*name));
    missing.map_or(Ok(()), |(name, _)| wrong(name, MISSING))
}

/// Within property strings more words are switches.
fn property_fits(release: Release, property: &Param, value: &str) -> Result<(), String> {
    let switch = ["0", "1", "on", "off", "yes", "no", "true", "false"];
    if property.kind == "boolean" && !switch.contains(&value) {
        return Err(mistyped("boolean", value));
    }
    fits(release, property, value)
}

/// Checks type, format, pattern, limits and enumeration, in the order in which the real one looks.
fn fits(release: Release, param: &Param, text: &str) -> Result<(), String> {
    let number: Option<f64> = text.parse().ok();
    match param.kind {
        "integer" if !format::is_integer(text) => return Err(mistyped(param.kind, text)),
        "number" if number.is_none() => return Err(mistyped(param.kind, text)),
        _ => {}
    }
    if let Some(name) = param.format {
        format::fits(release, name, text).map_err(|why| format!("invalid format - {why}\n"))?;
    }
    if param.pattern.as_deref().is_some_and(|pattern| !format::matches(pattern, text)) {
        return Err("value does not match the regex pattern".to_owned());
    }
    let length = text.chars().count();
    if let Some(longest) = param.max_length.filter(|longest| length > *longest) {
        return Err(format!("value may only be {longest} characters long"));
    }
    if let Some(shortest) = param.min_length.filter(|shortest| length < *shortest) {
        return Err(format!("value must be at least {shortest} characters long"));
    }
    let number = number.filter(|_| param.kind != "string");
    #[expect(clippy::cast_precision_loss, reason = "limits are small")]
    if let (Some(number), Some(minimum)) = (number, param.minimum)
        && number < minimum as f64
    {
        return Err(format!("value must have a minimum value of {minimum}"));
    }
    #[expect(clippy::cast_precision_loss, reason = "limits are small")]
    if let (Some(number), Some(maximum)) = (number, param.maximum)
        && number > maximum as f64
    {
        return Err(format!("value must have a maximum value of {maximum}"));
    }
    if param.one_of.is_empty() || param.one_of.contains(&text) {
        return Ok(());
    }
    Err(format!("value '{text}' does not have a value in the enumeration '{}'", param.one_of.join(", ")))
}
