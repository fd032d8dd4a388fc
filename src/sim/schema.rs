//! The table of served endpoints of both versions, and the check of parameters against it (pve-common `JSONSchema.pm`).

mod check;
mod format;

use super::release::Release;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::{borrow::Cow, collections::BTreeMap, sync::LazyLock};

pub(crate) use check::check;
#[cfg(test)]
pub(crate) use format::matches as matches_pattern;

/// The endpoints without their parameters, which are read when they are asked for: read all at once they would be most
/// of what a simulated host keeps in memory.
static TABLE: LazyLock<Vec<Endpoint>> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../assets/sim/schema.json")).unwrap_or_default());

/// The settings of a VM.
const CONFIG: &str = include_str!("../../assets/sim/config.json");

/// Parameters of paths that are the same everywhere.
const IMPLIED: &str = r#"{
    "node": {"type": "string", "format": "pve-node"},
    "vmid": {"type": "integer", "format": "pve-vmid", "minimum": 100, "maximum": 999999999}
}"#;

/// One endpoint.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Endpoint {
    pub(crate) method: &'static str,
    /// Path with `{name}` for what varies.
    pub(crate) path: &'static str,
    /// The only version that has it, by its first number.
    #[serde(default)]
    only: Option<u8>,
    permission: Permission,
    /// Who may call it in Proxmox VE 8, where that differs.
    #[serde(default)]
    permission8: Option<Permission>,
    /// Whether an API token may use it.
    #[serde(default = "yes")]
    pub(crate) token: bool,
    /// Whether it is answered by the node that the path names.
    #[serde(default)]
    pub(crate) proxied: bool,
    /// Whether it takes a VM's settings besides.
    #[serde(default)]
    config: bool,
    /// Parameters of both versions.
    params: &'static RawValue,
    /// Those that only Proxmox VE 8 has, or has otherwise.
    #[serde(borrow, default)]
    params8: Option<&'static RawValue>,
    /// Those that only Proxmox VE 9 has, or has otherwise.
    #[serde(borrow, default)]
    params9: Option<&'static RawValue>,
}

const fn yes() -> bool {
    true
}

/// Who may call an endpoint (`RPCEnvironment.pm:exec_api2_perm_check`).
#[derive(Debug, Deserialize, PartialEq)]
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
        #[serde(default)]
        any: bool,
    },
    /// One of these.
    Or {
        /// Which.
        or: Vec<Permission>,
    },
    /// All of these.
    And {
        /// Which.
        and: Vec<Permission>,
    },
    /// Who may change the rights on a path.
    Modify {
        /// Path with `{name}` taken from the parameters.
        modify: &'static str,
    },
    /// `self`: the user that `userid` names, not a token of it; else a privilege on that user's realm.
    Userid {
        /// Which of both.
        userid: &'static str,
    },
    /// Privileges on the groups of the user that `userid` names.
    Groups {
        /// Privileges, one of which is enough.
        groups: Vec<&'static str>,
        /// `create` or `update`: on the groups that the parameters name too.
        #[serde(default)]
        given: Option<&'static str>,
    },
}

/// The parameters of an endpoint.
#[derive(Debug, PartialEq)]
pub(crate) struct Declared(BTreeMap<&'static str, Param>);

/// One parameter, or a part of a property string.
#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Param {
    #[serde(rename = "type", default = "string")]
    pub(crate) kind: &'static str,
    pub(crate) optional: bool,
    #[serde(rename = "enum")]
    pub(crate) one_of: Vec<&'static str>,
    pub(crate) minimum: Option<i64>,
    pub(crate) maximum: Option<i64>,
    #[serde(rename = "maxLength")]
    pub(crate) max_length: Option<usize>,
    #[serde(rename = "minLength")]
    pub(crate) min_length: Option<usize>,
    pub(crate) format: Option<&'static str>,
    /// A regular expression for the whole of it.
    #[serde(borrow)]
    pub(crate) pattern: Option<Cow<'static, str>>,
    pub(crate) requires: Option<&'static str>,
    /// The last number of `NAME[n]`, which stands for NAME0 and so on.
    pub(crate) highest: u32,
    /// What a property string is made of.
    pub(crate) properties: BTreeMap<&'static str, Self>,
    /// Properties of Proxmox VE 8 alone.
    properties8: BTreeMap<&'static str, Self>,
    /// Properties of Proxmox VE 9 alone.
    properties9: BTreeMap<&'static str, Self>,
    /// Whether a property's name may be left out.
    pub(crate) default_key: bool,
    /// Whether a property string without it makes no sense.
    pub(crate) required: bool,
    /// The property that it is another name of.
    pub(crate) alias: Option<&'static str>,
}

const fn string() -> &'static str {
    "string"
}

impl Param {
    /// As a version has it.
    pub(crate) fn of(mut self, release: Release) -> Self {
        let (eight, nine) = (std::mem::take(&mut self.properties8), std::mem::take(&mut self.properties9));
        self.properties.extend(if release == Release::V8 { eight } else { nine });
        self
    }
}

impl Endpoint {
    /// Whether a version has it.
    pub(crate) fn is_in(&self, release: Release) -> bool {
        self.only.is_none_or(|major| major == release.major())
    }

    /// Who may call it.
    pub(crate) fn permission(&self, release: Release) -> &Permission {
        self.permission8.as_ref().filter(|_| release == Release::V8).unwrap_or(&self.permission)
    }

    /// What it takes.
    pub(crate) fn declared(&self, release: Release) -> Declared {
        let mut params = BTreeMap::new();
        for (name, param) in read(IMPLIED) {
            if self.path.contains(&format!("{{{name}}}")) {
                params.insert(name, param);
            }
        }
        let own = |release: Release, eight: Option<&'static RawValue>, nine: Option<&'static RawValue>| {
            let more = if release == Release::V8 { eight } else { nine };
            more.map(|more| read(more.get())).unwrap_or_default()
        };
        if self.config {
            let config: Config = serde_json::from_str(CONFIG).unwrap_or_default();
            params.extend(config.params.map(|all| read(all.get())).unwrap_or_default());
            params.extend(own(release, config.params8, config.params9));
        }
        params.extend(read(self.params.get()));
        params.extend(own(release, self.params8, self.params9));
        Declared(params.into_iter().map(|(name, param)| (name, param.of(release))).collect())
    }
}

/// The settings of a VM as the table has them.
#[derive(Default, Deserialize)]
struct Config {
    #[serde(borrow)]
    params: Option<&'static RawValue>,
    #[serde(borrow)]
    params8: Option<&'static RawValue>,
    #[serde(borrow)]
    params9: Option<&'static RawValue>,
}

fn read(text: &'static str) -> BTreeMap<&'static str, Param> {
    serde_json::from_str(text).unwrap_or_default()
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

/// Every endpoint of a version, in the table's order.
#[cfg(test)]
pub(crate) fn endpoints(release: Release) -> impl Iterator<Item = &'static Endpoint> {
    TABLE.iter().filter(move |endpoint| endpoint.is_in(release))
}

/// The endpoint for a method and a path without a query; and what stands in the path where it varies, decoded.
pub(crate) fn find(
    release: Release,
    method: &str,
    path: &str,
) -> Option<(&'static Endpoint, Vec<(&'static str, String)>)> {
    let all = TABLE.iter().filter(|endpoint| endpoint.method == method && endpoint.is_in(release));
    all.into_iter().find_map(|endpoint| Some((endpoint, matches(endpoint.path, path)?)))
}

fn matches(pattern: &'static str, path: &str) -> Option<Vec<(&'static str, String)>> {
    let mut found = Vec::new();
    let path = path.trim_end_matches('/');
    // A volume has slashes of its own.
    let (begin, path) = match pattern.strip_suffix("{volume}") {
        Some(_) => {
            let slashes = path.match_indices('/').nth(pattern.matches('/').count() - 1).map(|(at, _)| at);
            let (begin, volume) = path.split_at(slashes? + 1);
            (begin, Some(volume))
        }
        None => (path, None),
    };
    let given = begin.trim_end_matches('/').split('/').chain(path);
    let (mut wanted, mut given) = (pattern.split('/'), given);
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return Some(found),
            (Some(wanted), Some(given)) => match wanted.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
                Some(name) if !given.is_empty() => {
                    let value = percent_encoding::percent_decode_str(given).decode_utf8_lossy().into_owned();
                    // A blank is in no part of a path.
                    if value.contains(char::is_whitespace) {
                        return None;
                    }
                    found.push((name, value));
                }
                None if wanted == given => {}
                _ => return None,
            },
            _ => return None,
        }
    }
}
