//! The versions of Proxmox VE that are simulated, and what is known of each by its number.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// A version of Proxmox VE.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub enum Release {
    /// 8.4, the last one of Proxmox VE 8.
    V8,
    /// 9.2.
    #[default]
    V9,
}

impl Release {
    /// Every one, oldest first.
    pub const ALL: [Self; 2] = [Self::V8, Self::V9];

    /// Such as `8.4`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::V8 => "8.4",
            Self::V9 => "9.2",
        }
    }

    /// Its first number.
    pub(crate) const fn major(self) -> u8 {
        match self {
            Self::V8 => 8,
            Self::V9 => 9,
        }
    }

    /// The release of a full version such as `8.4.21`.
    pub(crate) fn of(version: &str) -> Self {
        if version.starts_with("8.") { Self::V8 } else { Self::V9 }
    }

    /// pve-manager's version and build id, and a kernel that it comes with.
    pub(crate) const fn build(self) -> [&'static str; 3] {
        match self {
            Self::V8 => ["8.4.21", "2606ac85", "6.8.12-18-pve"],
            Self::V9 => ["9.2.11", "14a22df3", "6.17.13-1-pve"],
        }
    }

    /// Its privileges (`GET /access/roles`, role Administrator), in the alphabet's order.
    pub(crate) fn privileges(self) -> impl Iterator<Item = &'static str> {
        PRIVILEGES.into_iter().filter(move |name| match *name {
            "VM.GuestAgent.Audit"
            | "VM.GuestAgent.FileRead"
            | "VM.GuestAgent.FileSystemMgmt"
            | "VM.GuestAgent.FileWrite"
            | "VM.Replicate" => self == Self::V9,
            "VM.Monitor" => self == Self::V8,
            _ => true,
        })
    }

    /// Whether it has a privilege of that name.
    pub(crate) fn knows(self, privilege: &str) -> bool {
        self.privileges().any(|name| name == privilege)
    }

    /// What somebody who sets up this version gives in place of a privilege that only another one has.
    pub(crate) fn instead(self, privilege: &str) -> &str {
        match self {
            Self::V8 if privilege.starts_with("VM.GuestAgent.") => "VM.Monitor",
            Self::V9 if privilege == "VM.Monitor" => "VM.GuestAgent.Unrestricted",
            _ => privilege,
        }
    }

    /// The built-in roles, by name.
    pub(crate) const ROLES: [&'static str; 17] = [
        "Administrator",
        "NoAccess",
        "PVEAdmin",
        "PVEAuditor",
        "PVEDatastoreAdmin",
        "PVEDatastoreUser",
        "PVEMappingAdmin",
        "PVEMappingUser",
        "PVEPoolAdmin",
        "PVEPoolUser",
        "PVESDNAdmin",
        "PVESDNUser",
        "PVESysAdmin",
        "PVETemplateUser",
        "PVEUserAdmin",
        "PVEVMAdmin",
        "PVEVMUser",
    ];

    /// Whether a built-in role has a privilege; none if there is no such built-in role.
    pub(crate) fn role_has(self, role: &str, privilege: &str) -> Option<bool> {
        let above = ["Mapping.Modify", "Permissions.Modify", "Realm.Allocate", "Sys.AccessNetwork", "Sys.Incoming"];
        let kind = |name: &str| privilege.starts_with(name);
        let has = match role {
            "Administrator" => true,
            "NoAccess" => false,
            "PVEAdmin" => !above.contains(&privilege) && !matches!(privilege, "Sys.Modify" | "Sys.PowerMgmt"),
            "PVEAuditor" => privilege.ends_with(".Audit"),
            "PVEDatastoreAdmin" => kind("Datastore."),
            "PVEDatastoreUser" => matches!(privilege, "Datastore.AllocateSpace" | "Datastore.Audit"),
            "PVEMappingAdmin" => kind("Mapping."),
            "PVEMappingUser" => matches!(privilege, "Mapping.Audit" | "Mapping.Use"),
            "PVEPoolAdmin" => kind("Pool."),
            "PVEPoolUser" => privilege == "Pool.Audit",
            "PVESDNAdmin" => kind("SDN."),
            "PVESDNUser" => matches!(privilege, "SDN.Audit" | "SDN.Use"),
            "PVESysAdmin" => matches!(privilege, "Sys.Audit" | "Sys.Console" | "Sys.Syslog"),
            "PVETemplateUser" => matches!(privilege, "VM.Audit" | "VM.Clone"),
            "PVEUserAdmin" => matches!(privilege, "Group.Allocate" | "Realm.AllocateUser" | "User.Modify"),
            "PVEVMAdmin" => kind("VM."),
            "PVEVMUser" => VM_USER.contains(&privilege),
            _ => return None,
        };
        Some(has && self.knows(privilege))
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Release {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|release| release.name() == text);
        found.ok_or_else(|| format!("'{text}' isn't simulated, {} are", Self::ALL.map(Self::name).join(" and ")))
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
        release.name().to_owned()
    }
}

/// Every privilege of both (pve-access-control `AccessControl.pm`).
const PRIVILEGES: [&str; 48] = [
    "Datastore.Allocate",
    "Datastore.AllocateSpace",
    "Datastore.AllocateTemplate",
    "Datastore.Audit",
    "Group.Allocate",
    "Mapping.Audit",
    "Mapping.Modify",
    "Mapping.Use",
    "Permissions.Modify",
    "Pool.Allocate",
    "Pool.Audit",
    "Realm.Allocate",
    "Realm.AllocateUser",
    "SDN.Allocate",
    "SDN.Audit",
    "SDN.Use",
    "Sys.AccessNetwork",
    "Sys.Audit",
    "Sys.Console",
    "Sys.Incoming",
    "Sys.Modify",
    "Sys.PowerMgmt",
    "Sys.Syslog",
    "User.Modify",
    "VM.Allocate",
    "VM.Audit",
    "VM.Backup",
    "VM.Clone",
    "VM.Config.CDROM",
    "VM.Config.CPU",
    "VM.Config.Cloudinit",
    "VM.Config.Disk",
    "VM.Config.HWType",
    "VM.Config.Memory",
    "VM.Config.Network",
    "VM.Config.Options",
    "VM.Console",
    "VM.GuestAgent.Audit",
    "VM.GuestAgent.FileRead",
    "VM.GuestAgent.FileSystemMgmt",
    "VM.GuestAgent.FileWrite",
    "VM.GuestAgent.Unrestricted",
    "VM.Migrate",
    "VM.Monitor",
    "VM.PowerMgmt",
    "VM.Replicate",
    "VM.Snapshot",
    "VM.Snapshot.Rollback",
];

/// Privileges of the role `PVEVMUser`.
const VM_USER: [&str; 10] = [
    "VM.Audit",
    "VM.Backup",
    "VM.Config.CDROM",
    "VM.Config.Cloudinit",
    "VM.Console",
    "VM.GuestAgent.Audit",
    "VM.GuestAgent.FileRead",
    "VM.GuestAgent.FileSystemMgmt",
    "VM.GuestAgent.FileWrite",
    "VM.PowerMgmt",
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    /// Privileges of each version by role, as `GET /access/roles` of a real host tells them.
    const TOLD: &str = include_str!("../../tests/data/privileges.json");

    #[test]
    fn roles_and_privileges_are_those_of_the_real_hosts() {
        let told: BTreeMap<Release, BTreeMap<String, Vec<String>>> = serde_json::from_str(TOLD).unwrap();
        assert_eq!(told.len(), Release::ALL.len());
        for (release, roles) in told {
            assert!(roles.keys().eq(Release::ROLES.iter()), "{release}");
            for (role, privileges) in roles {
                let has = |name: &&str| release.role_has(&role, name).unwrap();
                assert!(release.privileges().filter(has).eq(privileges.iter()), "{release} {role}");
            }
        }
    }

    #[test]
    fn a_version_is_read_by_its_name_and_from_a_full_one() {
        assert_eq!("8.4".parse(), Ok(Release::V8));
        assert_eq!("7.4".parse::<Release>(), Err("'7.4' isn't simulated, 8.4 and 9.2 are".to_owned()));
        assert_eq!((Release::of("8.4.21"), Release::of("9.2.11")), (Release::V8, Release::V9));
    }
}
