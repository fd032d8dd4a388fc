//! People, their tokens and what they may do.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A user.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct UserSpec {
    /// Password for tickets; none means that the user can't log in with one.
    pub password: Option<String>,
    /// A disabled user's tokens don't work either.
    pub disabled: bool,
    /// API tokens by name.
    pub tokens: BTreeMap<String, TokenSpec>,
}

/// An API token.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct TokenSpec {
    /// Its secret.
    pub secret: String,
    /// Whether it has only rights of its own, cut to its user's.
    pub privsep: bool,
    /// Whether it has expired.
    pub expired: bool,
}

/// An access control entry.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AclSpec {
    /// Where, such as `/vms/101`.
    pub path: String,
    /// Who: `name@realm` or `name@realm!token`.
    pub who: String,
    /// Which role.
    pub role: String,
    /// Whether it holds below the path too.
    #[serde(default = "super::yes")]
    pub propagate: bool,
}
