//! Decodes queries and bodies as crudely as pve-http-server does (`AnyEvent.pm:890-921`).

use super::answer::Refused;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

/// Parameters by name: text, an array where a name stands several times, or whatever JSON held.
pub(crate) type Params = Map<String, Value>;

/// Reads a query or a form: fields are split at `&` and at `;`, and of a field only what stands between the first and
/// a second raw `=` is its value.
pub(crate) fn decode(text: &str) -> Params {
    let mut params = Params::new();
    for field in text.split(['&', ';']).filter(|field| !field.is_empty()) {
        let mut parts = field.split('=');
        let (Some(name), value) = (parts.next(), parts.next().unwrap_or_default()) else { continue };
        let value = Value::String(unescape(value));
        match params.get_mut(&unescape(name)) {
            None => {
                params.insert(unescape(name), value);
            }
            Some(Value::Array(all)) => all.push(value),
            Some(first) => *first = Value::Array(vec![first.take(), value]),
        }
    }
    params
}

/// Reads a body by its content type.
///
/// # Errors
/// JSON that isn't an object.
pub(crate) fn body(content_type: &str, body: &[u8]) -> Result<Params, Refused> {
    if body.is_empty() {
        return Ok(Params::new());
    }
    if content_type.starts_with("application/json") {
        let value = serde_json::from_slice(body);
        return value.map_err(|bad| Refused::died(format!("unable to decode JSON body: {bad}")));
    }
    Ok(decode(&String::from_utf8_lossy(body)))
}

fn unescape(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_second_equals_sign_and_semicolons_cut() {
        let read = decode("hostpci0=mapping=gpu0&a=1;b=2&c=x%3Dy%3Bz+%20&command=%2Fbin%2Fsh&command=-c&flag");
        let expected = json!({
            "hostpci0": "mapping", "a": "1", "b": "2", "c": "x=y;z  ", "command": ["/bin/sh", "-c"], "flag": ""
        });
        assert_eq!(Value::Object(read), expected);
    }

    #[test]
    fn json_keeps_its_types_and_must_be_an_object() {
        let read = body("application/json", br#"{"forceStop": true, "command": ["/bin/sh", "-c"]}"#).unwrap();
        assert_eq!(Value::Object(read), json!({"forceStop": true, "command": ["/bin/sh", "-c"]}));
        assert!(body("application/json;charset=UTF-8", b"[1]").is_err());
        assert!(body("application/json", b"").unwrap().is_empty());
    }
}
