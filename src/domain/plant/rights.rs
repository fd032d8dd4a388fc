//! The privileges that planting needs, by path (pve-access-control `AccessControl.pm:1057-1204`; each endpoint's own
//! check).

use super::{Form, Key};
use crate::domain::ids::{NodeName, Vmid};

/// Privileges on a path; of alternatives, joined by `|`, one is enough.
pub type Need = (String, &'static [&'static str]);

/// The host itself: its devices.
const HOST: &[&str] = &["Sys.Audit"];
/// The node: its memory, and downloads by it.
const NODE: &[&str] = &["Sys.Audit", "Sys.AccessNetwork"];
/// All guests: whether one of them has the card.
const GUESTS: &[&str] = &["VM.Audit"];
/// A guest that is made.
const GUEST: &[&str] = &[
    "VM.Allocate",
    "VM.Audit",
    "VM.Config.CDROM",
    "VM.Config.CPU",
    "VM.Config.Disk",
    "VM.Config.HWType",
    "VM.Config.Memory",
    "VM.Config.Network",
    "VM.Config.Options",
    "VM.Console",
    "VM.GuestAgent.Unrestricted",
    "VM.PowerMgmt",
];
/// A storage of disks.
const DISKS: &[&str] = &["Datastore.AllocateSpace"];
/// A storage of images. Only Datastore.Allocate may delete one (pve-storage `API2/Storage/Content.pm`), and seeds with
/// secrets in them are deleted.
const IMAGES: &[&str] = &["Datastore.Allocate", "Datastore.AllocateSpace", "Datastore.AllocateTemplate"];
/// A storage that images are only read from.
const READ: &[&str] = &["Datastore.Audit|Datastore.AllocateSpace"];
/// A bridge.
const BRIDGE: &[&str] = &["SDN.Use"];
/// Mappings.
const MAPPINGS: &[&str] = &["Mapping.Modify"];
/// The card's mapping.
const MAPPING: &[&str] = &["Mapping.Use"];

/// What a plan of these answers needs. A question that isn't answered yet needs nothing; a form that says nothing needs
/// what every planting does.
#[must_use]
pub fn needs(form: &Form, node: &NodeName) -> Vec<Need> {
    let mut all: Vec<Need> =
        vec![("/".to_owned(), HOST), (format!("/nodes/{node}"), NODE), ("/vms".to_owned(), GUESTS)];
    all.push(("/mapping/pci".to_owned(), MAPPINGS));
    let said = |key: Key| Some(form.get(key)).filter(|text| !text.is_empty() && form.asks(key));
    let mut add = |key: Key, path: &str, privileges: &'static [&'static str]| {
        let Some(text) = said(key) else { return };
        let need = (format!("{path}{text}"), privileges);
        if !all.contains(&need) {
            all.push(need);
        }
    };
    add(Key::GpuMapping, "/mapping/pci/", MAPPING);
    for vmid in [Key::LinuxVmid, Key::WindowsVmid] {
        add(vmid, "/vms/", GUEST);
    }
    for storage in [Key::LinuxStorage, Key::WindowsStorage] {
        add(storage, "/storage/", DISKS);
    }
    for media in [Key::LinuxMedia, Key::WindowsMedia] {
        add(media, "/storage/", IMAGES);
    }
    for bridge in [Key::LinuxBridge, Key::WindowsBridge] {
        add(bridge, "/sdn/zones/localnetwork/", BRIDGE);
    }
    for image in [Key::LinuxImage, Key::WindowsIso, Key::WindowsVirtio] {
        let storage = said(image).filter(|text| !text.contains("://")).and_then(|text| text.split_once(':'));
        let Some((storage, _)) = storage else { continue };
        let path = format!("/storage/{storage}");
        if !all.iter().any(|(known, _)| *known == path) {
            all.push((path, READ));
        }
    }
    all
}

/// The guest numbers that answers name.
#[must_use]
pub fn vmids(form: &Form) -> Vec<Vmid> {
    let asked = [Key::LinuxVmid, Key::WindowsVmid].into_iter().filter(|key| form.asks(*key));
    asked.filter_map(|key| form.get(key).parse().ok()).collect()
}

/// Every privilege that planting can need, for one role: those of a guest, then those of what is around it.
#[must_use]
pub fn role() -> Vec<&'static str> {
    let plain = |needed: &&&str| !needed.contains('|');
    let sets = [GUEST, IMAGES, &["Datastore.Audit"], BRIDGE, &["Mapping.Audit"], MAPPINGS, MAPPING, NODE];
    let mut all: Vec<&str> = sets.into_iter().flatten().filter(plain).copied().collect();
    all.extend(["VM.GuestAgent.Audit"]);
    all.dedup();
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::plant::testing;

    #[test]
    fn what_is_needed_follows_the_answers() {
        let node = NodeName::from("pve");
        let unanswered: Vec<String> = needs(&Form::default(), &node).into_iter().map(|(path, _)| path).collect();
        assert_eq!(unanswered, ["/", "/nodes/pve", "/vms", "/mapping/pci"]);
        let linux = testing::form().with(Key::WindowsWanted, "no");
        let paths = |form: &Form| needs(form, &node).into_iter().map(|(path, _)| path).collect::<Vec<_>>();
        assert!(paths(&linux).contains(&"/vms/121".to_owned()) && !paths(&linux).contains(&"/vms/122".to_owned()));
        let both = paths(&testing::form());
        for path in ["/vms/122", "/storage/local", "/storage/local-lvm", "/sdn/zones/localnetwork/vmbr0"] {
            assert_eq!(both.iter().filter(|known| *known == path).count(), 1, "{path}");
        }
        let elsewhere = testing::form().with(Key::WindowsIso, "nas:iso/Win11.iso");
        assert!(needs(&elsewhere, &node).contains(&("/storage/nas".to_owned(), READ)));
    }

    #[test]
    fn the_role_holds_every_single_privilege() {
        let held = role();
        for (path, privileges) in needs(&testing::form(), &NodeName::from("pve")) {
            for privilege in privileges {
                assert!(privilege.split('|').any(|one| held.contains(&one)), "{privilege} on {path}");
            }
        }
    }
}
