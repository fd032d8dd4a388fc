//! JSON within a bound: what one answer may cost in memory, whatever is in it. Two bytes of a list become a value of 32,
//! seven of a map become a node of 600, and what is read from them lives beside them for a while.

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value, value::RawValue};
use std::{cell::Cell, fmt};

/// The largest answer that is read, bytes.
pub(super) const LARGEST: usize = 4 << 20;
/// What the values of an answer may take, bytes; with the answer itself, and what is read from them, less than 16 MiB.
pub(super) const VALUES: usize = 6 << 20;

/// A value in a list, with what is read from it.
const ELEMENT: usize = 256;
/// A map with anything in it: a node of its tree.
const MAP: usize = 640;
/// Each of its entries, beside its key.
const ENTRY: usize = 128;
/// A text is copied and put right on its way.
const COPIES: usize = 4;

/// Bytes that may still be taken.
#[derive(Debug)]
pub(super) struct Budget(Cell<usize>);

impl Budget {
    pub(super) const fn new() -> Self {
        Self(Cell::new(VALUES))
    }

    /// Whether there is room for so much more; then it is taken.
    pub(super) fn take(&self, bytes: usize) -> bool {
        let left = self.0.get().checked_sub(bytes);
        self.0.set(left.unwrap_or_default());
        left.is_some()
    }

    fn spend<E: serde::de::Error>(&self, bytes: usize) -> Result<(), E> {
        if self.take(bytes) { Ok(()) } else { Err(E::custom("it holds more than any answer of Proxmox VE does")) }
    }
}

/// Reads a value.
///
/// # Errors
/// It is no JSON, or holds too much.
pub(super) fn value(text: &str) -> serde_json::Result<Value> {
    let budget = Budget::new();
    let mut from = serde_json::Deserializer::from_str(text);
    let value = Seed(&budget).deserialize(&mut from)?;
    from.end().map(|()| value)
}

/// Hands out the elements of a list one by one, as they are written.
///
/// # Errors
/// It is no list, or `take` doesn't want any more of it.
pub(super) fn each<'t>(text: &'t str, take: &mut dyn FnMut(&'t RawValue) -> Result<(), ()>) -> serde_json::Result<()> {
    let mut from = serde_json::Deserializer::from_str(text);
    from.deserialize_seq(Elements(take))?;
    from.end()
}

struct Elements<'f, 't>(&'f mut dyn FnMut(&'t RawValue) -> Result<(), ()>);

impl<'t> Visitor<'t> for Elements<'_, 't> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'t>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(element) = list.next_element::<&RawValue>()? {
            (self.0)(element).map_err(|()| A::Error::custom("no more"))?;
        }
        Ok(())
    }
}

#[derive(Clone, Copy)]
struct Seed<'b>(&'b Budget);

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Value, E> {
        self.0.spend(COPIES * text.len())?;
        Ok(Value::String(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut all = Vec::new();
        while let Some(element) = list.next_element_seed(self)? {
            self.0.spend(ELEMENT)?;
            all.push(element);
        }
        Ok(Value::Array(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut all = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            self.0.spend(ENTRY + key.len() + if all.is_empty() { MAP } else { 0 })?;
            all.insert(key, entries.next_value_seed(self)?);
        }
        Ok(Value::Object(all))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A text of as many pieces as an answer may have bytes.
    fn full(open: &str, piece: &str, close: &str) -> String {
        let pieces = vec![piece; (LARGEST - 16) / (piece.len() + 1)];
        format!("{open}{}{close}", pieces.join(","))
    }

    #[test]
    fn what_would_take_too_much_memory_is_no_answer() {
        for piece in ["0", "[]", "[0]", "{}", "{\"\":0}", "\"\"", "[[[[0]]]]", "null", "1e9", "{\"a\":{\"b\":[{}]}}"] {
            let text = full("[", piece, "]");
            let why = value(&text).unwrap_err().to_string();
            assert!(why.starts_with("it holds more than any answer"), "{piece}: {why}");
        }
        let keys: Vec<String> = (0..300_000).map(|n| format!("\"{n}\":0")).collect();
        assert!(value(&format!("{{{}}}", keys.join(","))).is_err());
        assert!(value(&format!("\"{}\"", "x".repeat(LARGEST - 16))).is_err());
        assert!(value(&"[".repeat(LARGEST)).is_err());
    }

    #[test]
    fn what_hosts_answer_fits() {
        let guest = "{\"vmid\":101,\"name\":\"nimsforest-vr-linux\",\"status\":\"running\",\"maxmem\":34359738368,\"cpu\":0.0312,\
                     \"uptime\":86400,\"netin\":1234567,\"netout\":7654321,\"diskread\":1,\"diskwrite\":2,\"tags\":\"vr;night\"}";
        let guests = format!("[{}]", vec![guest; 2_000].join(","));
        assert_eq!(value(&guests).unwrap(), serde_json::from_str::<Value>(&guests).unwrap());
        let text = "{\"a\":[1,-2,3.5,true,null,\"\\u00e9\\n\"],\"b\":{},\"big\":18446744073709551615}";
        assert_eq!(value(text).unwrap(), serde_json::from_str::<Value>(text).unwrap());
        for bad in ["", "{", "[1,]", "1 2", "nul"] {
            assert!(value(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn elements_are_handed_out_until_nobody_wants_more() {
        let mut seen = Vec::new();
        let mut take = |element: &RawValue| {
            seen.push(element.get().to_owned());
            if seen.len() < 3 { Ok(()) } else { Err(()) }
        };
        assert!(each("[1, {\"a\": 2}, [3], 4]", &mut take).is_err());
        assert_eq!(seen, ["1", "{\"a\": 2}", "[3]"]);
        assert!(each("[]", &mut |_| Ok(())).is_ok() && each("{}", &mut |_| Ok(())).is_err());
    }
}
