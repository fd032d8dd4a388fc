//! People, their tokens and what they may do.

use crate::sim::tfa::TfaSpec;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A user.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct UserSpec {
    /// Password for tickets; none means that the user can't log in with one.
    pub password: Option<String>,
    /// A disabled user's tokens don't work either.
    pub disabled: bool,
    /// When the user may no longer log in, seconds since the Unix epoch; 0: never.
    pub expire: u64,
    /// A few words.
    pub comment: Option<String>,
    /// Address for mails.
    pub email: Option<String>,
    /// First name.
    pub firstname: Option<String>,
    /// Last name.
    pub lastname: Option<String>,
    /// The second factor.
    pub tfa: TfaSpec,
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
    /// When it expires, seconds since the Unix epoch; 0: never.
    pub expire: u64,
    /// A few words.
    pub comment: Option<String>,
}

/// A pool: guests and storages that rights are given on together.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct PoolSpec {
    /// A few words.
    pub comment: Option<String>,
    /// Guests.
    pub vms: BTreeSet<u32>,
    /// Storages.
    pub storages: BTreeSet<String>,
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
