//! Versions of Proxmox VE, and the one table of what differs between them.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// A version of Proxmox VE as `/version` names it. Only the first two numbers tell what an API can do.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Release {
    /// `8` of `8.4.21`.
    pub major: u16,
    /// `4` of `8.4.21`.
    pub minor: u16,
}

/// Something that an older Proxmox VE doesn't have.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Feature {
    /// The privilege to have a node download something without being able to change it.
    AccessNetwork,
    /// The parameter that ends a shutdown task together with the guest.
    OverruleShutdown,
    /// Storages that hold images which become disks.
    Import,
    /// Downloads and uploads of such images; before, only whole appliances (OVA).
    ImportDownload,
    /// Sleep states of a machine are off unless it asks for them; before, it has them and can't ask.
    SleepStates,
    /// A virtual EFI disk says which of Microsoft's certificates are on it.
    CertificateMark,
    /// Privileges for single questions to a guest's agent, in place of one for all of QEMU's monitor.
    AgentPrivileges,
}

/// What came with which version: the packages that brought it, by their changelogs.
const SINCE: [(Feature, Release); 7] = [
    // libpve-access-control 8.1.2, libpve-storage-perl 8.1.0.
    (Feature::AccessNetwork, Release::new(8, 2)),
    // qemu-server 8.1.2.
    (Feature::OverruleShutdown, Release::new(8, 2)),
    // libpve-storage-perl 8.2.8.
    (Feature::Import, Release::new(8, 3)),
    // libpve-storage-perl 8.3.6.
    (Feature::ImportDownload, Release::new(8, 4)),
    // qemu-server 8.3.10.
    (Feature::SleepStates, Release::new(8, 4)),
    // qemu-server 8.4.6.
    (Feature::CertificateMark, Release::new(8, 4)),
    // libpve-access-control 9.0.2.
    (Feature::AgentPrivileges, Release::new(9, 0)),
];

/// The privilege for everything that is asked of a guest's agent before [`Feature::AgentPrivileges`].
pub const MONITOR: &str = "VM.Monitor";

impl Release {
    /// The oldest that morpheus works with.
    pub const OLDEST: Self = Self::new(8, 3);

    /// A version.
    #[must_use]
    pub const fn new(major: u16, minor: u16) -> Self {
        Self { major, minor }
    }

    /// Whether this version has something.
    #[must_use]
    pub fn has(self, feature: Feature) -> bool {
        SINCE.iter().any(|(known, since)| *known == feature && *since <= self)
    }

    /// Whether morpheus works with it.
    #[must_use]
    pub fn is_supported(self) -> bool {
        self >= Self::OLDEST
    }

    /// What to say of a version that morpheus doesn't work with.
    #[must_use]
    pub fn too_old(self) -> Option<String> {
        let words = || format!("The host has Proxmox VE {self}; morpheus works from {} on.", Self::OLDEST);
        (!self.is_supported()).then(words)
    }

    /// The name of a privilege in this version: a role with a name that its version doesn't know is refused whole. None
    /// where this version has nothing like it.
    #[must_use]
    pub fn privilege(self, name: &str) -> Option<&str> {
        let agents = self.has(Feature::AgentPrivileges);
        match name {
            MONITOR if agents => Some("VM.GuestAgent.Unrestricted"),
            name if name.starts_with("VM.GuestAgent.") && !agents => Some(MONITOR),
            "Sys.AccessNetwork" if !self.has(Feature::AccessNetwork) => None,
            name => Some(name),
        }
    }

    /// Privileges under their names in this version, each once, in their order. Alternatives are joined by `|`.
    #[must_use]
    pub fn privileges(self, names: &[&str]) -> Vec<String> {
        let mut all: Vec<String> = Vec::new();
        for name in names {
            let mut ways: Vec<&str> = Vec::new();
            for way in name.split('|').filter_map(|way| self.privilege(way)) {
                if !ways.contains(&way) {
                    ways.push(way);
                }
            }
            let name = ways.join("|");
            if !name.is_empty() && !all.contains(&name) {
                all.push(name);
            }
        }
        all
    }
}

impl FromStr for Release {
    type Err = String;

    /// Reads `9.2.11`, `8.4` or `9.0.0~10`.
    fn from_str(text: &str) -> Result<Self, String> {
        let number = |part: Option<&str>| -> Option<u16> {
            let digits: &str = part?;
            let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
            digits.get(..end)?.parse().ok()
        };
        let mut parts = text.trim().split('.');
        let (major, minor) = (number(parts.next()), number(parts.next()));
        let bad = || format!("'{text}' is no version of Proxmox VE");
        Ok(Self { major: major.ok_or_else(bad)?, minor: minor.ok_or_else(bad)? })
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl TryFrom<String> for Release {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Release> for String {
    fn from(release: Release) -> Self {
        release.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_numbers() {
        let read = |text: &str| text.parse::<Release>();
        assert_eq!(read("8.4.21"), Ok(Release::new(8, 4)));
        assert_eq!(read("9.0.0~10"), Ok(Release::new(9, 0)));
        assert_eq!(read(" 8.3-1 "), Ok(Release::new(8, 3)));
        assert!(read("10.0").unwrap() > read("9.2.11").unwrap());
        for bad in ["", "9", "pve", "x.2", "9.", "99999.1"] {
            assert!(read(bad).is_err(), "{bad}");
        }
        assert_eq!(Release::new(8, 2).too_old().unwrap(), "The host has Proxmox VE 8.2; morpheus works from 8.3 on.");
        assert_eq!(Release::OLDEST.too_old(), None);
    }

    #[test]
    fn every_feature_has_its_first_version() {
        for (feature, since) in SINCE {
            assert!(since.has(feature) && !Release::new(8, 1).has(feature), "{feature:?}");
        }
        assert!(!Release::new(8, 3).has(Feature::ImportDownload));
        assert!(!Release::new(8, 4).has(Feature::AgentPrivileges));
    }
}
