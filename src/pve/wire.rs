//! Reading of answers whose types can't be relied on: booleans as 0 and 1, numbers as strings, keys that come and go
//! (they differ by privilege, guest state and version).

use super::error::Error;
pub(crate) use crate::domain::guest::flag_word;
use serde_json::{Map, Value};

/// A JSON object with tolerant getters. An absent, null or senseless value is none.
#[derive(Clone, Copy)]
pub(crate) struct Object<'a>(&'a Map<String, Value>);

impl<'a> Object<'a> {
    /// # Errors
    /// The value is no object.
    pub(crate) fn new(value: &'a Value, what: &str) -> Result<Self, Error> {
        value.as_object().map(Self).ok_or_else(|| Error::Protocol(format!("{what}: expected an object")))
    }

    pub(crate) fn get(self, key: &str) -> Option<&'a Value> {
        self.0.get(key).filter(|value| !value.is_null())
    }

    pub(crate) fn entries(self) -> impl Iterator<Item = (&'a str, &'a Value)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// A text; numbers are turned into one.
    pub(crate) fn text(self, key: &str) -> Option<String> {
        text(self.get(key)?)
    }

    /// A text that isn't empty.
    pub(crate) fn word(self, key: &str) -> Option<String> {
        self.text(key).filter(|text| !text.is_empty())
    }

    pub(crate) fn float(self, key: &str) -> Option<f64> {
        float(self.get(key)?)
    }

    /// A whole number that isn't negative; fractions are cut off.
    pub(crate) fn uint(self, key: &str) -> Option<u64> {
        match self.get(key)? {
            Value::Number(n) if n.is_u64() => n.as_u64(),
            Value::String(s) if s.bytes().all(|b| b.is_ascii_digit()) => s.parse().ok(),
            other => float(other).and_then(whole),
        }
    }

    pub(crate) fn int(self, key: &str) -> Option<i64> {
        match self.get(key)? {
            Value::Number(n) => n.as_i64(),
            Value::String(s) => s.parse().ok(),
            _ => None,
        }
    }

    /// A boolean in any of Proxmox's spellings.
    pub(crate) fn flag(self, key: &str) -> Option<bool> {
        flag(self.get(key)?)
    }
}

/// The elements of a list.
///
/// # Errors
/// The value is no list.
pub(crate) fn list<'a>(value: &'a Value, what: &str) -> Result<&'a [Value], Error> {
    value.as_array().map(Vec::as_slice).ok_or_else(|| Error::Protocol(format!("{what}: expected a list")))
}

/// Whole numbers of bytes or seconds; beyond 2^53 nothing real is measured.
fn whole(number: f64) -> Option<u64> {
    let fits = (0.0..9_007_199_254_740_992.0).contains(&number);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range was checked above")]
    fits.then_some(number as u64)
}

fn float(value: &Value) -> Option<f64> {
    match value {
        Value::Number(n) => n.as_f64(),
        Value::String(s) => s.trim().parse().ok(),
        _ => None,
    }
    .filter(|number| number.is_finite())
}

pub(crate) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(s) => Some(s.clone()),
        Value::Number(n) => Some(n.to_string()),
        Value::Bool(b) => Some(u8::from(*b).to_string()),
        _ => None,
    }
}

pub(crate) fn flag(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(b) => Some(*b),
        Value::Number(n) => n.as_f64().map(|n| n != 0.0),
        Value::String(s) => flag_word(s),
        _ => None,
    }
}

/// The pairs of a property string, such as `virtio=BC:24:11:00:01:01,bridge=vmbr0`; a part without `=` has an empty name.
pub(crate) fn properties(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.split(',').map(|part| part.split_once('=').unwrap_or(("", part)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_spelling_of_a_value_is_read() {
        let value = json!({ "a": 1, "b": "1", "c": true, "d": 0, "e": "512", "f": 0.25, "g": "0.25", "h": null, "i": -1, "j": 1e9,
            "k": u64::MAX, "l": "x" });
        let o = Object::new(&value, "test").unwrap();
        assert_eq!(
            ["a", "b", "c", "d", "h", "l", "zz"].map(|k| o.flag(k)),
            [Some(true), Some(true), Some(true), Some(false), None, None, None]
        );
        assert_eq!(
            ["a", "e", "f", "i", "j", "k", "l"].map(|k| o.uint(k)),
            [Some(1), Some(512), Some(0), None, Some(1_000_000_000), Some(u64::MAX), None]
        );
        assert_eq!(
            (o.float("g"), o.float("e"), o.int("i"), o.text("a")),
            (Some(0.25), Some(512.0), Some(-1), Some("1".into()))
        );
        assert!(Object::new(&json!([]), "test").is_err() && list(&json!({}), "test").is_err());
    }
}
