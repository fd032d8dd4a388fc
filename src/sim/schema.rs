//! The table of served endpoints, and the check of parameters against it (pve-common `JSONSchema.pm`).

mod check;

use serde::Deserialize;
use serde_json::value::RawValue;
use std::{collections::BTreeMap, sync::LazyLock};

pub(crate) use check::check;

/// The endpoints without their parameters, which are read when they are asked for: read all at once they would be most
/// of what a simulated host keeps in memory.
static TABLE: LazyLock<Vec<Endpoint>> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../assets/sim/schema.json")).unwrap_or_default());

/// The settings of a VM.
const CONFIG: &str = include_str!("../../assets/sim/config.json");

/// One endpoint.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Endpoint {
    pub(crate) method: &'static str,
    /// Path with `{name}` for what varies.
    pub(crate) path: &'static str,
    pub(crate) permission: Permission,
    /// Whether an API token may use it.
    #[serde(default = "yes")]
    pub(crate) token: bool,
    /// Whether it is answered by the node that the path names.
    #[serde(default)]
    pub(crate) proxied: bool,
    /// Whether it takes a VM's settings besides.
    #[serde(default)]
    config: bool,
    params: &'static RawValue,
}

const fn yes() -> bool {
    true
}

/// Who may call an endpoint.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Permission {
    /// `world` or `all` (everybody who is logged in).
    User(&'static str),
    /// Privileges on a path.
    Check {
        /// Path with `{name}` taken from the parameters.
        path: &'static str,
        /// Privileges.
        privs: Vec<&'static str>,
        /// Whether one of them is enough.
        any: bool,
    },
}

/// The parameters of an endpoint.
#[derive(Debug)]
pub(crate) struct Declared(BTreeMap<&'static str, Param>);

/// One parameter.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Param {
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    #[serde(default)]
    pub(crate) optional: bool,
    #[serde(default, rename = "enum")]
    pub(crate) one_of: Vec<&'static str>,
    pub(crate) minimum: Option<i64>,
    pub(crate) maximum: Option<i64>,
    #[serde(rename = "maxLength")]
    pub(crate) max_length: Option<usize>,
    pub(crate) format: Option<&'static str>,
    pub(crate) requires: Option<&'static str>,
    /// The last number of `NAME[n]`, which stands for NAME0 and so on.
    #[serde(default)]
    pub(crate) highest: u32,
    /// What a property string is made of.
    #[serde(default)]
    pub(crate) properties: BTreeMap<&'static str, Property>,
}

/// A part of a property string.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Property {
    #[serde(rename = "type", default)]
    pub(crate) kind: Option<&'static str>,
    #[serde(default, rename = "enum")]
    pub(crate) one_of: Vec<&'static str>,
    /// Whether its name may be left out.
    #[serde(default)]
    pub(crate) default_key: bool,
    /// Whether a string without it makes no sense.
    #[serde(default)]
    pub(crate) required: bool,
    /// The property that it is another name of.
    pub(crate) alias: Option<&'static str>,
}

impl Endpoint {
    /// What it takes.
    pub(crate) fn declared(&self) -> Declared {
        let mut params: BTreeMap<&'static str, Param> = serde_json::from_str(self.params.get()).unwrap_or_default();
        if self.config {
            params.extend(serde_json::from_str::<BTreeMap<_, _>>(CONFIG).unwrap_or_default());
        }
        Declared(params)
    }
}

impl Declared {
    /// Every parameter with its name, in the names' order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'static str, &Param)> {
        self.0.iter().map(|(name, param)| (*name, param))
    }

    /// A parameter by its name, also one of a numbered kind.
    pub(crate) fn param(&self, name: &str) -> Option<&Param> {
        if let Some(param) = self.0.get(name) {
            return Some(param).filter(|_| !name.ends_with("[n]"));
        }
        let kind = name.trim_end_matches(|c: char| c.is_ascii_digit());
        let param = self.0.get(&*format!("{kind}[n]"))?;
        let number = name.strip_prefix(kind)?;
        let plain = !number.is_empty() && (number == "0" || !number.starts_with('0'));
        Some(param).filter(|_| plain && number.parse::<u32>().is_ok_and(|number| number <= param.highest))
    }
}

/// Every endpoint, in the table's order.
#[cfg(test)]
pub(crate) fn endpoints() -> &'static [Endpoint] {
    &TABLE
}

/// The endpoint for a method and a path without a query; and what stands in the path where it varies, decoded.
pub(crate) fn find(method: &str, path: &str) -> Option<(&'static Endpoint, Vec<(&'static str, String)>)> {
    TABLE.iter().filter(|e| e.method == method).find_map(|e| Some((e, matches(e.path, path)?)))
}

fn matches(pattern: &'static str, path: &str) -> Option<Vec<(&'static str, String)>> {
    let mut found = Vec::new();
    let (mut wanted, mut given) = (pattern.split('/'), path.trim_end_matches('/').split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return Some(found),
            (Some(wanted), Some(given)) => match wanted.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
                Some(name) if !given.is_empty() => {
                    let value = percent_encoding::percent_decode_str(given).decode_utf8_lossy().into_owned();
                    found.push((name, value));
                }
                None if wanted == given => {}
                _ => return None,
            },
            _ => return None,
        }
    }
}
