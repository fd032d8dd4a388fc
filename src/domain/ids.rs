//! Names of things, parsed once and never passed around as bare strings or numbers.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Milliseconds since the Unix epoch. The domain never reads a clock; whoever calls it says what time it is.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct Millis(pub u64);

impl Millis {
    /// The time `ms` milliseconds later.
    #[must_use]
    pub const fn plus(self, ms: u64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// Milliseconds from `earlier` to here, 0 if `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// A guest's number. Proxmox accepts 100 to 999 999 999 (`pve-vmid` in the API schema).
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Vmid(u32);

/// Why a text is not a [`Vmid`].
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a VMID is a number from 100 to 999999999, not '{0}'")]
pub struct BadVmid(String);

impl Vmid {
    /// Checks the range.
    ///
    /// # Errors
    /// The number is outside of what Proxmox accepts.
    pub fn new(number: u32) -> Result<Self, BadVmid> {
        if (100..=999_999_999).contains(&number) { Ok(Self(number)) } else { Err(BadVmid(number.to_string())) }
    }

    /// The number itself.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl TryFrom<u32> for Vmid {
    type Error = BadVmid;
    fn try_from(number: u32) -> Result<Self, BadVmid> {
        Self::new(number)
    }
}

impl From<Vmid> for u32 {
    fn from(vmid: Vmid) -> Self {
        vmid.0
    }
}

impl FromStr for Vmid {
    type Err = BadVmid;
    fn from_str(text: &str) -> Result<Self, BadVmid> {
        text.parse().ok().and_then(|n| Self::new(n).ok()).ok_or_else(|| BadVmid(text.to_owned()))
    }
}

impl fmt::Display for Vmid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl $name {
            /// The text itself.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }
    };
}

name! {
    /// A Proxmox node's name.
    NodeName
}
name! {
    /// A mode's name as the configuration file spells it.
    ModeName
}
name! {
    /// An operation's identity: its starting time and a random tail, sortable by time.
    OpId
}
name! {
    /// A Proxmox task's identity, `UPID:node:pid:pstart:starttime:type:id:user:`. Kept as the host sent it.
    Upid
}

impl OpId {
    /// What the id of a planting begins with; that of a switch begins with its time.
    pub const PLANT: &str = "plant-";

    /// Whether it is a planting.
    #[must_use]
    pub fn is_plant(&self) -> bool {
        self.0.starts_with(Self::PLANT)
    }
}

impl Upid {
    /// The node that runs the task: a UPID names its own, which may differ from the one that was asked.
    #[must_use]
    pub fn node(&self) -> Option<&str> {
        self.0.split(':').nth(1).filter(|node| !node.is_empty())
    }

    /// The worker type, such as `qmstart`.
    #[must_use]
    pub fn kind(&self) -> Option<&str> {
        self.0.split(':').nth(5).filter(|kind| !kind.is_empty())
    }

    /// What it works on: a VMID, a file's name; nothing for uploads.
    #[must_use]
    pub fn object(&self) -> Option<&str> {
        self.0.split(':').nth(6).filter(|object| !object.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vmid_outside_of_the_schema_is_refused() {
        assert!(Vmid::new(99).is_err());
        assert_eq!("101".parse::<Vmid>().unwrap().get(), 101);
        assert_eq!(
            "abc".parse::<Vmid>().unwrap_err().to_string(),
            "a VMID is a number from 100 to 999999999, not 'abc'"
        );
    }

    #[test]
    fn a_upid_names_its_node_and_its_kind() {
        let upid = Upid::from("UPID:pve2:000002DB:0007B0F1:6B013048:qmstart:103:morpheus@pam!t:");
        assert_eq!((upid.node(), upid.kind()), (Some("pve2"), Some("qmstart")));
    }
}
